//! Boots as text, a line an event, and what is said about them.

mod broken;
mod fold;
mod healthy;
mod recorded;

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    config::Settings,
    domain::{
        Asked, Carrier, Change, Event, Granted, Mac, Outcome, Rejection, Role, Step, Timestamp,
        Unserved, What,
    },
    profile::{Catalog, Family, Seen, Speaks},
    provision::{
        Library, Provisioner, Report,
        resolve::spoken,
        tests::{now, state},
    },
    store::View,
};

/// A phone whose boot is told.
pub(super) struct Told<'a> {
    pub catalog: &'a Arc<Catalog>,
    pub settings: Settings,
    pub family: &'a Family,
    pub mac: Mac,
    pub speaks: Speaks,
    /// Facts beside its boot: entry, leases, evidence.
    pub beside: Vec<Change>,
    pub events: Vec<Event>,
    /// Facts that came last.
    pub behind: Vec<Change>,
    began: Timestamp,
}

impl<'a> Told<'a> {
    /// A phone of this family whose boots begin some hours ago.
    pub fn new(catalog: &'a Arc<Catalog>, settings: Settings, family: &str, mac: &str) -> Self {
        let family = catalog.family(family).unwrap();
        let (mac, speaks) = (mac.parse().unwrap(), spoken(family, Speaks::Sip));
        let began = now() - Duration::from_hours(3);
        let (beside, events, behind) = (Vec::new(), Vec::new(), Vec::new());
        Self { catalog, settings, family, mac, speaks, beside, events, behind, began }
    }

    /// What its family's profile says about a file, as the resolver would tell the record.
    fn asked(&self, name: &str) -> (Asked, bool, bool) {
        let found = self.catalog.resolve(name);
        let mut its = found.iter().filter(|one| one.family.name == self.family.name);
        let rule = its.next().map(|one| one.file);
        let asked = Asked {
            name: name.to_owned(),
            carrier: Carrier::Tftp,
            role: rule.map_or(Role::Extra, |rule| rule.role),
            required: rule.and_then(|rule| self.family.required(rule, Some(self.speaks))),
            first: rule.is_some_and(|rule| rule.first),
        };
        let normal = rule.map(|rule| rule.normal).unwrap_or_default();
        (asked, normal.miss, normal.abort)
    }

    pub fn happens(&mut self, second: i64, what: What) {
        let at = self.began + jiff::SignedDuration::from_secs(second);
        self.events.push(Event { at, what });
    }

    /// A file on its way and at its end.
    pub fn file(&mut self, second: i64, name: &str, sizes: (u64, u64), outcome: Outcome) {
        let (asked, _, abort) = self.asked(name);
        let source = match asked.role {
            Role::Firmware => format!("firmware {name}"),
            _ => "template family/file.j2".to_owned(),
        };
        self.happens(second, What::Opened { asked: asked.clone(), length: sizes.1 });
        let normal = abort && matches!(outcome, Outcome::Aborted { .. });
        let etag = format!("{name}-{}", sizes.1);
        let (bytes, length) = sizes;
        let what = What::Ended { asked, bytes, length, outcome, etag, normal, source };
        self.happens(second, what);
    }

    pub fn miss(&mut self, second: i64, name: &str) {
        let (asked, normal, _) = self.asked(name);
        self.happens(second, What::Refused { asked, why: format!("there is no {name}"), normal });
    }

    /// One line: the second, a word, what belongs to it.
    pub fn line(&mut self, line: &str) {
        let (second, rest) = line.split_once(' ').unwrap();
        let second: i64 = second.parse().unwrap();
        let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let address = || first.parse().unwrap();
        let text = || more.to_owned();
        let sizes = || {
            let (size, _) = more.split_once(' ').unwrap_or((more, ""));
            let (bytes, length) = size.split_once('/').unwrap_or((size, size));
            (bytes.parse().unwrap_or(4096), length.parse().unwrap_or(4096))
        };
        let words = || more.split_once(' ').map_or("", |(_, words)| words).to_owned();
        let by = || first.to_owned();
        let what = match word {
            "discover" => What::discovered(None),
            "offer" => What::Offered { address: address() },
            "rival" => What::Rivalled { server: address(), hardware: None, beside: None },
            "lease" => {
                let (until, granted) = (Timestamp::MAX, Granted::Selected);
                What::Leased { address: address(), until, granted }
            }
            "unserved" => What::Unserved(match first {
                "pool" => Unserved::PoolExhausted,
                "admit" => Unserved::NotAdmitted,
                _ => Unserved::NoSubnet,
            }),
            "nak" => What::Nak { address: address(), why: text() },
            "decline" => What::Declined { address: address() },
            "told" => {
                let option = |option: &str| {
                    let (code, text) = option.split_once('=').unwrap();
                    (code.parse().unwrap(), text.to_owned())
                };
                What::Told { by: address(), servers: more.split_whitespace().map(option).collect() }
            }
            "has" => return self.file(second, first, sizes(), Outcome::Complete),
            "stops" => {
                return self.file(second, first, sizes(), Outcome::Aborted { text: words() });
            }
            "late" => return self.file(second, first, sizes(), Outcome::TimedOut),
            "fails" => return self.file(second, first, sizes(), Outcome::Failed { text: words() }),
            "miss" => return self.miss(second, first),
            "refuse" => {
                let (asked, _, _) = self.asked(first);
                What::Refused { asked, why: text(), normal: false }
            }
            "begin" => What::Opened { asked: self.asked(first).0, length: sizes().1 },
            "progress" => {
                let (bytes, length) = sizes();
                What::Progress { name: by(), bytes, length }
            }
            "asks" => What::Registration { by: by(), step: Step::Asked },
            "registers" => What::Registration { by: by(), step: Step::Accepted },
            "ends" => What::Registration { by: by(), step: Step::Ended { text: text() } },
            "rejected" => {
                let (why, text) = more.split_once(' ').unwrap_or((more, ""));
                let why = Rejection::ALL.into_iter().find(|one| one.as_str() == why).unwrap();
                let text = text.to_owned();
                What::Registration { by: by(), step: Step::Rejected { why, text } }
            }
            other => panic!("no event is called {other}"),
        };
        self.happens(second, what);
    }

    /// It showed its option 60.
    pub fn shows(&mut self, seen: &Seen<'_>) {
        let ground = self.catalog.recognize(seen, self.began).unwrap();
        self.beside.push(Change::Showed(self.mac, ground));
    }

    /// What is said about it at this second.
    pub fn report(&self, second: i64) -> Report {
        let happened = self.events.iter().map(|event| Change::Happened(self.mac, event.clone()));
        let facts = self.beside.iter().cloned().chain(happened).chain(self.behind.iter().cloned());
        let state = state(facts.collect());
        let nowhere = Path::new("/nonexistent");
        let (library, _) = Library::load(nowhere, nowhere);
        let (settings, catalog) = (Arc::new(self.settings.clone()), Arc::clone(self.catalog));
        let here = Provisioner::new(settings, catalog, Arc::new(library), View::default());
        let at = self.began + jiff::SignedDuration::from_secs(second);
        here.report(self.mac, &state.phones[&self.mac], &state, at)
    }
}

#[test]
fn words_are_filled_once() {
    let facts = vec![("file", "{mac}.cfg".to_owned()), ("mac", "x".to_owned())];
    let check = |words: &str, text: &str| assert_eq!(super::filled(words, &facts), text);
    check("asks for {file} of {mac}.", "asks for {mac}.cfg of x.");
    check("nothing", "nothing");
    check("{nobody} knows", "… knows");
}
