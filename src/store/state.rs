//! What is fact, in memory: every decision reads from here.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv4Addr,
    sync::{Arc, RwLock, RwLockReadGuard},
};

use crate::domain::{
    Batch, Boot, Claim, ClientKey, Commit, Entry, Ground, Lease, Mac, Quarantine, Window,
};

/// One phone, listed or seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Phone {
    /// What the operator listed for it.
    pub entry: Option<Arc<Entry>>,
    /// Where it is in its boot.
    pub boot: Boot,
    /// What it showed, one ground an origin.
    pub grounds: Vec<Ground>,
    /// The number of the last commit that changed it.
    pub changed: u64,
}

/// All that is fact. [`State::apply`] is the only writer.
#[derive(Clone, Debug, Default)]
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
    /// The number of the last commit.
    pub commit: u64,
}

impl State {
    /// The most phones without an entry that are remembered; the one seen longest ago is forgotten first.
    pub const MAX_STRANGERS: usize = 65_536;

    /// Checks what a batch claims against what is fact.
    ///
    /// # Errors
    ///
    /// The first claim that somebody else holds.
    pub fn admits(&self, batch: &Batch) -> Result<(), Claim> {
        let _ = batch;
        unimplemented!()
    }

    /// Makes a commit fact. The only writer.
    pub fn apply(&mut self, commit: &Commit) {
        let _ = commit;
        unimplemented!()
    }

    /// The active lease of an address.
    #[must_use]
    pub fn holder(&self, address: Ipv4Addr, now: crate::domain::Timestamp) -> Option<&Lease> {
        self.leases.get(&address).filter(|lease| lease.is_active(now))
    }

    /// The phone whose entry reserves an address.
    #[must_use]
    pub fn reserved_for(&self, address: Ipv4Addr) -> Option<Mac> {
        let _ = address;
        unimplemented!()
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
    #[must_use]
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        // A writer that panicked has applied whole changes only; what is there may be read.
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn apply(&self, commit: &Commit) {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner).apply(commit);
    }
}
