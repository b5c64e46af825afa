//! What there is to say about one phone: what it is, what is wrong, whether it is ready. Derived, never stored.

use std::{
    cell::OnceCell,
    net::{IpAddr, Ipv4Addr},
};

use crate::{
    config::{Site, Subnet},
    domain::{
        Boot, Diagnosis, Entry, Finding, Identity, Lease, Mac, Origin, Stage, Timestamp, conclude,
    },
    profile::{Family, Seen},
    store::{Phone, State},
};

use super::{
    Provisioner,
    conflicts::are_widespread,
    diagnosis::{self, Memo, Standing},
    findings::{self, Contradiction},
    identify,
    reads::{Read, Reads},
};

/// What there is to say about one phone.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four flags that are shown as four and depend on each other nowhere"
)]
pub struct Report {
    /// What it is, with grounds.
    pub identity: Identity,
    /// The site that it belongs to.
    pub site: String,
    /// The title of its family, where that is known.
    pub family: Option<String>,
    /// What contradicts itself or is wrong.
    pub findings: Vec<Finding>,
    /// Why it makes no progress, if it makes none.
    pub diagnosis: Option<Diagnosis>,
    /// The file that it should ask for next, while it is on its way.
    pub expected: Option<String>,
    /// How far an upgrade is that it goes through, in plain words: "1 of 2 reboots" is no trouble.
    pub progress: Option<String>,
    /// It has what the site's `ready-when` asks for, and 60 s without a reboot.
    pub ready: bool,
    /// Not ready, and no progress for longer than its stage takes.
    pub stuck: bool,
    /// The same early stages again and again.
    pub looping: bool,
    /// It was ready; its lease has expired or its registration ended.
    pub away: bool,
    /// What to do about a phone that was asked to come again and did not, in plain words.
    pub recall: Option<String>,
    /// The servers that provision it instead of us; empty if we do.
    pub elsewhere: Vec<Ipv4Addr>,
}

impl Provisioner {
    /// True for a phone that is not ready and makes no progress, or goes in circles: [`Report::stuck`] by itself.
    #[must_use]
    pub fn is_stuck(&self, mac: Mac, phone: &Phone, state: &State, now: Timestamp) -> bool {
        Look::new(self, mac, phone, state, now).is_stuck()
    }

    /// Says what there is to say about a phone. Depends on nothing but its arguments, the settings and the families.
    #[must_use]
    pub fn report(&self, mac: Mac, phone: &Phone, state: &State, now: Timestamp) -> Report {
        self.evaluate(mac, phone, state, now).0
    }

    /// The same, and what it was worked out from.
    pub(super) fn evaluate(
        &self,
        mac: Mac,
        phone: &Phone,
        state: &State,
        now: Timestamp,
    ) -> (Report, Read) {
        let mut look = Look::new(self, mac, phone, state, now);
        let elsewhere = look.elsewhere();
        let report =
            if elsewhere.is_empty() { look.report() } else { look.report_elsewhere(elsewhere) };
        (report, look.reads.done())
    }
}

impl Look<'_> {
    fn report(&mut self) -> Report {
        let look = &*self;
        let (ready, looping, away) = (look.is_ready(), look.is_looping(), look.is_away());
        let stuck = look.is_stuck();
        let standing = match (ready, look.lapsed().is_some(), away, stuck) {
            (true, ..) => Some(Standing::Ready),
            (_, false, true, _) => None,
            (_, true, ..) => Some(Standing::Lapsed),
            (.., true) => Some(Standing::Stuck),
            (.., false) => Some(Standing::Waiting),
        };
        let diagnosis = standing.and_then(|standing| diagnosis::diagnose(look, standing));
        let progress = look.progress();
        let on_its_way = !ready && !away && look.boot.risen < Stage::Configured;
        let expected = if on_its_way { diagnosis::expected(look) } else { None };
        let family = look.family.map(|family| family.title.clone());
        let findings = findings::all(look);
        let recall = look.recall();
        let (identity, site) =
            (std::mem::take(&mut self.identity), std::mem::take(&mut self.site_name));
        Report {
            identity,
            site,
            family,
            findings,
            diagnosis,
            expected,
            progress,
            ready,
            stuck,
            looping,
            away,
            recall,
            elsewhere: Vec::new(),
        }
    }
}

