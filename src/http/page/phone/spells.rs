//! A timeline cut into spells: each boot, and what happened between two of them; and the bars that each is drawn with.

use crate::domain::{Asked, Boot, Carrier, Event, Outcome, Reply, Step, Timestamp, What};

/// A pause after which what follows is no part of the same boot any more, though no new round began: a renewed lease
/// hours later would leave nothing of the boot to see on one axis.
const PAUSE: i64 = 180_000;

/// The carrier of a registration, whichever protocol it goes by.
const REGISTERS: &str = "registers";

/// The most bars of one drawing; what comes behind them is in the text beside it.
const MAX_BARS: usize = 40;

/// What happened in one go.
pub struct Spell<'a> {
    /// True if a boot begins with it.
    pub begins: bool,
    /// What happened, oldest first; never empty.
    pub events: Vec<&'a Event>,
    /// What is drawn of it; empty for a spell that is told in words alone.
    pub bars: Vec<Bar>,
}

/// How a bar looks, and what its outcome means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// A miss or an abort that is no fault.
    Normal,
    /// Not as it should be.
    Bad,
    /// Not over yet.
    Busy,
}

impl Tone {
    /// Its class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Normal => "normal",
            Self::Bad => "bad",
            Self::Busy => "busy",
        }
    }
}

/// An exchange or a transfer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bar {
    /// `dhcp`, `tftp`, `http`, `registers`, or `ringup` for what it did itself.
    pub carrier: &'static str,
    /// What it was about: a file's name, or an address.
    pub what: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ended, or the last that is known of it.
    pub to: Timestamp,
    /// How it ended, in a word or two.
    pub outcome: String,
    /// Whether that is good.
    pub tone: Tone,
}

impl Spell<'_> {
    /// When it began.
    pub fn at(&self) -> Timestamp {
        self.events.first().map_or(Timestamp::UNIX_EPOCH, |event| event.at)
    }
}

/// Cuts a timeline into spells, oldest first. A round begins where the fold of a phone's boot says so.
pub fn spells(events: &[(u64, Event)]) -> Vec<Spell<'_>> {
    let mut spells: Vec<Spell<'_>> = Vec::new();
    let mut boot = Boot::default();
    let mut last = Timestamp::UNIX_EPOCH;
    for (_, event) in events {
        let rounds = boot.rounds;
        boot.fold(event);
        let begins = boot.rounds > rounds;
        let pause = millis(last, event.at) > PAUSE;
        match spells.last_mut() {
            Some(spell) if !begins && !pause => spell.events.push(event),
            _ => spells.push(Spell { begins, events: vec![event], bars: Vec::new() }),
        }
        last = event.at;
    }
    for spell in &mut spells {
        let bars = bars(&spell.events);
        // A renewed lease or a lone question needs no drawing.
        if bars.len() > 1 {
            spell.bars = bars;
        }
    }
    joined(spells)
}

/// Puts spells together that are told in words alone, so that a day of renewals is one list.
fn joined(spells: Vec<Spell<'_>>) -> Vec<Spell<'_>> {
    let mut joined: Vec<Spell<'_>> = Vec::new();
    for spell in spells {
        match joined.last_mut() {
            Some(before) if before.bars.is_empty() && spell.bars.is_empty() => {
                before.events.extend(spell.events);
                before.begins |= spell.begins;
            }
            _ => joined.push(spell),
        }
    }
    joined
}

/// Milliseconds from one moment to another; 0 where a clock was set back.
pub fn millis(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.duration_since(from).as_millis()).unwrap_or(i64::MAX).max(0)
}

/// The bars of what happened, in the order in which they began; the first [`MAX_BARS`].
fn bars(events: &[&Event]) -> Vec<Bar> {
    let mut drawing = Drawing::default();
    for event in events {
        drawing.take(event);
    }
    drawing.bars.truncate(MAX_BARS);
    drawing.bars
}

#[derive(Default)]
struct Drawing {
    bars: Vec<Bar>,
    /// The DHCP exchange that is not over, by its place.
    dhcp: Option<usize>,
}

