//! Which findings there are, of all phones: kept up to date phone by phone, so that a list of them costs its own length.
//!
//! Findings are derived and never stored; what is kept here is what a report said last, and what it was worked out from.
//! It is worked out again when its phone changed, when something else that it read changed, or when a moment that it
//! waited for has come, and never otherwise. Nobody works at it unless somebody looks.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
    ops::{
        Bound::{Excluded, Unbounded},
        ControlFlow,
    },
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use crate::{
    domain::{Finding, FindingKind, Mac, Timestamp},
    store::State,
};

use super::{Provisioner, Service, conflicts::are_widespread, labels, reads::Read};

/// Phones looked at under one lock: short enough that no ACK waits for an operator's list.
const AT_A_TIME: usize = 256;

/// A phone and its findings.
pub type Found = (Mac, Arc<[Finding]>);

/// The findings of all phones. In memory only, and never larger than the state.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Kept>);

impl Ledger {
    /// Takes in everything that is fact now. A few hundred phones at a time: neither a lease nor a boot waits for it.
    pub async fn refresh(&self, service: &Service) {
        self.begin(service);
        while self.go_on(service) {
            tokio::task::yield_now().await;
        }
    }

    /// The same for a state that stands still, all at once.
    pub fn update(&self, provisioner: &Arc<Provisioner>, state: &State, now: Timestamp) {
        let mut kept = self.lock();
        kept.begin(provisioner, state, now);
        while kept.go_on(provisioner, state, now) {}
    }

    /// The next phones with findings, behind `after`: whole phones, until there are so many findings.
    #[must_use]
    pub fn page(&self, after: Option<Mac>, limit: usize) -> Vec<Found> {
        let (kept, mut count) = (self.lock(), 0);
        let rest = kept.found.range((after.map_or(Unbounded, Excluded), Unbounded));
        let fits = |(_, findings): &(_, &Arc<[Finding]>)| {
            let fits = count < limit;
            count += findings.len();
            fits
        };
        rest.take_while(fits).map(|(mac, findings)| (*mac, Arc::clone(findings))).collect()
    }

    /// The next phones with a finding of a kind, behind `after`.
    #[must_use]
    pub fn with(&self, kind: FindingKind, after: Option<Mac>, limit: usize) -> Vec<Mac> {
        let kept = self.lock();
        let Some(macs) = kept.by_kind.get(&kind) else { return Vec::new() };
        let rest = macs.range((after.map_or(Unbounded, Excluded), Unbounded));
        rest.take(limit).copied().collect()
    }

