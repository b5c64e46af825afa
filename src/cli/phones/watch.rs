//! `ringup phones watch`: the board in a terminal, live; into a pipe a line for each change.

mod board;
mod draw;
mod feed;
mod screen;
mod sse;
#[cfg(test)]
mod tests;

use std::{
    env,
    io::{self, IsTerminal},
    path::PathBuf,
    thread,
    time::Duration,
};

use jiff::tz::TimeZone;
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event},
};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    cli::{
        client,
        exit::{Done, Exit, Failure},
        output,
        serve::{Stop, runtime},
    },
    config::Settings,
    domain::Timestamp,
};

use self::{
    board::{Board, Filter, Group, Row},
    draw::{Paint, draw},
    feed::{Feed, News, UNDER_WAY},
    screen::{Act, Link, Screen},
};
use super::list;

/// Time between two looks at most: clocks in the rows go on without news.
const LOOK: Duration = Duration::from_secs(1);

/// Time between two looks at least: a storm of news is drawn ten times a second.
const BREATH: Duration = Duration::from_millis(100);

/// Keys under way; whoever types faster waits.
const KEYS: usize = 64;

/// Options of `ringup phones watch`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Keys: / filter · s stage · f finding · ↑↓ choose a phone · ? help · q quit\n\n\
    Examples:\n  \
    ringup phones watch                          the board, the troubled first\n  \
    ringup phones watch --stage trouble          only phones that need a look\n  \
    ringup phones watch --site paris | tee log   a line for each change\n  \
    ringup phones watch --json                   each changed phone as one line of JSON\n\n\
    Colours are left out where NO_COLOR is set."
)]
pub struct Watch {
    /// Only phones at this stage, or `trouble`: those that need a look.
    #[arg(long, value_name = "STAGE", value_parser = group)]
    stage: Option<Group>,
    /// Only phones with this finding.
    #[arg(long, value_name = "KIND", value_parser = list::finding)]
    finding: Option<String>,
    /// Only phones of this site.
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Only phones with these words in what the board shows of them.
    #[arg(long, short, value_name = "TEXT")]
    query: Option<String>,
    /// A line for each change instead of the board, also on a terminal.
    #[arg(long)]
    lines: bool,
    /// Each changed phone as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn group(text: &str) -> Result<Group, String> {
    match text {
        "trouble" => Ok(Group::Trouble),
        stage => {
            let stage = list::stage(stage).map_err(|error| format!("{error}, trouble"))?;
            Ok(Group::every().find(|group| group.name() == stage).unwrap_or_default())
        }
    }
}

impl Watch {
    /// Runs it until it is told to quit.
    pub fn run(self, settings: &Settings) -> Done {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let lines = self.lines || self.json || dumb || !io::stdout().is_terminal();
        let json = self.json;
        let filter = Filter {
            group: self.stage.unwrap_or_default(),
            finding: self.finding.unwrap_or_default(),
            site: self.site.unwrap_or_default(),
            words: self.query.unwrap_or_default(),
        };
        let runtime = runtime()?;
        let socket = runtime.block_on(client::appliance(settings))?;
        let done = runtime.block_on(async {
            if lines { print(socket, filter, json).await } else { show(socket, filter).await }
        });
        // A thread that waits for the next key ends with the process.
        runtime.shutdown_background();
        done
    }
}

/// Prints a line for each change, for ever.
async fn print(socket: PathBuf, filter: Filter, json: bool) -> Done {
    let (sender, mut news) = mpsc::channel(UNDER_WAY);
    tokio::spawn(Feed::new(socket, sender).run());
    let mut lines = Lines { board: Board::default(), filter, json, loaded: false };
    let mut heard = Timestamp::now();
    while let Some(news) = news.recv().await {
        match &news {
            News::Lost(why) if lines.loaded => {
                let ago = output::ago(&heard.to_string(), Timestamp::now());
                output::note(&format!("last heard {ago} ago, trying again ({why})"));
            }
            News::Live if lines.loaded => output::note("live again"),
            _ => heard = Timestamp::now(),
        }
        let first = matches!(news, News::All(_)) && !lines.loaded;
        for line in lines.of(news, Timestamp::now()) {
            output::line(&line)?;
        }
        if first {
            let count = lines.board.len();
            output::note(&format!("{count} phones now; a line for each change follows"));
        }
    }
    Err(ended())
}

/// The feed follows its appliance for as long as somebody listens: its end is a fault of ours.
fn ended() -> Failure {
    Failure::new(Exit::Unavailable, "the news have ended although nobody asked them to")
}

