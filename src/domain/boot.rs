//! Where a phone is in its boot: a fold over its events.

use std::net::Ipv4Addr;

mod marks;

pub use marks::{Mistake, Rival, Visit};

use super::{
    Asked, Carrier, Event, Granted, Outcome, Recalled, Registration, Reply, Required, Role, Step,
    Timestamp, Transfer, What, registration,
};

/// The most transfers that a boot remembers; the oldest go first. The timeline keeps them all.
pub const MAX_TRANSFERS: usize = 32;

/// The most files whose last whole delivery is remembered by entity tag; the oldest go first.
const MAX_HELD: usize = 8;

/// The most names that may begin a round and are remembered within one.
const MAX_FIRST: usize = 4;

/// The most beginnings of rounds that are remembered; the oldest go first.
const MAX_STARTS: usize = 12;

/// The most rounds that are remembered for having brought the whole configuration; the oldest go first.
const MAX_ARRIVALS: usize = 4;

/// The most files of firmware that are remembered as taken; the ones taken longest ago go first. A load of a 79xx has six.
const MAX_LOADS: usize = 12;

/// Rounds that may pass until a load that is taken once more is still taken "again": some families read everything twice
/// a boot and take their firmware in one of the two only.
const ROUNDS_APART: u32 = 2;

/// How the source of a rendered file begins: what is made for a phone is no load, whatever its name.
const RENDERED: &str = "template ";

/// Stages of a boot in healthy order.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// Listed, never seen.
    #[default]
    Silent,
    /// A DISCOVER or any other first sign of life.
    Discovered,
    /// Our ACK was sent.
    Leased,
    /// It asks for files; none of its own configuration is delivered yet.
    Asking,
    /// Only a fallback file was delivered.
    Defaulted,
    /// Every required file of its own was delivered in this round, or it showed that it has it.
    Configured,
    /// It is fetching firmware.
    Upgrading,
    /// A REGISTER was seen and not yet accepted.
    Registering,
    /// A registration was accepted.
    Registered,
}

impl Stage {
    /// All stages in healthy order.
    pub const ALL: [Self; 9] = [
        Self::Silent,
        Self::Discovered,
        Self::Leased,
        Self::Asking,
        Self::Defaulted,
        Self::Configured,
        Self::Upgrading,
        Self::Registering,
        Self::Registered,
    ];

    /// The name in JSON, filters and the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Discovered => "discovered",
            Self::Leased => "leased",
            Self::Asking => "asking",
            Self::Defaulted => "defaulted",
            Self::Configured => "configured",
            Self::Upgrading => "upgrading",
            Self::Registering => "registering",
            Self::Registered => "registered",
        }
    }
}

/// A firmware transfer that is under way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upgrade {
    /// The name as asked.
    pub name: String,
    /// Bytes that arrived.
    pub bytes: u64,
    /// Bytes of the whole file.
    pub length: u64,
    /// When bytes last arrived.
    pub moved: Timestamp,
}

/// A file of firmware that the phone took whole.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Load {
    /// The name as asked.
    pub name: String,
    /// How it came: by TFTP the phone itself acknowledged the last block.
    pub carrier: Carrier,
    /// In how many boots in a row: more than one says that the phone does not run what it took.
    pub times: u32,
    /// The number of the round in which it last came.
    pub round: u32,
    /// When that was.
    pub at: Timestamp,
}

/// What another server told the phone about the servers of its files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// That server.
    pub by: Ipv4Addr,
    /// Options 66, 150 and 160 as text, by code.
    pub servers: Vec<(u8, String)>,
}

/// A round that brought the phone all of its own configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// When the round started.
    pub round: Timestamp,
    /// When the configuration was whole for the first time in it.
    pub at: Timestamp,
}

