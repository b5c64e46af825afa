//! Free addresses ahead: those that the wire was asked about within the last minute and that nobody answered for.
//!
//! A stranger gets one of them at once instead of waiting for a probe. Pure: what is to be asked comes out, who answers
//! comes in, time is an argument. Who runs out is served as before: the wire is asked about his address first.
//!
//! How much is asked: at rest what keeps the stock fresh, ten frames a second, below the fifteen at which a switch with
//! dynamic ARP inspection shuts an untrusted port (Cisco's default). For each address that a stranger took one frame
//! more, up to a thousand a second: fewer than if the wire were asked when he comes. After an hour without strangers
//! nothing.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv4Addr,
    time::Duration,
};

use crate::{
    domain::{ClientKey, Timestamp},
    provision::Subnet,
};

use super::{
    addresses::{Rules, is_pooled, unheld},
    offers::passed,
};

/// How long a proof holds, and when the wire is asked again for it.
const HOLDS: Duration = Duration::from_mins(1);
const AGAIN: Duration = Duration::from_secs(45);

/// How long an answer is waited for, and when a second frame asks for it, should there be frames left: the first one may
/// have been lost.
const PATIENCE: Duration = Duration::from_millis(300);
const SECOND: Duration = Duration::from_millis(150);

/// How long the wire is not asked about an address that somebody was heard using.
const IN_USE: Duration = Duration::from_mins(10);

/// After so long without a stranger nothing is asked.
const QUIET: Duration = Duration::from_hours(1);

/// How long a pool without candidates is not searched again.
const REST: Duration = Duration::from_secs(1);

/// Addresses in stock, those that are being asked about included. A thousand strangers a second take 350 of them before
/// the first answer to the first of them is due.
const STOCK: usize = 384;

/// Addresses asked about at once; more than a thousand frames a second would wait 300 ms are never asked.
const MAX_ASKED: usize = 512;

/// Addresses in use that are remembered for each network.
const MAX_IN_USE: usize = 1024;

/// Frames a second at rest, and in a storm; and how many of them may leave together.
const CALM: u64 = 10;
const STORM: u64 = 1000;
const BURST: u64 = 128;

/// How many addresses are looked at in one go, under the lock of the offers.
const LOOKS: usize = 256;

/// The stock of each network that is attached. The settings bound how many there are.
#[derive(Debug, Default)]
pub(super) struct Stock(BTreeMap<Ipv4Addr, Shelf>);

#[derive(Debug)]
struct Shelf {
    /// Since when nobody answered.
    proven: BTreeMap<Ipv4Addr, Timestamp>,
    asked: BTreeMap<Ipv4Addr, Asked>,
    /// Who was heard using an address, and when.
    in_use: BTreeMap<Ipv4Addr, ([u8; 6], Timestamp)>,
    /// Where the search goes on.
    cursor: Option<Ipv4Addr>,
    /// When a stranger last wanted one.
    wanted: Timestamp,
    searched: Option<Timestamp>,
    /// Frames for strangers that came.
    credit: usize,
    calm: Budget,
    storm: Budget,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    since: Timestamp,
    twice: bool,
}

/// Frames that may be sent, in thousandths.
#[derive(Debug)]
struct Budget {
    left: u64,
    at: Timestamp,
}

impl Budget {
    fn refill(&mut self, rate: u64, most: u64, now: Timestamp) {
        let passed = u64::try_from(now.duration_since(self.at).as_millis()).unwrap_or(0);
        self.left = passed.saturating_mul(rate).saturating_add(self.left).min(most * 1000);
        self.at = now;
    }

    const fn whole(&self) -> u64 {
        self.left / 1000
    }

    const fn spend(&mut self) {
        self.left = self.left.saturating_sub(1000);
    }
}

