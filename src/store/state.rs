//! What is fact, in memory: every decision reads from here.

mod held;
mod index;
mod keys;
mod patch;
mod runs;
mod staging;
#[cfg(test)]
mod tests;
mod unindexed;

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv4Addr,
    ops::ControlFlow,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use crate::domain::{
    Batch, Boot, Claim, ClientKey, Commit, Entry, Event, Ground, Lease, Mac, Quarantine, Staging,
    StagingId, Timestamp, What, Window,
    wave::{Brake, Place},
};

use index::Index;
pub(super) use keys::Keys;
pub(super) use patch::{Patch, Replaced, SetWindow, Touched};
pub(super) use unindexed::Unindexed;

/// One phone, listed or seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Phone {
    /// What the operator listed for it.
    pub entry: Option<Arc<Entry>>,
    /// Where it is in its boot.
    pub boot: Boot,
    /// What it showed, one ground an origin.
    pub grounds: Vec<Ground>,
    /// The stamp of the entry from which its own configuration was last made; 0 for none, or one of the operator's own.
    pub given: u64,
    /// The number of the last commit that changed it.
    pub changed: u64,
}

impl Phone {
    /// Takes in what happened.
    pub(super) fn happens(&mut self, event: &Event) {
        self.boot.fold(event);
        let stamp = || self.entry.as_deref().map_or(0, Entry::stamp);
        match &event.what {
            // What the phone has already may be older than any stamp.
            What::Unchanged { .. } if self.given == 0 => {}
            what if what.gives_own() => self.given = stamp(),
            // An operator's own file does not follow the entry.
            What::Ended { asked, source, .. }
                if asked.required.is_some() && source.starts_with("file ") =>
            {
                self.given = 0;
            }
            _ => {}
        }
    }

    /// True if there is more about it than what an operator listed.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.boot.is_seen() || !self.grounds.is_empty()
    }
}

/// All that is fact. [`State::apply`] is the only writer.
///
/// The maps are open to readers. Whoever needs a state of his own (a test, a simulation) starts from the default and
/// applies commits, because the indexes behind [`State::reserved_for`] and the claims follow only those.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Phones by MAC: every listed one and at most [`State::MAX_STRANGERS`] that are not.
    pub phones: BTreeMap<Mac, Phone>,
    /// Leases by address, ended ones included until somebody else claims the address.
    pub leases: BTreeMap<Ipv4Addr, Lease>,
    /// The address that a client has or had last.
    pub clients: HashMap<ClientKey, Ipv4Addr>,
    /// Addresses set aside.
    pub quarantine: BTreeMap<Ipv4Addr, Quarantine>,
    /// Numbers given away for ever, by number.
    pub numbers: BTreeMap<String, Mac>,
    /// The auto-registration window as an operator set it.
    pub window: Option<Window>,
    /// The places of phones in waves, for the load that each was told last.
    pub places: BTreeMap<Mac, Place>,
    /// What operators said of the waves.
    pub brake: Brake,
    /// Batches on the bench, closed ones included.
    pub stagings: BTreeMap<StagingId, Staging>,
    /// The number of the last commit.
    pub commit: u64,
    /// What is looked up by something else than its key. Derived from the maps.
    index: Index,
}

impl State {
    /// The most phones without an entry that are remembered; the one seen longest ago is forgotten first, its
    /// timeline with it.
    pub const MAX_STRANGERS: usize = 65_536;

    /// Checks what a batch claims against what is fact.
    ///
    /// # Errors
    ///
    /// The first claim that somebody else holds.
    pub fn admits(&self, batch: &Batch) -> Result<(), Claim> {
        Patch::default().admits(self, batch)
    }

    /// Makes a commit fact. The only writer.
    ///
    /// Equal commits in equal order give equal states. A lease replaces what its client and its address had, so that
    /// clients and addresses stay one to one. A phone that is neither listed nor seen any more is gone.
    pub fn apply(&mut self, commit: &Commit) {
        let mut patch = Patch::default();
        patch.apply(self, commit);
        self.install(patch);
    }

    /// The active lease of an address.
    #[must_use]
    pub fn holder(&self, address: Ipv4Addr, now: Timestamp) -> Option<&Lease> {
        self.leases.get(&address).filter(|lease| lease.is_active(now))
    }

    /// The phone whose entry reserves an address; of several, the one with the lowest MAC.
    #[must_use]
    pub fn reserved_for(&self, address: Ipv4Addr) -> Option<Mac> {
        self.index.reserved.first(&address)
    }

    /// The phone that has or had a number: it was given away for ever, else a line of an entry has it.
    #[must_use]
    pub fn number_of(&self, number: &str) -> Option<Mac> {
        let given = self.numbers.get(number).copied();
        given.or_else(|| self.index.numbers.first(&number.to_owned()))
    }

