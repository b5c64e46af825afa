//! `ringup lab`: the appliance and simulated phones on loopback, with throw-away state.

mod api;
mod bench;
mod cast;
mod verdict;

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use crate::{
    appliance::{Appliance, Running},
    domain::Mac,
    sim::{Fleet, Outcome},
};

use self::{
    api::{Api, ApiError},
    bench::{Bench, Ports},
    cast::{LATE, Part, Tell, USUAL, cast, list},
    verdict::Verdict,
};
use super::{
    output,
    serve::{Stop, runtime},
};

/// How often the lab looks for free ports.
const ATTEMPTS: u32 = 5;

/// How long before the last phone the window of auto-registration opens.
const WINDOW: Duration = Duration::from_secs(2);

/// How often the page is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How many phones boot at once; 2 cores serve them with room to spare.
const AT_ONCE: usize = 32;

/// How long after something was told of a phone nothing is told again.
const RUMOUR: Duration = Duration::from_secs(2);

/// What lies between two futile cycles of a phone: 20 s on a wire, less in a lab.
const PAUSE: Duration = Duration::from_secs(2);

/// What lies between two power-ons in a lab without an end, so that there is something to watch while the page opens.
const STAGGER: Duration = Duration::from_millis(500);

/// How long it takes at most until all of them are on, however many they are.
const ALL_ON: Duration = Duration::from_secs(20);

/// When a phone of a lab without an end is switched off and on again, so that the page has something to show.
const RESTART: Duration = Duration::from_secs(90);

/// Options of `ringup lab`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup lab                               78 phones, until ctrl-C\n  \
    ringup lab --phones 200 --for 2m         a summary at the end; exit code 1 if a phone is not as expected\n  \
    ringup lab --operators 127.0.0.1:9090    the page on another port")]
pub struct Lab {
    /// How many phones.
    #[arg(long, value_name = "N", default_value_t = USUAL, value_parser = clap::value_parser!(u16).range(1..=2000))]
    phones: u16,
    /// Ends after this time at the latest, and as soon as every phone is as expected: 30s, 2m.
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    limit: Option<Duration>,
    /// Where the page is, on loopback; another port if that one is taken.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = loopback)]
    operators: SocketAddr,
}

/// `30s`, `2m`, `1h` or plain seconds.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("a time such as 30s, 2m or 1h".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a time such as 30s, 2m or 1h".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(unit)))
}

/// The page of a lab has no password, so it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback());
    address.ok_or_else(|| "address and port of loopback, such as 127.0.0.1:8080".to_owned())
}

impl Lab {
    /// Runs the lab to its end.
    ///
    /// Exit codes: 0 all as expected, or stopped by hand; 1 not all as expected at the end of `--for`; else as `serve`.
    #[must_use]
    pub fn run(&self) -> u8 {
        match runtime() {
            Ok(runtime) => runtime.block_on(self.take_place()),
            Err(error) => failed(&error, 74),
        }
    }

    async fn take_place(&self) -> u8 {
        let cast = cast(self.phones);
        let stop = Stop::listen();
        // Dropped last, when nothing writes into it any more.
        let bench = match Bench::make(&cast) {
            Ok(bench) => bench,
            Err(error) => return failed(&error, 74),
        };
        let (ports, running) = match self.start(&bench) {
            Ok(started) => started,
            Err((text, code)) => return failed(&text, code),
        };
        let code = self.play(&cast, &ports, &running, &bench, stop).await;
        running.stop().await;
        code
    }

    /// Starts the appliance. A port that somebody takes between the look and the bind (another lab that starts in the
    /// same moment) is given up for another one.
    fn start(&self, bench: &Bench) -> Result<(Ports, Running), (String, u8)> {
        let mut attempt = 1;
        loop {
            let ports = Ports::choose(self.operators).map_err(|error| (error.to_string(), 69))?;
            match Appliance::start(bench.settings(&ports), Vec::new()) {
                Ok(running) => return Ok((ports, running)),
                Err(error) if error.exit_code() == 69 && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err((error.to_string(), error.exit_code())),
            }
        }
    }