impl Drawing {
    /// Takes in what happened. No wildcard arm: what is new has to say how it is drawn.
    fn take(&mut self, event: &Event) {
        let at = event.at;
        match &event.what {
            What::Discovered { .. } => {
                self.dhcp = None;
                self.ask(at, "", "no answer");
            }
            What::Requested { address, .. } => {
                self.ask(at, &address.to_string(), "not acknowledged");
            }
            What::Offered { address } => self.ask(at, &address.to_string(), "offered, not taken"),
            What::Leased { address, granted, .. } => {
                let granted = format!("{granted:?}").to_lowercase();
                let outcome = if granted == "selected" { "leased".to_owned() } else { granted };
                self.answered(at, &address.to_string(), outcome, Tone::Good);
            }
            What::Nak { address, .. } => {
                self.answered(at, &address.to_string(), "denied".to_owned(), Tone::Bad);
            }
            What::Unserved(_) => self.answered(at, "", "no address".to_owned(), Tone::Bad),
            What::Declined { address } => {
                self.answered(at, &address.to_string(), "declined".to_owned(), Tone::Bad);
            }
            What::Released { address } => {
                self.answered(at, &address.to_string(), "released".to_owned(), Tone::Normal);
            }
            What::Informed { address } => {
                self.answered(at, &address.to_string(), "told".to_owned(), Tone::Good);
            }
            What::Rivalled { server, beside: None, .. } => {
                self.answered(at, &server.to_string(), "another server".to_owned(), Tone::Bad);
            }
            // An address that somebody typed in: no exchange of ours. Another phone's file is drawn on that one's page.
            What::Appeared { .. } | What::Rivalled { .. } | What::Mistaken { .. } => {}
            What::Recalled { event, reply } => {
                let tone =
                    if matches!(reply, Reply::Accepted { .. }) { Tone::Good } else { Tone::Bad };
                self.push(Bar { carrier: "ringup", ..bar(at, event, reply.as_str(), tone) });
            }
            What::Registration { by, step } => self.registers(at, by, step),
            // Part of the exchange in which it was said.
            What::Told { .. } => {
                if let Some(bar) = self.dhcp.and_then(|place| self.bars.get_mut(place)) {
                    bar.to = at;
                }
            }
            What::Opened { asked, .. } => self.file(at, asked, "under way", Tone::Busy),
            What::Progress { name, bytes, length } => {
                if let Some(bar) = self.running(name, None) {
                    bar.to = at;
                    bar.outcome = format!("{bytes} of {length} bytes");
                }
            }
            What::Ended { asked, outcome, normal, .. } => self.ended(at, asked, outcome, *normal),
            What::Unchanged { asked, .. } => self.file(at, asked, "has it already", Tone::Good),
            What::Refused { asked, normal: true, .. } => {
                self.file(at, asked, "not there, normal", Tone::Normal);
            }
            What::Refused { asked, .. } => self.file(at, asked, "refused", Tone::Bad),
            What::Admitted { number } => {
                self.push(Bar {
                    carrier: "ringup",
                    ..bar(at, number, "registered by itself", Tone::Good)
                });
            }
        }
    }

    fn push(&mut self, bar: Bar) {
        self.bars.push(bar);
    }

    /// A question of the phone's by DHCP, or more of the one before.
    fn ask(&mut self, at: Timestamp, what: &str, outcome: &str) {
        if self.dhcp.is_none() {
            self.dhcp = Some(self.bars.len());
            self.push(bar(at, what, outcome, Tone::Busy));
        }
        let Some(bar) = self.dhcp.and_then(|place| self.bars.get_mut(place)) else { return };
        (bar.to, bar.outcome) = (at, outcome.to_owned());
        if !what.is_empty() {
            what.clone_into(&mut bar.what);
        }
    }

    /// The end of a DHCP exchange, which may be all that is known of it.
    fn answered(&mut self, at: Timestamp, what: &str, outcome: String, tone: Tone) {
        self.ask(at, what, "");
        if let Some(bar) = self.dhcp.take().and_then(|place| self.bars.get_mut(place)) {
            (bar.outcome, bar.tone) = (outcome, tone);
        }
    }

    fn file(&mut self, at: Timestamp, asked: &Asked, outcome: &str, tone: Tone) {
        self.push(Bar { carrier: asked.carrier.as_str(), ..bar(at, &asked.name, outcome, tone) });
    }

    fn ended(&mut self, at: Timestamp, asked: &Asked, outcome: &Outcome, normal: bool) {
        let tone = match outcome {
            Outcome::Complete => Tone::Good,
            _ if normal => Tone::Normal,
            Outcome::Aborted { .. } | Outcome::TimedOut | Outcome::Failed { .. } => Tone::Bad,
        };
        let text = outcome.as_str();
        let text = if tone == Tone::Normal { format!("{text}, normal") } else { text.to_owned() };
        if self.running(&asked.name, Some(asked.carrier)).is_none() {
            // It began before the first event of this page.
            self.file(at, asked, "under way", Tone::Busy);
        }
        if let Some(bar) = self.running(&asked.name, Some(asked.carrier)) {
            (bar.to, bar.outcome, bar.tone) = (at, text, tone);
        }
    }

    /// One bar from the question to its answer; an answer by itself is one too.
    fn registers(&mut self, at: Timestamp, by: &str, step: &Step) {
        let (outcome, tone) = match step {
            Step::Asked => ("no answer", Tone::Busy),
            Step::Accepted => ("registered", Tone::Good),
            Step::Rejected { why, .. } => (why.as_str(), Tone::Bad),
            Step::Ended { .. } => ("ended", Tone::Bad),
        };
        let waits =
            |bar: &&mut Bar| bar.carrier == REGISTERS && bar.tone == Tone::Busy && bar.what == by;
        if let Some(bar) = self.bars.iter_mut().rev().find(waits) {
            (bar.to, bar.tone) = (at, tone);
            outcome.clone_into(&mut bar.outcome);
        } else {
            self.push(Bar { carrier: REGISTERS, ..bar(at, by, outcome, tone) });
        }
    }

    fn running(&mut self, name: &str, carrier: Option<Carrier>) -> Option<&mut Bar> {
        let is_it = |bar: &&mut Bar| {
            bar.tone == Tone::Busy
                && bar.what == name
                && !matches!(bar.carrier, "dhcp" | REGISTERS)
                && carrier.is_none_or(|carrier| bar.carrier == carrier.as_str())
        };
        self.bars.iter_mut().rev().find(is_it)
    }
}

fn bar(at: Timestamp, what: &str, outcome: &str, tone: Tone) -> Bar {
    let (what, outcome) = (what.to_owned(), outcome.to_owned());
    Bar { carrier: "dhcp", what, from: at, to: at, outcome, tone }
}

#[cfg(test)]
mod tests;