impl Stock {
    /// What is to be asked now, a frame for each. `rules` are those of nobody in particular; `offered` is promised.
    pub fn due(
        &mut self,
        subnet: &Subnet,
        rules: &Rules<'_>,
        offered: &HashMap<Ipv4Addr, ClientKey>,
    ) -> Vec<Ipv4Addr> {
        let now = rules.now;
        let kept = self.0.entry(subnet.network).or_insert_with(|| Shelf::new(now));
        let fits = |address: Ipv4Addr| {
            rules.is_only_offered(subnet, address) && !offered.contains_key(&address)
        };
        kept.settle(now);
        kept.wanted = kept.wanted.min(now);
        if passed(kept.wanted, QUIET, now) {
            return Vec::new();
        }
        kept.calm.refill(CALM, CALM, now);
        kept.storm.refill(STORM, BURST, now);
        let mut frames = kept.second(now);
        frames.extend(kept.refresh(fits, now));
        frames.extend(kept.more(subnet, rules, fits));
        frames
    }

    /// A stranger wants an address of this network.
    pub fn want(&mut self, network: Ipv4Addr, now: Timestamp) {
        if let Some(kept) = self.0.get_mut(&network) {
            kept.wanted = now;
            kept.credit = (kept.credit + 1).min(MAX_ASKED);
        }
    }

    /// What is in stock, from `place` on and around.
    pub fn near(
        &self,
        network: Ipv4Addr,
        place: Ipv4Addr,
        now: Timestamp,
    ) -> impl Iterator<Item = Ipv4Addr> {
        let around = |kept: &'_ Shelf| -> Vec<Ipv4Addr> {
            let proven = kept.proven.range(place..).chain(kept.proven.range(..place));
            let fresh = proven.filter(|(_, since)| !passed(**since, HOLDS, now));
            fresh.map(|(address, _)| *address).take(super::addresses::TRIES).collect()
        };
        self.0.get(&network).map(around).unwrap_or_default().into_iter()
    }

    /// True if the wire was asked about it within the last minute, and nobody answered.
    pub fn is_proven(&self, address: Ipv4Addr, now: Timestamp) -> bool {
        let mut since = self.0.values().filter_map(|kept| kept.proven.get(&address));
        since.any(|since| !passed(*since, HOLDS, now))
    }

    /// Somebody says that an address is its own.
    pub fn hear(&mut self, address: Ipv4Addr, hardware: [u8; 6], now: Timestamp) {
        for kept in self.0.values_mut() {
            let proven = kept.proven.remove(&address).is_some();
            if kept.asked.remove(&address).is_some() || proven {
                kept.in_use.insert(address, (hardware, now));
            }
            if kept.in_use.len() > MAX_IN_USE {
                kept.in_use.pop_first();
            }
        }
    }

    /// It was given to somebody, or the question about it did not leave.
    pub fn remove(&mut self, address: Ipv4Addr) {
        for kept in self.0.values_mut() {
            kept.proven.remove(&address);
            kept.asked.remove(&address);
        }
    }

    /// Nothing that was asked in this network counts: it was asked of a wire without a link, or nobody is to ask.
    pub fn clear(&mut self, network: Ipv4Addr) {
        self.0.remove(&network);
    }

    /// Addresses of a pool that somebody was heard using without a lease, and who.
    pub fn in_use(&self, network: Ipv4Addr) -> impl Iterator<Item = (Ipv4Addr, [u8; 6])> {
        let all = self.0.get(&network).into_iter().flat_map(|kept| &kept.in_use);
        all.map(|(address, (hardware, _))| (*address, *hardware))
    }
}

impl Shelf {
    const fn new(now: Timestamp) -> Self {
        Self {
            proven: BTreeMap::new(),
            asked: BTreeMap::new(),
            in_use: BTreeMap::new(),
            cursor: None,
            wanted: now,
            searched: None,
            credit: 0,
            calm: Budget { left: 0, at: now },
            storm: Budget { left: 0, at: now },
        }
    }

    /// Takes in that nobody answered, and forgets what is too old.
    fn settle(&mut self, now: Timestamp) {
        let silent = |asked: &Asked| passed(asked.since, PATIENCE, now);
        for (address, asked) in self.asked.extract_if(.., |_, asked| silent(asked)) {
            self.proven.insert(address, asked.since);
        }
        // Under a clock that was set back everything is too old.
        self.proven.retain(|_, since| !passed(*since, HOLDS, now));
        self.in_use.retain(|_, (_, at)| !passed(*at, IN_USE, now));
    }

