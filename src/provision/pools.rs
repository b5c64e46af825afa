//! How full the pools are, now and over the last day.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::SignedDuration;

use crate::{
    config::{Settings, Subnet},
    domain::{SiteName, Timestamp},
    store::State,
};

/// How far back the use of a pool is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The most changes remembered of a pool, the oldest goes first: a day for one that changes every minute, six hours for
/// one that changes at every look.
const MAX_POINTS: usize = 24 * 60;

/// How many addresses were in use from a moment on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Point {
    /// Since when.
    pub at: Timestamp,
    /// How many.
    pub used: u32,
}

/// A pool as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Network address of its subnet.
    pub network: Ipv4Addr,
    /// Prefix length of its subnet.
    pub prefix: u8,
    /// Site of its phones.
    pub site: SiteName,
    /// Ranges, first and last inclusive.
    pub ranges: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// Addresses in them.
    pub size: u64,
    /// Leased now.
    pub used: u64,
    /// Kept for an entry that reserves them, and not leased now.
    pub reserved: u64,
    /// Set aside because somebody was found using them.
    pub set_aside: u64,
    /// Free for anybody.
    pub free: u64,
    /// Use over time, oldest first: a point wherever it changed, and the first one looked at.
    pub points: Vec<Point>,
}

/// The use of all pools over time. Cheap to clone; all clones are one.
///
/// In memory only: a restart begins anew. The settings bound how many pools there are, and `MAX_POINTS` what is kept
/// of each.
#[derive(Clone, Debug, Default)]
pub struct Pools(Arc<Mutex<BTreeMap<Key, VecDeque<Point>>>>);

type Key = (Ipv4Addr, u8);

impl Pools {
    /// Looks at the use of every pool. What the settings no longer have is forgotten.
    pub fn sample(&self, settings: &Settings, state: &State, now: Timestamp) {
        let subnets = &settings.dhcp.subnets;
        let used: Vec<_> =
            subnets.iter().map(|subnet| (key(subnet), used(subnet, state, now))).collect();
        let mut known = self.lock();
        known.retain(|key, _| used.iter().any(|(other, _)| other == key));
        for (key, used) in used {
            let points = known.entry(key).or_default();
            let used = u32::try_from(used).unwrap_or(u32::MAX);
            if points.back().is_none_or(|last| last.used != used) {
                points.push_back(Point { at: now, used });
            }
            // The last one behind the horizon says what held at the horizon.
            let is_old = |point: Option<&Point>| {
                point.is_some_and(|point| now.duration_since(point.at) >= KEPT)
            };
            while is_old(points.get(1)) || points.len() > MAX_POINTS {
                points.pop_front();
            }
        }
    }

