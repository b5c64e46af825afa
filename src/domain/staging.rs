//! A batch of phones on the bench: scanned in, booted with staging values, handed over, sealed.
//!
//! Operators, the API and the page call it a batch. Here it is a [`Staging`], because a [`super::Batch`] is a handful of
//! changes that become fact together.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Boot, Event, Mac, Outcome, Role, SiteName, Stage, Timestamp, What, clip};

/// The number of a batch: counts up from 1.
pub type StagingId = u32;

/// The most phones in one batch. One more is refused.
pub const MAX_STAGED: usize = 500;

/// The most batches that are kept; where another is opened, the one that ended longest ago goes, its report with it.
pub const MAX_STAGINGS: usize = 1000;

/// The most batches that may be open at a time. One more is refused.
pub const MAX_OPEN_STAGINGS: usize = 32;

/// The most findings that a batch remembers as solved, for each phone.
const MAX_SOLVED: usize = 8;

/// The most production files that are told apart, for each phone: no family requires more of its own.
const MAX_PRODUCED: usize = 16;

/// The most switch ports whose slot is remembered. Later ones are learnt by nobody.
const MAX_PORTS: usize = 1000;

/// The most characters of a text that comes from a phone or a switch.
const MAX_TEXT: usize = 160;

/// Where a batch is in its life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Phones come in, and get the site's staging values.
    Open,
    /// Phones get production values, and count as sealed once they have them.
    HandedOver,
    /// Over. Nothing about it changes any more.
    Closed,
}

impl Standing {
    /// The name in JSON and on the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::HandedOver => "handed-over",
            Self::Closed => "closed",
        }
    }
}

/// What an operator says about a batch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Purpose {
    /// What it is called.
    pub name: String,
    /// Who stages it.
    pub operator: String,
    /// Where its phones go; `None` leaves that to their entries.
    pub site: Option<SiteName>,
    /// How many phones are to come; 0 if nobody said.
    pub planned: u16,
    /// True if slots are given out in the order in which phones are plugged in, not in that of scanning.
    pub by_plugging: bool,
}

/// A batch of phones on the bench.
///
/// Only [`Staging::apply`] and the folds [`Staging::happened`], [`Staging::plugged`] and [`Staging::relisted`] change it,
/// so that a replay of the commits gives the same batch. What makes no sense where it comes changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Staging {
    /// What the operator says about it.
    pub purpose: Purpose,
    /// When it was opened.
    pub start: Timestamp,
    /// When it was handed over: from then on its phones get production values.
    pub handed_over: Option<Timestamp>,
    /// When it was closed.
    pub end: Option<Timestamp>,
    /// Its phones. Never more than [`MAX_STAGED`].
    pub phones: BTreeMap<Mac, Staged>,
    /// Which slot a port of the switch leads to, as learnt from option 82.
    pub ports: BTreeMap<String, u16>,
    /// The number of the last commit that changed it.
    pub changed: u64,
}

/// A phone of a batch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Staged {
    /// Its place on the bench, from 1. No two phones of a batch have the same.
    pub slot: Option<u16>,
    /// Who scanned it.
    pub by: String,
    /// When it was scanned.
    pub at: Timestamp,
    /// When the boot started that made it ready.
    pub booted: Option<Timestamp>,
    /// When it first had all of its configuration.
    pub ready: Option<Timestamp>,
    /// When it was first registered.
    pub registered: Option<Timestamp>,
    /// When it was first ready: had what its site asks for, ran its load and stayed up.
    pub settled: Option<Timestamp>,
    /// Its production files that are to be delivered: name and entity tag, as last rendered for it.
    pub produced: Vec<(String, String)>,
    /// Which of its required files are delivered as produced, one bit a slot of [`super::Required`].
    pub delivered: u16,
    /// When the last byte of its last production file was delivered.
    pub sealed: Option<Timestamp>,
    /// Why it is put aside, if it is.
    pub failed: Option<String>,
    /// What was wrong with it and was mended in this batch.
    pub solved: Vec<String>,
    /// The switch port that it is plugged in at, as the switch says.
    pub port: String,
    /// What was known of it when the batch was closed.
    pub kept: Option<Kept>,
}

/// What a report says of a phone long after it has left.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Kept {
    /// Vendor and model, as seen, else as listed.
    pub model: String,
    /// The model that it is listed as, where that is another one.
    pub listed: String,
    /// What was wrong with it still.
    pub open: Vec<String>,
    /// The firmware that it runs.
    pub firmware: String,
    /// The number of its first line.
    pub number: String,
    /// The name of its first line.
    pub name: String,
    /// When it first had what its site asks for.
    pub ready: Option<Timestamp>,
}

