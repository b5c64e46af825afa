//! Addresses that somebody is found using: which are asked about, and for how long nobody gets them (RFC 2131 §4.3.3).

use std::{net::Ipv4Addr, time::Duration};

use super::{
    super::shares::size, Arrival, Case, Responder, Silence, Verdict, ignore, is_for_another, later,
};
use crate::{
    domain::{Batch, Change, Claim, Mac, Quarantine, What},
    provision::Client,
    wire::dhcp::code,
};

/// How long a declined address is set aside the first time; twice as long each time after.
const ASIDE: Duration = Duration::from_mins(10);

/// It doubles this many times at most, and ends at a day.
const MAX_DOUBLINGS: u32 = 8;

/// The longest that an address is set aside, and the peace after which it counts as never used by anybody.
const DAY: Duration = Duration::from_hours(24);

/// One part in this many of a pool is set aside at most, and one address of a small one.
const MAX_ASIDE: u64 = 10;

impl<'a> Responder<'a> {
    /// The client found its address in use. Only what it holds or was offered counts, else one liar empties the pool.
    pub(super) fn decline(&mut self, case: &Case<'a>) -> Verdict {
        let Some(address) = case.message().address(code::REQUESTED) else {
            return ignore(Silence::Incomplete);
        };
        if is_for_another(case) {
            return ignore(Silence::OtherServer);
        }
        let held = self.held(case, address).is_some();
        if !held && self.offers.holder(address) != Some(&case.key) {
            return ignore(Silence::NotItsLease);
        }
        self.offers.free(&case.key);
        let mut changes = Vec::new();
        if held {
            changes.push(Change::Released { address, at: self.now });
        }
        changes.extend(self.set_aside(case, address));
        changes.extend(self.tell(case, [What::Declined { address }]));
        Verdict::Bind { reply: None, batch: self.claiming(case, address, changes) }
    }

    /// Nothing of it becomes fact if somebody else has the address by then.
    pub(super) fn claiming(
        &self,
        case: &Case<'a>,
        address: Ipv4Addr,
        changes: Vec<Change>,
    ) -> Batch {
        let client = self.addresses(case).key(address);
        let claims = vec![Claim::Address { address, client, now: self.now }];
        Batch { claims, changes, undoable: false }
    }

    /// Sets an address aside. A tenth of a pool may be, so that one liar or one switch that answers for everybody does
    /// not empty it: beyond that, those whose time is nearest come back, and are probed before anybody gets them.
    fn set_aside(&self, case: &Case<'a>, address: Ipv4Addr) -> Vec<Change> {
        let mut changes = vec![Change::Quarantined(self.quarantine(case.client.mac, address))];
        let Some(subnet) = self.subnet_of(address) else { return changes };
        let ranges = subnet.pool.iter().map(|(first, last)| *first..=*last);
        let all = ranges.flat_map(|range| self.state.quarantine.range(range));
        let others = all.filter(|(other, aside)| **other != address && self.now < aside.until);
        let mut others: Vec<&Quarantine> = others.map(|(_, aside)| aside).collect();
        let most = usize::try_from(size(subnet) / MAX_ASIDE).unwrap_or(usize::MAX).max(1);
        let excess = (others.len() + 1).saturating_sub(most);
        others.sort_unstable_by_key(|aside| (aside.until, aside.address));
        let back = others.into_iter().take(excess);
        changes.extend(
            back.map(|it| Change::Quarantined(Quarantine { until: self.now, ..it.clone() })),
        );
        changes
    }

    fn quarantine(&self, by: Mac, address: Ipv4Addr) -> Quarantine {
        let times = self.was_aside(address).map_or(0, |aside| aside.times).saturating_add(1);
        let doublings = times.saturating_sub(1).min(MAX_DOUBLINGS);
        let until = later(self.now, (ASIDE * 2_u32.pow(doublings)).min(DAY));
        Quarantine { address, until, times, by }
    }

    /// How an address was set aside lately. After a day of peace it counts as never used by anybody.
    fn was_aside(&self, address: Ipv4Addr) -> Option<&'a Quarantine> {
        let before = self.state.quarantine.get(&address);
        before.filter(|aside| self.now < later(aside.until, DAY))
    }

    /// The address for a client was found in use by somebody else before it got it.
    pub(in crate::dhcp) fn in_use(
        &mut self,
        arrival: &'a Arrival<'a>,
        client: &'a Client,
        address: Ipv4Addr,
    ) -> Verdict {
        let case = self.case(arrival, client);
        self.offers.free(&case.key);
        let changes = self.set_aside(&case, address);
        Verdict::Bind { reply: None, batch: changes.into() }
    }

    /// True where an ARP probe can tell something new: on an attached network, about an address that neither this client
    /// had last nor its entry reserves, nor was offered to it just now; and about every one that was found in use lately.
    /// Not where the wire was asked ahead.
    pub(super) fn is_unproven(&self, case: &Case<'a>, address: Ipv4Addr) -> bool {
        let offered = self.offers.find(&case.key).is_some_and(|it| it.address == Some(address));
        let last = self.state.clients.get(&case.key) == Some(&address);
        let its = last || case.client.reserved == Some(address);
        let reachable = case.arrival.relay().is_none() && case.arrival.is_attached(address);
        let wanted = !self.provisioner.settings().dhcp.unprobed;
        let doubtful = !its || self.was_aside(address).is_some();
        let proven = || self.offers.stock.is_proven(address, self.now);
        wanted && reachable && !offered && doubtful && !proven()
    }
}
