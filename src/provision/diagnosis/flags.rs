//! Ready, stuck, looping, away: what the record, the profile and the time say about a phone's progress.

use std::{cell::OnceCell, time::Duration};

use crate::{
    config::ReadyWhen,
    domain::{Carrier, Load, Outcome, Role, Stage, Step, Timestamp, Transfer},
    profile::FileMatch,
};

use super::{
    super::{
        findings, layers,
        report::Look,
        values::{Scene, Secrets},
    },
    Reason,
};

/// How long a configured phone has to go without a reboot before it counts as ready.
pub(in crate::provision) const SETTLED: Duration = Duration::from_mins(1);

/// What counts as "again and again": within this time …
pub(in crate::provision) const LOOP_TIME: Duration = Duration::from_mins(10);

/// … more than this many times.
pub(in crate::provision) const LOOP_TIMES: usize = 5;

/// In how many boots in a row a phone takes the same load until that is a loop: the second may be a restart in between.
const LOAD_TIMES: u32 = 3;

/// How long a load that was taken again and again says something about the phone of today.
const LOAD_TIME: Duration = Duration::from_hours(2);

/// How many registrations within [`LOOP_TIME`] make a phone that toggles: one move to a second server and back is none.
const TOGGLE_TIMES: usize = 4;

/// How long a stage takes at most in a healthy boot, where its family's profile says nothing else.
///
/// Without a file for 60 s, and without a REGISTER for 180 s, are what engineers flag; the rest is what our simulated and
/// recorded boots take, with room to spare.
fn usual(stage: Stage) -> Duration {
    Duration::from_secs(match stage {
        // Never seen: nothing is due.
        Stage::Silent => u64::MAX,
        Stage::Discovered | Stage::Leased | Stage::Asking | Stage::Registering => 60,
        // It reads its default and comes back for its own.
        Stage::Defaulted => 120,
        Stage::Configured | Stage::Registered => 180,
        // Counted from its last byte: transfers that stand still end by themselves long before.
        Stage::Upgrading => 300,
    })
}

/// How long a phone writes its flash before it restarts, where its profile says nothing else.
const RESTART: Duration = Duration::from_mins(10);

/// What several flags rest on, worked out once for each look.
#[derive(Debug, Default)]
pub(in crate::provision) struct Memo {
    advanced: OnceCell<Timestamp>,
    looping: OnceCell<bool>,
}

impl<'a> Look<'a> {
    /// True for a phone that has what its site asks for, runs the load that it is to run, and stays up.
    pub fn is_ready(&self) -> bool {
        self.has_arrived()
            && self.runs_its_load()
            && self.is_past(self.boot.round, SETTLED)
            && !self.is_away()
            && !self.is_looping()
    }

    /// True for a phone that was ready and whose lease or registration is over.
    pub fn is_away(&self) -> bool {
        self.lapsed().is_some() || self.lease_is_over()
    }

    fn lease_is_over(&self) -> bool {
        let lease = self.boot.address.and_then(|address| self.lease(address));
        let its_own = lease.filter(|lease| lease.mac == self.mac);
        self.boot.risen >= Stage::Configured && its_own.is_some_and(|lease| !self.is_held(lease))
    }

    /// Since when it is not registered any more; `None` for a phone that is, or that was not in this round.
    pub fn lapsed(&self) -> Option<Timestamp> {
        self.boot.lapsed()
    }

    /// True if it waits for something that should have come by now. A phone that has all that its site asks for only
    /// waits for its settling time.
    pub fn is_stuck(&self) -> bool {
        let here = self.boot.is_seen() && !self.is_away();
        here && !self.is_ready() && (self.is_overdue() || self.is_looping())
    }

    fn is_overdue(&self) -> bool {
        if let Some(upgrade) = &self.boot.upgrade {
            let moved = upgrade.moved.max(self.boot.since);
            return self.is_over(moved, self.patience(Stage::Upgrading));
        }
        if let Some(load) = self.awaits_restart() {
            return self.is_over(load.at, self.restart());
        }
        // What takes its configuration from its maker's controller asks us for nothing, and is well.
        let elsewhere = self.family.is_some_and(|family| !family.provisions);
        if elsewhere && self.boot.risen == Stage::Leased {
            return false;
        }
        let waits = !self.has_arrived() || !self.runs_its_load();
        waits && self.is_over(self.boot.since, self.patience(self.boot.stage()))
    }

    /// How long this stage takes at most for this family.
    fn patience(&self, stage: Stage) -> Duration {
        self.family.and_then(|family| family.patience.of(stage)).unwrap_or_else(|| usual(stage))
    }

    /// How long it takes at most from a load's last byte to the restart.
    pub fn restart(&self) -> Duration {
        self.family.and_then(|family| family.patience.restart()).unwrap_or(RESTART)
    }

