//! What of a pool strangers may have, so that they can't starve the phones that the operator listed.

use std::{collections::HashMap, net::Ipv4Addr};

use crate::{domain::Timestamp, provision::Subnet, store::State};

use super::tally::Tally;

/// Unclaimed offers to strangers take a tenth of a pool at most while a listed phone waits; of a small one this many, or a
/// shelf of phones that is switched on together would come up by and by only.
const MIN_PROMISED: u64 = 32;

/// Room for strangers in each network. The settings bound how many there are.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Offers that strangers have not taken so far.
    promised: HashMap<Ipv4Addr, u64>,
    tally: Tally,
}

impl Shares {
    /// True if one more stranger may be offered an address of this subnet's pool.
    ///
    /// Listed phones of the site that hold no lease keep an address each, half of the pool at most: a list may be of a
    /// whole company, of which one floor is here. Costs what changed since somebody asked last.
    pub fn has_room(&mut self, subnet: &Subnet, state: &State, now: Timestamp) -> bool {
        self.tally.follow(state, now);
        let size = size(subnet);
        let promised = self.promised.get(&subnet.network).copied().unwrap_or(0);
        let kept = self.tally.waiting(&subnet.site).min(size / 2);
        if kept == 0 {
            return true;
        }
        let few = promised < (size / 10).max(MIN_PROMISED);
        few && size > self.tally.taken(subnet) + kept + promised
    }

    /// Takes in what changed, so that the next stranger does not wait for it.
    pub fn follow(&mut self, state: &State, now: Timestamp) {
        self.tally.follow(state, now);
    }

    /// One more stranger was offered an address.
    pub fn promise(&mut self, network: Ipv4Addr) {
        *self.promised.entry(network).or_default() += 1;
    }

    /// Such an offer is no more.
    pub fn settle(&mut self, network: Ipv4Addr) {
        if let Some(promised) = self.promised.get_mut(&network) {
            *promised = promised.saturating_sub(1);
        }
    }

    /// Such an offer was taken: its address counts as taken while the lease is on its way to the disk, until then at most.
    pub fn taken(&mut self, network: Ipv4Addr, address: Ipv4Addr, until: Timestamp) {
        self.settle(network);
        self.tally.claim(address, until);
    }
}

/// Addresses in the pool.
pub(super) fn size(subnet: &Subnet) -> u64 {
    let each = |(first, last): &(Ipv4Addr, Ipv4Addr)| {
        u64::from(u32::from(*last)).saturating_sub(u64::from(u32::from(*first))) + 1
    };
    subnet.pool.iter().map(each).sum()
}
