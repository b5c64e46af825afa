//! What of a pool strangers may have, so that they can't starve the phones that the operator listed.

use std::{
    collections::{HashMap, HashSet},
    net::Ipv4Addr,
    time::Duration,
};

use crate::{
    domain::{Mac, Timestamp},
    provision::Subnet,
    store::State,
};

/// Unclaimed offers to strangers take a tenth of a pool at most while a listed phone waits; of a small one this many, or a
/// shelf of phones that is switched on together would come up by and by only.
const MIN_PROMISED: u64 = 32;

/// How long what was counted holds. What is offered meanwhile is taken off it.
const FRESH: Duration = Duration::from_secs(1);

/// Room for strangers in each network. The settings bound how many there are.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Offers that strangers have not taken so far.
    promised: HashMap<Ipv4Addr, u64>,
    counted: HashMap<Ipv4Addr, Counted>,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    at: Timestamp,
    /// Addresses that one more stranger may have.
    left: u64,
    /// True if a listed phone has no lease.
    waited_for: bool,
}

impl Shares {
    /// True if one more stranger may be offered an address of this subnet's pool.
    ///
    /// Listed phones of the site that hold no lease keep an address each, half of the pool at most: a list may be of a
    /// whole company, of which one floor is here.
    pub fn has_room(&mut self, subnet: &Subnet, state: &State, now: Timestamp) -> bool {
        let promised = self.promised.get(&subnet.network).copied().unwrap_or(0);
        let counted = self.counted.get(&subnet.network).copied();
        // A clock that was set back makes everything old.
        let fresh = |counted: &Counted| {
            Duration::try_from(now.duration_since(counted.at)).is_ok_and(|age| age < FRESH)
        };
        let counted = counted.filter(fresh).unwrap_or_else(|| {
            let (left, kept) = left(subnet, state, now);
            Counted { at: now, left: left.saturating_sub(promised), waited_for: kept > 0 }
        });
        self.counted.insert(subnet.network, counted);
        let few = promised < (size(subnet) / 10).max(MIN_PROMISED);
        !counted.waited_for || (few && counted.left > 0)
    }

    /// One more stranger was offered an address.
    pub fn promise(&mut self, network: Ipv4Addr) {
        *self.promised.entry(network).or_default() += 1;
        if let Some(counted) = self.counted.get_mut(&network) {
            counted.left = counted.left.saturating_sub(1);
        }
    }

    /// Such an offer was taken, or is no more.
    pub fn settle(&mut self, network: Ipv4Addr) {
        if let Some(promised) = self.promised.get_mut(&network) {
            *promised = promised.saturating_sub(1);
        }
    }
}

/// Addresses in the pool.
pub(super) fn size(subnet: &Subnet) -> u64 {
    let each = |(first, last): &(Ipv4Addr, Ipv4Addr)| {
        u64::from(u32::from(*last)).saturating_sub(u64::from(u32::from(*first))) + 1
    };
    subnet.pool.iter().map(each).sum()
}

/// What is neither leased, set aside, nor kept for a listed phone, and how much is kept. Looks at every lease and every phone: once a second.
fn left(subnet: &Subnet, state: &State, now: Timestamp) -> (u64, u64) {
    let size = size(subnet);
    let within = |(first, last): &(Ipv4Addr, Ipv4Addr)| *first..=*last;
    let leases = subnet.pool.iter().flat_map(|range| state.leases.range(within(range)));
    let active = leases.filter(|(_, lease)| lease.is_active(now)).count() as u64;
    let aside = subnet.pool.iter().flat_map(|range| state.quarantine.range(within(range)));
    let aside = aside.filter(|(_, aside)| now < aside.until).count() as u64;
    let all = state.leases.values().filter(|lease| lease.is_active(now));
    let holders: HashSet<Mac> = all.map(|lease| lease.mac).collect();
    let waits = state.phones.iter().filter(|(mac, phone)| {
        let here = |site: &Option<_>| site.as_ref().is_none_or(|site| *site == subnet.site);
        phone.entry.as_ref().is_some_and(|entry| here(&entry.site)) && !holders.contains(mac)
    });
    let kept = (waits.count() as u64).min(size / 2);
    (size.saturating_sub(active + aside + kept), kept)
}
