//! Rendered files: each made once, and kept for whoever asks for it next.
//!
//! A file follows from what [`Key`] and [`Stamp`] hold and from the settings, the families and the operator's own
//! templates. Those three belong to the resolver that has this cache: a reload makes a new one of both, so nothing here
//! outlives what it was made from. What changes under a resolver is in the stamp, and another stamp is another file.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use crate::domain::{Entry, Mac, SiteName};

use super::values::Secrets;

/// Octets of files that are kept. Beyond, the half that nobody asked for longest is let go and is rendered again at its
/// next use: 20,000 phones with a file of 3 KiB each fit.
const ROOM: usize = 64 << 20;

/// What keeping a file costs beside its octets, in octets.
const COST: usize = 512;

/// A larger file is made for each request: it would drive out what many phones need.
const LARGEST: usize = ROOM / 4;

/// All that a file follows from and that one phone's request and another's, or two of one phone, may differ in.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Key {
    /// Where the template and the file's rule are in memory, which is theirs for as long as the resolver lives.
    pub source: (usize, usize),
    pub model: String,
    pub site: SiteName,
    pub staged: bool,
    /// Whose file it is, if it is one phone's.
    pub phone: Option<Mac>,
    /// Where the settings of the subnet are that the phone asks from: of the peer's address nothing else counts.
    pub subnet: Option<usize>,
    /// Which of our addresses was asked.
    pub local: IpAddr,
    pub secrets: Secrets,
    pub contradicts: bool,
    pub instead: Option<String>,
}

/// What a file followed from that may become another.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    /// The entry of the phone whose file it is.
    pub entry: Option<Arc<Entry>>,
    /// For a phonebook, the commit that last changed any entry.
    pub book: u64,
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.entry, &other.entry) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
            (one, other) => one.is_none() && other.is_none(),
        };
        same && self.book == other.book
    }
}

/// A rendered file.
#[derive(Clone)]
pub(super) struct Made {
    pub bytes: Arc<[u8]>,
    pub etag: String,
}

/// Without the octets, which may hold passwords.
impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").field("etag", &self.etag).finish_non_exhaustive()
    }
}

/// Why there is no file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// Its profile says that this phone gets none.
    Absent,
    /// It can't be rendered: template, line and reason.
    Unrenderable(String),
}

type Rendered = Result<Made, Flaw>;

/// The files of one resolver.
#[derive(Default)]
pub(super) struct Cache(Mutex<Shelves>);

/// Two generations: what is asked for moves to the young one, and when that is half of the room, the old one goes.
#[derive(Default)]
struct Shelves {
    young: HashMap<Key, Kept>,
    old: HashMap<Key, Kept>,
    /// What the young ones cost.
    octets: usize,
}

struct Kept {
    stamp: Stamp,
    slot: Arc<OnceLock<Rendered>>,
    cost: usize,
}

impl Cache {
    /// The file of this key and stamp, made by `make` unless it was before.
    ///
    /// No lock is held meanwhile but that of this one file: who asks for the same one waits for it instead of making it
    /// again. `make` must not ask for it itself.
    pub fn get(&self, key: &Key, stamp: Stamp, make: impl FnOnce() -> Rendered) -> Rendered {
        let slot = self.lock().slot(key, stamp);
        let mut is_new = false;
        let rendered = slot.get_or_init(|| {
            is_new = true;
            make()
        });
        if is_new {
            let octets = rendered.as_ref().map_or(0, |made| made.bytes.len());
            self.lock().weigh(key, &slot, octets);
        }
        rendered.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        // Rendering, which may panic, is not done under it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn slot(&mut self, key: &Key, stamp: Stamp) -> Arc<OnceLock<Rendered>> {
        if let Some(kept) = self.young.get(key)
            && kept.stamp == stamp
        {
            return Arc::clone(&kept.slot);
        }
        let known = self.old.remove(key).filter(|kept| kept.stamp == stamp);
        let fresh = || Kept { stamp, slot: Arc::default(), cost: COST };
        let kept = known.unwrap_or_else(fresh);
        let slot = Arc::clone(&kept.slot);
        self.octets += kept.cost;
        // What was made from something else is of no use to anybody: one version is kept, the last.
        if let Some(stale) = self.young.insert(key.clone(), kept) {
            self.octets -= stale.cost;
        }
        self.turn();
        slot
    }

    /// Takes note of the size of a file, unless another one took its place meanwhile.
    fn weigh(&mut self, key: &Key, slot: &Arc<OnceLock<Rendered>>, octets: usize) {
        let Some(kept) = self.young.get_mut(key).filter(|kept| Arc::ptr_eq(&kept.slot, slot))
        else {
            return;
        };
        kept.cost += octets;
        self.octets += octets;
        if octets > LARGEST
            && let Some(large) = self.young.remove(key)
        {
            self.octets -= large.cost;
        }
        self.turn();
    }

    fn turn(&mut self) {
        if self.octets > ROOM / 2 {
            self.old = std::mem::take(&mut self.young);
            self.octets = 0;
        }
    }
}

/// Without the files, which may hold passwords.
impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shelves = self.lock();
        f.debug_struct("Cache")
            .field("files", &(shelves.young.len() + shelves.old.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
