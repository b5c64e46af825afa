//! What there is to say about one phone: what it is, what is wrong, whether it is ready. Derived, never stored.

use std::{
    cell::OnceCell,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::{
    config::{ReadyWhen, Site, Subnet},
    domain::{
        Boot, Diagnosis, Entry, Finding, Identity, Mac, Origin, Outcome, Role, Stage, Timestamp,
        Transfer, conclude,
    },
    profile::{Family, Seen},
    store::{Phone, State},
};

use super::{
    Provisioner,
    diagnose::{self, Reason},
    findings::{self, Contradiction},
    identify,
};

/// How long a configured phone has to go without a reboot before it counts as ready.
const SETTLED: Duration = Duration::from_mins(1);

/// What counts as "again and again": within this time …
pub(super) const LOOP_TIME: Duration = Duration::from_mins(10);

/// … more than this many times.
pub(super) const LOOP_TIMES: usize = 5;

/// How long a phone that has all that it needs for it may take to ask for its first file.
pub(super) const SILENT: Duration = Duration::from_mins(3);

/// What there is to say about one phone.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four flags that are shown as four and depend on each other nowhere"
)]
pub struct Report {
    /// What it is, with grounds.
    pub identity: Identity,
    /// The title of its family, where that is known.
    pub family: Option<String>,
    /// What contradicts itself or is wrong.
    pub findings: Vec<Finding>,
    /// Why it makes no progress, if it makes none.
    pub diagnosis: Option<Diagnosis>,
    /// It has what the site's `ready-when` asks for, and 60 s without a reboot.
    pub ready: bool,
    /// Not ready, and no progress for longer than its stage takes.
    pub stuck: bool,
    /// The same early stages again and again.
    pub looping: bool,
    /// It was configured; its lease has expired.
    pub away: bool,
    /// The servers that provision it instead of us; empty if we do.
    pub elsewhere: Vec<Ipv4Addr>,
}

impl Provisioner {
    /// Says what there is to say about a phone. Depends on nothing but its arguments, the settings and the families.
    #[must_use]
    pub fn report(&self, mac: Mac, phone: &Phone, state: &State, now: Timestamp) -> Report {
        let look = Look::new(self, mac, phone, state, now);
        let elsewhere = look.elsewhere();
        if !elsewhere.is_empty() {
            return look.report_elsewhere(elsewhere);
        }
        let (ready, looping, away) = (look.is_ready(), look.is_looping(), look.is_away());
        let stuck = look.is_stuck();
        let diagnosis = if ready || away { None } else { diagnose::diagnose(&look, stuck) };
        let family = look.family.map(|family| family.title.clone());
        let findings = findings::all(&look);
        let identity = look.identity;
        Report { identity, family, findings, diagnosis, ready, stuck, looping, away, elsewhere }
    }
}

/// All that a report is derived from.
pub(super) struct Look<'a> {
    pub provisioner: &'a Provisioner,
    pub mac: Mac,
    pub entry: Option<&'a Entry>,
    pub boot: &'a Boot,
    pub state: &'a State,
    pub now: Timestamp,
    pub identity: Identity,
    pub family: Option<&'a Family>,
    pub site: Option<&'a Site>,
    pub site_name: String,
    /// How it contradicts its entry: three checks ask.
    pub contradiction: OnceCell<Option<Contradiction>>,
    looping: OnceCell<bool>,
}

impl<'a> Look<'a> {
    fn new(
        provisioner: &'a Provisioner,
        mac: Mac,
        phone: &'a Phone,
        state: &'a State,
        now: Timestamp,
    ) -> Self {
        let (catalog, entry) = (provisioner.catalog(), phone.entry.as_deref());
        let known = phone.grounds.iter().any(|ground| ground.from == Origin::Prefix);
        let prefix = || catalog.recognize(&Seen::Prefix(mac), phone.boot.since);
        let weak = if phone.boot.is_seen() && !known { prefix() } else { None };
        let identity = conclude(&phone.grounds.iter().cloned().chain(weak).collect::<Vec<_>>());
        let seen = identity.family.as_ref().and_then(|family| catalog.family(family.as_str()));
        let listed =
            || entry.and_then(|entry| catalog.model(&entry.model)).map(|(family, _)| family);
        let address = phone.boot.address.map_or(IpAddr::from([0; 4]), IpAddr::from);
        let site_name = provisioner.site_of(entry, address);
        Self {
            provisioner,
            mac,
            entry,
            boot: &phone.boot,
            state,
            now,
            family: seen.or_else(listed),
            identity,
            site: identify::site(provisioner.settings(), &site_name),
            site_name,
            contradiction: OnceCell::new(),
            looping: OnceCell::new(),
        }
    }

