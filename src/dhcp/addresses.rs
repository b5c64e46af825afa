//! Which address a client gets (RFC 2131 §4.3.1).

use std::net::Ipv4Addr;

use crate::{
    domain::{ClientKey, Mac, Timestamp},
    provision::Subnet,
    store::State,
};

use super::{offers::Offers, shares::size};

/// How many addresses are tried for one that nobody ever had, before an ended lease of somebody else will do.
pub(super) const TRIES: usize = 32;

/// How many addresses that nobody ever had are looked at further on, before an ended lease will do: they may all be
/// reserved.
const LOOKS: usize = 1024;

/// What rules an address out for a client, promises aside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub state: &'a State,
    /// Our own addresses, never given away.
    pub own: &'a [(Ipv4Addr, u8)],
    /// Who asks; nobody in particular where addresses are looked for ahead.
    pub mac: Option<Mac>,
    pub now: Timestamp,
}

/// What decides about addresses for one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses<'a> {
    pub rules: Rules<'a>,
    pub offers: &'a Offers,
    pub mac: Mac,
    /// The key that it is known by.
    pub client: &'a ClientKey,
    /// The address that its entry reserves.
    pub reserved: Option<Ipv4Addr>,
}

impl Rules<'_> {
    /// True if this client may have it at all, were it free.
    fn allow(&self, subnet: &Subnet, address: Ipv4Addr) -> bool {
        let reserved = self.state.reserved_for(address).is_none_or(|mac| Some(mac) == self.mac);
        let aside = self.state.quarantine.get(&address).is_some_and(|aside| self.now < aside.until);
        reserved && !aside && !self.is_infrastructure(subnet, address)
    }

    /// Addresses that are never a client's: ours, the routers', and the ends of the subnet.
    fn is_infrastructure(&self, subnet: &Subnet, address: Ipv4Addr) -> bool {
        let host = u32::from(address) & !u32::from(subnet.mask());
        self.own.iter().any(|(own, _)| *own == address)
            || subnet.router.contains(&address)
            || subnet.servers.contains(&address)
            || host == 0
            || host == !u32::from(subnet.mask())
    }

    /// True if an offer of this address to somebody else is all that stands in the way.
    pub fn is_only_offered(&self, subnet: &Subnet, address: Ipv4Addr) -> bool {
        let held = self.state.holder(address, self.now).is_some();
        is_pooled(subnet, address) && !held && self.allow(subnet, address)
    }
}