    /// How often a report was worked out since the start.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.lock().evaluations
    }

    fn begin(&self, service: &Service) {
        let (provisioner, state) = (service.provisioner(), service.view.read());
        self.lock().begin(&provisioner, &state, Timestamp::now());
    }

    /// True while there is more to do.
    fn go_on(&self, service: &Service) -> bool {
        let (provisioner, state) = (service.provisioner(), service.view.read());
        self.lock().go_on(&provisioner, &state, Timestamp::now())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of one phone.
#[derive(Debug, Default)]
struct Known {
    /// What others' pairs rest on.
    standing: u64,
    /// What its report was worked out from; `None` before the first one.
    read: Option<Box<Read>>,
}

/// The ledger itself.
#[derive(Debug, Default)]
struct Kept {
    /// The resolver that all of this holds for. Held weakly: an old one is not kept alive.
    provisioner: Weak<Provisioner>,
    /// What of the state is taken in.
    commit: u64,
    forgotten: u64,
    window: u64,
    /// Many phones found their addresses in use.
    widespread: bool,
    /// When somebody last looked.
    looked: Timestamp,
    /// False until every phone's standing is known: before that nobody's report rests on one.
    settled: bool,
    known: HashMap<Mac, Known>,
    found: BTreeMap<Mac, Arc<[Finding]>>,
    by_kind: BTreeMap<FindingKind, BTreeSet<Mac>>,
    due: BTreeSet<(Timestamp, Mac)>,
    /// Whose reports read what.
    addresses: BTreeSet<(Ipv4Addr, Mac)>,
    windows: BTreeSet<Mac>,
    near: BTreeSet<(Mac, Mac)>,
    around: BTreeSet<(Mac, Mac)>,
    /// Phones that changed.
    dirty: BTreeSet<Mac>,
    /// Phones whose reports are to be worked out again.
    pending: BTreeSet<Mac>,
    evaluations: u64,
}

impl Kept {
    /// Finds out what changed since somebody last looked.
    fn begin(&mut self, provisioner: &Arc<Provisioner>, state: &State, now: Timestamp) {
        // Under other settings everything may read differently; so it may before what is known, by a clock set back.
        let other = self.provisioner.as_ptr() != Arc::as_ptr(provisioner);
        if other || now < self.looked || state.commit < self.commit {
            let evaluations = self.evaluations;
            let provisioner = Arc::downgrade(provisioner);
            *self = Self { provisioner, evaluations, ..Self::default() };
            self.dirty.extend(state.phones.keys());
        }
        self.dirty.extend(state.changed_since(self.commit));
        if state.forgotten() > self.forgotten {
            let gone = self.known.keys().filter(|mac| !state.phones.contains_key(mac));
            self.dirty.extend(gone);
        }
        for address in state.addresses_since(self.commit) {
            self.pending.extend(readers(&self.addresses, address));
            self.pending.extend(state.quarantine.get(&address).map(|one| one.by));
        }
        let widespread = are_widespread(state, |moment| now >= moment);
        if widespread != self.widespread {
            self.widespread = widespread;
            self.pending.extend(state.latest_aside().map(|one| one.by));
        }
        self.pending.extend(state.restaged_since(self.commit));
        if state.window_set() > self.window {
            self.pending.extend(&self.windows);
        }
        self.commit = state.commit;
        (self.forgotten, self.window, self.looked) = (state.forgotten(), state.window_set(), now);
        while let Some((due, mac)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, mac));
            self.pending.insert(mac);
        }
    }

    /// Takes in some of what changed. True while there is more.
    fn go_on(&mut self, provisioner: &Arc<Provisioner>, state: &State, now: Timestamp) -> bool {
        if self.provisioner.as_ptr() != Arc::as_ptr(provisioner) {
            self.begin(provisioner, state, now);
        }
        for _ in 0..AT_A_TIME {
            if let Some(mac) = self.dirty.pop_first() {
                self.changed(provisioner, state, mac);
                continue;
            }
            self.settled = true;
            let Some(mac) = self.pending.pop_first() else { return false };
            self.evaluate(provisioner, state, mac, now);
        }
        true
    }

    /// A phone changed: its report is due, and those whose pairs rest on it.
    fn changed(&mut self, provisioner: &Provisioner, state: &State, mac: Mac) {
        let standing = provisioner.standing(state, mac);
        let before = self.known.get(&mac).map_or(0, |known| known.standing);
        if standing != before && self.settled {
            self.disturb(state, mac);
        }
        if state.phones.contains_key(&mac) {
            self.known.entry(mac).or_default().standing = standing;
            self.pending.insert(mac);
        } else {
            self.unread(mac);
            self.known.remove(&mac);
            self.pending.remove(&mac);
            self.put(mac, &[]);
        }
    }

    /// Those who asked for what is near this phone, on either side, are to ask again.
    fn disturb(&mut self, state: &State, mac: Mac) {
        self.pending.extend(readers(&self.near, mac));
        let mut asked = BTreeSet::new();
        let mut visit = |other| {
            asked.insert(other);
            ControlFlow::Continue(())
        };
        state.silent_near(mac, &mut visit);
        state.strangers_near(mac, &mut visit);
        for other in asked {
            self.pending.extend(readers(&self.near, other));
        }
        let around = self.around.iter().filter(|(other, _)| labels::may_be_near(*other, mac));
        self.pending.extend(around.map(|(_, reader)| *reader));
    }

    fn evaluate(&mut self, provisioner: &Provisioner, state: &State, mac: Mac, now: Timestamp) {
        self.unread(mac);
        let Some(phone) = state.phones.get(&mac) else { return };
        let (report, read) = provisioner.evaluate(mac, phone, state, now);
        self.evaluations += 1;
        self.put(mac, &report.findings);
        if read.due < Timestamp::MAX {
            self.due.insert((read.due, mac));
        }
        if read.window {
            self.windows.insert(mac);
        }
        self.addresses.extend(read.addresses.iter().map(|address| (*address, mac)));
        self.near.extend(read.near.iter().map(|other| (*other, mac)));
        self.around.extend(read.around.iter().map(|other| (*other, mac)));
        self.known.entry(mac).or_default().read = Some(Box::new(read));
    }

    /// Forgets what the last report of a phone was worked out from.
    fn unread(&mut self, mac: Mac) {
        let Some(read) = self.known.get_mut(&mac).and_then(|known| known.read.take()) else {
            return;
        };
        self.due.remove(&(read.due, mac));
        self.windows.remove(&mac);
        for address in &read.addresses {
            self.addresses.remove(&(*address, mac));
        }
        for other in &read.near {
            self.near.remove(&(*other, mac));
        }
        for other in &read.around {
            self.around.remove(&(*other, mac));
        }
    }

    fn put(&mut self, mac: Mac, findings: &[Finding]) {
        let before = if findings.is_empty() {
            self.found.remove(&mac)
        } else {
            self.found.insert(mac, findings.into())
        };
        for finding in before.iter().flat_map(|before| before.iter()) {
            if let Some(macs) = self.by_kind.get_mut(&finding.kind) {
                macs.remove(&mac);
            }
        }
        for finding in findings {
            self.by_kind.entry(finding.kind).or_default().insert(mac);
        }
    }
}

/// Whose reports read this.
fn readers<K: Copy + Ord>(all: &BTreeSet<(K, Mac)>, key: K) -> Vec<Mac> {
    let of = all.range((key, Mac::LOWEST)..).take_while(|(other, _)| *other == key);
    of.map(|(_, reader)| *reader).collect()
}
