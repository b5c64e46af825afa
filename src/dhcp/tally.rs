//! How many addresses of each pool are taken, and how many listed phones wait for one: counted along with the state.
//!
//! A look costs what changed since the last one. Leases that lapse change nothing in the state, so they are kept in the
//! order of their end; a clock that was set back has everything counted anew.

use std::{
    collections::{BTreeSet, HashMap},
    net::Ipv4Addr,
};

use crate::{
    domain::{Mac, Timestamp},
    provision::Subnet,
    store::State,
};

/// An address that is leased or set aside.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Whose lease it is.
    holder: Option<Mac>,
    /// When it is to be looked at again.
    until: Timestamp,
}

/// A pool, as it was when it was counted.
#[derive(Debug)]
struct Pool {
    ranges: Vec<(Ipv4Addr, Ipv4Addr)>,
    taken: u64,
}

impl Pool {
    fn has(&self, address: Ipv4Addr) -> bool {
        self.ranges.iter().any(|(first, last)| (first..=last).contains(&&address))
    }
}

/// The counts. As large as the state at most.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The commit that is taken in; `None` before the first look.
    commit: Option<u64>,
    looked: Timestamp,
    marks: HashMap<Ipv4Addr, Mark>,
    ends: BTreeSet<(Timestamp, Ipv4Addr)>,
    /// How many addresses each station holds.
    holders: HashMap<Mac, u32>,
    /// Listed phones that hold no lease, with the site of their entry.
    waiting: HashMap<Mac, Option<String>>,
    sites: HashMap<Option<String>, u64>,
    /// By network.
    pools: HashMap<Ipv4Addr, Pool>,
}

impl Tally {
    /// Takes in what changed and what lapsed.
    pub fn follow(&mut self, state: &State, now: Timestamp) {
        match self.commit.filter(|commit| *commit <= state.commit && self.looked <= now) {
            Some(commit) if commit < state.commit => {
                for address in state.addresses_since(commit) {
                    self.look(state, address, now);
                }
                for mac in state.changed_since(commit) {
                    self.weigh(state, mac);
                }
                if state.unlisted() > commit {
                    self.drop_forgotten(state);
                }
            }
            Some(_) => {}
            None => self.begin(state, now),
        }
        (self.commit, self.looked) = (Some(state.commit), now);
        while let Some((_, address)) = self.ends.first().filter(|(until, _)| *until <= now) {
            self.look(state, *address, now);
        }
    }

    /// Addresses of the pool that are leased, set aside, or about to be leased.
    pub fn taken(&mut self, subnet: &Subnet) -> u64 {
        let counted = self.pools.get(&subnet.network);
        if counted.is_none_or(|pool| pool.ranges != subnet.pool) {
            let mut pool = Pool { ranges: subnet.pool.clone(), taken: 0 };
            pool.taken = self.marks.keys().filter(|address| pool.has(**address)).count() as u64;
            self.pools.insert(subnet.network, pool);
        }
        self.pools.get(&subnet.network).map_or(0, |pool| pool.taken)
    }

    /// Listed phones without a lease that belong to a site, or may.
    pub fn waiting(&self, site: &str) -> u64 {
        let of = |site: &Option<String>| self.sites.get(site).copied().unwrap_or(0);
        of(&None) + of(&Some(site.to_owned()))
    }

    /// Counts an address as taken before the state does.
    pub fn claim(&mut self, address: Ipv4Addr, until: Timestamp) {
        if !self.marks.contains_key(&address) {
            self.mark(address, Some(Mark { holder: None, until }));
        }
    }

    fn begin(&mut self, state: &State, now: Timestamp) {
        *self = Self::default();
        for address in state.leases.keys().chain(state.quarantine.keys()) {
            self.look(state, *address, now);
        }
        for mac in state.phones.keys() {
            self.weigh(state, *mac);
        }
    }

    /// Counts an address as the state has it now.
    fn look(&mut self, state: &State, address: Ipv4Addr, now: Timestamp) {
        let lease = state.holder(address, now);
        let aside = state.quarantine.get(&address).filter(|aside| now < aside.until);
        let ends = [lease.map(|lease| lease.until), aside.map(|aside| aside.until)];
        let holder = lease.map(|lease| lease.mac);
        let before = self.marks.get(&address).and_then(|mark| mark.holder);
        let mark = ends.into_iter().flatten().min().map(|until| Mark { holder, until });
        self.mark(address, mark);
        if before != holder {
            for mac in before.into_iter().chain(holder) {
                self.weigh(state, mac);
            }
        }
    }

    fn mark(&mut self, address: Ipv4Addr, mark: Option<Mark>) {
        let before = match mark {
            Some(mark) => self.marks.insert(address, mark),
            None => self.marks.remove(&address),
        };
        if let Some(before) = before {
            self.ends.remove(&(before.until, address));
            self.let_go(before.holder);
        }
        if let Some(mark) = mark {
            self.ends.insert((mark.until, address));
            if let Some(mac) = mark.holder {
                *self.holders.entry(mac).or_default() += 1;
            }
        }
        if before.is_some() != mark.is_some() {
            for pool in self.pools.values_mut().filter(|pool| pool.has(address)) {
                pool.taken = match mark {
                    Some(_) => pool.taken + 1,
                    None => pool.taken.saturating_sub(1),
                };
            }
        }
    }

