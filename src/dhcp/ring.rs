//! Datagrams that were taken from the system and are not answered yet: bounded, and those who need it most first.

use std::collections::{HashMap, VecDeque};

use crate::wire::dhcp::{Glance, glance};

/// The most datagrams that wait; one more costs the oldest. A building that switches on at once fits.
const MOST: usize = 16_384;

/// The most octets that they have in all.
const MOST_OCTETS: usize = 16 << 20;

/// Datagrams with what the caller knows about each.
///
/// Phones that are known, so that their desks work as soon as they have their address, go before strangers, who may be
/// anybody; among themselves all go in the order in which they came. An eighth of each round is theirs all the same, so
/// that whoever floods as a phone that is known shuts nobody out. A client that asks again before it was answered has one
/// answer coming: its newest datagram stands in the place of its first; that of a known phone also for a new transaction.
#[derive(Debug)]
pub(super) struct Ring<T> {
    /// The known ones and the others.
    lanes: [Lane<T>; 2],
    /// Where what can be told apart waits: its lane and its number there.
    places: HashMap<Glance, (usize, u64)>,
    octets: usize,
    most: usize,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<Waiting<T>>,
    /// The number of the first one that waits.
    first: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    datagram: Vec<u8>,
    about: T,
    glance: Option<Glance>,
}

/// What became of a datagram that came in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Put {
    /// It waits.
    Waits,
    /// It stands in the place of the same message.
    Again,
    /// It waits, and the oldest was dropped for it.
    Crowded,
}

impl<T> Ring<T> {
    pub fn new() -> Self {
        Self::of(MOST)
    }