    /// What is left to say where another server provisions it: addresses are still ours, files and progress are not.
    fn report_elsewhere(self, elsewhere: Vec<Ipv4Addr>) -> Report {
        let findings = findings::elsewhere(&self);
        let family = self.family.map(|family| family.title.clone());
        Report { identity: self.identity, family, findings, elsewhere, ..Report::default() }
    }

    fn is_ready(&self) -> bool {
        let settled = self.since(self.boot.round) >= SETTLED;
        let arrived = match self.ready_when() {
            ReadyWhen::Configured => {
                self.boot.risen >= Stage::Configured && self.boot.upgrade.is_none()
            }
            ReadyWhen::Registered => self.boot.stage() == Stage::Registered,
        };
        arrived && settled && !self.is_away() && !self.is_looping()
    }

    fn is_away(&self) -> bool {
        let lease = self.boot.address.and_then(|address| self.state.leases.get(&address));
        let its_own = lease.filter(|lease| lease.mac == self.mac);
        self.boot.risen >= Stage::Configured
            && its_own.is_some_and(|lease| !lease.is_active(self.now))
    }

    /// True if it waits for something that should have come by now. A phone that has all that its site asks for only
    /// waits for its settling time.
    fn is_stuck(&self) -> bool {
        let arrived =
            self.ready_when() == ReadyWhen::Configured && self.boot.risen >= Stage::Configured;
        let due =
            (!arrived || self.boot.upgrade.is_some()) && self.boot.stage() != Stage::Registered;
        let overdue = due && self.since(self.boot.since) > patience(self.boot.stage());
        let here = self.boot.is_seen() && !self.is_away();
        here && !self.is_ready() && (overdue || self.is_looping())
    }

    /// True for a phone that never got as far as its configuration and keeps starting over, that asks for one and the
    /// same file over and over, or that takes its configuration whole and comes back for it at once. The last has twice
    /// the allowance, because some families read everything twice a boot.
    pub fn is_looping(&self) -> bool {
        *self.looping.get_or_init(|| self.loops())
    }

    fn loops(&self) -> bool {
        let whole =
            |one: &Transfer| one.role == Role::Own && one.outcome == Some(Outcome::Complete);
        let again =
            |one: &Transfer, times: usize| self.times(|other| other.name == one.name) > times;
        let transfers = &self.boot.transfers;
        if transfers.iter().any(|one| whole(one) && again(one, 2 * LOOP_TIMES)) {
            return true;
        }
        let restarts = usize::try_from(self.boot.rounds).is_ok_and(|rounds| rounds > LOOP_TIMES);
        let never = self.boot.held.is_empty() && self.since(self.boot.round) < LOOP_TIME;
        let early = self.boot.risen < Stage::Configured;
        early && (restarts && never || transfers.iter().any(|one| again(one, LOOP_TIMES)))
    }

    pub fn ready_when(&self) -> ReadyWhen {
        self.site.map_or(ReadyWhen::Configured, |site| site.ready_when)
    }

    /// How often such a transfer began lately.
    pub fn times(&self, such: impl Fn(&Transfer) -> bool) -> usize {
        let lately = |one: &&Transfer| self.since(one.at) < LOOP_TIME;
        self.boot.transfers.iter().filter(lately).filter(|one| such(one)).count()
    }

    /// The last transfer of this round that is such a one.
    pub fn last(&self, such: impl Fn(&Transfer) -> bool) -> Option<&'a Transfer> {
        let this_round = |one: &&Transfer| one.at >= self.boot.round;
        self.boot.transfers.iter().rev().filter(this_round).find(|one| such(one))
    }

    /// Why the last request for its configuration was turned down; `None` if it was not.
    pub fn refused(&self) -> Option<(Reason, &'a str)> {
        let last = self.last(|one| matches!(one.role, Role::Own | Role::Fallback))?;
        last.refused.as_deref().map(|text| (Reason::of(text), text))
    }

    /// The subnet that its address lies in.
    pub fn subnet(&self) -> Option<&'a Subnet> {
        let address = self.boot.address?;
        let mut subnets = self.provisioner.settings().dhcp.subnets.iter();
        subnets.find(|subnet| subnet.contains(address))
    }

    pub fn since(&self, then: Timestamp) -> Duration {
        self.now.duration_since(then).try_into().unwrap_or_default()
    }
}

/// How long a stage takes at most in a healthy boot.
fn patience(stage: Stage) -> Duration {
    Duration::from_secs(match stage {
        // Never seen: nothing is due.
        Stage::Silent => u64::MAX,
        Stage::Discovered | Stage::Leased | Stage::Asking | Stage::Registering => 60,
        // It reads its default and comes back for its own.
        Stage::Defaulted => 120,
        Stage::Configured | Stage::Registered => 180,
        // Loads of 40 MiB at 512 octets a block.
        Stage::Upgrading => 1800,
    })
}