    /// All pools of the settings, in their order.
    #[must_use]
    pub fn all(&self, settings: &Settings, state: &State, now: Timestamp) -> Vec<Pool> {
        let reserved: BTreeSet<Ipv4Addr> =
            state.phones.values().filter_map(|phone| phone.entry.as_ref()?.address).collect();
        let pool = |subnet: &Subnet| {
            let points =
                self.lock().get(&key(subnet)).map(|points| points.iter().copied().collect());
            pool(subnet, state, &reserved, now, points.unwrap_or_default())
        };
        settings.dhcp.subnets.iter().map(pool).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, VecDeque<Point>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn key(subnet: &Subnet) -> Key {
    (subnet.network, subnet.prefix)
}

fn used(subnet: &Subnet, state: &State, now: Timestamp) -> usize {
    let of = |range: &(Ipv4Addr, Ipv4Addr)| {
        state.leases.range(range.0..=range.1).filter(|(_, lease)| lease.is_active(now)).count()
    };
    subnet.pool.iter().map(of).sum()
}

fn pool(
    subnet: &Subnet,
    state: &State,
    reserved: &BTreeSet<Ipv4Addr>,
    now: Timestamp,
    points: Vec<Point>,
) -> Pool {
    let is_leased = |address: &Ipv4Addr| state.holder(*address, now).is_some();
    let is_aside =
        |address: &Ipv4Addr| state.quarantine.get(address).is_some_and(|aside| now < aside.until);
    let (mut size, mut kept, mut aside) = (0, 0, 0);
    for (first, last) in &subnet.pool {
        size += u64::from(u32::from(*last) - u32::from(*first)) + 1;
        let free = |address: &&Ipv4Addr| !is_leased(address);
        aside += state
            .quarantine
            .range(first..=last)
            .filter(|(address, _)| is_aside(address) && !is_leased(address))
            .count() as u64;
        let reserved = reserved.range(first..=last).filter(free);
        kept += reserved.filter(|address| !is_aside(address)).count() as u64;
    }
    let used = used(subnet, state, now) as u64;
    Pool {
        network: subnet.network,
        prefix: subnet.prefix,
        site: subnet.site.clone(),
        ranges: subnet.pool.clone(),
        size,
        used,
        reserved: kept,
        set_aside: aside,
        free: size.saturating_sub(used + kept + aside),
        points,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Change, ClientKey, Commit, Entry, Lease, Mac, Quarantine};

    fn settings() -> Settings {
        let text = "[dhcp]\nmode = \"serve\"\ninterfaces = [\"lo\"]\n[[dhcp.subnet]]\nsubnet = \"10.20.0.0/24\"\n\
            pool = [\"10.20.0.10-10.20.0.19\"]\nlease-time = \"1h\"\n";
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ringup.toml");
        std::fs::write(&path, text).unwrap();
        crate::config::load(Some(&path)).unwrap().settings
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn mac(last: u8) -> Mac {
        Mac::new([0, 4, 0xf2, 0, 0, last]).unwrap()
    }

    fn apply(state: &mut State, changes: Vec<Change>) {
        state.apply(&Commit { number: state.commit + 1, changes });
    }

    fn lease(last: u8, until: Timestamp) -> Change {
        Change::Leased(Lease {
            address: Ipv4Addr::new(10, 20, 0, last),
            client: ClientKey::hardware(mac(last)),
            mac: mac(last),
            since: at(0),
            until,
        })
    }

    #[test]
    fn what_is_in_use_and_what_is_not() {
        let (settings, pools, mut state) = (settings(), Pools::default(), State::default());
        let reserve = |last: u8| {
            let address = Some(Ipv4Addr::new(10, 20, 0, last));
            Change::Listed(mac(last), Box::new(Entry { address, ..Entry::default() }))
        };
        let aside = Quarantine {
            address: Ipv4Addr::new(10, 20, 0, 15),
            until: at(10),
            times: 1,
            by: mac(15),
        };
        apply(
            &mut state,
            vec![
                lease(10, at(60)),
                lease(11, at(1)),
                // Outside of the pool: nobody else could have had it.
                lease(200, at(60)),
                reserve(12),
                reserve(10),
                Change::Quarantined(aside),
            ],
        );
        let counts = |now| {
            let all = pools.all(&settings, &state, now);
            let Pool { size, used, reserved, set_aside, free, .. } = all[0];
            (size, used, reserved, set_aside, free)
        };
        assert_eq!(counts(at(0)), (10, 2, 1, 1, 6));
        assert_eq!(counts(at(5)), (10, 1, 1, 1, 7), "a lease has ended");
        assert_eq!(counts(at(70)), (10, 0, 2, 0, 8), "nobody holds the reserved address now");
    }

    #[test]
    fn only_changes_are_kept_and_no_longer_than_a_day() {
        let (settings, pools, mut state) = (settings(), Pools::default(), State::default());
        let points = |state: &State, now| pools.all(&settings, state, now)[0].points.clone();
        for minute in 0..10 {
            pools.sample(&settings, &state, at(minute));
        }
        assert_eq!(points(&state, at(10)), [Point { at: at(0), used: 0 }]);
        apply(&mut state, vec![lease(10, at(100))]);
        for minute in 10..200 {
            pools.sample(&settings, &state, at(minute));
        }
        let told: Vec<u32> = points(&state, at(200)).iter().map(|point| point.used).collect();
        assert_eq!(told, [0, 1, 0]);
        pools.sample(&settings, &state, at(24 * 60 + 50));
        let kept = points(&state, at(24 * 60 + 50));
        assert_eq!(kept[0], Point { at: at(10), used: 1 }, "it held when the day began");
        pools.sample(&Settings::default(), &state, at(24 * 60 + 51));
        assert!(pools.lock().is_empty(), "a pool that is gone is forgotten");
    }

    #[test]
    fn a_pool_that_never_rests_is_bounded() {
        let (settings, pools) = (settings(), Pools::default());
        let mut state = State::default();
        for round in 0..2000 {
            apply(&mut state, vec![lease(10, at(if round % 2 == 0 { 9_999 } else { 0 }))]);
            pools.sample(&settings, &state, at(1) + SignedDuration::from_secs(round));
        }
        assert_eq!(pools.all(&settings, &state, at(40))[0].points.len(), MAX_POINTS);
    }
}
