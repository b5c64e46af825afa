//! What was overheard lately and is no fact yet. Nothing here survives a restart, and nothing has to.

use std::{collections::HashMap, hash::Hash, net::Ipv4Addr, time::Duration};

use crate::{
    domain::{ClientKey, Granted, Mac, Timestamp},
    provision::Allowance,
    wire::dhcp::Kind,
};

/// How long an exchange is remembered at least: clients send again for about a minute before they begin anew.
const EXCHANGE: Duration = Duration::from_mins(1);

/// How long an address waits for its holder to show at least, and how long a provisional lease lasts: a phone that has
/// an address asks for its gateway, its time or its files within seconds, and that takes ARP.
pub(super) const PROVISIONAL: Duration = Duration::from_mins(10);

/// How much of each kind is remembered in each of two generations, so at most twice as much in all. When the younger is
/// full, the older is forgotten: then an answer meets no question and is not recorded, and repeats are told twice.
const GENERATION: usize = 16_384;

/// What a client asked for, by which its answers are understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asking {
    /// Servers.
    Discover,
    /// An address that a server offered (SELECTING).
    Select {
        /// The address.
        address: Ipv4Addr,
        /// The server.
        server: Ipv4Addr,
    },
    /// The address of before (INIT-REBOOT).
    Reboot(Ipv4Addr),
    /// More time, from its server (RENEWING).
    Renew(Ipv4Addr),
    /// More time, from any server (REBINDING).
    Rebind(Ipv4Addr),
    /// Options only.
    Inform,
}

impl Asking {
    /// The address that it is about.
    pub const fn address(self) -> Option<Ipv4Addr> {
        match self {
            Self::Discover | Self::Inform => None,
            Self::Select { address, .. }
            | Self::Reboot(address)
            | Self::Renew(address)
            | Self::Rebind(address) => Some(address),
        }
    }

    /// What a lease in answer to this is.
    pub const fn granted(self) -> Granted {
        match self {
            // An ACK straight to a DISCOVER is rapid commit (RFC 4039).
            Self::Discover | Self::Inform | Self::Select { .. } => Granted::Selected,
            Self::Reboot(_) => Granted::Rebooted,
            Self::Renew(_) => Granted::Renewed,
            Self::Rebind(_) => Granted::Rebound,
        }
    }
}

/// A client's question.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// What it asked for.
    pub asking: Asking,
    /// What it is known by.
    pub key: ClientKey,
    /// False if it showed that it is no phone.
    pub phone: bool,
    /// True once its lease is on record.
    pub bound: bool,
    /// The first offer that it got.
    pub offer: Option<Offer>,
}

/// What a server offers: who it is, and what it says that another server could say differently.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Offer {
    /// As it calls itself.
    pub by: Ipv4Addr,
    /// Where its frame came from, if no relay stands between.
    pub hardware: Option<Mac>,
    /// Options 66, 150 and 160 as text, by code.
    pub servers: Vec<(u8, String)>,
    /// Mask and routers, as they travel.
    pub network: [Vec<u8>; 2],
}

/// An address that a client took in the hearing of everybody, and whose ACK may not be heard.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// The address.
    pub address: Ipv4Addr,
    /// What the client is known by.
    pub key: ClientKey,
    /// How it came to the address.
    pub granted: Granted,
}

/// What tells a message that was heard before.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Heard {
    /// A message: its client, its transaction, its kind, and the server where it comes from one.
    Message(Mac, u32, Kind, Ipv4Addr),
    /// A station with its address, by ARP.
    Station(Mac, Ipv4Addr),
}

/// What was overheard lately, on all ports together: one message may come in by several.
#[derive(Debug)]
pub(super) struct Memory {
    exchanges: Recent<(Mac, u32), Exchange>,
    waiting: Recent<Mac, Waiting>,
    heard: Recent<Heard, ()>,
    strangers: Recent<Mac, ()>,
    allowance: Allowance,
}

