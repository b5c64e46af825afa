//! `ringup phones resync`.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use crate::{cli::output, config::Settings, domain::Mac, provision::Rate};

use super::{
    super::{
        client::{Client, Query},
        exit::{Done, Exit, Failure},
        output::text,
    },
    mac, place,
};

/// How long a phone's answer is waited for: a little longer than ringup itself does.
const PATIENCE: Duration = Duration::from_secs(35);

/// How often is looked whether there is something new.
const LOOK: Duration = Duration::from_millis(250);

/// Options of `ringup phones resync`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    ringup phones resync 001565aabbcc                one phone; says what it answers\n  \
    ringup phones resync --site paris --rate 30/min  a site, slowly\n  \
    ringup phones resync --stop                      leaves alone who was not asked yet\n\n\
    A phone is sent a SIP NOTIFY as its family follows it (check-sync, resync). Phones that follow their call manager\n\
    alone are named: restart them by hand. Exit code 1 where a phone did not accept, or has to be restarted.")]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line, each of its own")]
pub struct Resync {
    /// The phone, in any spelling.
    #[arg(value_parser = mac, required_unless_present_any = ["site", "finding", "stage", "q", "all", "stop"],
        conflicts_with_all = ["site", "finding", "stage", "q", "all", "stop"])]
    mac: Option<Mac>,
    /// All phones of this site.
    #[arg(long)]
    site: Option<String>,
    /// All phones with a finding of this kind.
    #[arg(long, value_name = "KIND")]
    finding: Option<String>,
    /// All phones at this stage.
    #[arg(long)]
    stage: Option<String>,
    /// All phones with this text in MAC, number, name, model, address, location or note.
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// All phones that there are.
    #[arg(long, conflicts_with_all = ["site", "finding", "stage", "q", "stop"])]
    all: bool,
    /// How many at a time: 2/s, 30/min, 100/h.
    #[arg(long, default_value = "2/s")]
    rate: Rate,
    /// Do not wait for answers.
    #[arg(long)]
    no_wait: bool,
    /// Stop what is under way.
    #[arg(long, conflicts_with_all = ["site", "finding", "stage", "q"])]
    stop: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const RUN: &str = "/api/v1/phones/resync";

impl Resync {
    /// Runs it. Only an appliance that runs can ask a phone.
    pub fn run(&self, settings: &Settings) -> Done {
        let client = Client::running(settings)?;
        match self.mac {
            Some(mac) => self.one(&client, mac),
            None => self.many(&client),
        }
    }

    fn one(&self, client: &Client, mac: Mac) -> Done {
        let before = client.json(&place(mac))?;
        let at = |phone: &Value| text(phone, "/recalled/at");
        let called =
            client.exchange(Method::POST, &format!("{}/resync", place(mac)), &json!({}))?;
        if text(&called, "/called") != "asked" {
            self.say(&called, &format!("{mac}: {}", text(&called, "/text")))?;
            return Ok(Exit::Found);
        }
        if self.no_wait {
            self.say(&called, &format!("{mac} is {}", text(&called, "/text")))?;
            return Ok(Exit::Ok);
        }
        output::note(&format!("{mac} is {}; waiting for its answer", text(&called, "/text")));
        let begun = Instant::now();
        loop {
            let phone = client.json(&place(mac))?;
            // What it answered at once may have made it come already: then a new round hides it, and it is there.
            let came = text(&phone, "/since") != text(&before, "/since");
            let answered = !at(&phone).is_empty() && at(&phone) != at(&before);
            if answered || came {
                return self.answered(mac, &phone, answered);
            }
            if begun.elapsed() > PATIENCE {
                let text = format!("{mac}: nothing was recorded of its answer");
                return Err(Failure::new(Exit::Unavailable, text));
            }
            sleep(LOOK);
        }
    }

    fn answered(&self, mac: Mac, phone: &Value, answered: bool) -> Done {
        let recalled = phone.get("recalled").cloned().unwrap_or_default();
        if !answered {
            self.say(&json!({ "reply": "accepted", "text": "it comes" }), &format!("{mac} comes"))?;
            return Ok(Exit::Ok);
        }
        let remedy = text(&recalled, "/remedy");
        let remedy = if remedy.is_empty() { remedy } else { format!("\n  => {remedy}") };
        self.say(&recalled, &format!("{mac}: {}{remedy}", text(&recalled, "/text")))?;
        let accepted = text(&recalled, "/reply") == "accepted";
        Ok(if accepted { Exit::Ok } else { Exit::Found })
    }

    fn many(&self, client: &Client) -> Done {
        if self.stop {
            let run = client.send(Method::DELETE, RUN, "", Bytes::new())?;
            let run: Value = serde_json::from_slice(&run).unwrap_or_default();
            return self.end(&run);
        }
        let query = Query::default()
            .maybe("site", self.site.as_deref())
            .maybe("finding", self.finding.as_deref())
            .maybe("stage", self.stage.as_deref())
            .maybe("q", self.q.as_deref())
            .flag("all", self.all)
            .with("rate", &self.rate.to_string());
        let mut run = client.exchange(Method::POST, &query.on(RUN), &json!({}))?;
        if self.no_wait {
            return self.end(&run);
        }
        let rate = text(&run, "/rate");
        output::note(&format!(
            "asking {} phones, {rate}; Ctrl+C leaves it running, `ringup phones resync --stop` ends it",
            number(&run, "/waiting")
        ));
        let mut told = String::new();
        while run.get("running") == Some(&Value::Bool(true)) {
            sleep(LOOK);
            run = client.json(RUN)?;
            let now = counts(&run);
            // A line for each tenth at most: it may go into a log.
            let tenth = number(&run, "/waiting") * 10 / number(&run, "/total").max(1);
            let line = tenth.to_string();
            if line != told {
                output::note(&now);
                told = line;
            }
        }
        self.end(&run)
    }

    fn end(&self, run: &Value) -> Done {
        self.say(run, &counts(run))?;
        if !self.json {
            for mac in output::list(run, "/by-hand") {
                output::line(&format!("  restart by hand: {}", text(mac, "")))?;
            }
        }
        let bad = ["/refused", "/silent", "/restart"].iter().any(|part| number(run, part) > 0);
        Ok(if bad { Exit::Found } else { Exit::Ok })
    }

    fn say(&self, value: &Value, line: &str) -> std::io::Result<()> {
        if self.json { output::json(value) } else { output::line(line) }
    }
}

fn number(run: &Value, pointer: &str) -> u64 {
    run.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// What became of how many.
fn counts(run: &Value) -> String {
    let parts = [
        ("waiting", "/waiting"),
        ("asked", "/asked"),
        ("accepted", "/accepted"),
        ("refused", "/refused"),
        ("did not answer", "/silent"),
        ("to restart by hand", "/restart"),
    ];
    let parts = parts.iter().map(|(word, pointer)| (number(run, pointer), word));
    let shown: Vec<_> = parts
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let stopped = if run.get("stopped") == Some(&Value::Bool(true)) { ", stopped" } else { "" };
    let shown = if shown.is_empty() { "no phones".to_owned() } else { shown.join(", ") };
    format!("{shown}{stopped}")
}
