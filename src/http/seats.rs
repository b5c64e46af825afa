//! How many connections there may be, in all and for one peer.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The seats of one port. Who finds none is sent away: the connection is closed and counted.
///
/// A phone uses one or two connections at a time; a peer that wants more than its share is a scanner or a fault, and
/// must not take the seats of a whole building that restarts after a power cut.
#[derive(Clone, Debug)]
pub struct Seats {
    all: usize,
    each: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Peers with at least one seat: never more than `all`.
    each: HashMap<IpAddr, usize>,
}

/// One connection's seat, given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    peer: IpAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Seats {
    /// `all` seats, at most `each` of them for one peer.
    #[must_use]
    pub fn new(all: usize, each: usize) -> Self {
        Self { all, each, taken: Arc::default() }
    }

    /// Takes a seat; `None` if there is none for this peer.
    #[must_use]
    pub fn take(&self, peer: IpAddr) -> Option<Seat> {
        let mut taken = lock(&self.taken);
        let own = taken.each.get(&peer).copied().unwrap_or(0);
        if taken.all >= self.all || own >= self.each {
            return None;
        }
        taken.all += 1;
        taken.each.insert(peer, own + 1);
        Some(Seat { peer, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all = taken.all.saturating_sub(1);
        let left = taken.each.get_mut(&self.peer).map_or(0, |own| {
            *own = own.saturating_sub(1);
            *own
        });
        if left == 0 {
            taken.each.remove(&self.peer);
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_can_not_take_them_all() {
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let seats = Seats::new(3, 2);
        let first = seats.take(one);
        let second = seats.take(one);
        assert!(first.is_some() && second.is_some() && seats.take(one).is_none());
        let third = seats.take(other);
        assert!(third.is_some() && seats.take(other).is_none(), "all three are taken");
        drop(first);
        assert!(seats.take(other).is_some());
        drop((second, third));
        assert!(lock(&seats.taken).each.is_empty());
    }
}
