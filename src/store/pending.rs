//! What is fact and durable, and not among the rows yet.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use crate::domain::{Event, Mac};

use super::{
    Events, Place, StoreError,
    disk::{Disk, event_row, fault},
    encode::{BadValue, Row, Spot, Spots, read_event},
    state::{Keys, Patch},
};

/// What lies in the journal alone: its octets as they were written, and where in them each phone's events are.
///
/// Costs what the journal has, and about 20 octets for each event. The values of the state are in the state.
#[derive(Debug, Default)]
pub(super) struct Pending {
    octets: Vec<u8>,
    events: HashMap<Mac, Vec<Spot>>,
    /// Phones whose timeline is gone up to there, among the rows too.
    wiped: HashMap<Mac, Place>,
    keys: Keys,
    /// True if undo takes back something else than the rows say.
    pub(super) undo: bool,
    /// The number of the last commit; 0 for none.
    pub(super) commit: u64,
    /// The last file of the journal that has a part of it.
    pub(super) file: u64,
}

impl Pending {
    pub(super) const fn is_empty(&self) -> bool {
        self.commit == 0
    }

    /// How many octets of the journal it takes.
    pub(super) const fn size(&self) -> usize {
        self.octets.len()
    }

    /// Takes in the next commits: the octets of their record, where in these the events lie, and what they change.
    pub(super) fn add(&mut self, octets: &[u8], spots: &Spots, patch: &Patch) {
        for (mac, at) in &patch.wiped {
            let at = (at.0, u32::try_from(at.1).unwrap_or(u32::MAX));
            self.wiped.insert(*mac, at);
            if let Some(events) = self.events.get_mut(mac) {
                events.retain(|spot| at < place(spot));
            }
        }
        // A journal has fewer octets than a u32 counts: it is compacted long before.
        let base = u32::try_from(self.octets.len()).unwrap_or(u32::MAX);
        for (mac, spot) in spots {
            if self.wiped.get(mac).is_none_or(|at| *at < place(spot)) {
                let spot = Spot { at: base.saturating_add(spot.at), ..*spot };
                self.events.entry(*mac).or_default().push(spot);
            }
        }
        self.octets.extend_from_slice(octets);
        self.keys.add(patch);
        self.commit = patch.commit;
    }

    /// What becomes of the rows of a state that is that of the last commit here.
    pub(super) fn patch(&self, state: &super::State) -> Patch {
        Patch::over(state, &self.keys)
    }

    /// Phones whose timelines among the rows go first.
    pub(super) fn wiped(&self) -> impl Iterator<Item = Mac> {
        self.wiped.keys().copied()
    }

    /// How many events there are.
    pub(super) fn count(&self) -> usize {
        self.events.values().map(Vec::len).sum()
    }

    /// The rows of all events, in the order of their keys.
    pub(super) fn rows(&self) -> impl Iterator<Item = Result<Row, BadValue>> {
        let mut phones: Vec<_> = self.events.iter().collect();
        phones.sort_unstable_by_key(|(mac, _)| **mac);
        phones.into_iter().flat_map(move |(mac, spots)| {
            spots.iter().map(move |spot| {
                event_row(*mac, (spot.commit, spot.index as usize), &self.event(spot)?)
            })
        })
    }

    /// True for an event among the rows that is gone, or that is here as well.
    pub(super) fn hides(&self, mac: Mac, at: Place) -> bool {
        let gone = self.wiped.get(&mac).is_some_and(|wiped| at <= *wiped);
        let first = self.events.get(&mac).and_then(|spots| spots.first());
        gone || first.is_some_and(|first| at >= place(first))
    }

    fn event(&self, spot: &Spot) -> Result<Event, BadValue> {
        let octets = self.octets.get(spot.at as usize..);
        read_event(octets.ok_or_else(|| BadValue::broken("an event that is not there"))?)
    }
}

const fn place(spot: &Spot) -> Place {
    (spot.commit, spot.index)
}

