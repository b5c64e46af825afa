//! Where a phone is in its boot: a fold over its events.

use std::net::Ipv4Addr;

use super::{Asked, Event, Granted, Outcome, Required, Role, Timestamp, Transfer, What};

/// The most transfers that a boot remembers; the oldest go first. The timeline keeps them all.
pub const MAX_TRANSFERS: usize = 32;

/// The most files whose last whole delivery is remembered by entity tag; the oldest go first.
const MAX_HELD: usize = 8;

/// The most names that may begin a round and are remembered within one.
const MAX_FIRST: usize = 4;

/// The most visits to places that are remembered; the oldest go first.
const MAX_VISITS: usize = 8;

/// A place from which a phone looked for an address, once or several times in a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Visit {
    /// The relay that passed it on; `None` on a network of ours.
    pub relay: Option<Ipv4Addr>,
    /// The first time in this row.
    pub from: Timestamp,
    /// The last time.
    pub until: Timestamp,
}

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
    /// From where it looked for an address last, oldest first; a new visit begins where the place changes.
    pub visits: Vec<Visit>,
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

    /// Takes in one event. Equal events in equal order give equal boots.
    pub fn fold(&mut self, event: &Event) {
        let before = self.stage();
        self.apply(event);
        if self.rounds == 0 {
            // First seen in the middle of its boot: what is known of the round begins here.
            (self.round, self.rounds) = (event.at, 1);
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
            What::Discovered { relay } => {
                self.begin(event.at);
                self.visit(event.at, *relay);
            }
            What::Leased { address, granted, .. } => {
                if *granted == Granted::Rebooted {
                    self.begin(event.at);
                }
                self.address = Some(*address);
                self.rise(Stage::Leased);
            }
            What::Informed { address } | What::Appeared { address } => {
                self.address = Some(*address);
            }
            What::Offered { .. }
            | What::Requested { .. }
            | What::Told { .. }
            | What::Nak { .. }
            | What::Unserved(_)
            | What::Declined { .. }
            | What::Released { .. }
            | What::Admitted { .. } => {}
            What::Opened { asked, length } => self.opened(event.at, asked, *length),
            What::Progress { name, bytes, length } => self.progress(name, *bytes, *length),
            What::Ended { asked, bytes, outcome, etag, normal, source, .. } => {
                if let Some(transfer) = self.running(&asked.name) {
                    transfer.source.clone_from(source);
                }
                self.ended(asked, *bytes, outcome, etag, *normal);
            }
            What::Unchanged { asked, .. } => {
                self.asks(event.at, asked);
                self.deliver(asked.role, asked.required);
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
    }

    fn visit(&mut self, at: Timestamp, relay: Option<Ipv4Addr>) {
        match self.visits.last_mut().filter(|last| last.relay == relay) {
            Some(last) => last.until = at,
            None => self.visits.push(Visit { relay, from: at, until: at }),
        }
        let excess = self.visits.len().saturating_sub(MAX_VISITS);
        self.visits.drain(..excess);
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
            self.upgrade = Some(Upgrade { name: asked.name.clone(), bytes: 0, length });
        }
        self.remember(running(at, asked, length));
    }

    fn progress(&mut self, name: &str, bytes: u64, length: u64) {
        if let Some(upgrade) = self.upgrade.as_mut().filter(|upgrade| upgrade.name == name) {
            (upgrade.bytes, upgrade.length) = (bytes, length);
        }
        if let Some(transfer) = self.running(name) {
            transfer.bytes = bytes;
        }
    }

    fn ended(&mut self, asked: &Asked, bytes: u64, outcome: &Outcome, etag: &str, normal: bool) {
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
            self.deliver(asked.role, asked.required);
        } else if normal && held {
            self.deliver(asked.role, asked.required);
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

    fn deliver(&mut self, role: Role, required: Option<Required>) {
        if role == Role::Fallback {
            self.rise(Stage::Defaulted);
        }
        let Some(Required { slot, of }) = required else { return };
        let of = u32::from(of.min(16));
        self.delivered |= 1_u16.checked_shl(u32::from(slot)).unwrap_or(0);
        if self.delivered.count_ones() >= of {
            self.rise(Stage::Configured);
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
mod tests {
    use super::{super::Carrier, *};

    fn asked(name: &str, role: Role) -> Asked {
        let required = (role == Role::Own).then_some(Required { slot: 0, of: 1 });
        Asked { name: name.to_owned(), carrier: Carrier::Tftp, role, required, first: false }
    }

    fn first(name: &str, role: Role) -> Asked {
        Asked { first: true, ..asked(name, role) }
    }

    fn ended(asked: Asked, outcome: Outcome, etag: &str) -> What {
        let normal = matches!(outcome, Outcome::Aborted { .. });
        let (etag, source) = (etag.to_owned(), String::new());
        What::Ended { asked, bytes: 10, length: 10, outcome, etag, normal, source }
    }

    fn leased(granted: Granted) -> What {
        What::Leased { address: Ipv4Addr::new(10, 0, 0, 9), until: Timestamp::MAX, granted }
    }

    /// Folds what happened, a second apart, and tells the stage after each.
    fn stages(happened: Vec<What>) -> (Boot, String) {
        let mut boot = Boot::default();
        let mut stages = Vec::new();
        for (second, what) in (1..).zip(happened) {
            let at = Timestamp::from_second(second).unwrap();
            boot.fold(&Event { at, what });
            stages.push(boot.stage().as_str());
        }
        (boot, stages.join(" "))
    }

    #[test]
    fn healthy_cisco() {
        let own = || asked("SEP001E7AC41022.cnf.xml", Role::Own);
        let (boot, seen) = stages(vec![
            What::Discovered { relay: None },
            leased(Granted::Selected),
            What::Refused {
                asked: first("CTLSEP001E7AC41022.tlv", Role::Trust),
                why: String::new(),
                normal: true,
            },
            What::Opened { asked: own(), length: 10 },
            ended(own(), Outcome::Complete, "a"),
            leased(Granted::Renewed),
        ]);
        assert_eq!(seen, "discovered leased asking asking configured configured");
        assert_eq!((boot.rounds, boot.transfers.len()), (1, 2));
        assert_eq!(boot.since, Timestamp::from_second(5).unwrap());
    }

    #[test]
    fn fallback_then_upgrade_then_own() {
        let load = || asked("sip.ld", Role::Firmware);
        let (_, seen) = stages(vec![
            ended(asked("SEPDEFAULT.cnf", Role::Fallback), Outcome::Complete, "d"),
            What::Opened { asked: load(), length: 100 },
            What::Progress { name: "sip.ld".to_owned(), bytes: 50, length: 100 },
            ended(load(), Outcome::Complete, "l"),
            ended(asked("x.cfg", Role::Own), Outcome::Complete, "a"),
        ]);
        assert_eq!(seen, "defaulted upgrading upgrading defaulted configured");
    }

    #[test]
    fn a_round_starts_at_the_first_file_asked_again() {
        let own = || first("0004f2aabbcc.cfg", Role::Own);
        let (boot, seen) = stages(vec![
            What::Opened { asked: own(), length: 10 },
            ended(own(), Outcome::Complete, "a"),
            What::Opened { asked: own(), length: 10 },
            ended(own(), Outcome::Aborted { text: String::new() }, "a"),
        ]);
        assert_eq!(seen, "asking configured asking configured");
        assert_eq!(boot.rounds, 2);
    }

    #[test]
    fn first_seen_in_the_middle_of_a_round() {
        let own = || asked("SEP001E7AC41022.cnf.xml", Role::Own);
        let (boot, seen) = stages(vec![
            What::Opened { asked: own(), length: 10 },
            ended(own(), Outcome::Complete, "a"),
            What::Discovered { relay: None },
        ]);
        assert_eq!(seen, "asking configured discovered");
        assert_eq!((boot.rounds, boot.round), (2, Timestamp::from_second(3).unwrap()));
    }

    #[test]
    fn an_abort_of_other_bytes_delivers_nothing() {
        let own = || asked("0004f2aabbcc.cfg", Role::Own);
        let aborted = |etag| ended(own(), Outcome::Aborted { text: String::new() }, etag);
        let (_, seen) = stages(vec![
            aborted("a"),
            ended(own(), Outcome::Complete, "a"),
            What::Discovered { relay: None },
            aborted("b"),
            aborted("a"),
        ]);
        assert_eq!(seen, "discovered configured discovered discovered configured");
    }

    #[test]
    fn breaking_off_its_own_file_is_normal_only_with_the_same_bytes_in_hand() {
        let own = || asked("0004f2aabbcc-line.cfg", Role::Own);
        let aborted = || ended(own(), Outcome::Aborted { text: String::new() }, "a");
        let opened = || What::Opened { asked: own(), length: 10 };
        let whole = ended(own(), Outcome::Complete, "a");
        let (boot, seen) = stages(vec![
            opened(),
            aborted(),
            opened(),
            whole,
            What::Discovered { relay: None },
            opened(),
            aborted(),
        ]);
        assert_eq!(seen, "asking asking asking configured discovered asking configured");
        let normal: Vec<bool> = boot.transfers.iter().map(|one| one.normal).collect();
        assert_eq!(normal, [false, false, true]);
    }

    #[test]
    fn all_required_files_are_required() {
        let slot =
            |slot| Asked { required: Some(Required { slot, of: 2 }), ..asked("f", Role::Own) };
        let (_, seen) = stages(vec![
            ended(slot(0), Outcome::Complete, "a"),
            ended(slot(0), Outcome::Complete, "a"),
            ended(slot(1), Outcome::Complete, "a"),
        ]);
        assert_eq!(seen, "discovered discovered configured");
    }

    #[test]
    fn a_restart_with_the_old_address_is_a_round() {
        let (boot, seen) = stages(vec![
            leased(Granted::Rebooted),
            ended(asked("f", Role::Own), Outcome::Complete, "a"),
            leased(Granted::Rebound),
            leased(Granted::Rebooted),
        ]);
        assert_eq!(seen, "leased configured configured leased");
        assert_eq!(boot.rounds, 2);
    }

    #[test]
    fn memory_is_bounded() {
        let refused = |n: usize| What::Refused {
            asked: first(&format!("name{n}"), Role::Extra),
            why: String::new(),
            normal: false,
        };
        let own = |n: usize| ended(asked(&format!("own{n}"), Role::Own), Outcome::Complete, "a");
        let moved = |n: u8| What::Discovered { relay: Some(Ipv4Addr::new(10, 0, n, 1)) };
        let files = (0..100).map(refused).chain((0..100).map(own));
        let (boot, _) = stages((0..100).map(moved).chain(files).collect());
        let kept = (boot.transfers.len(), boot.first.len(), boot.held.len(), boot.visits.len());
        assert_eq!(kept, (32, 4, 8, 8));
    }
}