    fn of(most: usize) -> Self {
        let lane = || Lane { waiting: VecDeque::new(), first: 0 };
        Self { lanes: [lane(), lane()], places: HashMap::new(), octets: 0, most }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// Takes a datagram in; `is_known` is asked whether its client is a phone that is known.
    pub fn put(
        &mut self,
        datagram: &[u8],
        about: T,
        is_known: impl FnOnce(&Glance) -> bool,
    ) -> Put {
        let glance = glance(datagram);
        let known = glance.as_ref().is_some_and(is_known);
        // A phone begins anew when it has given up, so what it asked before is nobody's any more.
        let glance = glance.map(|it| if known { Glance { xid: 0, ..it } } else { it });
        let datagram = datagram.to_vec();
        if let Some(first) = glance.and_then(|glance| self.waiting(&glance)) {
            let (before, now) = (first.datagram.len(), datagram.len());
            (first.datagram, first.about) = (datagram, about);
            self.octets = self.octets.saturating_sub(before) + now;
            while self.octets > MOST_OCTETS && self.drop_oldest().is_some() {}
            return Put::Again;
        }
        let mut crowded = false;
        while self.len() >= self.most || self.octets + datagram.len() > MOST_OCTETS {
            crowded = true;
            if self.drop_oldest().is_none() {
                break;
            }
        }
        let at = usize::from(!known);
        let lane = &mut self.lanes[at];
        if let Some(glance) = glance {
            let number = lane.first + u64::try_from(lane.waiting.len()).unwrap_or(u64::MAX);
            self.places.insert(glance, (at, number));
        }
        self.octets += datagram.len();
        lane.waiting.push_back(Waiting { datagram, about, glance });
        if crowded { Put::Crowded } else { Put::Waits }
    }

    /// Takes out those whose turn it is, at most `most`.
    pub fn take(&mut self, most: usize) -> Vec<(Vec<u8>, T)> {
        let mut taken = Vec::with_capacity(most.min(self.len()));
        let others = self.lanes[1].waiting.len().min(most / 8);
        while taken.len() < most - others
            && let Some(next) = self.pop(0)
        {
            taken.push((next.datagram, next.about));
        }
        while taken.len() < most
            && let Some(next) = self.pop(1)
        {
            taken.push((next.datagram, next.about));
        }
        taken
    }

    fn waiting(&mut self, glance: &Glance) -> Option<&mut Waiting<T>> {
        let (at, number) = *self.places.get(glance)?;
        let lane = &mut self.lanes[at];
        lane.waiting.get_mut(usize::try_from(number.checked_sub(lane.first)?).ok()?)
    }

    /// Strangers first: whoever floods, floods as one.
    fn drop_oldest(&mut self) -> Option<Waiting<T>> {
        self.pop(1).or_else(|| self.pop(0))
    }

    fn pop(&mut self, at: usize) -> Option<Waiting<T>> {
        let lane = &mut self.lanes[at];
        let first = lane.waiting.pop_front()?;
        lane.first += 1;
        self.octets = self.octets.saturating_sub(first.datagram.len());
        if let Some(glance) = &first.glance {
            self.places.remove(glance);
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::Mac,
        wire::dhcp::{Kind, Request},
    };

    fn mac(number: u8) -> Mac {
        Mac::new([2, 0, 0, 0, 0, number]).unwrap()
    }

    fn discover(number: u8, xid: u32) -> Vec<u8> {
        Request::discover(mac(number), xid).encode()
    }

    /// Who is known in these tests.
    fn known(glance: &Glance) -> bool {
        glance.mac[5] < 10
    }

    fn numbers(ring: &mut Ring<u32>, most: usize) -> Vec<u32> {
        ring.take(most).into_iter().map(|(_, about)| about).collect()
    }

    #[test]
    fn known_ones_first_and_each_kind_in_the_order_of_arrival() {
        let mut ring = Ring::of(10);
        for (place, number) in [20, 1, 21, 2, 22, 3].into_iter().enumerate() {
            let about = u32::try_from(place).unwrap();
            assert_eq!(ring.put(&discover(number, 1), about, known), Put::Waits);
        }
        assert_eq!(ring.put(b"no message", 6, |_| panic!("of nobody")), Put::Waits);
        assert_eq!(numbers(&mut ring, 4), [1, 3, 5, 0]);
        ring.put(&discover(4, 1), 7, known);
        assert_eq!(numbers(&mut ring, 9), [7, 2, 4, 6]);
        assert!(ring.is_empty() && ring.places.is_empty() && ring.octets == 0);
    }

    #[test]
    fn whoever_floods_as_a_known_phone_shuts_nobody_out() {
        let mut ring = Ring::of(1000);
        for xid in 0..100 {
            let again = if xid == 0 { Put::Waits } else { Put::Again };
            assert_eq!(ring.put(&discover(1, xid), xid, known), again);
        }
        assert_eq!(numbers(&mut ring, 64), [99], "the newest one of it");
        for number in 0..10 {
            for kind in 0..8 {
                let relay = [10, 9, number, kind].into();
                let message = Request::discover(mac(number), 1).relayed(relay).encode();
                ring.put(&message, u32::from(number), known);
            }
        }
        for number in 20..40 {
            ring.put(&discover(number, 1), u32::from(number), known);
        }
        let taken = numbers(&mut ring, 64);
        assert_eq!(taken.len(), 64);
        assert_eq!(taken[56..], [20, 21, 22, 23, 24, 25, 26, 27]);
        assert_eq!(numbers(&mut ring, 64)[..3], [7, 7, 7]);
    }

    #[test]
    fn a_message_again_stands_in_the_place_of_the_first() {
        let mut ring = Ring::of(10);
        ring.put(&discover(20, 1), 0, known);
        ring.put(&discover(21, 1), 1, known);
        let check = |ring: &mut Ring<u32>, datagram: &[u8], about, expected: Put| {
            assert_eq!(ring.put(datagram, about, known), expected);
        };
        let late = Request { secs: 4, ..Request::discover(mac(20), 1) }.option(12, vec![b'x'; 90]);
        check(&mut ring, &late.encode(), 2, Put::Again);
        // Another transaction, another kind, another way: not the same.
        check(&mut ring, &discover(20, 2), 3, Put::Waits);
        let select = Request::select(mac(20), 1, [10, 20, 0, 9].into(), [10, 20, 0, 2].into());
        assert_eq!(glance(&select.encode()).map(|it| it.kind), Some(Kind::Request));
        check(&mut ring, &select.encode(), 4, Put::Waits);
        let relayed = Request::discover(mac(20), 1).relayed([10, 9, 0, 1].into());
        check(&mut ring, &relayed.encode(), 5, Put::Waits);
        let taken = ring.take(1);
        assert_eq!(taken, [(late.encode(), 2)]);
        // It is gone: asked again, it waits anew, behind the others.
        check(&mut ring, &discover(20, 1), 6, Put::Waits);
        assert_eq!(numbers(&mut ring, 9), [1, 3, 4, 5, 6]);
        assert_eq!(ring.octets, 0);
    }

    #[test]
    fn the_oldest_stranger_goes_when_it_is_full() {
        let mut ring = Ring::of(3);
        for (about, number) in [(0, 1), (1, 20), (2, 21)] {
            ring.put(&discover(number, 1), about, known);
        }
        assert_eq!(ring.put(&discover(22, 1), 3, known), Put::Crowded);
        assert_eq!(ring.put(&discover(2, 1), 4, known), Put::Crowded);
        assert_eq!(ring.put(&discover(3, 1), 5, known), Put::Crowded);
        assert_eq!(ring.put(&discover(4, 1), 6, known), Put::Crowded, "known ones only");
        assert_eq!(numbers(&mut ring, 9), [4, 5, 6]);
        let long = vec![0; 4096];
        let mut ring = Ring::of(MOST);
        for about in 0..5000 {
            ring.put(&long, about, known);
        }
        assert_eq!(ring.len(), MOST_OCTETS / long.len());
    }

    proptest! {
        /// Whatever comes: it stays within its bounds, loses none without need, and gives each of them out once.
        #[test]
        fn bounded_and_complete(puts in prop::collection::vec((0_u8..30, 0_u32..3, 0_usize..4), 0..200)) {
            let mut ring = Ring::of(16);
            let (mut waits, mut lost, mut taken) = (0, 0, 0);
            for (number, xid, take) in puts {
                match ring.put(&discover(number, xid), xid, known) {
                    Put::Waits => waits += 1,
                    Put::Again => {}
                    Put::Crowded => (waits, lost) = (waits + 1, lost + 1),
                }
                prop_assert!(ring.len() <= 16 && ring.places.len() == ring.len());
                if number < 5 {
                    taken += ring.take(take).len();
                }
                prop_assert_eq!(waits, lost + taken + ring.len());
            }
            taken += ring.take(usize::MAX).len();
            prop_assert_eq!((waits, ring.octets), (lost + taken, 0));
        }
    }
}