/// What the rows lack: a part that is on its way into them, and what came since.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    pub(super) leaving: Option<Arc<Pending>>,
    pub(super) since: Pending,
}

impl Lacking {
    /// Takes what there is for a compaction; what comes now lies in another file.
    pub(super) fn freeze(&mut self) -> Arc<Pending> {
        let next = Pending { file: self.since.file + 1, ..Pending::default() };
        let frozen = Arc::new(mem::replace(&mut self.since, next));
        self.leaving = Some(Arc::clone(&frozen));
        frozen
    }
}

/// The rows and what they lack, for whoever reads timelines: that never waits for the writer, nor the writer for it.
#[derive(Debug)]
pub(super) struct Shelf {
    /// `None` once the store is closed.
    disk: RwLock<Option<Disk>>,
    lacking: Mutex<Lacking>,
}

impl Shelf {
    pub(super) fn new(disk: Disk, since: Pending) -> Self {
        let lacking = Mutex::new(Lacking { leaving: None, since });
        Self { disk: RwLock::new(Some(disk)), lacking }
    }

    pub(super) fn lacking(&self) -> MutexGuard<'_, Lacking> {
        // A writer that panicked has put whole values in place only; what is there may be read.
        self.lacking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads rows. They may lack what [`Shelf::lacking`] has.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let disk = self.disk.read().unwrap_or_else(PoisonError::into_inner);
        let closed = || fault("store".as_ref(), super::CommitError::Closed);
        work(disk.as_ref().ok_or_else(closed)?)
    }

    /// Takes the rows away, once nobody reads them any more.
    pub(super) fn close(&self) -> Option<Disk> {
        self.disk.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A page of a timeline, as [`super::Journal::timeline_before`] has it.
    pub(super) fn timeline_before(
        &self,
        phone: Mac,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Events, StoreError> {
        let before = before.unwrap_or((u64::MAX, u32::MAX));
        // First what the rows lack: what becomes a row in the meantime is then met twice, and never missed.
        let mut page = self.newest(phone, before, limit)?;
        if let Some(oldest) = page.more {
            return Ok((page.events, Some(oldest)));
        }
        let rest = limit - page.events.len();
        let bounds = (page.wiped, page.first.unwrap_or(before).min(before));
        let older = self.with(|disk| disk.timeline_between(phone, bounds, rest))?;
        let next = older.oldest.or(page.first).filter(|_| older.more);
        let mut events = older.events;
        events.append(&mut page.events);
        Ok((events, next))
    }

    /// The part of such a page that the rows lack.
    fn newest(&self, phone: Mac, before: Place, limit: usize) -> Result<Newest, StoreError> {
        let lacking = self.lacking();
        let parts = [lacking.leaving.as_deref(), Some(&lacking.since)];
        let wiped = parts.iter().flatten().filter_map(|part| part.wiped.get(&phone)).max().copied();
        let mut newest = Newest { wiped, ..Newest::default() };
        for part in parts.into_iter().flatten().rev() {
            for spot in part.events.get(&phone).into_iter().flatten().rev() {
                let at = place(spot);
                if wiped.is_some_and(|wiped| at <= wiped) || at >= before {
                    continue;
                }
                if newest.events.len() == limit {
                    newest.more = newest.first;
                    newest.events.reverse();
                    return Ok(newest);
                }
                let event = part.event(spot).map_err(|bad| fault("journal".as_ref(), bad))?;
                newest.events.push((spot.commit, event));
                newest.first = Some(at);
            }
        }
        newest.events.reverse();
        Ok(newest)
    }
}

/// The part of a page that the rows lack.
#[derive(Default)]
struct Newest {
    events: Vec<(u64, Event)>,
    /// Where the first of them lies.
    first: Option<Place>,
    /// Where the page before begins, if these fill the page and there are more of them.
    more: Option<Place>,
    /// What lies up to there is gone.
    wiped: Option<Place>,
}
