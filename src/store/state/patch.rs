//! What a group of commits changes: the values that replace the old ones, worked out without touching the state.
//!
//! The writer makes a patch while readers go on, hands it to the disk, and only then puts it in place. So what is on
//! disk and what is in memory are the same values, and nobody reads what could still be lost.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use crate::domain::{
    Batch, Change, Claim, ClientKey, Commit, Entry, Lease, Mac, Quarantine, Staging, StagingId,
    Timestamp, Window,
    wave::{Brake, Place},
};

use super::{Keys, Phone, State, staging::port};

/// Entries as they were before a batch; `None`: the phone had none.
pub(in crate::store) type Replaced = Vec<(Mac, Option<Arc<Entry>>)>;

/// What became of one phone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::store) struct Touched {
    /// Its new value; `None` if it is gone.
    pub(in crate::store) phone: Option<Phone>,
    /// True if its entry changed.
    pub(in crate::store) entry: bool,
    /// True if its boot or its grounds changed.
    pub(in crate::store) record: bool,
}

/// A window that was set: told apart from one that was not touched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::store) struct SetWindow(pub(in crate::store) Option<Window>);

impl From<SetWindow> for Option<Window> {
    fn from(set: SetWindow) -> Self {
        set.0
    }
}

/// The values that a group of commits puts in place of the old ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::store) struct Patch {
    pub(in crate::store) phones: BTreeMap<Mac, Touched>,
    pub(in crate::store) leases: BTreeMap<Ipv4Addr, Option<Lease>>,
    pub(in crate::store) clients: HashMap<ClientKey, Option<Ipv4Addr>>,
    pub(in crate::store) quarantine: BTreeMap<Ipv4Addr, Quarantine>,
    pub(in crate::store) numbers: BTreeMap<String, Mac>,
    pub(in crate::store) window: Option<SetWindow>,
    pub(in crate::store) stagings: BTreeMap<StagingId, Option<Staging>>,
    pub(in crate::store) places: BTreeMap<Mac, Option<Place>>,
    pub(in crate::store) brake: Option<Brake>,
    /// Phones whose timeline is gone, up to that change (commit, index within it).
    pub(in crate::store) wiped: BTreeMap<Mac, (u64, usize)>,
    /// The number of the last commit taken in.
    pub(in crate::store) commit: u64,
    /// How many strangers there are more than in the state.
    strangers: isize,
    /// The strangers of the state up to this one were looked at for forgetting.
    cursor: Option<(u64, Mac)>,
}

impl Patch {
    /// The patch that turns an empty state into this one.
    pub(in crate::store) fn of(state: &State) -> Self {
        let touched =
            |phone: &Phone| Touched { phone: Some(phone.clone()), entry: true, record: true };
        Self {
            phones: state.phones.iter().map(|(mac, phone)| (*mac, touched(phone))).collect(),
            leases: state.leases.iter().map(|(at, lease)| (*at, Some(lease.clone()))).collect(),
            clients: state.clients.iter().map(|(key, at)| (key.clone(), Some(*at))).collect(),
            quarantine: state.quarantine.clone(),
            numbers: state.numbers.clone(),
            window: state.window.map(|window| SetWindow(Some(window))),
            stagings: state.stagings.iter().map(|(id, one)| (*id, Some(one.clone()))).collect(),
            places: state.places.iter().map(|(mac, one)| (*mac, Some(one.clone()))).collect(),
            brake: (state.brake != Brake::default()).then(|| state.brake.clone()),
            commit: state.commit,
            ..Self::default()
        }
    }

