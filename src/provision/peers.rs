//! Which phone was last seen behind which address: for appliances that lease no addresses.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::domain::Mac;

/// Addresses remembered in each of two generations, so at most twice as many in all. When the younger is full, the
/// older is forgotten: a phone that asks again is remembered again, and one that does not is gone anyway.
const GENERATION: usize = 32_768;

/// Phones that nobody knew which one address may bring to the record. Behind one address is one phone, or a translator
/// with a rack of them, never more than this; whoever invents more MACs than that fills no memory and no disk.
const MAX_INTRODUCED: u16 = 256;

/// Which phone was last seen behind which address, learned from requests that carried a MAC.
///
/// Where leases say who holds an address, this is not asked.
#[derive(Debug, Default)]
pub(super) struct Peers(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<IpAddr, Guest>,
    old: HashMap<IpAddr, Guest>,
}

#[derive(Clone, Copy, Debug)]
struct Guest {
    phone: Mac,
    introduced: u16,
}

impl Peers {
    /// The phone last seen behind `peer`.
    pub fn phone(&self, peer: IpAddr) -> Option<Mac> {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.find(peer).map(|guest| guest.phone)
    }

    /// Remembers that `phone` is behind `peer`. `stranger` says that the record does not know this phone yet; false
    /// where this peer has brought so many strangers that this one is not to be recorded.
    pub fn remember(&self, peer: IpAddr, phone: Mac, stranger: bool) -> bool {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let introduced = generations.find(peer).map_or(0, |guest| guest.introduced);
        if stranger && introduced >= MAX_INTRODUCED {
            return false;
        }
        let introduced = introduced + u16::from(stranger);
        generations.keep(peer, Guest { phone, introduced });
        true
    }
}

impl Generations {
    fn find(&self, peer: IpAddr) -> Option<Guest> {
        self.young.get(&peer).or_else(|| self.old.get(&peer)).copied()
    }

    fn keep(&mut self, peer: IpAddr, guest: Guest) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&peer) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(peer, guest);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn mac(number: u32) -> Mac {
        let [a, b, c, d] = number.to_be_bytes();
        Mac::new([0, 0x15, a, b, c, d]).unwrap()
    }

    fn peer(number: u32) -> IpAddr {
        IpAddr::from(Ipv4Addr::from(number))
    }

    #[test]
    fn the_last_phone_counts() {
        let peers = Peers::default();
        peers.remember(peer(1), mac(1), false);
        peers.remember(peer(1), mac(2), false);
        assert_eq!((peers.phone(peer(1)), peers.phone(peer(2))), (Some(mac(2)), None));
    }

    #[test]
    fn memory_is_bounded() {
        let peers = Peers::default();
        for number in 0..200_000 {
            peers.remember(peer(number), mac(number), false);
        }
        let generations = peers.0.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
        assert_eq!(generations.find(peer(199_999)).map(|guest| guest.phone), Some(mac(199_999)));
    }

    #[test]
    fn one_address_brings_few_strangers() {
        let peers = Peers::default();
        let recorded =
            (0..1000).filter(|number| peers.remember(peer(1), mac(*number), true)).count();
        assert_eq!(recorded, usize::from(MAX_INTRODUCED));
        assert!(peers.remember(peer(1), mac(5), false), "a known phone is always recorded");
        assert!(peers.remember(peer(2), mac(6), true), "another address has its own allowance");
    }
}