    async fn play(
        &self,
        cast: &[Part],
        ports: &Ports,
        running: &Running,
        bench: &Bench,
        mut stop: Stop,
    ) -> u8 {
        let Some(operators) = running.operators.first() else {
            return failed(&"the appliance has no operators' port", 69);
        };
        let api = Api(*operators);
        if self.operators.port() != 0 && *operators != self.operators {
            say(&format!("\n{} is taken: the page is elsewhere this time", self.operators));
        }
        say(&greeting(cast, *operators, bench, self.limit));
        if let Err(error) = api.import(list(cast, "Lab")).await {
            return failed(&format!("the list was not taken: {error}"), 1);
        }
        let (off, power) = watch::channel(false);
        let (told, outcomes) = mpsc::channel(1024);
        let fleet = Fleet {
            network: ports.network(),
            phones: cast.iter().filter_map(|part| part.subject.clone()).collect(),
            at_once: AT_ONCE,
            pause: PAUSE,
            restart: RESTART.into(),
            stagger: STAGGER.min(ALL_ON / u32::from(self.phones)),
        };
        let fleet = match self.limit {
            Some(_) => Fleet { restart: None, stagger: Duration::ZERO, ..fleet },
            None => fleet,
        };
        let phones = tokio::spawn(fleet.run(told, power));
        let code = tokio::select! {
            code = self.look(api, cast, outcomes) => code,
            // Nothing is lost with the look: it only reads.
            () = stop.asked() => {
                self.summary(api, cast).await;
                0
            }
        };
        // The fleet may have ended by itself.
        let _ = off.send(true);
        let _ = phones.await;
        code
    }

    /// What there is to say when somebody ends it by hand.
    async fn summary(&self, api: Api, parts: &[Part]) {
        match api.phones().await {
            Ok(seen) => {
                let verdict = Verdict::new(parts, seen);
                say(&format!("\n  {}\n\n{}", verdict.progress(), verdict.table()));
            }
            Err(error) => say(&format!("\nthe page does not answer: {error}")),
        }
    }

    /// Looks at the page until the time is up or, with an end, everything is as expected.
    async fn look(&self, api: Api, parts: &[Part], mut outcomes: mpsc::Receiver<Outcome>) -> u8 {
        let began = Instant::now();
        let (mut line, mut rumours) = (Line::default(), Rumours::default());
        loop {
            while outcomes.try_recv().is_ok() {}
            let verdict = match api.phones().await {
                Ok(seen) => Verdict::new(parts, seen),
                Err(error) => return failed(&format!("the page does not answer: {error}"), 1),
            };
            line.show(&verdict.progress());
            if let Err(error) = rumours.spread(api, parts, &verdict, began).await {
                return failed(&format!("the page does not take what is told: {error}"), 1);
            }
            let Some(limit) = self.limit else {
                tokio::time::sleep(LOOK).await;
                continue;
            };
            if verdict.is_whole() || began.elapsed() >= limit {
                say(&format!("\n{}", verdict.table()));
                return u8::from(!verdict.is_whole());
            }
            sleep_until((Instant::now() + LOOK).min(began + limit)).await;
        }
    }
}

/// What others tell the appliance while the phones boot: PBXs about registrations, an operator about the list.
#[derive(Default)]
struct Rumours {
    /// How often, and when last.
    told: BTreeMap<Mac, (usize, Instant)>,
    open: bool,
}