/// What becomes of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum StagingChange {
    /// It is opened.
    Opened {
        /// What it is for.
        purpose: Purpose,
        /// Which slot each port leads to, where an earlier batch learnt it.
        ports: BTreeMap<String, u16>,
        /// When.
        at: Timestamp,
    },
    /// The operator says something else about it.
    Described(Purpose),
    /// A phone comes in.
    Scanned {
        /// The phone.
        phone: Mac,
        /// Who scanned it.
        by: String,
        /// When.
        at: Timestamp,
        /// Its place on the bench.
        slot: Option<u16>,
    },
    /// A phone gets another place; whoever had it is without one.
    Placed(Mac, Option<u16>),
    /// A phone leaves: it should not have been scanned.
    Removed(Mac),
    /// A phone is put aside, or (`None`) taken back.
    Failed(Mac, Option<String>),
    /// Something was wrong with a phone and is mended.
    Solved(Mac, String),
    /// A phone is ready, since this moment.
    Settled(Mac, Timestamp),
    /// The production form of a phone's file is known by its entity tag.
    Produced {
        /// The phone.
        phone: Mac,
        /// The file's name as the phone asked for it.
        name: String,
        /// Its entity tag.
        etag: String,
    },
    /// From now on phones get production values.
    HandedOver(Timestamp),
    /// Back to staging values: nothing is sealed.
    TakenBack,
    /// It is over.
    Closed {
        /// When.
        at: Timestamp,
        /// What is known of its phones.
        kept: Vec<(Mac, Kept)>,
    },
}

impl Staging {
    /// Where it is in its life.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match (self.end, self.handed_over) {
            (Some(_), _) => Standing::Closed,
            (None, Some(_)) => Standing::HandedOver,
            (None, None) => Standing::Open,
        }
    }

    /// The lowest slot that nobody has.
    #[must_use]
    pub fn free_slot(&self) -> u16 {
        let taken = |slot: &u16| self.phones.values().any(|one| one.slot == Some(*slot));
        (1..=u16::MAX).find(|slot| !taken(slot)).unwrap_or(u16::MAX)
    }

    /// Takes in one change.
    pub fn apply(&mut self, change: &StagingChange) {
        if let StagingChange::Opened { purpose, ports, at } = change {
            *self = Self { purpose: purpose.clone(), start: *at, ..Self::default() };
            self.ports = ports.iter().take(MAX_PORTS).map(|(k, v)| (k.clone(), *v)).collect();
        }
        // What is over stays as it was reported.
        if self.end.is_some() {
            return;
        }
        match change {
            StagingChange::Opened { .. } => {}
            StagingChange::Described(purpose) => self.purpose = purpose.clone(),
            StagingChange::Scanned { phone, by, at, slot } => self.scan(*phone, by, *at, *slot),
            StagingChange::Placed(phone, slot) => self.place(*phone, *slot),
            StagingChange::Removed(phone) => drop(self.phones.remove(phone)),
            StagingChange::Failed(phone, why) => {
                self.edit(*phone, |one| one.failed = why.as_deref().map(|why| clip(why, MAX_TEXT)));
            }
            StagingChange::Solved(phone, text) => self.edit(*phone, |one| one.solve(text)),
            StagingChange::Settled(phone, at) => {
                self.edit(*phone, |one| one.settled = Some(one.settled.unwrap_or(*at)));
            }
            StagingChange::Produced { phone, name, etag } => {
                if self.handed_over.is_some() {
                    self.edit(*phone, |one| one.produce(name, etag));
                }
            }
            StagingChange::HandedOver(at) => {
                self.handed_over = Some(self.handed_over.unwrap_or(*at));
            }
            StagingChange::TakenBack => {
                self.handed_over = None;
                self.phones.values_mut().for_each(Staged::unseal);
            }
            StagingChange::Closed { at, kept } => {
                self.end = Some(*at);
                for (phone, kept) in kept {
                    self.phones.entry(*phone).and_modify(|one| one.kept = Some(kept.clone()));
                }
            }
        }
    }

    fn scan(&mut self, phone: Mac, by: &str, at: Timestamp, slot: Option<u16>) {
        if !self.phones.contains_key(&phone) && self.phones.len() < MAX_STAGED {
            self.phones.insert(phone, Staged { by: by.to_owned(), at, ..Staged::default() });
        }
        // Scanned once more it keeps its place, unless it is given another.
        if slot.is_some() {
            self.place(phone, slot);
        }
    }

    fn place(&mut self, phone: Mac, slot: Option<u16>) {
        if !self.phones.contains_key(&phone) {
            return;
        }
        for (mac, one) in &mut self.phones {
            if *mac == phone {
                one.slot = slot;
            } else if one.slot == slot {
                one.slot = None;
            }
        }
        self.learn(phone);
    }

    fn edit(&mut self, phone: Mac, change: impl FnOnce(&mut Staged)) {
        if let Some(one) = self.phones.get_mut(&phone) {
            change(one);
        }
    }

    /// Remembers which slot the port of a phone leads to.
    fn learn(&mut self, phone: Mac) {
        let Some(Staged { slot: Some(slot), port, .. }) = self.phones.get(&phone) else { return };
        if !port.is_empty() && (self.ports.len() < MAX_PORTS || self.ports.contains_key(port)) {
            self.ports.insert(port.clone(), *slot);
        }
    }

    /// What a phone has behind it when it comes in: it may have booted before it was scanned.
    pub fn arrived(&mut self, phone: Mac, boot: &Boot, port: Option<&str>) {
        if boot.is_seen() {
            self.plug_in(phone);
        }
        if let Some(port) = port {
            self.plugged(phone, port);
        }
        self.edit(phone, |one| {
            if boot.risen >= Stage::Configured && one.ready.is_none() {
                (one.booted, one.ready) = (Some(boot.round), Some(boot.had.max(boot.round)));
            }
            if boot.stage() == Stage::Registered && one.registered.is_none() {
                one.registered = Some(boot.since.max(boot.round));
            }
        });
    }

    /// Takes in what happened to one of its phones. `boot` has taken it in already.
    pub fn happened(&mut self, phone: Mac, event: &Event, boot: &Boot) {
        if self.end.is_some() {
            return;
        }
        self.plug_in(phone);
        let handed_over = self.handed_over.is_some();
        self.edit(phone, |one| {
            if one.ready.is_none() && boot.risen >= Stage::Configured {
                (one.booted, one.ready) = (Some(boot.round), Some(event.at));
            }
            if one.registered.is_none() && boot.risen >= Stage::Registered {
                one.registered = Some(event.at);
            }
            if handed_over {
                one.deliver(event, boot);
            }
        });
    }

    /// Gives a phone that shows itself the next place, where that is how places are given out.
    fn plug_in(&mut self, phone: Mac) {
        let waits = self.phones.get(&phone).is_some_and(|one| one.slot.is_none());
        if waits && self.purpose.by_plugging {
            let slot = self.free_slot();
            self.place(phone, Some(slot));
        }
    }

    /// Takes in where a phone is plugged in. A port whose slot is known puts the phone there, if nobody else is; else the
    /// slot of the phone is learnt for the port.
    pub fn plugged(&mut self, phone: Mac, port: &str) {
        let port = clip(port, MAX_TEXT);
        if self.end.is_some() || self.phones.get(&phone).is_none_or(|one| one.port == port) {
            return;
        }
        let known = self.ports.get(&port).copied();
        let free = known.filter(|slot| self.phones.values().all(|one| one.slot != Some(*slot)));
        self.edit(phone, |one| one.port = port);
        match (known, free) {
            (Some(_), Some(slot)) => self.place(phone, Some(slot)),
            (Some(_), None) => {}
            (None, _) => self.learn(phone),
        }
    }

    /// Takes in that the entry of one of its phones changed: what it has is not its production file any more.
    pub fn relisted(&mut self, phone: Mac) {
        if self.end.is_none() {
            self.edit(phone, Staged::unseal);
        }
    }
}