    /// The patch that puts in place what a state holds under these keys.
    pub(in crate::store) fn over(state: &State, keys: &Keys) -> Self {
        let touched = |(mac, &(entry, record)): (&Mac, &(bool, bool))| {
            (*mac, Touched { phone: state.phones.get(mac).cloned(), entry, record })
        };
        let given = |number: &String| Some((number.clone(), *state.numbers.get(number)?));
        let aside = |address: &Ipv4Addr| Some((*address, state.quarantine.get(address)?.clone()));
        Self {
            phones: keys.phones.iter().map(touched).collect(),
            leases: keys.leases.iter().map(|at| (*at, state.leases.get(at).cloned())).collect(),
            quarantine: keys.quarantine.iter().filter_map(aside).collect(),
            numbers: keys.numbers.iter().filter_map(given).collect(),
            window: keys.window.then_some(SetWindow(state.window)),
            stagings: keys
                .stagings
                .iter()
                .map(|id| (*id, state.stagings.get(id).cloned()))
                .collect(),
            places: keys.places.iter().map(|mac| (*mac, state.places.get(mac).cloned())).collect(),
            brake: keys.brake.then(|| state.brake.clone()),
            commit: state.commit,
            ..Self::default()
        }
    }

    /// The entries that changes are about to replace, by phone.
    pub(in crate::store) fn replaced_by(&self, state: &State, changes: &[Change]) -> Replaced {
        let phones: BTreeSet<_> = changes.iter().filter_map(listed).collect();
        phones.into_iter().map(|mac| (mac, self.entry(state, mac).cloned())).collect()
    }

    /// Checks what a batch claims against the state and what the patch has changed since.
    pub(in crate::store) fn admits(&self, state: &State, batch: &Batch) -> Result<(), Claim> {
        let taken = batch.claims.iter().find(|claim| !self.is_free(state, claim));
        taken.map_or(Ok(()), |claim| Err(claim.clone()))
    }

    fn is_free(&self, state: &State, claim: &Claim) -> bool {
        match claim {
            Claim::Address { address, client, now } => self
                .lease(state, *address)
                .is_none_or(|lease| !lease.is_active(*now) || lease.client == *client),
            Claim::Unlisted(mac) => self.entry(state, *mac).is_none(),
            Claim::Unstaged(phone, id) => {
                self.staging_of(state, *phone).is_none_or(|(other, _)| other == *id)
            }
            Claim::Room { phone, load, wave, canary, there } => {
                let others = self.places_after(state).filter(|(mac, _)| mac != phone);
                let (mut open, mut placed) = (0, 0);
                for (mac, place) in others {
                    open += usize::from(place.done.is_none() && !there.contains(&mac));
                    placed += usize::from(place.load.eq_ignore_ascii_case(load));
                }
                wave.is_none_or(|wave| open < wave) && canary.is_none_or(|canary| placed < canary)
            }
            Claim::Number(mac, number) => {
                let given = self.numbers.get(number).or_else(|| state.numbers.get(number));
                given.is_none_or(|holder| holder == mac)
                    && !self.is_listed_elsewhere(state, *mac, number)
            }
        }
    }

    fn is_listed_elsewhere(&self, state: &State, mac: Mac, number: &String) -> bool {
        let has = |phone: &Phone| {
            let lines = phone.entry.iter().flat_map(|entry| &entry.lines);
            lines.into_iter().any(|line| line.number == *number)
        };
        let before = |other: &Mac| *other != mac && !self.phones.contains_key(other);
        state.index.numbers.all(number).any(|other| before(&other))
            || self
                .phones
                .iter()
                .any(|(other, touched)| *other != mac && touched.phone.as_ref().is_some_and(has))
    }

    /// How many phones there are after the patch, and how many of them are listed.
    pub(in crate::store) fn phones_after(&self, state: &State) -> (usize, usize) {
        let (mut phones, mut listed) = (state.phones.len(), state.listed());
        for (mac, touched) in &self.phones {
            if let Some(before) = state.phones.get(mac) {
                phones -= 1;
                listed -= usize::from(before.entry.is_some());
            }
            if let Some(after) = &touched.phone {
                phones += 1;
                listed += usize::from(after.entry.is_some());
            }
        }
        (phones, listed)
    }

    /// A phone as it is after the patch.
    pub(in crate::store) fn phone<'a>(&'a self, state: &'a State, mac: Mac) -> Option<&'a Phone> {
        match self.phones.get(&mac) {
            Some(touched) => touched.phone.as_ref(),
            None => state.phones.get(&mac),
        }
    }