    fn has_arrived(&self) -> bool {
        let least = match self.ready_when() {
            ReadyWhen::Configured => Stage::Configured,
            ReadyWhen::Registered => Stage::Registered,
        };
        self.boot.risen >= least && self.boot.upgrade.is_none()
    }

    pub fn ready_when(&self) -> ReadyWhen {
        self.site.map_or(ReadyWhen::Configured, |site| site.ready_when)
    }

    /// False if it took a load and has not restarted, asked for one that is not there, or shows another than it should.
    fn runs_its_load(&self) -> bool {
        let last = self.last(|one| one.role == Role::Firmware);
        let missed = last.is_some_and(|one| one.refused.is_some() && !one.normal);
        !missed && self.awaits_restart().is_none() && self.another_load().is_none()
    }

    /// The load that it took in this round and does not run before its next one.
    pub fn awaits_restart(&self) -> Option<&'a Load> {
        let this_round = |load: &&Load| load.round == self.boot.rounds && self.is_taken(load);
        self.boot.loads.iter().rev().find(this_round)
    }

    /// True for a load that its phone surely took to run it. Many read one at every boot to see whether it is newer, and
    /// what the kernel took of an HTTP answer is not yet with the phone.
    fn is_taken(&self, load: &Load) -> bool {
        let matches = self.provisioner.catalog().resolve(&load.name);
        let is_its = |one: &&FileMatch<'_>| self.family.is_none_or(|it| it.name == one.family.name);
        let rule = matches.iter().find(is_its).map(|one| one.file);
        rule.is_none_or(|rule| {
            let looked_at = rule.normal.abort && load.carrier != Carrier::Tftp;
            !looked_at && (rule.normal.abort || !rule.normal.miss)
        })
    }

    /// The load that it takes again after each boot.
    pub fn load_again(&self) -> Option<&'a Load> {
        let again = |load: &&Load| {
            load.times >= LOAD_TIMES && !self.is_past(load.at, LOAD_TIME) && self.is_taken(load)
        };
        self.boot.loads.iter().rev().find(again)
    }

    /// What it says that it runs, and what it should: only where both name a release by numbers of the same kind.
    pub fn another_load(&self) -> Option<(&str, &'a str)> {
        let running = self.identity.firmware.as_deref()?;
        let site = self.site.filter(|site| !site.firmware.is_empty())?;
        let nobody = [0; 4].into();
        let scene = Scene {
            settings: self.provisioner.settings(),
            catalog: self.provisioner.catalog(),
            family: self.family,
            model: self.identity.model.as_deref().unwrap_or_default(),
            site: &self.site_name,
            staged: self.staged,
            phone: Some((self.mac, self.entry)),
            ends: (nobody, nobody),
            secrets: Secrets::Left,
            contacts: &[],
            contradicts: findings::of_look(self).is_some(),
            instead: None,
        };
        // In waves a phone runs another load because it waits; who does not get there shows among the waves.
        let rules = self.provisioner.settings().firmware;
        if rules.wave.is_some() || rules.canary.is_some() {
            return None;
        }
        let (wanted, ..) = layers::wanted(&scene, site, &scene.model_name())?;
        let differ = match (release(running), release(wanted)) {
            (Some(running), Some(wanted)) => {
                let parts = |release: &str| release.split('.').count();
                parts(running) == parts(wanted) && running != wanted
            }
            _ => false,
        };
        differ.then_some((running, wanted))
    }

    /// How far an upgrade is, in plain words; `None` if there was none or its phone is through with it.
    pub fn progress(&self) -> Option<String> {
        let last = self.boot.loads.iter().rev().find(|load| self.is_taken(load))?;
        let of_it = |load: &&Load| load.round == last.round && self.is_taken(load);
        let mut parts = self.boot.loads.iter().filter(of_it);
        let is_list = |load: &&Load| load.name.to_ascii_lowercase().ends_with(".loads");
        let name = &parts.find(is_list).unwrap_or(last).name;
        let reboots = self.family.map_or(1, |family| family.patience.reboots());
        let done = self.boot.rounds.saturating_sub(last.round);
        let under_way = done <= reboots && !self.is_past(last.at, LOAD_TIME) && !self.is_ready();
        under_way.then(|| format!("has {name} whole: {done} of {reboots} reboots"))
    }

    /// True for a phone that never gets as far as its configuration and keeps starting over, that asks for one and the
    /// same file over and over, that takes its configuration whole and comes back for it at once, that takes the same
    /// load after each boot, or whose registration moves to and fro.
    ///
    /// What lies before its last upgrade does not count: a ladder of loads is many boots and much progress.
    pub fn is_looping(&self) -> bool {
        *self.memo.looping.get_or_init(|| self.loops())
    }

    fn loops(&self) -> bool {
        let whole =
            |one: &Transfer| one.role == Role::Own && one.outcome == Some(Outcome::Complete);
        let again =
            |one: &Transfer, times: usize| self.times(|other| other.name == one.name) > times;
        let transfers = &self.boot.transfers;
        // Twice the allowance, because some families read everything twice a boot.
        if transfers.iter().any(|one| whole(one) && again(one, 2 * LOOP_TIMES)) {
            return true;
        }
        let fruitless = |one: &Transfer| {
            let name = |other: &Transfer| other.name == one.name && other.at > self.boot.had;
            self.times(name) > LOOP_TIMES
        };
        let early = self.boot.risen < Stage::Configured;
        early && (self.restarts() > LOOP_TIMES || transfers.iter().any(fruitless))
            || self.load_again().is_some()
            || self.toggles().is_some()
    }

    /// How often it started over lately without getting its configuration in between.
    pub fn restarts(&self) -> usize {
        self.starts().count()
    }

    /// The same for those that began with DHCP: a phone that asks for its first file once more begins a round too.
    pub fn restarts_with_dhcp(&self) -> usize {
        let by_file = |at: &Timestamp| self.boot.transfers.iter().any(|one| one.at == *at);
        self.starts().filter(|at| !by_file(at)).count()
    }

    fn starts(&self) -> impl Iterator<Item = Timestamp> {
        let floor = self.boot.had.max(self.advanced());
        let fruitless = move |at: &Timestamp| *at > floor && !self.is_past(*at, LOOP_TIME);
        self.boot.starts.iter().copied().filter(fruitless)
    }

    /// When it last took a load that it had not taken in the boot before; the epoch if it never did.
    fn advanced(&self) -> Timestamp {
        let is_new = |load: &&Load| load.times == 1 && self.is_taken(load);
        let last = || self.boot.loads.iter().filter(is_new).map(|load| load.at).max();
        *self.memo.advanced.get_or_init(|| last().unwrap_or_default())
    }

    /// Two servers between which its registration moves to and fro, how often, and since when.
    pub fn toggles(&self) -> Option<(&'a str, &'a str, usize, Timestamp)> {
        let lately = |at: Timestamp| !self.is_past(at, LOOP_TIME);
        let all = self.boot.registrations.iter();
        let accepted: Vec<_> =
            all.filter(|one| one.step == Step::Accepted && lately(one.at)).collect();
        let moves = accepted.windows(2).filter(|pair| pair[0].by != pair[1].by).count();
        let (first, last) = (accepted.first()?, accepted.last()?);
        let other = accepted.iter().find(|one| one.by != first.by)?;
        (moves >= TOGGLE_TIMES && lately(last.at))
            .then_some((&*first.by, &*other.by, moves, first.at))
    }

    /// How often such a transfer began lately.
    pub fn times(&self, such: impl Fn(&Transfer) -> bool) -> usize {
        let floor = self.advanced();
        // What came from an address that is not its own is not its doing.
        let is_its = |one: &&Transfer| {
            one.refused.as_deref().is_none_or(|why| Reason::of(why) != Reason::Withheld)
        };
        let lately = |one: &&Transfer| one.at > floor && !self.is_past(one.at, LOOP_TIME);
        self.boot.transfers.iter().filter(is_its).filter(lately).filter(|one| such(one)).count()
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

    /// True once it is `time` ago or longer.
    pub fn is_past(&self, then: Timestamp, time: Duration) -> bool {
        self.reads.is_past(then, time)
    }

    /// True once it is longer ago than `time`.
    pub fn is_over(&self, then: Timestamp, time: Duration) -> bool {
        self.reads.is_past(then, time.saturating_add(Duration::from_nanos(1)))
    }
}

/// The release in a load's name: its longest run of at least three numbers with dots.
fn release(name: &str) -> Option<&str> {
    let runs =
        name.split(|c: char| !c.is_ascii_digit() && c != '.').map(|run| run.trim_matches('.'));
    let numbers = |run: &&str| run.split('.').count() >= 3 && run.split('.').all(|n| !n.is_empty());
    runs.filter(numbers).max_by_key(|run| run.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        let check = |name: &str, is: Option<&str>| assert_eq!(release(name), is, "{name}");
        check("66.86.0.160", Some("66.86.0.160"));
        check("T46S(T48S,T42S,T41S)-66.86.0.15.rom", Some("66.86.0.15"));
        check("SIP45.9-4-2SR3-1S", None);
        check("sip.ld", None);
        check("a/5.9.4.3247/sip.ld", Some("5.9.4.3247"));
        check("", None);
    }
}