/// What a pipe is told.
struct Lines {
    board: Board,
    filter: Filter,
    json: bool,
    /// What is there at first is no change: `phones list` tells it.
    loaded: bool,
}

impl Lines {
    fn of(&mut self, news: News, now: Timestamp) -> Vec<String> {
        match news {
            News::Phone(phone) => self.phone(&phone, now).into_iter().collect(),
            News::All(all) => {
                self.loaded = true;
                let gone = self.board.keep(&all);
                let gone = gone.into_iter().filter(|row| self.filter.fits(row));
                gone.map(|row| self.gone(&row.mac, now)).collect()
            }
            News::Live | News::Heard | News::Lost(_) => Vec::new(),
        }
    }

    fn phone(&mut self, phone: &Value, now: Timestamp) -> Option<String> {
        let (before, row) = self.board.take(phone)?;
        let fits = |row: &Row| self.filter.fits(row);
        if !self.loaded {
            return None;
        }
        if phone.get("forgotten").is_some() {
            return before.filter(fits).map(|row| self.gone(&row.mac, now));
        }
        // Whoever leaves the filter is told of once more: that it did is the news.
        let concerns = fits(&row) || before.as_ref().is_some_and(fits);
        if !concerns || before.as_ref().is_some_and(|before| before.told() == row.told()) {
            return None;
        }
        Some(if self.json { phone.to_string() } else { line(&row, now) })
    }

    fn gone(&self, mac: &str, now: Timestamp) -> String {
        if self.json {
            return serde_json::json!({ "mac": mac, "forgotten": true }).to_string();
        }
        format!("{}  {mac}  forgotten", clock(now))
    }
}

fn clock(now: Timestamp) -> String {
    now.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

/// One change: what does not change its width first.
fn line(row: &Row, now: Timestamp) -> String {
    let stage = [row.stage.as_str(), row.flag].join(" ");
    let label = if row.label == row.mac { "" } else { &row.label };
    let parts = [label, &row.model, &row.address, &row.headline];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let line = format!("{}  {}  {stage:<19}  {}", clock(now), row.mac, parts.join(" · "));
    line.trim_end().to_owned()
}

/// The terminal as it was, whatever happens; a panic restores it before it tells of itself.
struct Borrowed(DefaultTerminal);

impl Borrowed {
    fn new() -> io::Result<Self> {
        ratatui::try_init().map(Self)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the board until a key or a signal ends it.
async fn show(socket: PathBuf, filter: Filter) -> Done {
    let (sender, mut news) = mpsc::channel(UNDER_WAY);
    tokio::spawn(Feed::new(socket, sender).run());
    let mut stop = Stop::listen().and_hangup();
    let mut screen = Screen::default();
    screen.board.narrow(|now| *now = filter);
    let paint = Paint { colours: env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) };
    let mut terminal = Borrowed::new()?;
    let mut keys = keys();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut many = Vec::with_capacity(UNDER_WAY);
    let mut due: Option<Instant> = None;
    loop {
        let soon = async {
            match due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        // Each of these keeps what it has not handed out: nothing is lost with those that are dropped.
        tokio::select! {
            key = keys.recv() => match key {
                Some(Ok(Event::Key(key))) if screen.press(key) == Act::Quit => return Ok(Exit::Ok),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(ended()),
            },
            count = news.recv_many(&mut many, UNDER_WAY) => {
                if count == 0 {
                    return Err(ended());
                }
                for news in many.drain(..) {
                    take(&mut screen, news);
                }
                due.get_or_insert(Instant::now() + BREATH);
                continue;
            }
            () = soon => {}
            _ = looks.tick() => {}
            () = stop.asked() => return Ok(Exit::Ok),
        }
        due = None;
        terminal.0.draw(|frame| draw(frame, &mut screen, paint, Timestamp::now()))?;
    }
}

/// Puts news on the screen.
fn take(screen: &mut Screen, news: News) {
    match news {
        News::Lost(_) => {
            screen.link = Link::Lost;
            return;
        }
        News::Live => screen.link = Link::Live,
        News::Heard => {}
        News::Phone(phone) => drop(screen.board.take(&phone)),
        News::All(all) => {
            screen.loaded = true;
            screen.board.keep(&all);
        }
    }
    screen.heard = Some(Timestamp::now());
}

/// What is typed, and changes of the terminal's size.
fn keys() -> mpsc::Receiver<io::Result<Event>> {
    let (sender, keys) = mpsc::channel(KEYS);
    thread::spawn(move || {
        loop {
            let event = event::read();
            let broken = event.is_err();
            // Nobody listens any more, or the terminal is gone.
            if sender.blocking_send(event).is_err() || broken {
                return;
            }
        }
    });
    keys
}
