//! The keys of what patches changed: which rows are out of date, without the values.

use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
};

use crate::domain::{Mac, StagingId};

use super::Patch;

/// Keys whose values changed since the rows were written. The values are those of the state by then, so that a phone
/// that changed a hundred times costs one row, and no memory but its MAC.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Keys {
    /// Phones: whether the entry, and whether the record changed.
    pub(super) phones: HashMap<Mac, (bool, bool)>,
    pub(super) leases: HashSet<Ipv4Addr>,
    pub(super) quarantine: HashSet<Ipv4Addr>,
    pub(super) numbers: HashSet<String>,
    pub(super) stagings: HashSet<StagingId>,
    pub(super) places: HashSet<Mac>,
    pub(super) window: bool,
    pub(super) brake: bool,
}

impl Keys {
    /// Takes in what a patch changes.
    pub(in crate::store) fn add(&mut self, patch: &Patch) {
        for (mac, touched) in &patch.phones {
            let (entry, record) = self.phones.entry(*mac).or_default();
            *entry |= touched.entry;
            *record |= touched.record;
        }
        self.leases.extend(patch.leases.keys());
        self.quarantine.extend(patch.quarantine.keys());
        self.numbers.extend(patch.numbers.keys().cloned());
        self.stagings.extend(patch.stagings.keys());
        self.places.extend(patch.places.keys());
        self.window |= patch.window.is_some();
        self.brake |= patch.brake.is_some();
    }
}
