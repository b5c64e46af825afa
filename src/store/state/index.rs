//! What the state looks up by something else than its key.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    ops::Bound::{Excluded, Unbounded},
    sync::OnceLock,
};

use crate::domain::{Mac, Nearby, Staging, StagingId};

use super::{
    Phone, State,
    held::{Addresses, Numbers},
};

/// Phones by one of their values. Several phones may share a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ByValue<K: Ord>(pub(super) BTreeSet<(K, Option<Mac>)>);

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

/// What is near the MACs of a set, worked out when somebody first asks and in step with the set from then on. It is six
/// keys a MAC, which neither a start nor a storm waits for.
#[derive(Clone, Debug, Default)]
pub(super) struct Near(OnceLock<Nearby>);

impl Near {
    /// `all` are those of the set, which costs about 0.5 µs for each the first time.
    pub(super) fn of(&self, all: impl Iterator<Item = Mac>) -> &Nearby {
        self.0.get_or_init(|| all.collect())
    }

    fn insert(&mut self, mac: Mac) {
        if let Some(nearby) = self.0.get_mut() {
            nearby.insert(mac);
        }
    }

    fn remove(&mut self, mac: Mac) {
        if let Some(nearby) = self.0.get_mut() {
            nearby.remove(mac);
        }
    }
}

/// Whether somebody asked is no fact.
impl PartialEq for Near {
    fn eq(&self, other: &Self) -> bool {
        self.0.get().is_none() || other.0.get().is_none() || self.0 == other.0
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
    /// All phones, by the commit that changed them last.
    pub(super) order: BTreeSet<(u64, Mac)>,
    /// Those of `silent` and of `strangers`, by what is near them.
    pub(super) near_silent: Near,
    pub(super) near_strangers: Near,
    /// Quarantines by whose address it was.
    pub(super) conflicts: BTreeSet<(Mac, Ipv4Addr)>,
    /// Leases and quarantines.
    pub(super) addresses: Addresses,
    /// Numbers of lines and numbers given away.
    pub(super) given: Numbers,
    pub(super) news: News,
    /// Phones of batches that are not closed.
    pub(super) staged: BTreeMap<Mac, StagingId>,
    /// The most strangers.
    pub(super) limit: usize,
}

/// Since which commit something is as it is, where the thing itself does not tell. In memory only: whoever follows it
/// begins with a look at everything.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// Addresses whose lease or quarantine changed.
    pub(super) addresses: Touched<Ipv4Addr>,
    /// Phones that came into a batch or left it, or whose batch was handed over.
    pub(super) staged: Touched<Mac>,
    /// When a phone was last forgotten.
    pub(super) forgotten: u64,
    /// When a listed phone was last forgotten.
    pub(super) unlisted: u64,
    /// When the auto-registration window was last set.
    pub(super) window: u64,
    /// When any entry last changed.
    pub(super) listed: u64,
}

/// How facts came about is no fact: two states are equal without it.
impl PartialEq for News {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Things by the commit that touched them last, and the other way round.
#[derive(Clone, Debug)]
pub(super) struct Touched<K> {
    order: BTreeSet<(u64, K)>,
    latest: BTreeMap<K, u64>,
}

impl<K> Default for Touched<K> {
    fn default() -> Self {
        Self { order: BTreeSet::new(), latest: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Touched<K> {
    pub(super) fn touch(&mut self, thing: K, commit: u64) {
        if let Some(before) = self.latest.insert(thing, commit) {
            self.order.remove(&(before, thing));
        }
        self.order.insert((commit, thing));
    }

    /// Those touched after a commit. `lowest` sorts before all others.
    pub(super) fn since(&self, commit: u64, lowest: K) -> impl Iterator<Item = K> {
        self.order.range((commit.saturating_add(1), lowest)..).map(|(_, thing)| *thing)
    }
}

impl Default for Index {
    fn default() -> Self {
        Self {
            reserved: ByValue::default(),
            numbers: ByValue::default(),
            silent: BTreeSet::new(),
            strangers: BTreeSet::new(),
            order: BTreeSet::new(),
            near_silent: Near::default(),
            near_strangers: Near::default(),
            conflicts: BTreeSet::new(),
            addresses: Addresses::default(),
            given: Numbers::default(),
            news: News::default(),
            staged: BTreeMap::new(),
            limit: State::MAX_STRANGERS,
        }
    }
}

impl Index {
    pub(super) fn add(&mut self, mac: Mac, phone: &Phone) {
        self.order.insert((phone.changed, mac));
        let Some(entry) = &phone.entry else {
            self.strangers.insert((phone.changed, mac));
            self.near_strangers.insert(mac);
            self.unhear(mac);
            return;
        };
        if phone.boot.is_seen() {
            self.unhear(mac);
        } else if self.silent.insert(mac) {
            self.near_silent.insert(mac);
        }
        if let Some(address) = entry.address {
            self.reserved.0.insert((address, Some(mac)));
        }
        for line in entry.lines.iter().filter(|line| !line.number.is_empty()) {
            self.numbers.0.insert((line.number.clone(), Some(mac)));
            self.given.take(&line.number);
        }
    }

    /// It is seen, or not listed any more.
    fn unhear(&mut self, mac: Mac) {
        if self.silent.remove(&mac) {
            self.near_silent.remove(mac);
        }
    }

    /// Puts the phones of a batch in place of those that it had; a closed batch has none.
    pub(super) fn restage(&mut self, id: StagingId, after: Option<&Staging>) {
        self.staged.retain(|_, of| *of != id);
        if let Some(staging) = after.filter(|staging| staging.end.is_none()) {
            self.staged.extend(staging.phones.keys().map(|phone| (*phone, id)));
        }
    }

    /// Takes out what `before` had and `after` lacks; `after` is indexed already. `given` are the numbers that stay taken
    /// without a line.
    pub(super) fn drop(
        &mut self,
        mac: Mac,
        before: &Phone,
        after: Option<&Phone>,
        given: &BTreeMap<String, Mac>,
    ) {
        if after.is_none() {
            self.unhear(mac);
        }
        if after.is_none_or(|after| after.changed != before.changed) {
            self.order.remove(&(before.changed, mac));
        }
        let now = after.and_then(|phone| phone.entry.as_ref());
        let Some(entry) = &before.entry else {
            let stays = after.is_some_and(|a| a.entry.is_none() && a.changed == before.changed);
            if !stays {
                self.strangers.remove(&(before.changed, mac));
            }
            if after.is_none_or(|after| after.entry.is_some()) {
                self.near_strangers.remove(mac);
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
                if self.numbers.first(number).is_none() && !given.contains_key(number) {
                    self.given.free(number);
                }
            }
        }
    }
}
