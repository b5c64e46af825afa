//! What the state looks up by something else than its key.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    ops::Bound::{Excluded, Unbounded},
};

use crate::domain::{Mac, Staging, StagingId};

use super::{Phone, State};

/// Phones by one of their values. Several phones may share a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ByValue<K: Ord>(BTreeSet<(K, Option<Mac>)>);

impl<K: Ord> Default for ByValue<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Ord + Clone> ByValue<K> {
    /// The phones of a value, in the order of their MACs.
    pub(super) fn all(&self, value: &K) -> impl Iterator<Item = Mac> {
        // `None` sorts before every MAC.
        let from = (Excluded((value.clone(), None)), Unbounded);
        self.0.range(from).take_while(move |(key, _)| key == value).filter_map(|(_, mac)| *mac)
    }

    pub(super) fn first(&self, value: &K) -> Option<Mac> {
        self.all(value).next()
    }
}

/// The indexes of a state, in step with its phones.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Index {
    /// Phones by reserved address.
    pub(super) reserved: ByValue<Ipv4Addr>,
    /// Phones by the numbers of their entry's lines.
    pub(super) numbers: ByValue<String>,
    /// Phones with an entry that were never seen.
    pub(super) silent: BTreeSet<Mac>,
    /// Phones without an entry, by the commit that changed them last.
    pub(super) strangers: BTreeSet<(u64, Mac)>,
    /// Phones of batches that are not closed.
    pub(super) staged: BTreeMap<Mac, StagingId>,
    /// The most strangers.
    pub(super) limit: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            reserved: ByValue::default(),
            numbers: ByValue::default(),
            silent: BTreeSet::new(),
            strangers: BTreeSet::new(),
            staged: BTreeMap::new(),
            limit: State::MAX_STRANGERS,
        }
    }
}

impl Index {
    pub(super) fn add(&mut self, mac: Mac, phone: &Phone) {
        let Some(entry) = &phone.entry else {
            self.strangers.insert((phone.changed, mac));
            self.silent.remove(&mac);
            return;
        };
        if phone.boot.is_seen() {
            self.silent.remove(&mac);
        } else {
            self.silent.insert(mac);
        }
        if let Some(address) = entry.address {
            self.reserved.0.insert((address, Some(mac)));
        }
        for line in entry.lines.iter().filter(|line| !line.number.is_empty()) {
            self.numbers.0.insert((line.number.clone(), Some(mac)));
        }
    }

    /// Puts the phones of a batch in place of those that it had; a closed batch has none.
    pub(super) fn restage(&mut self, id: StagingId, after: Option<&Staging>) {
        self.staged.retain(|_, of| *of != id);
        if let Some(staging) = after.filter(|staging| staging.end.is_none()) {
            self.staged.extend(staging.phones.keys().map(|phone| (*phone, id)));
        }
    }

    /// Takes out what `before` had and `after` lacks; `after` is indexed already.
    pub(super) fn drop(&mut self, mac: Mac, before: &Phone, after: Option<&Phone>) {
        if after.is_none() {
            self.silent.remove(&mac);
        }
        let now = after.and_then(|phone| phone.entry.as_ref());
        let Some(entry) = &before.entry else {
            let stays = after.is_some_and(|a| a.entry.is_none() && a.changed == before.changed);
            if !stays {
                self.strangers.remove(&(before.changed, mac));
            }
            return;
        };
        if let Some(address) = entry.address
            && now.is_none_or(|now| now.address != Some(address))
        {
            self.reserved.0.remove(&(address, Some(mac)));
        }
        for number in entry.lines.iter().map(|line| &line.number) {
            if now.is_none_or(|now| now.lines.iter().all(|line| line.number != *number)) {
                self.numbers.0.remove(&(number.clone(), Some(mac)));
            }
        }
    }
}
