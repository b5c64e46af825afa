//! Which transfers run, which request is a copy of one, and which transfer makes way for another. A pure table.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
};

/// Transfers at once. One more takes the place of the oldest whose peer was never heard, or else is turned down.
pub const LIMIT: usize = 4096;

/// Transfers at once for one address. One more takes the place of that address's own oldest whose port was never heard,
/// or else is turned down: phones fetch one or two files at a time.
pub const PEER_LIMIT: usize = 8;

/// The number of a transfer; younger ones have higher numbers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Id(u64);

/// What to do about a request.
#[derive(Debug, Eq, PartialEq)]
pub enum Admit<T> {
    /// Begin.
    Begin {
        /// The number of the new one.
        id: Id,
        /// The transfer whose place it takes: that one ends.
        instead_of: Option<(T, Ending)>,
    },
    /// A copy of a request that is being answered: nothing to do.
    Copy,
    /// No room, here or for this address.
    Full,
}

/// Why a transfer gives its place to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Its own port asked anew.
    Anew,
    /// There were too many, and its peer was never heard.
    Crowded,
}

/// The running transfers, each with a handle to stop it.
#[derive(Debug)]
pub struct Sessions<T> {
    // Ordered, because the oldest makes way.
    running: BTreeMap<Id, Running<T>>,
    ports: HashMap<SocketAddr, Id>,
    addresses: HashMap<IpAddr, usize>,
    next: u64,
}

#[derive(Debug)]
struct Running<T> {
    peer: SocketAddr,
    /// Tells the same request again.
    request: u64,
    /// True once the peer acknowledged anything.
    heard: bool,
    /// True once it acknowledged the first block.
    under_way: bool,
    handle: T,
}

impl<T> Default for Sessions<T> {
    fn default() -> Self {
        let (running, ports, addresses) = Default::default();
        Self { running, ports, addresses, next: 0 }
    }
}

impl<T> Sessions<T> {
    /// Decides about a request from `peer`; `request` is equal for equal requests. `handle` is kept if it begins.
    pub fn admit(&mut self, peer: SocketAddr, request: u64, handle: T) -> Admit<T> {
        let instead_of = match self.ports.get(&peer).and_then(|id| self.running.get_key_value(id)) {
            Some((_, running)) if running.request == request && !running.under_way => {
                return Admit::Copy;
            }
            // A port has one transfer. Another request, or the same one after its first block had arrived, comes from a
            // phone that started anew and forgot the old one.
            Some((&stale, _)) => self.end(stale).map(|handle| (handle, Ending::Anew)),
            None => match self.room(peer.ip()) {
                Ok(()) => None,
                Err(Some(oldest)) => self.end(oldest).map(|handle| (handle, Ending::Crowded)),
                Err(None) => return Admit::Full,
            },
        };
        let id = Id(self.next);
        self.next += 1;
        let running = Running { peer, request, heard: false, under_way: false, handle };
        self.running.insert(id, running);
        self.ports.insert(peer, id);
        *self.addresses.entry(peer.ip()).or_default() += 1;
        Admit::Begin { id, instead_of }
    }

    /// Notes how far a transfer is.
    pub fn note(&mut self, id: Id, heard: bool, under_way: bool) {
        if let Some(running) = self.running.get_mut(&id) {
            (running.heard, running.under_way) = (heard, under_way);
        }
    }

