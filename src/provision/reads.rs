//! What a report was worked out from besides its own phone and the settings, noted as it is read: by that is known when
//! it has to be worked out again, and when not.

use std::{
    cell::{Cell, RefCell},
    net::Ipv4Addr,
    time::Duration,
};

use crate::domain::{Mac, Timestamp};

/// What one report has read.
#[derive(Debug)]
pub(super) struct Reads {
    now: Timestamp,
    due: Cell<Timestamp>,
    window: Cell<bool>,
    addresses: RefCell<Vec<Ipv4Addr>>,
    near: RefCell<Vec<Mac>>,
    around: RefCell<Vec<Mac>>,
}

/// The same once the report is made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    /// Before this moment the passing of time alone changes nothing.
    pub due: Timestamp,
    /// The auto-registration window was looked at.
    pub window: bool,
    /// Whose leases and quarantines were looked at.
    pub addresses: Vec<Ipv4Addr>,
    /// MACs of which it was asked who is within two mistakes, or whether they are listed.
    pub near: Vec<Mac>,
    /// MACs of which it was asked who comes anywhere near.
    pub around: Vec<Mac>,
}

impl Reads {
    /// Nothing read yet, at this moment.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            due: Cell::new(Timestamp::MAX),
            window: Cell::default(),
            addresses: RefCell::default(),
            near: RefCell::default(),
            around: RefCell::default(),
        }
    }

    /// True if a moment has come. The only way in which a report looks at the clock.
    pub fn has_come(&self, moment: Timestamp) -> bool {
        let come = self.now >= moment;
        if !come && moment < self.due.get() {
            self.due.set(moment);
        }
        come
    }

    /// True once it is `time` ago, to the nanosecond, or longer.
    pub fn is_past(&self, then: Timestamp, time: Duration) -> bool {
        // What lies behind the end of all times never comes.
        then.checked_add(time).is_ok_and(|moment| self.has_come(moment))
    }

    /// Whole minutes ago; nothing for what is yet to come.
    pub fn minutes(&self, then: Timestamp) -> u64 {
        let minutes = self.seconds(then) / 60;
        self.is_past(then, Duration::from_mins(minutes + 1));
        minutes
    }

    /// The same, and a minute that has begun counts.
    pub fn minutes_begun(&self, then: Timestamp) -> u64 {
        let minutes = self.seconds(then).div_ceil(60);
        self.is_past(then, Duration::from_secs(minutes * 60 + 1));
        minutes
    }

    fn seconds(&self, then: Timestamp) -> u64 {
        u64::try_from(self.now.duration_since(then).as_secs()).unwrap_or_default()
    }

    /// The auto-registration window is looked at.
    pub fn window(&self) {
        self.window.set(true);
    }

    /// The lease or the quarantine of an address is looked at.
    pub fn address(&self, address: Ipv4Addr) {
        note(&self.addresses, address);
    }

    /// It is asked who is within two mistakes of a MAC, or whether it is listed.
    pub fn near(&self, mac: Mac) {
        note(&self.near, mac);
    }

    /// It is asked whether anybody comes anywhere near a MAC.
    pub fn around(&self, mac: Mac) {
        note(&self.around, mac);
    }

    /// The report is made.
    pub fn done(self) -> Read {
        Read {
            due: self.due.into_inner(),
            window: self.window.into_inner(),
            addresses: self.addresses.into_inner(),
            near: self.near.into_inner(),
            around: self.around.into_inner(),
        }
    }
}

/// Lists are short: who asks about many MACs gives up at a few dozen.
fn note<T: Eq>(list: &RefCell<Vec<T>>, one: T) {
    let mut list = list.borrow_mut();
    if !list.contains(&one) {
        list.push(one);
    }
}