    /// The entry of a phone as it is after the patch.
    pub(in crate::store) fn entry<'a>(
        &'a self,
        state: &'a State,
        mac: Mac,
    ) -> Option<&'a Arc<Entry>> {
        self.phone(state, mac).and_then(|phone| phone.entry.as_ref())
    }

    fn lease<'a>(&'a self, state: &'a State, address: Ipv4Addr) -> Option<&'a Lease> {
        match self.leases.get(&address) {
            Some(lease) => lease.as_ref(),
            None => state.leases.get(&address),
        }
    }

    /// Places in waves as they are after the patch.
    pub(in crate::store) fn places_after<'a>(
        &'a self,
        state: &'a State,
    ) -> impl Iterator<Item = (Mac, &'a Place)> {
        let kept = state.places.iter().filter(|(mac, _)| !self.places.contains_key(*mac));
        let fresh = self.places.iter().filter_map(|(mac, place)| Some((mac, place.as_ref()?)));
        kept.chain(fresh).map(|(mac, place)| (*mac, place))
    }

    /// Takes in the next commit.
    pub(in crate::store) fn apply(&mut self, state: &State, commit: &Commit) {
        for (index, change) in commit.changes.iter().enumerate() {
            self.change(state, (commit.number, index), change);
        }
        self.commit = commit.number;
        self.forget_excess(state);
    }

    fn change(&mut self, state: &State, at: (u64, usize), change: &Change) {
        match change {
            Change::Happened(mac, event) => {
                self.record(state, *mac, at.0, |phone| phone.happens(event));
                self.stage(state, *mac, at.0, |one, boot| one.happened(*mac, event, boot));
            }
            Change::Showed(mac, ground) => {
                self.record(state, *mac, at.0, |phone| {
                    phone.grounds.retain(|known| known.from != ground.from);
                    phone.grounds.push(ground.clone());
                });
                if let Some(port) = port(ground) {
                    self.stage(state, *mac, at.0, |one, _| one.plugged(*mac, port));
                }
            }
            Change::Listed(mac, entry) => {
                if self.entry(state, *mac).is_none_or(|known| **known != **entry) {
                    self.stage(state, *mac, at.0, |one, _| one.relisted(*mac));
                }
                self.list(state, *mac, at.0, Some(Arc::new((**entry).clone())));
            }
            Change::Unlisted(mac) => {
                if self.entry(state, *mac).is_some() {
                    self.stage(state, *mac, at.0, |one, _| one.relisted(*mac));
                    self.list(state, *mac, at.0, None);
                }
            }
            Change::Forgotten(mac) => self.forget(state, *mac, at),
            Change::Leased(lease) => self.hold(state, lease),
            Change::Released { address, at } => self.release(state, *address, *at),
            Change::Quarantined(quarantine) => {
                self.quarantine.insert(quarantine.address, quarantine.clone());
            }
            Change::Numbered(mac, number) => {
                self.numbers.insert(number.clone(), *mac);
            }
            Change::Window(window) => self.window = Some(SetWindow(*window)),
            Change::Staging(id, change) => self.restage(state, at.0, *id, change),
            Change::Placed(mac, place) => {
                self.places.insert(*mac, place.as_deref().cloned());
            }
            Change::Braked(brake) => self.brake = Some((**brake).clone()),
        }
    }

    fn record(&mut self, state: &State, mac: Mac, number: u64, change: impl FnOnce(&mut Phone)) {
        self.edit(state, mac, |touched| {
            let phone = touched.phone.get_or_insert_default();
            change(phone);
            phone.changed = number;
            touched.record = true;
        });
    }

    fn list(&mut self, state: &State, mac: Mac, number: u64, entry: Option<Arc<Entry>>) {
        self.edit(state, mac, |touched| {
            let phone = touched.phone.get_or_insert_default();
            phone.entry = entry;
            phone.changed = number;
            touched.entry = true;
            // The record holds `changed` where there is one.
            touched.record |= phone.is_recorded();
            if phone.entry.is_none() && !phone.is_recorded() {
                touched.phone = None;
            }
        });
    }

    fn forget(&mut self, state: &State, mac: Mac, at: (u64, usize)) {
        self.edit(state, mac, |touched| {
            *touched = Touched { phone: None, entry: true, record: true };
        });
        self.wiped.insert(mac, at);
        if state.places.contains_key(&mac) || self.places.contains_key(&mac) {
            self.places.insert(mac, None);
        }
    }

    /// Changes one phone and keeps count of the strangers.
    fn edit(&mut self, state: &State, mac: Mac, change: impl FnOnce(&mut Touched)) {
        let touched = self.phones.entry(mac).or_insert_with(|| Touched {
            phone: state.phones.get(&mac).cloned(),
            ..Touched::default()
        });
        let before = isize::from(is_stranger(touched));
        change(touched);
        self.strangers += isize::from(is_stranger(touched)) - before;
    }

    /// A client holds one address, and an address has one client: what either had before is replaced.
    fn hold(&mut self, state: &State, lease: &Lease) {
        let had = self.clients.get(&lease.client).copied();
        let had = had.unwrap_or_else(|| state.clients.get(&lease.client).copied());
        if let Some(had) = had.filter(|had| *had != lease.address) {
            self.leases.insert(had, None);
        }
        let other = self.lease(state, lease.address).map(|other| other.client.clone());
        if let Some(other) = other.filter(|other| *other != lease.client) {
            self.clients.insert(other, None);
        }
        self.clients.insert(lease.client.clone(), Some(lease.address));
        self.leases.insert(lease.address, Some(lease.clone()));
    }

    fn release(&mut self, state: &State, address: Ipv4Addr, at: Timestamp) {
        if let Some(lease) = self.lease(state, address) {
            let ended = Lease { until: lease.until.min(at), ..lease.clone() };
            self.leases.insert(address, Some(ended));
        }
    }

    /// Forgets the strangers seen longest ago, as long as there are too many. O(log n) for each.
    fn forget_excess(&mut self, state: &State) {
        let limit = state.index.limit;
        while state.index.strangers.len().checked_add_signed(self.strangers) > Some(limit) {
            let Some(mac) = self.oldest_stranger(state) else { return };
            self.forget(state, mac, (self.commit, usize::MAX));
        }
    }

    fn oldest_stranger(&mut self, state: &State) -> Option<Mac> {
        // Whoever the patch touched was seen later than all whom it did not, so the state's own order comes first. It
        // does not change under the patch: who was looked at once needs no second look.
        let from = self.cursor.map_or(Unbounded, Excluded);
        for stranger in state.index.strangers.range((from, Unbounded)) {
            self.cursor = Some(*stranger);
            if !self.phones.contains_key(&stranger.1) {
                return Some(stranger.1);
            }
        }
        let seen = |(mac, touched): (&Mac, &Touched)| {
            let phone = touched.phone.as_ref().filter(|phone| phone.entry.is_none())?;
            Some((phone.changed, *mac))
        };
        self.phones.iter().filter_map(seen).min().map(|(_, mac)| mac)
    }
}

fn is_stranger(touched: &Touched) -> bool {
    touched.phone.as_ref().is_some_and(|phone| phone.entry.is_none())
}

/// The phone whose entry a change replaces.
fn listed(change: &Change) -> Option<Mac> {
    match change {
        Change::Listed(mac, _) | Change::Unlisted(mac) | Change::Forgotten(mac) => Some(*mac),
        Change::Happened(..)
        | Change::Showed(..)
        | Change::Leased(_)
        | Change::Released { .. }
        | Change::Quarantined(_)
        | Change::Numbered(..)
        | Change::Window(_)
        | Change::Placed(..)
        | Change::Braked(_)
        | Change::Staging(..) => None,
    }
}