    fn let_go(&mut self, holder: Option<Mac>) {
        let Some(mac) = holder else { return };
        if let Some(count) = self.holders.get_mut(&mac) {
            *count -= 1;
            if *count == 0 {
                self.holders.remove(&mac);
            }
        }
    }

    /// Counts a phone as the state has it now.
    fn weigh(&mut self, state: &State, mac: Mac) {
        let entry = state.phones.get(&mac).and_then(|phone| phone.entry.as_ref());
        let site = entry.filter(|_| !self.holders.contains_key(&mac)).map(|entry| &entry.site);
        if self.waiting.get(&mac) == site {
            return;
        }
        let site = site.cloned();
        let before = match site.clone() {
            Some(site) => self.waiting.insert(mac, site),
            None => self.waiting.remove(&mac),
        };
        if let Some(before) = before
            && let Some(count) = self.sites.get_mut(&before)
        {
            *count -= 1;
            // Names of sites come and go with the lists.
            if *count == 0 {
                self.sites.remove(&before);
            }
        }
        if let Some(site) = site {
            *self.sites.entry(site).or_default() += 1;
        }
    }

    /// Takes out listed phones that an operator had forgotten: the only ones that the state does not name any more.
    fn drop_forgotten(&mut self, state: &State) {
        let gone = self.waiting.keys().filter(|mac| !state.phones.contains_key(mac));
        let gone: Vec<Mac> = gone.copied().collect();
        for mac in gone {
            self.weigh(state, mac);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::domain::{Change, ClientKey, Commit, Entry, Lease, Quarantine};

    fn mac(number: u8) -> Mac {
        Mac::new([2, 0, 0, 0, 0, number]).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn change(kind: u8, number: u8, last: u8, now: Timestamp, seconds: u64) -> Change {
        let (mac, address) = (mac(number), Ipv4Addr::new(10, 20, 0, last));
        let until = now + Duration::from_secs(seconds);
        match kind {
            0..=2 => {
                let client = ClientKey::hardware(mac);
                Change::Leased(Lease { address, client, mac, since: now, until })
            }
            3 => Change::Released { address, at: now },
            4 => Change::Quarantined(Quarantine { address, until, times: 1, by: mac }),
            5 => Change::Unlisted(mac),
            6 => Change::Forgotten(mac),
            _ => {
                let site = [None, Some("a".to_owned()), Some("b".to_owned())];
                let site = site[usize::from(last % 3)].clone();
                Change::Listed(mac, Box::new(Entry { site, ..Entry::default() }))
            }
        }
    }

    proptest! {
        /// Whatever happens, and however the clock runs: what was followed is what is counted anew.
        #[test]
        fn followed_is_counted(steps in vec((0_u8..10, 0_u8..6, 48_u8..54, 0_u64..40, -3_i64..20), 1..80)) {
            let subnet = super::super::tests::subnet("10.20.0.0/24", ("10.20.0.49", "10.20.0.52"));
            let (mut state, mut tally, mut now) = (State::default(), Tally::default(), 0);
            for (kind, number, last, seconds, passed) in steps {
                now += passed;
                let changes = vec![change(kind, number, last, at(now), seconds)];
                state.apply(&Commit { number: state.commit + 1, changes });
                tally.follow(&state, at(now));
                let mut anew = Tally::default();
                anew.follow(&state, at(now));
                prop_assert_eq!(tally.taken(&subnet), anew.taken(&subnet));
                let held = |mac: &Mac| state.leases.values().any(|it| it.mac == *mac && it.is_active(at(now)));
                for site in ["a", "b"] {
                    let here = state.phones.iter().filter(|(mac, phone)| {
                        let here = |of: &Option<String>| of.as_deref().is_none_or(|of| of == site);
                        phone.entry.as_ref().is_some_and(|entry| here(&entry.site)) && !held(mac)
                    });
                    prop_assert_eq!(tally.waiting(site), here.count() as u64);
                }
                let pooled = (49..53).map(|last| Ipv4Addr::new(10, 20, 0, last)).filter(|address| {
                    let aside = state.quarantine.get(address).is_some_and(|it| at(now) < it.until);
                    aside || state.holder(*address, at(now)).is_some()
                });
                prop_assert_eq!(tally.taken(&subnet), pooled.count() as u64);
            }
        }
    }

    #[test]
    fn what_is_on_its_way_to_the_disk_is_taken() {
        let subnet = super::super::tests::subnet("10.20.0.0/24", ("10.20.0.49", "10.20.0.52"));
        let (mut state, mut tally) = (State::default(), Tally::default());
        tally.follow(&state, at(0));
        let address = Ipv4Addr::new(10, 20, 0, 50);
        assert_eq!(tally.taken(&subnet), 0);
        tally.claim(address, at(9));
        tally.follow(&state, at(8));
        assert_eq!(tally.taken(&subnet), 1);
        // It never came there.
        tally.follow(&state, at(9));
        assert_eq!(tally.taken(&subnet), 0);
        tally.claim(address, at(19));
        let changes = vec![change(0, 1, 50, at(9), 100)];
        state.apply(&Commit { number: 1, changes });
        tally.follow(&state, at(20));
        assert_eq!(tally.taken(&subnet), 1, "once");
    }
}