    /// Second frames, as far as there is peace.
    fn second(&mut self, now: Timestamp) -> Vec<Ipv4Addr> {
        let mut frames = Vec::new();
        let once = self.asked.iter_mut().filter(|(_, asked)| !asked.twice);
        for (address, asked) in once.filter(|(_, asked)| passed(asked.since, SECOND, now)) {
            if self.calm.whole() == 0 || self.storm.whole() == 0 {
                break;
            }
            self.calm.spend();
            self.storm.spend();
            asked.twice = true;
            frames.push(*address);
        }
        frames
    }

    /// Asks again about what will be too old soon, and drops what nobody is to get any more.
    fn refresh(&mut self, fits: impl Fn(Ipv4Addr) -> bool, now: Timestamp) -> Vec<Ipv4Addr> {
        let aging = self.proven.iter().filter(|(_, since)| passed(**since, AGAIN, now));
        let aging = aging.map(|(address, _)| *address);
        let aging: Vec<_> = aging.filter(|address| !self.asked.contains_key(address)).collect();
        let mut frames = Vec::new();
        for address in aging {
            if !fits(address) {
                self.proven.remove(&address);
            } else if self.asked.len() < MAX_ASKED && self.spend() {
                // It was asked about before: once will do.
                self.asked.insert(address, Asked { since: now, twice: true });
                frames.push(address);
            }
        }
        frames
    }

    /// Asks about more addresses, as far as the stock has room.
    fn more(
        &mut self,
        subnet: &Subnet,
        rules: &Rules<'_>,
        fits: impl Fn(Ipv4Addr) -> bool,
    ) -> Vec<Ipv4Addr> {
        let now = rules.now;
        if self.searched.is_some_and(|at| !passed(at, REST, now)) {
            return Vec::new();
        }
        let renewed = self.asked.keys().filter(|address| self.proven.contains_key(*address));
        let there = self.proven.len() + self.asked.len() - renewed.count();
        let room = STOCK.saturating_sub(there).min(MAX_ASKED - self.asked.len().min(MAX_ASKED));
        let calm = usize::try_from(self.calm.whole()).unwrap_or(0);
        let storm = usize::try_from(self.storm.whole()).unwrap_or(0);
        let count = room.min(storm).min(self.credit + calm);
        if count == 0 {
            return Vec::new();
        }
        let found = self.search(subnet, rules, fits, count);
        let mut frames = Vec::new();
        for address in found {
            if self.spend() {
                self.asked.insert(address, Asked { since: now, twice: false });
                frames.push(address);
            }
        }
        frames
    }

    /// Addresses for the stock: those that nobody ever had, else those whose lease ended longest ago.
    fn search(
        &mut self,
        subnet: &Subnet,
        rules: &Rules<'_>,
        fits: impl Fn(Ipv4Addr) -> bool,
        count: usize,
    ) -> Vec<Ipv4Addr> {
        let Some((first, _)) = subnet.pool.first() else { return Vec::new() };
        let from = self.cursor.filter(|cursor| is_pooled(subnet, *cursor)).unwrap_or(*first);
        let known = |address: &Ipv4Addr| {
            self.proven.contains_key(address)
                || self.asked.contains_key(address)
                || self.in_use.contains_key(address)
        };
        let mut found = Vec::new();
        let (mut looks, mut cursor) = (0, None);
        for address in unheld(subnet, rules.state, from) {
            if looks == LOOKS || found.len() == count {
                cursor = Some(address);
                break;
            }
            looks += 1;
            if !known(&address) && fits(address) {
                found.push(address);
            }
        }
        if cursor.is_none() {
            let ended = rules.state.ended(rules.now).filter(|address| is_pooled(subnet, *address));
            let ended = ended.filter(|address| !known(address)).take(LOOKS);
            found.extend(ended.filter(|address| fits(*address)).take(count - found.len()));
            if found.len() < count {
                self.searched = Some(rules.now);
            }
        }
        self.cursor = cursor;
        found
    }

    /// Takes one frame off what may be sent.
    fn spend(&mut self) -> bool {
        if self.storm.whole() == 0 {
            return false;
        }
        if self.credit > 0 {
            self.credit -= 1;
        } else if self.calm.whole() > 0 {
            self.calm.spend();
        } else {
            return false;
        }
        self.storm.spend();
        true
    }
}

#[cfg(test)]
mod tests;
