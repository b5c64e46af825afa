//! Which addresses and numbers are held, so that the next one that is not is found without a walk.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    net::Ipv4Addr,
};

use crate::domain::{Lease, Mac, Quarantine, Timestamp};

use super::{State, runs::Runs};

/// Addresses with a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Addresses {
    /// Those with a lease, ended or not.
    leased: Runs,
    /// Leases by their end.
    ends: BTreeSet<(Timestamp, Ipv4Addr)>,
    /// Quarantines by their end.
    aside: BTreeSet<(Timestamp, Ipv4Addr)>,
}

impl Addresses {
    /// Takes in all that there is.
    pub(super) fn fill(
        &mut self,
        leases: &BTreeMap<Ipv4Addr, Lease>,
        quarantine: &BTreeMap<Ipv4Addr, Quarantine>,
    ) {
        self.ends = leases.iter().map(|(address, lease)| (lease.until, *address)).collect();
        self.aside = quarantine.values().map(|one| (one.until, one.address)).collect();
        for address in leases.keys() {
            self.leased.insert(number(*address));
        }
    }

    pub(super) fn lease(
        &mut self,
        address: Ipv4Addr,
        before: Option<&Lease>,
        after: Option<&Lease>,
    ) {
        if let Some(before) = before {
            self.ends.remove(&(before.until, address));
        }
        match after {
            Some(after) => {
                self.ends.insert((after.until, address));
                self.leased.insert(number(address));
            }
            None => self.leased.remove(number(address)),
        }
    }

    pub(super) fn set_aside(&mut self, before: Option<&Quarantine>, after: &Quarantine) {
        if let Some(before) = before {
            self.aside.remove(&(before.until, before.address));
        }
        self.aside.insert((after.until, after.address));
    }
}

/// Numbers that a line has, or that were given away.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    /// By how many digits they are written with: `0100` is another number than `100`.
    taken: BTreeMap<usize, Runs>,
    /// Numbers given away, by phone.
    given: BTreeSet<(Mac, String)>,
}

impl Numbers {
    pub(super) fn take(&mut self, number: &str) {
        if let Some((digits, value)) = read(number) {
            self.taken.entry(digits).or_default().insert(value);
        }
    }

    /// No line has it any more, and it was never given away.
    pub(super) fn free(&mut self, number: &str) {
        if let Some((digits, value)) = read(number)
            && let Some(runs) = self.taken.get_mut(&digits)
        {
            runs.remove(value);
            if *runs == Runs::default() {
                self.taken.remove(&digits);
            }
        }
    }

    pub(super) fn give(&mut self, number: &str, before: Option<Mac>, phone: Mac) {
        if let Some(before) = before {
            self.given.remove(&(before, number.to_owned()));
        }
        self.given.insert((phone, number.to_owned()));
        self.take(number);
    }
}

impl State {
    /// Addresses between two, both included, that have no lease and had none. O(log n) for each.
    pub fn unheld(&self, first: Ipv4Addr, last: Ipv4Addr) -> impl Iterator<Item = Ipv4Addr> {
        let (mut next, last) = (number(first), number(last));
        iter::from_fn(move || {
            let gap = self.index.addresses.leased.gap(next).filter(|gap| *gap <= last);
            next = gap.map_or(u64::MAX, |gap| gap + 1);
            gap.and_then(|gap| u32::try_from(gap).ok()).map(Ipv4Addr::from)
        })
    }

    /// Addresses whose lease is over, the one that ended longest ago first.
    pub fn ended(&self, now: Timestamp) -> impl Iterator<Item = Ipv4Addr> {
        let ends = self.index.addresses.ends.iter();
        ends.take_while(move |(until, _)| *until <= now).map(|(_, address)| *address)
    }

    /// Quarantines, the one that ends last first.
    pub fn latest_aside(&self) -> impl Iterator<Item = &Quarantine> {
        let ends = self.index.addresses.aside.iter().rev();
        ends.filter_map(|(_, address)| self.quarantine.get(address))
    }

    /// The numbers that were given to a phone for ever, in the order of their text.
    pub fn given(&self, phone: Mac) -> impl Iterator<Item = &str> {
        let all = self.index.given.given.range((phone, String::new())..);
        all.take_while(move |(holder, _)| *holder == phone).map(|(_, number)| number.as_str())
    }

    /// The first number of a range, both ends included, written with at least `width` digits, that no line has and that
    /// nobody was given. O(log n).
    #[must_use]
    pub fn free_number(&self, first: u64, last: u64, width: usize) -> Option<String> {
        let mut next = first;
        while next <= last {
            let text = format!("{next:0width$}");
            let taken = self.index.given.taken.get(&text.len());
            let free = taken.map_or(Some(next), |taken| taken.gap(next))?;
            if free == next {
                return Some(text);
            }
            // Longer ones are another set.
            let digits = u32::try_from(text.len()).ok()?;
            next = 10_u64.checked_pow(digits).map_or(free, |longer| free.min(longer));
        }
        None
    }
}

fn number(address: Ipv4Addr) -> u64 {
    u32::from(address).into()
}

/// A number's digits and its value; `None` for what auto-registration never gives.
fn read(number: &str) -> Option<(usize, u64)> {
    let digits = number.bytes().all(|octet| octet.is_ascii_digit());
    Some((number.len(), number.parse().ok().filter(|_| digits)?))
}