/// Where a phone is in its boot.
///
/// Only [`Boot::fold`] changes it, so that a replay of the events gives the same boot. A round starts at a DISCOVER, an
/// INIT-REBOOT, or when a file with which the family's boot begins is asked for again; never at a renewal. Within a
/// round the stage only rises, but `upgrading` is left when the firmware transfer ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Boot {
    /// The highest stage of this round, a running upgrade left aside.
    pub risen: Stage,
    /// When the stage last changed.
    pub since: Timestamp,
    /// When this round started.
    pub round: Timestamp,
    /// How many rounds there were.
    pub rounds: u32,
    /// The last address that it was seen with or leased.
    pub address: Option<Ipv4Addr>,
    /// The firmware transfer that is under way.
    pub upgrade: Option<Upgrade>,
    /// Which required files of this round it has, one bit a slot.
    pub delivered: u16,
    /// Names asked in this round with which the family's boot begins.
    pub first: Vec<String>,
    /// Own files that it has whole, with their entity tags, over all rounds.
    pub held: Vec<(String, String)>,
    /// The last transfers, oldest first.
    pub transfers: Vec<Transfer>,
    /// When the last rounds began, oldest first.
    pub starts: Vec<Timestamp>,
    /// When it last had all of its own configuration; the epoch if it never had.
    pub had: Timestamp,
    /// The last rounds that brought it all of its own configuration, oldest first.
    pub arrivals: Vec<Arrival>,
    /// Firmware that it took whole, over all rounds.
    pub loads: Vec<Load>,
    /// What another server told it in this round.
    pub told: Option<Told>,
    /// The last changes of its registrations, oldest first, over all rounds.
    pub registrations: Vec<Registration>,
    /// From where it looked for an address last, oldest first; a new visit begins where the place changes.
    pub visits: Vec<Visit>,
    /// The DHCP server that answers it and should not, as seen in this round.
    pub rival: Option<Rival>,
    /// The file of another phone that it asked for in this round, the last one.
    pub mistake: Option<Mistake>,
    /// What it answered when it was last asked to come again.
    pub recalled: Option<Recalled>,
    /// The last event, in plain words.
    pub last: String,
    /// When that was; the epoch if nothing ever happened.
    pub last_at: Timestamp,
}

impl Boot {
    /// The stage to show: the highest of this round, or `upgrading` while firmware is on its way.
    #[must_use]
    pub fn stage(&self) -> Stage {
        if self.upgrade.is_some() { self.risen.max(Stage::Upgrading) } else { self.risen }
    }