impl Staged {
    /// How many seconds it took from the start of the boot that brought its configuration until it was ready.
    #[must_use]
    pub fn time_to_ready(&self) -> Option<i64> {
        let (from, to) = self.booted.zip(self.settled)?;
        Some((to.as_second() - from.as_second()).max(0))
    }

    fn solve(&mut self, text: &str) {
        let text = clip(text, MAX_TEXT);
        if self.solved.len() < MAX_SOLVED && !self.solved.contains(&text) {
            self.solved.push(text);
        }
    }

    fn unseal(&mut self) {
        self.produced.clear();
        (self.delivered, self.sealed) = (0, None);
    }

    /// Another rendering than before has to be delivered anew, and all of its files with it.
    fn produce(&mut self, name: &str, etag: &str) {
        match self.produced.iter().find(|(known, _)| known == name) {
            Some((_, known)) if known == etag => return,
            Some(_) => self.unseal(),
            None => {}
        }
        if self.produced.len() < MAX_PRODUCED {
            self.produced.push((name.to_owned(), etag.to_owned()));
        }
    }

    /// Counts a file that the phone has to its last byte: delivered now, or delivered before and found the same now. Only
    /// the entity tag of the production rendering counts.
    fn deliver(&mut self, event: &Event, boot: &Boot) {
        let (What::Ended { asked, etag, outcome: Outcome::Complete, .. }
        | What::Ended { asked, etag, normal: true, .. }
        | What::Unchanged { asked, etag }) = &event.what
        else {
            return;
        };
        let Some(required) = asked.required.filter(|_| asked.role == Role::Own) else { return };
        let is = |(name, tag): &(String, String)| *name == asked.name && tag == etag;
        if !self.produced.iter().any(is) || !boot.held.iter().any(is) {
            return;
        }
        self.delivered |= 1_u16.checked_shl(u32::from(required.slot)).unwrap_or(0);
        if self.delivered.count_ones() >= u32::from(required.of.min(16)) && self.sealed.is_none() {
            self.sealed = Some(event.at);
        }
    }
}