    /// Forgets a transfer; the handle if it was still known.
    pub fn end(&mut self, id: Id) -> Option<T> {
        let running = self.running.remove(&id)?;
        self.ports.remove(&running.peer);
        if let Some(count) = self.addresses.get_mut(&running.peer.ip()) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&running.peer.ip());
            }
        }
        Some(running.handle)
    }

    /// The handle of the transfer that this port has.
    pub fn of(&self, peer: SocketAddr) -> Option<&T> {
        Some(&self.running.get(self.ports.get(&peer)?)?.handle)
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether one more fits; else who can make way.
    fn room(&self, address: IpAddr) -> Result<(), Option<Id>> {
        let crowded = self.addresses.get(&address).is_some_and(|&count| count >= PEER_LIMIT);
        if !crowded && self.len() < LIMIT {
            return Ok(());
        }
        let oldest = self
            .running
            .iter()
            .find(|(_, running)| !running.heard && (!crowded || running.peer.ip() == address));
        Err(oldest.map(|(&id, _)| id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: u32, port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::from(address.to_be_bytes()), port)
    }

    /// Admits, with the handle being the port; the number of the one that begins.
    fn begin(
        sessions: &mut Sessions<u16>,
        from: SocketAddr,
        request: u64,
    ) -> (Id, Option<(u16, Ending)>) {
        match sessions.admit(from, request, from.port()) {
            Admit::Begin { id, instead_of } => (id, instead_of),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_copy_is_one_transfer_until_the_first_block_arrived() {
        let mut sessions = Sessions::default();
        let (id, _) = begin(&mut sessions, peer(1, 7), 100);
        assert_eq!(sessions.admit(peer(1, 7), 100, 7), Admit::Copy);
        sessions.note(id, true, false);
        assert_eq!(sessions.admit(peer(1, 7), 100, 7), Admit::Copy);
        sessions.note(id, true, true);
        assert_eq!(begin(&mut sessions, peer(1, 7), 100).1, Some((7, Ending::Anew)));
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn another_request_from_the_same_port_takes_its_place() {
        let mut sessions = Sessions::default();
        let (stale, _) = begin(&mut sessions, peer(1, 7), 100);
        let (fresh, instead_of) = begin(&mut sessions, peer(1, 7), 200);
        assert_eq!(instead_of, Some((7, Ending::Anew)));
        // The stale one ends later and must not take the fresh one with it.
        assert_eq!(sessions.end(stale), None);
        assert_eq!(sessions.admit(peer(1, 7), 200, 7), Admit::Copy);
        assert_eq!(sessions.end(fresh), Some(7));
        assert_eq!(sessions.len(), 0);
        assert!(sessions.ports.is_empty() && sessions.addresses.is_empty());
    }

    #[test]
    fn an_address_has_eight_and_its_own_oldest_silent_one_makes_way() {
        let mut sessions = Sessions::default();
        begin(&mut sessions, peer(2, 99), 1);
        let ids: Vec<_> = (1..=8).map(|port| begin(&mut sessions, peer(1, port), 1).0).collect();
        sessions.note(ids[0], true, false);
        assert_eq!(begin(&mut sessions, peer(1, 9), 1).1, Some((2, Ending::Crowded)));
        for id in &ids {
            sessions.note(*id, true, true);
        }
        assert_eq!(begin(&mut sessions, peer(1, 10), 1).1, Some((9, Ending::Crowded)));
        let newest = sessions.ports[&peer(1, 10)];
        sessions.note(newest, true, true);
        assert_eq!(sessions.admit(peer(1, 11), 1, 11), Admit::Full);
        assert_eq!(begin(&mut sessions, peer(3, 11), 1).1, None);
    }

    #[test]
    fn a_flood_of_forged_requests_does_not_keep_a_phone_out() {
        let mut sessions = Sessions::default();
        for address in 0..u32::try_from(LIMIT).unwrap() * 2 {
            begin(&mut sessions, peer(address, 7), 1);
            assert!(sessions.len() <= LIMIT && sessions.addresses.len() <= LIMIT);
        }
        let (phone, _) = begin(&mut sessions, peer(u32::MAX, 8), 1);
        sessions.note(phone, true, true);
        for address in 0..u32::try_from(LIMIT).unwrap() * 2 {
            begin(&mut sessions, peer(address, 7), 2);
        }
        assert_eq!(sessions.end(phone), Some(8));
    }
}