    /// True if anything was ever seen of this phone.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.risen != Stage::Silent
    }

    /// What came of asking it to come again, as long as it did not.
    #[must_use]
    pub fn recall(&self) -> Option<&Recalled> {
        self.recalled.as_ref().filter(|one| one.at >= self.round)
    }

    /// Since when it is not registered any more; `None` for a phone that is, or that was not in this round.
    #[must_use]
    pub fn lapsed(&self) -> Option<Timestamp> {
        let mut changes = self.registrations.iter().rev();
        // What it tries since then changes nothing until it is accepted.
        let last = changes.find(|one| matches!(one.step, Step::Accepted | Step::Ended { .. }))?;
        let ended = matches!(last.step, Step::Ended { .. }) && last.at >= self.round;
        (ended && self.risen == Stage::Registered).then_some(last.at)
    }

    /// Takes in one event. Equal events in equal order give equal boots.
    pub fn fold(&mut self, event: &Event) {
        if let What::Recalled { event: name, reply } = &event.what {
            // Something that was done to it: no boot of its own. Only where it answered was it heard of.
            let (at, name, said) = (event.at, name.clone(), reply.clone());
            self.recalled = Some(Recalled { at, event: name, reply: said });
            if matches!(reply, Reply::Accepted { .. } | Reply::Refused { .. }) {
                (self.last, self.last_at) = (event.what.to_string(), event.at);
            }
            return;
        }
        let before = self.stage();
        self.apply(event);
        if self.rounds == 0 {
            // First seen in the middle of its boot: what is known of the round begins here.
            (self.round, self.rounds) = (event.at, 1);
            self.starts.push(event.at);
        }
        self.rise(Stage::Discovered);
        if self.stage() != before {
            self.since = event.at;
        }
        if !matches!(event.what, What::Progress { .. }) {
            self.last = event.what.to_string();
            self.last_at = event.at;
        }
    }

    fn apply(&mut self, event: &Event) {
        match &event.what {
            What::Discovered { relay, port, shows } => {
                self.begin(event.at);
                marks::visit(&mut self.visits, event.at, (*relay, port, shows));
            }
            What::Rivalled { server, hardware, beside } => {
                let (server, hardware, beside) = (*server, *hardware, *beside);
                self.rival = Some(Rival { server, hardware, beside, at: event.at });
            }
            What::Mistaken { name, of } => {
                self.rise(Stage::Asking);
                self.mistake = Some(Mistake { name: name.clone(), of: *of, at: event.at });
            }
            What::Leased { address, granted, .. } => {
                if *granted == Granted::Rebooted {
                    self.begin(event.at);
                }
                if matches!(granted, Granted::Selected | Granted::Rebooted) {
                    // Whoever answers beside us, it is ours that it took; where we observe, both may still be told.
                    self.rival = self.rival.take().filter(|rival| rival.beside.is_some());
                }
                self.address = Some(*address);
                self.rise(Stage::Leased);
            }
            What::Informed { address } | What::Appeared { address } => {
                self.address = Some(*address);
            }
            What::Offered { .. }
            | What::Requested { .. }
            | What::Nak { .. }
            | What::Unserved(_)
            | What::Declined { .. }
            | What::Released { .. }
            | What::Admitted { .. }
            | What::Recalled { .. } => {}
            What::Told { by, servers } => {
                self.told = Some(Told { by: *by, servers: servers.clone() });
            }
            What::Registration { by, step } => self.registers(event.at, by, step),
            What::Opened { asked, length } => self.opened(event.at, asked, *length),
            What::Progress { name, bytes, length } => {
                self.progress(event.at, name, *bytes, *length);
            }
            What::Ended { asked, bytes, outcome, etag, normal, source, .. } => {
                if let Some(transfer) = self.running(&asked.name) {
                    transfer.source.clone_from(source);
                }
                self.ended(event.at, asked, (*bytes, outcome), (etag, *normal));
                if *outcome == Outcome::Complete && !source.starts_with(RENDERED) {
                    self.took(event.at, asked);
                }
            }
            What::Unchanged { asked, .. } => {
                self.asks(event.at, asked);
                self.deliver(event.at, asked.role, asked.required);
            }
            What::Refused { asked, why, normal } => {
                self.asks(event.at, asked);
                self.remember(Transfer {
                    refused: Some(why.clone()),
                    normal: *normal,
                    ..running(event.at, asked, 0)
                });
            }
        }
    }

    /// Starts a round: what was delivered in the one before no longer counts.
    fn begin(&mut self, at: Timestamp) {
        self.risen = Stage::Discovered;
        self.round = at;
        self.rounds = self.rounds.saturating_add(1);
        self.delivered = 0;
        self.first.clear();
        self.upgrade = None;
        self.told = None;
        self.rival = None;
        self.mistake = None;
        self.starts.push(at);
        let excess = self.starts.len().saturating_sub(MAX_STARTS);
        self.starts.drain(..excess);
    }

    fn rise(&mut self, stage: Stage) {
        self.risen = self.risen.max(stage);
    }

    fn asks(&mut self, at: Timestamp, asked: &Asked) {
        if asked.first {
            // It begins a boot, so it is asked before any file of the phone's own: after one, the boot is another.
            if self.rounds == 0 || self.delivered != 0 || self.first.contains(&asked.name) {
                self.begin(at);
            }
            if self.first.len() < MAX_FIRST {
                self.first.push(asked.name.clone());
            }
        }
        self.rise(Stage::Asking);
    }

    fn opened(&mut self, at: Timestamp, asked: &Asked, length: u64) {
        self.asks(at, asked);
        if asked.role == Role::Firmware {
            self.upgrade = Some(Upgrade { name: asked.name.clone(), bytes: 0, length, moved: at });
        }
        self.remember(running(at, asked, length));
    }

    fn progress(&mut self, at: Timestamp, name: &str, bytes: u64, length: u64) {
        if let Some(upgrade) = self.upgrade.as_mut().filter(|upgrade| upgrade.name == name) {
            if upgrade.bytes != bytes {
                upgrade.moved = at;
            }
            (upgrade.bytes, upgrade.length) = (bytes, length);
        }
        if let Some(transfer) = self.running(name) {
            transfer.bytes = bytes;
        }
    }

    fn ended(
        &mut self,
        at: Timestamp,
        asked: &Asked,
        (bytes, outcome): (u64, &Outcome),
        (etag, normal): (&str, bool),
    ) {
        let held = self.held.iter().any(|(name, tag)| *name == asked.name && tag == etag);
        // A phone stops reading its own file because it has these bytes, or because something is wrong.
        let normal = normal && (held || asked.role != Role::Own);
        if let Some(transfer) = self.running(&asked.name) {
            transfer.bytes = bytes;
            transfer.outcome = Some(outcome.clone());
            transfer.normal = normal;
        }
        if self.upgrade.as_ref().is_some_and(|upgrade| upgrade.name == asked.name) {
            self.upgrade = None;
        }
        if *outcome == Outcome::Complete {
            self.hold(asked, etag);
            self.deliver(at, asked.role, asked.required);
        } else if normal && held {
            self.deliver(at, asked.role, asked.required);
        }
    }

    /// Remembers firmware that it has whole: once is an upgrade, again after its restart is a loop.
    fn took(&mut self, at: Timestamp, asked: &Asked) {
        if asked.role != Role::Firmware {
            return;
        }
        let place = self.loads.iter().position(|load| load.name == asked.name);
        let before = place.map(|place| self.loads.remove(place));
        let times = before.map_or(1, |load| match self.rounds.saturating_sub(load.round) {
            0 => load.times,
            1..=ROUNDS_APART => load.times.saturating_add(1),
            _ => 1,
        });
        let (name, round) = (asked.name.clone(), self.rounds);
        self.loads.push(Load { name, carrier: asked.carrier, times, round, at });
        let excess = self.loads.len().saturating_sub(MAX_LOADS);
        self.loads.drain(..excess);
    }

    fn registers(&mut self, at: Timestamp, by: &str, step: &Step) {
        registration::remember(&mut self.registrations, at, by, step);
        match step {
            Step::Asked | Step::Rejected { .. } => self.rise(Stage::Registering),
            Step::Accepted => self.rise(Stage::Registered),
            // A phone whose registration lapsed is away; its stage stays.
            Step::Ended { .. } => {}
        }
    }

    /// Remembers that the phone has these very bytes, so that an abort of the same file is understood later.
    fn hold(&mut self, asked: &Asked, etag: &str) {
        if asked.role == Role::Own {
            self.held.retain(|(name, _)| *name != asked.name);
            self.held.push((asked.name.clone(), etag.to_owned()));
            let excess = self.held.len().saturating_sub(MAX_HELD);
            self.held.drain(..excess);
        }
    }

    fn deliver(&mut self, at: Timestamp, role: Role, required: Option<Required>) {
        if role == Role::Fallback {
            self.rise(Stage::Defaulted);
        }
        let Some(Required { slot, of }) = required else { return };
        let of = u32::from(of.min(16));
        self.delivered |= 1_u16.checked_shl(u32::from(slot)).unwrap_or(0);
        if self.delivered.count_ones() >= of {
            self.rise(Stage::Configured);
            self.had = at;
            self.arrive(at);
        }
    }

    /// Remembers when this round brought the configuration. What it fetches again in the same round is no arrival.
    fn arrive(&mut self, at: Timestamp) {
        // First seen by this very delivery: its round begins here (see `fold`).
        let round = if self.rounds == 0 { at } else { self.round };
        if self.arrivals.last().is_none_or(|last| last.round != round) {
            self.arrivals.push(Arrival { round, at });
            let excess = self.arrivals.len().saturating_sub(MAX_ARRIVALS);
            self.arrivals.drain(..excess);
        }
    }

    fn remember(&mut self, transfer: Transfer) {
        self.transfers.push(transfer);
        let excess = self.transfers.len().saturating_sub(MAX_TRANSFERS);
        self.transfers.drain(..excess);
    }

    fn running(&mut self, name: &str) -> Option<&mut Transfer> {
        let is_it =
            |t: &&mut Transfer| t.name == name && t.outcome.is_none() && t.refused.is_none();
        self.transfers.iter_mut().rev().find(is_it)
    }
}

/// True if a phone with these arrivals and starts of rounds had its whole configuration just before `moment`: no restart
/// of that time undid it.
///
/// A phone that restarted more often since than is remembered counts by its last arrival before `moment`.
#[must_use]
pub fn was_configured(arrivals: &[Arrival], starts: &[Timestamp], moment: Timestamp) -> bool {
    let last = arrivals.iter().rev().find(|arrival| arrival.at < moment);
    let undone = |last: &Arrival| starts.iter().any(|at| *at > last.round && *at < moment);
    last.is_some_and(|last| !undone(last))
}

fn running(at: Timestamp, asked: &Asked, length: u64) -> Transfer {
    Transfer {
        name: asked.name.clone(),
        carrier: asked.carrier,
        role: asked.role,
        bytes: 0,
        length,
        outcome: None,
        refused: None,
        normal: false,
        source: String::new(),
        at,
    }
}

#[cfg(test)]
mod tests;