impl Addresses<'_> {
    /// The key that a lease of `address` has or gets.
    ///
    /// A reserved address belongs to the phone, whatever it calls itself: the loader and the application of one phone
    /// may send two identifiers, or one of them none.
    pub fn key(&self, address: Ipv4Addr) -> ClientKey {
        if self.reserved != Some(address) {
            return self.client.clone();
        }
        let lease = self.rules.state.leases.get(&address).filter(|lease| lease.mac == self.mac);
        lease.map_or_else(|| ClientKey::hardware(self.mac), |lease| lease.client.clone())
    }

    /// True if nobody else has it, was offered it, or has it reserved, and nobody was found using it.
    pub fn is_free(&self, subnet: &Subnet, address: Ipv4Addr) -> bool {
        let held = self
            .rules
            .state
            .holder(address, self.rules.now)
            .filter(|lease| lease.client != self.key(address));
        let offered = self.offers.holder(address).filter(|client| *client != self.client);
        // A reserved address was offered to nobody else, whatever the phone called itself then.
        let offered = offered.filter(|_| self.reserved != Some(address));
        held.is_none() && offered.is_none() && self.rules.allow(subnet, address)
    }

    /// True if this client may take it now: free, and from a pool or reserved for it.
    pub fn is_usable(&self, subnet: &Subnet, address: Ipv4Addr) -> bool {
        subnet.contains(address)
            && (is_pooled(subnet, address) || self.reserved == Some(address))
            && self.is_free(subnet, address)
    }

    /// The address for a DISCOVER, but for a new one from the pools: the reserved one, what it was offered just now, what it
    /// has or had last, what it wishes.
    pub fn known<'s>(
        &self,
        subnets: &[&'s Subnet],
        wish: Option<Ipv4Addr>,
    ) -> Option<(&'s Subnet, Ipv4Addr)> {
        let offered = self.offers.find(self.client).and_then(|offer| offer.address);
        let last = self.rules.state.clients.get(self.client).copied();
        let choices = [self.reserved, offered, last, wish];
        choices.into_iter().flatten().find_map(|address| {
            let subnet = subnets.iter().find(|subnet| self.is_usable(subnet, address))?;
            Some((*subnet, address))
        })
    }

    /// A new address that the wire was asked about already, if there is one.
    pub fn stocked(&self, subnet: &Subnet) -> Option<Ipv4Addr> {
        let place = nth(subnet, spread(self.mac) % size(subnet).max(1))?;
        let mut used = None;
        let stock = self.offers.stock.near(subnet.network, place, self.rules.now);
        self.fresh(subnet, stock, &mut used).or(used)
    }

    /// A new address from the pools of a subnet.
    ///
    /// Where the search begins and how it strides depends on the MAC, so that a delivery of phones with sequential MACs
    /// is spread, and each finds the same address again if its record was lost. A fresh address is preferred to one that
    /// somebody else had, who then finds his own again; of those the one whose lease ended longest ago. In a pool that is
    /// nearly full neither is walked to: the state knows where they are.
    pub fn pick(&self, subnet: &Subnet) -> Option<Ipv4Addr> {
        let (total, state) = (size(subnet), self.rules.state);
        let spread = spread(self.mac);
        let stride = coprime(spread >> 32, total)?;
        let place = |nth: u64| (spread % total + nth % total * stride % total) % total;
        let strides = (0..total).take(TRIES).filter_map(|step| nth(subnet, place(step)));
        let mut used = None;
        let near = self.fresh(subnet, strides, &mut used);
        near.or_else(|| {
            let mut unheld = unheld(subnet, state, nth(subnet, place(0))?);
            let mut ended = state.ended(self.rules.now).filter(|it| is_pooled(subnet, *it));
            let free = |address: &Ipv4Addr| self.is_free(subnet, *address);
            let found = unheld.by_ref().take(LOOKS).find(free).or(used);
            let found = found.or_else(|| ended.by_ref().take(LOOKS).find(free));
            found.or_else(|| unheld.find(free)).or_else(|| ended.find(free))
        })
    }

    /// The first free one that nobody ever had; the first free one of all the others goes to `used`.
    fn fresh(
        &self,
        subnet: &Subnet,
        all: impl Iterator<Item = Ipv4Addr>,
        used: &mut Option<Ipv4Addr>,
    ) -> Option<Ipv4Addr> {
        let mut free = all.filter(|address| self.is_free(subnet, *address));
        free.find(|address| {
            let fresh = !self.rules.state.leases.contains_key(address);
            if !fresh {
                used.get_or_insert(*address);
            }
            fresh
        })
    }
}

/// An address of the pools of a subnet by its place in them.
fn nth(subnet: &Subnet, mut place: u64) -> Option<Ipv4Addr> {
    for (first, last) in &subnet.pool {
        let size = u64::from(u32::from(*last) - u32::from(*first)) + 1;
        if place < size {
            return Some(Ipv4Addr::from(u32::from(*first) + u32::try_from(place).ok()?));
        }
        place -= size;
    }
    None
}

/// Addresses of the pools that nobody has or had, from one of them on and around.
pub(super) fn unheld<'a>(
    subnet: &'a Subnet,
    state: &'a State,
    from: Ipv4Addr,
) -> impl Iterator<Item = Ipv4Addr> + 'a {
    let within = move |(first, last): &(Ipv4Addr, Ipv4Addr)| (*first..=*last).contains(&from);
    let at = subnet.pool.iter().position(within).unwrap_or(0);
    let (before, behind) = subnet.pool.split_at(at);
    let here = behind.first().copied();
    let first = here.into_iter().flat_map(move |(first, last)| state.unheld(from.max(first), last));
    let rest =
        behind.iter().skip(1).chain(before).flat_map(|(first, last)| state.unheld(*first, *last));
    let begin = u32::from(from).checked_sub(1).map(Ipv4Addr::from);
    let last = here.zip(begin).filter(|((first, _), end)| first <= end);
    let last = last.into_iter().flat_map(|((first, _), end)| state.unheld(first, end));
    first.chain(rest).chain(last)
}

pub(super) fn is_pooled(subnet: &Subnet, address: Ipv4Addr) -> bool {
    subnet.pool.iter().any(|(first, last)| (first..=last).contains(&&address))
}

/// Sixty-four bits that differ everywhere for MACs that differ anywhere (splitmix64).
fn spread(mac: Mac) -> u64 {
    let seed = mac.octets().iter().fold(0_u64, |all, octet| all << 8 | u64::from(*octet));
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// A stride that visits each of `total` places once; `None` if there are none.
fn coprime(wish: u64, total: u64) -> Option<u64> {
    let gcd = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let wish = wish % total.max(1);
    (wish..=total)
        .chain(1..=1)
        .find(|stride| *stride > 0 && gcd(*stride, total) == 1)
        .filter(|_| total > 0)
}
