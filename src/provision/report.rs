//! What there is to say about one phone: what it is, what is wrong, whether it is ready. Derived, never stored.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::{
    config::{ReadyWhen, Site},
    domain::{
        Boot, Diagnosis, Entry, Finding, FindingKind, Ground, Identity, Mac, Origin, Outcome,
        Repair, Role, Stage, Timestamp, Transfer, Unserved, What, conclude,
    },
    profile::{Family, Seen},
    store::{Phone, State},
};

use super::{
    Provisioner,
    diagnose::{self, Reason},
    identify, labels,
};

/// How long a configured phone has to go without a reboot before it counts as ready.
const SETTLED: Duration = Duration::from_mins(1);

/// What counts as "again and again": within this time …
const LOOP_TIME: Duration = Duration::from_mins(10);

/// … more than this many times.
const LOOP_TIMES: usize = 5;

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
    /// The file that it should ask for next, while it is on its way.
    pub expected: Option<String>,
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
        let on_its_way = !ready && !away && look.boot.risen < Stage::Configured;
        let expected = if on_its_way { diagnose::expected(&look) } else { None };
        let family = look.family.map(|family| family.title.clone());
        let findings = look.findings();
        let identity = look.identity;
        Report {
            identity,
            family,
            findings,
            diagnosis,
            expected,
            ready,
            stuck,
            looping,
            away,
            elsewhere,
        }
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
        let prefix = || catalog.recognize(&Seen::Prefix(mac), phone.boot.since);
        let weak = if phone.boot.is_seen() { prefix() } else { None };
        let known = |origin| phone.grounds.iter().any(|ground| ground.from == origin);
        let weak = weak.filter(|ground| !known(ground.from));
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
        }
    }

    /// What is left to say where another server provisions it: addresses are still ours, files and progress are not.
    fn report_elsewhere(self, elsewhere: Vec<Ipv4Addr>) -> Report {
        let findings = [Self::pool_exhausted, Self::address_conflict];
        let findings = findings.iter().filter_map(|check| check(&self)).collect();
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

    fn since(&self, then: Timestamp) -> Duration {
        self.now.duration_since(then).try_into().unwrap_or_default()
    }

    fn findings(&self) -> Vec<Finding> {
        let checks = [
            Self::not_listed,
            Self::no_numbers_left,
            Self::wrong_model,
            Self::wrong_family,
            Self::bad_label,
            Self::pool_exhausted,
            Self::address_conflict,
            Self::secret_withheld,
            Self::firmware_missing,
        ];
        checks.iter().filter_map(|check| check(self)).collect()
    }

    fn bad_label(&self) -> Option<Finding> {
        labels::bad_label(self)
    }

    fn not_listed(&self) -> Option<Finding> {
        let is_phone = self.family.is_some()
            || self.identity.vendor.is_some()
            || self.boot.transfers.iter().any(|one| one.role != Role::Extra);
        let stranger =
            self.entry.is_none() && self.boot.is_seen() && is_phone && !self.is_no_phone();
        let mac = self.mac;
        stranger.then(|| {
            let what = self.identity.model.as_deref().map(|model| format!(", a {model},"));
            let closed = self.refused().is_some_and(|(reason, _)| reason == Reason::NotListed);
            let closed =
                if closed { ": it got no file, because auto-registration is closed" } else { "" };
            let text = format!("{mac}{} is here and not listed{closed}", what.unwrap_or_default());
            let remedy =
                format!("list it (`ringup phones set {mac} number=…`) or open auto-registration");
            finding(FindingKind::NotListed, text, remedy)
        })
    }

    fn is_no_phone(&self) -> bool {
        self.identity.grounds.iter().any(|ground| {
            let value = ground.value.as_bytes();
            let seen = match ground.from {
                Origin::Option60 => Seen::Option60(value),
                Origin::Option12 => Seen::Option12(value),
                Origin::UserAgent => Seen::UserAgent(&ground.value),
                _ => return false,
            };
            self.provisioner.catalog().not_a_phone(&seen).is_some()
        })
    }

    fn no_numbers_left(&self) -> Option<Finding> {
        let (reason, text) = self.refused()?;
        let open = self.provisioner.window(self.state, self.now).enabled;
        (self.entry.is_none() && open && reason == Reason::NoNumbersLeft).then(|| {
            let remedy = "give `numbers` a wider range, or list the phone with a number of its own";
            finding(FindingKind::NoNumbersLeft, text, remedy)
        })
    }

    /// Compares the list with what the phone itself says by option 60 or by the files it asks for: nothing weaker is
    /// worth sending somebody to a desk.
    fn wrong_model(&self) -> Option<Finding> {
        let listed =
            self.entry.map(|entry| entry.model.as_str()).filter(|model| !model.is_empty())?;
        let strong = |ground: &&Ground| matches!(ground.from, Origin::FileName | Origin::Option60);
        let mut grounds = self.identity.grounds.iter().filter(strong);
        let (ground, model) =
            grounds.find_map(|ground| Some((ground, ground.model.as_deref()?)))?;
        let catalog = self.provisioner.catalog();
        (!catalog.same_product(listed, model)).then(|| {
            let says = as_spelt(self.provisioner, ground, model);
            let text = format!("listed as {listed}, says it is a {says}");
            let known = catalog.model(model).and_then(|(_, known)| known.list_as.as_deref());
            let model = known.unwrap_or(model).to_owned();
            let remedy = format!("list it as {model}");
            let repair = Some(Repair { model: Some(model), ..Repair::default() });
            Finding { repair, ..finding(FindingKind::WrongModel, text, remedy) }
        })
    }

    fn wrong_family(&self) -> Option<Finding> {
        if self.wrong_model().is_some() {
            return None;
        }
        let catalog = self.provisioner.catalog();
        let (listed, _) = catalog.model(&self.entry?.model)?;
        let strong = |ground: &&Ground| ground.from < Origin::Option125 && ground.family.is_some();
        let ground = self.identity.grounds.iter().find(strong)?;
        let family = catalog.family(ground.family.as_ref()?.as_str())?;
        (family.name != listed.name).then(|| {
            let text = format!("listed as {}, behaves as {}", listed.title, family.title);
            let remedy = "compare the label with the list: another phone stands here, or it runs other firmware";
            finding(FindingKind::WrongFamily, text, remedy)
        })
    }

    fn pool_exhausted(&self) -> Option<Finding> {
        let last = What::Unserved(Unserved::PoolExhausted).to_string();
        (self.boot.last == last).then(|| {
            let remedy = "widen `pool` of that subnet, or shorten its `lease-time`";
            finding(FindingKind::PoolExhausted, last, remedy)
        })
    }

    fn address_conflict(&self) -> Option<Finding> {
        let mut conflicts = self.state.quarantine.values().filter(|one| one.by == self.mac);
        let conflict = conflicts.find(|one| self.now < one.until)?;
        let text = format!("{} was offered to it and is used by somebody else", conflict.address);
        let remedy = "find who has that address by hand, or take it out of the pool with `exclude`";
        Some(finding(FindingKind::AddressConflict, text, remedy))
    }

    fn secret_withheld(&self) -> Option<Finding> {
        let (reason, text) = self.refused()?;
        (reason == Reason::Withheld).then(|| {
            let remedy = "let the phone take its address by DHCP, or set `secrets.peer = \"any\"`";
            finding(FindingKind::SecretWithheld, text, remedy)
        })
    }

    fn firmware_missing(&self) -> Option<Finding> {
        let last = self.last(|one| one.role == Role::Firmware)?;
        (last.refused.is_some() && !last.normal).then(|| {
            let directory = self.provisioner.settings().appliance.firmware.display();
            let text = format!("asked for {}, which is not here", last.name);
            finding(
                FindingKind::FirmwareMissing,
                text,
                format!("put it into {directory}, then `ringup reload`"),
            )
        })
    }
}

fn finding(kind: FindingKind, text: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { kind, text: text.into(), remedy: remedy.into(), repair: None }
}

/// A model as the phone spells it (`7961G`), where the catalog's name (`7961`) stands for several spellings.
fn as_spelt<'a>(provisioner: &Provisioner, ground: &'a Ground, model: &'a str) -> &'a str {
    let is_it = |token: &&str| {
        provisioner.catalog().model(token).is_some_and(|(_, found)| found.name == model)
    };
    let token = ground.value.split([' ', ',', ';']).find(is_it);
    token.map_or(model, |token| token.strip_prefix("CP-").unwrap_or(token))
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