    /// How many phones are listed.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.phones.len() - self.index.strangers.len()
    }

    /// Phones that are listed and were never seen, in the order of their MACs.
    pub fn silent(&self) -> impl Iterator<Item = Mac> {
        self.index.silent.iter().copied()
    }

    /// Phones that are not listed, the one with the latest news first.
    pub fn strangers(&self) -> impl Iterator<Item = Mac> {
        self.index.strangers.iter().rev().map(|(_, mac)| *mac)
    }

    /// Phones that are listed and never seen and may be another one by two mistakes, until `visit` breaks, as
    /// [`Nearby::visit`](crate::domain::Nearby::visit) has it.
    pub fn silent_near(&self, mac: Mac, visit: impl FnMut(Mac) -> ControlFlow<()>) {
        self.index.near_silent.of(self.silent()).visit(mac, visit);
    }

    /// The same for phones that are not listed.
    pub fn strangers_near(&self, mac: Mac, visit: impl FnMut(Mac) -> ControlFlow<()>) {
        self.index.near_strangers.of(self.strangers()).visit(mac, visit);
    }

    /// Phones that changed after a commit, in the order in which they did; those that were forgotten are gone.
    pub fn changed_since(&self, commit: u64) -> impl Iterator<Item = Mac> {
        let first = (commit.saturating_add(1), Mac::LOWEST);
        self.index.order.range(first..).map(|(_, mac)| *mac)
    }

    /// Addresses whose lease or quarantine changed after a commit.
    pub fn addresses_since(&self, commit: u64) -> impl Iterator<Item = Ipv4Addr> {
        self.index.news.addresses.since(commit, Ipv4Addr::UNSPECIFIED)
    }

    /// Phones that came into a batch or left it after a commit, or whose batch was handed over.
    pub fn restaged_since(&self, commit: u64) -> impl Iterator<Item = Mac> {
        self.index.news.staged.since(commit, Mac::LOWEST)
    }

    /// Addresses set aside because of this phone. As many looks as it was ever in the way of.
    pub fn conflicts(&self, mac: Mac) -> impl Iterator<Item = &Quarantine> {
        let all = self.index.conflicts.range((mac, Ipv4Addr::UNSPECIFIED)..);
        let its = all.take_while(move |(by, _)| *by == mac);
        its.filter_map(|(_, address)| self.quarantine.get(address))
    }

    /// The commit that last forgot a phone; 0 if none did since the start.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.index.news.forgotten
    }

    /// The commit that last forgot a listed phone; 0 if none did since the start.
    #[must_use]
    pub const fn unlisted(&self) -> u64 {
        self.index.news.unlisted
    }

    /// The commit that last set the auto-registration window; 0 if none did since the start.
    #[must_use]
    pub const fn window_set(&self) -> u64 {
        self.index.news.window
    }

    /// The commit that last changed any entry: until the next one does, all of them are as they were.
    #[must_use]
    pub const fn entries_set(&self) -> u64 {
        self.index.news.listed
    }

    /// The batch that is not closed and has this phone.
    #[must_use]
    pub fn staging_of(&self, phone: Mac) -> Option<(StagingId, &Staging)> {
        let id = self.index.staged.get(&phone)?;
        Some((*id, self.stagings.get(id)?))
    }

    /// Puts the values of a patch in place of the old ones. The patch was made against this very state.
    pub(super) fn install(&mut self, patch: Patch) {
        for (mac, touched) in patch.phones {
            if touched.entry {
                self.index.news.listed = patch.commit;
            }
            let before = if let Some(phone) = touched.phone {
                self.index.add(mac, &phone);
                self.phones.insert(mac, phone)
            } else {
                self.index.news.forgotten = patch.commit;
                self.phones.remove(&mac)
            };
            if let Some(before) = before {
                let after = self.phones.get(&mac);
                if before.entry.is_some() && after.is_none() {
                    self.index.news.unlisted = patch.commit;
                }
                self.index.drop(mac, &before, after, &self.numbers);
            }
        }
        for address in patch.leases.keys().chain(patch.quarantine.keys()) {
            self.index.news.addresses.touch(*address, patch.commit);
        }
        for (address, lease) in &patch.leases {
            self.index.addresses.lease(*address, self.leases.get(address), lease.as_ref());
        }
        put(&mut self.leases, patch.leases);
        for (client, address) in patch.clients {
            match address {
                Some(address) => self.clients.insert(client, address),
                None => self.clients.remove(&client),
            };
        }
        for (address, quarantine) in patch.quarantine {
            self.index.conflicts.insert((quarantine.by, address));
            let by = quarantine.by;
            self.index.addresses.set_aside(self.quarantine.get(&address), &quarantine);
            let before = self.quarantine.insert(address, quarantine);
            if let Some(before) = before.filter(|before| before.by != by) {
                self.index.conflicts.remove(&(before.by, address));
            }
        }
        for (number, phone) in patch.numbers {
            self.index.given.give(&number, self.numbers.get(&number).copied(), phone);
            self.numbers.insert(number, phone);
        }
        if let Some(window) = patch.window {
            self.window = window.into();
            self.index.news.window = patch.commit;
        }
        for (id, staging) in &patch.stagings {
            let (before, after) = (self.stagings.get(id), staging.as_ref());
            if !is_staged_alike(before, after) {
                for phone in before.into_iter().chain(after).flat_map(|one| one.phones.keys()) {
                    self.index.news.staged.touch(*phone, patch.commit);
                }
            }
            self.index.restage(*id, staging.as_ref());
        }
        put(&mut self.stagings, patch.stagings);
        put(&mut self.places, patch.places);
        if let Some(brake) = patch.brake {
            self.brake = brake;
        }
        self.commit = self.commit.max(patch.commit);
    }
}

/// True if a batch has the phones that it had, and they get the values that they got.
fn is_staged_alike(before: Option<&Staging>, after: Option<&Staging>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    before.standing() == after.standing() && before.phones.keys().eq(after.phones.keys())
}

fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, values: BTreeMap<K, Option<V>>) {
    for (key, value) in values {
        match value {
            Some(value) => map.insert(key, value),
            None => map.remove(&key),
        };
    }
}

/// A reader's view of the state: shared, always of the last commit.
#[derive(Clone, Debug, Default)]
pub struct View(Arc<RwLock<State>>);

impl View {
    /// A view of `state`.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self(Arc::new(RwLock::new(state)))
    }

    /// Reads. Hold the guard for a decision, never across an await.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        // A writer that panicked has applied whole changes only; what is there may be read.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn install(&self, patch: Patch) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).install(patch);
    }
}