impl Memory {
    pub fn new() -> Self {
        Self {
            exchanges: Recent::new(EXCHANGE),
            waiting: Recent::new(PROVISIONAL),
            heard: Recent::new(EXCHANGE),
            strangers: Recent::new(PROVISIONAL),
            allowance: Allowance::default(),
        }
    }

    /// What this client asked for in this transaction.
    pub fn exchange(&mut self, mac: Mac, xid: u32, now: Timestamp) -> Option<Exchange> {
        self.exchanges.find(&(mac, xid), now).cloned()
    }

    /// Remembers what a client asks for, in place of what it asked for before in this transaction.
    pub fn ask(&mut self, mac: Mac, xid: u32, exchange: Exchange, now: Timestamp) {
        self.exchanges.put((mac, xid), exchange, now);
    }

    /// The address that waits for this client to show.
    pub fn waiting(&mut self, mac: Mac, now: Timestamp) -> Option<&Waiting> {
        self.waiting.find(&mac, now)
    }

    /// Has an address wait for its client to show.
    pub fn wait(&mut self, mac: Mac, waiting: Waiting, now: Timestamp) {
        self.waiting.put(mac, waiting, now);
    }

    /// No address waits for this client any more.
    pub fn settle(&mut self, mac: Mac) {
        self.waiting.remove(&mac);
    }

    /// A client has given an address up, or lost it. Its last ARP with it, still under way, is no news.
    pub fn give_up(&mut self, mac: Mac, address: Ipv4Addr, now: Timestamp) {
        self.settle(mac);
        self.heard.put(Heard::Station(mac, address), (), now);
    }

    /// True if this was heard a moment ago already; remembers it.
    pub fn is_repeated(&mut self, heard: Heard, now: Timestamp) -> bool {
        let repeated = self.heard.find(&heard, now).is_some();
        self.heard.put(heard, (), now);
        repeated
    }

    /// True if this unknown client may come into the record; one that did counts once.
    pub fn admits_stranger(&mut self, mac: Mac, now: Timestamp) -> bool {
        if self.strangers.find(&mac, now).is_some() {
            return true;
        }
        let admits = self.allowance.admits(now);
        if admits {
            self.strangers.put(mac, (), now);
        }
        admits
    }
}

/// A map that forgets: what was put stays for `hold` at least and twice that at most, unless too much comes.
#[derive(Debug)]
struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// When the younger generation began.
    began: Timestamp,
    hold: Duration,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    fn new(hold: Duration) -> Self {
        let began = Timestamp::UNIX_EPOCH;
        Self { young: HashMap::new(), old: HashMap::new(), began, hold }
    }

    fn find(&mut self, key: &K, now: Timestamp) -> Option<&V> {
        self.turn(now);
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn put(&mut self, key: K, value: V, now: Timestamp) {
        self.turn(now);
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
            self.began = now;
        }
        self.young.insert(key, value);
    }

    fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// A clock that was set back makes everything old: better than to hold it for years.
    fn turn(&mut self, now: Timestamp) {
        let age = Duration::try_from(now.duration_since(self.began)).unwrap_or(Duration::MAX);
        if age >= self.hold {
            self.old = std::mem::take(&mut self.young);
            self.began = now;
        }
        if age >= self.hold.saturating_mul(2) {
            self.old.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn what_was_put_is_forgotten_in_time() {
        let mut recent = Recent::new(EXCHANGE);
        recent.put(1, "one", at(0));
        recent.put(2, "two", at(50));
        assert_eq!(recent.find(&1, at(61)), Some(&"one"));
        recent.put(3, "three", at(100));
        assert_eq!(recent.find(&1, at(121)), None);
        assert_eq!(recent.find(&3, at(121)), Some(&"three"));
        assert_eq!(recent.find(&3, at(100_000)), None);
        recent.put(4, "four", at(100_000));
        assert_eq!(recent.find(&4, at(0)), None, "the clock was set back");
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = Recent::new(EXCHANGE);
        (0..100_000).for_each(|number| recent.put(number, (), at(0)));
        assert!(recent.young.len() + recent.old.len() <= 2 * GENERATION);
        assert!(recent.find(&99_999, at(1)).is_some());
    }
}