impl Rumours {
    /// Tells what is due: of each phone in each of its boots, when it has its configuration.
    async fn spread(
        &mut self,
        api: Api,
        parts: &[Part],
        verdict: &Verdict<'_>,
        began: Instant,
    ) -> Result<(), ApiError> {
        // Who asked before it was open was told that it is closed.
        if !self.open && began.elapsed() + WINDOW >= Duration::from_secs(LATE) {
            api.open_window().await?;
            self.open = true;
        }
        for part in parts.iter().filter(|part| !part.tells.is_empty()) {
            let (times, last) = self.told.get(&part.mac).copied().unzip();
            // What was told a moment ago may not be on the page yet.
            let under_way = last.is_some_and(|last: Instant| last.elapsed() < RUMOUR);
            if verdict.stage(part.mac) != Some("configured") || verdict.is_right(part) || under_way
            {
                continue;
            }
            let times = times.unwrap_or_default();
            self.told.insert(part.mac, (times + 1, Instant::now()));
            for tell in part.tells {
                match tell {
                    Tell::At(by, step, why) => {
                        let why = if why.is_empty() {
                            String::new()
                        } else {
                            format!(r#","why":"{why}""#)
                        };
                        let body = format!(r#"{{"by":"{by}","step":"{step}"{why}}}"#);
                        api.registered(part.mac, body).await?;
                    }
                    Tell::Relisted => {
                        // It takes each new name with its next boot.
                        let name = if times % 2 == 0 { "Moved" } else { "Lab" };
                        api.import(list(std::slice::from_ref(part), name)).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The progress line: rewritten in place on a terminal, and a line for each change elsewhere.
#[derive(Default)]
struct Line(String);

impl Line {
    fn show(&mut self, text: &str) {
        if self.0 == text {
            return;
        }
        let mut out = io::stdout().lock();
        // A closed pipe is somebody who has seen enough: the lab goes on to its end all the same.
        let _ = if out.is_terminal() {
            // A line that wraps can't be written over.
            let columns = output::columns().map_or(usize::MAX, |columns| columns.saturating_sub(3));
            let text: String = text.chars().take(columns).collect();
            let blank = " ".repeat(self.0.chars().count().saturating_sub(text.chars().count()));
            write!(out, "\r  {text}{blank}")
        } else {
            writeln!(out, "  {text}")
        };
        let _ = out.flush();
        text.clone_into(&mut self.0);
    }
}

/// Tells something on standard output. A closed pipe is somebody who has seen enough: what runs goes on to its end.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn greeting(
    parts: &[Part],
    operators: SocketAddr,
    bench: &Bench,
    limit: Option<Duration>,
) -> String {
    let end = limit.map_or("ends with ctrl-C".to_owned(), |limit| {
        format!("ends after {} s, or once all is as expected", limit.as_secs())
    });
    let again = if limit.is_none() {
        "\nEach restarts after a minute and a half or two, and is somewhere on its way for a moment.\n"
    } else {
        ""
    };
    let healthy = parts.iter().filter(|part| part.group == cast::HEALTHY_GROUP).count();
    let others = others(parts);
    format!(
        "\n{} simulated phones boot on loopback; {end}, and {} is gone then.\n\n  \
         page  http://{operators}/\n\n{healthy} of them are healthy. Look at the others:\n\n{others}{again}",
        parts.len(),
        bench.path().display(),
    )
}

/// A line for each group that is not healthy: its first phone, and how many more are like it.
fn others(parts: &[Part]) -> String {
    let mut told: Vec<&str> = vec![cast::HEALTHY_GROUP];
    let mut lines = Vec::new();
    for Part { mac, group, expected, .. } in parts {
        if told.contains(group) {
            continue;
        }
        told.push(group);
        let more = match parts.iter().filter(|part| part.group == *group).count() {
            0 | 1 => String::new(),
            all => format!(" (and {} more)", all - 1),
        };
        lines.push(format!("  {mac}  {group:<29}  {expected}{more}\n"));
    }
    lines.concat()
}

fn failed(error: &dyn std::fmt::Display, code: u8) -> u8 {
    eprintln!("ringup lab: {error}");
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stays_on_this_machine() {
        let check = |text, expected: bool| assert_eq!(loopback(text).is_ok(), expected, "{text}");
        check("127.0.0.1:8080", true);
        check("127.0.0.9:0", true);
        check("[::1]:8080", true);
        check("0.0.0.0:8080", false);
        check("192.0.2.1:8080", false);
        check("8080", false);
        check("127.0.0.1", false);
    }

    #[test]
    fn times() {
        let check = |text: &str, seconds: Option<u64>| {
            assert_eq!(time(text).ok(), seconds.map(Duration::from_secs), "{text}");
        };
        check("30s", Some(30));
        check("45", Some(45));
        check("2m", Some(120));
        check("1h", Some(3600));
        check("s", None);
        check("3 days", None);
        check("", None);
    }
}