/// All that a report is derived from.
pub(super) struct Look<'a> {
    pub provisioner: &'a Provisioner,
    pub mac: Mac,
    pub entry: Option<&'a Entry>,
    pub boot: &'a Boot,
    /// The stamp of the entry that its configuration was made from; 0 where that is not known.
    pub given: u64,
    /// Not to be had but by what notes it: a report that reads more than it notes would go stale.
    state: &'a State,
    /// What was read so far, and the clock.
    pub reads: Reads,
    pub identity: Identity,
    pub family: Option<&'a Family>,
    pub site: Option<&'a Site>,
    /// True if the site's staging values are in force for it.
    pub staged: bool,
    pub site_name: String,
    /// How it contradicts its entry: three checks ask.
    pub contradiction: OnceCell<Option<Contradiction>>,
    pub memo: Memo,
}

impl<'a> Look<'a> {
    pub(super) fn new(
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
        let identity = conclude(phone.grounds.iter().chain(&weak));
        let seen = identity.family.as_ref().and_then(|family| catalog.family(family.as_str()));
        let listed =
            || entry.and_then(|entry| catalog.model(&entry.model)).map(|(family, _)| family);
        let address = phone.boot.address.map_or(IpAddr::from([0; 4]), IpAddr::from);
        let site_name = provisioner.site_of(entry, address);
        let staged = matches!(identify::staging(state, Some(mac)), Some((_, false)));
        Self {
            provisioner,
            mac,
            entry,
            boot: &phone.boot,
            given: phone.given,
            state,
            reads: Reads::at(now),
            family: seen.or_else(listed),
            identity,
            site: identify::site(provisioner.settings(), &site_name, staged),
            staged,
            site_name,
            contradiction: OnceCell::new(),
            memo: Memo::default(),
        }
    }

    /// What is left to say where another server provisions it: addresses are still ours, files and progress are not.
    fn report_elsewhere(&mut self, elsewhere: Vec<Ipv4Addr>) -> Report {
        let findings = findings::elsewhere(self);
        let family = self.family.map(|family| family.title.clone());
        Report {
            identity: std::mem::take(&mut self.identity),
            site: std::mem::take(&mut self.site_name),
            family,
            findings,
            elsewhere,
            ..Report::default()
        }
    }

    /// The lease of an address, ended or not.
    pub fn lease(&self, address: Ipv4Addr) -> Option<&'a Lease> {
        self.reads.address(address);
        self.state.leases.get(&address)
    }

    /// True as long as a lease is held.
    pub fn is_held(&self, lease: &Lease) -> bool {
        !self.reads.has_come(lease.until)
    }

    /// The phone that holds the lease of an address.
    pub fn holder(&self, address: IpAddr) -> Option<Mac> {
        let IpAddr::V4(address) = address.to_canonical() else { return None };
        self.lease(address).filter(|lease| self.is_held(lease)).map(|lease| lease.mac)
    }

    /// An address that was set aside because somebody was found using it when it was this phone's.
    pub fn conflict(&self) -> Option<Ipv4Addr> {
        let conflict =
            self.state.conflicts(self.mac).find(|one| !self.reads.has_come(one.until))?;
        self.reads.address(conflict.address);
        Some(conflict.address)
    }

    /// True if many phones find their addresses in use. Who reads this is told by the ledger when it changes.
    pub fn is_widespread(&self) -> bool {
        are_widespread(self.state, |moment| self.reads.has_come(moment))
    }

    /// True if auto-registration is open.
    pub fn is_open(&self) -> bool {
        // As it is at the dawn of time, so that it tells until when it is open.
        let window = self.provisioner.window(self.state, Timestamp::MIN);
        self.reads.window();
        window.enabled && window.until.is_none_or(|until| !self.reads.has_come(until))
    }

    /// The phone that this entry was meant for.
    pub fn meant(&self) -> Option<Mac> {
        self.provisioner.pairs(self.state, &self.reads).meant_by(self.mac)
    }

    /// The subnet that its address lies in.
    pub fn subnet(&self) -> Option<&'a Subnet> {
        let address = self.boot.address?;
        let mut subnets = self.provisioner.settings().dhcp.subnets.iter();
        subnets.find(|subnet| subnet.contains(address))
    }
}
