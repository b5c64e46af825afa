//! Promises: which address was offered to whom a moment ago. Nothing here survives a restart, and nothing has to.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv4Addr,
    time::Duration,
};

use crate::{
    domain::{ClientKey, Timestamp},
    provision::Allowance,
};

use super::{shares::Shares, stock::Stock};

/// How long an offer is held. Clients that take it do so within a second; the slowest retransmit after about ten.
const HOLD: Duration = Duration::from_mins(1);

/// When an unclaimed offer may be taken back for somebody else, where no other address is left.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The same for a phone that the operator listed: a flood of invented clients, each with an offer that it never takes,
/// must not keep it out. Whoever does take his offer does so within a second, and else meets a NAK and begins anew.
pub(super) const PATIENCE_OF_LISTED: Duration = Duration::from_secs(2);

/// The most offers held at once; for one more the oldest is dropped, whose client then may meet its address taken.
const MAX_OFFERS: usize = 16_384;

/// How many of the oldest offers are looked at when one is to be taken back.
const MAX_LOOKED_AT: usize = 256;

/// How long a full pool is not searched again.
const REST: Duration = Duration::from_secs(1);

/// What was answered to one client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Offer {
    /// The address; `None` for a client that got none, and whose case was reported.
    pub address: Option<Ipv4Addr>,
    /// The transaction.
    pub xid: u32,
    made: Timestamp,
    /// The network whose share for strangers it counts against, until it is taken.
    stranger_in: Option<Ipv4Addr>,
    /// Place in the order of age.
    turn: u64,
}

/// The offers of all ports of the server.
#[derive(Debug)]
pub(super) struct Offers {
    clients: HashMap<ClientKey, Offer>,
    addresses: HashMap<Ipv4Addr, ClientKey>,
    ages: BTreeMap<u64, ClientKey>,
    /// Those of them with an address that was not taken: in a flood, clients that got none are by far the most.
    promised: BTreeMap<u64, ClientKey>,
    turn: u64,
    /// Networks whose pools were found full, and when.
    full: HashMap<Ipv4Addr, Timestamp>,
    allowance: Allowance,
    pub(super) shares: Shares,
    pub(super) stock: Stock,
}

impl Offers {
    pub fn new() -> Self {
        Self {
            clients: HashMap::new(),
            addresses: HashMap::new(),
            ages: BTreeMap::new(),
            promised: BTreeMap::new(),
            turn: 0,
            full: HashMap::new(),
            allowance: Allowance::default(),
            shares: Shares::default(),
            stock: Stock::default(),
        }
    }

    /// Drops what is too old.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some((_, client)) = self.ages.first_key_value() {
            let old = self.clients.get(client).is_none_or(|offer| passed(offer.made, HOLD, now));
            if !old {
                return;
            }
            let client = client.clone();
            self.free(&client);
        }
    }

    /// What this client was answered.
    pub fn find(&self, client: &ClientKey) -> Option<Offer> {
        self.clients.get(client).copied()
    }

    /// Whom an address was offered to.
    pub fn holder(&self, address: Ipv4Addr) -> Option<&ClientKey> {
        self.addresses.get(&address)
    }

    /// Remembers what this client is answered now, in place of what it was answered before.
    pub fn put(&mut self, client: &ClientKey, address: Option<Ipv4Addr>, xid: u32, now: Timestamp) {
        self.free(client);
        if self.clients.len() >= MAX_OFFERS
            && let Some((_, oldest)) = self.ages.first_key_value()
        {
            let oldest = oldest.clone();
            self.free(&oldest);
        }
        self.turn += 1;
        let offer = Offer { address, xid, made: now, stranger_in: None, turn: self.turn };
        self.clients.insert(client.clone(), offer);
        self.ages.insert(self.turn, client.clone());
        if let Some(address) = address {
            self.stock.remove(address);
            self.addresses.insert(address, client.clone());
            self.promised.insert(self.turn, client.clone());
        }
    }

    /// Counts the offer of this client against the share that strangers have of a network.
    pub fn count(&mut self, client: &ClientKey, network: Ipv4Addr) {
        if let Some(offer) = self.clients.get_mut(client).filter(|it| it.stranger_in.is_none()) {
            offer.stranger_in = Some(network);
            self.shares.promise(network);
        }
    }

    /// The client takes its offer: nobody else gets it, and who holds a lease counts as such from now on.
    pub fn taken(&mut self, client: &ClientKey) {
        let Some(offer) = self.clients.get_mut(client) else { return };
        self.promised.remove(&offer.turn);
        if let (Some(network), Some(address)) = (offer.stranger_in.take(), offer.address) {
            self.shares.taken(network, address, offer.made.checked_add(HOLD).unwrap_or(offer.made));
        }
    }

    /// Forgets what this client was answered.
    pub fn free(&mut self, client: &ClientKey) {
        let Some(offer) = self.clients.remove(client) else { return };
        self.ages.remove(&offer.turn);
        self.promised.remove(&offer.turn);
        if let Some(network) = offer.stranger_in {
            self.shares.settle(network);
        }
        if let Some(address) = offer.address {
            self.addresses.remove(&address);
        }
    }

    /// Takes the oldest unclaimed offer of a fitting address back, unless it is younger than `patience`.
    pub fn reclaim(
        &mut self,
        fits: impl Fn(Ipv4Addr) -> bool,
        patience: Duration,
        now: Timestamp,
    ) -> Option<Ipv4Addr> {
        let oldest = self.promised.values().take(MAX_LOOKED_AT);
        let offers = oldest.filter_map(|client| Some((client, self.clients.get(client)?)));
        // In the order of their age: behind the first one that is too young none is old enough.
        let mut old = offers.take_while(|(_, offer)| passed(offer.made, patience, now));
        let (client, address) = old.find_map(|(client, offer)| {
            Some((client.clone(), offer.address.filter(|address| fits(*address))?))
        })?;
        self.free(&client);
        Some(address)
    }

    /// True if the pools of this network were found full just now.
    pub fn is_full(&self, network: Ipv4Addr, now: Timestamp) -> bool {
        self.full.get(&network).is_some_and(|at| !passed(*at, REST, now))
    }

    /// Remembers that the pools of this network are full. Only networks of the settings come here.
    pub fn set_full(&mut self, network: Ipv4Addr, now: Timestamp) {
        self.full.insert(network, now);
    }

    /// The stock, and whom addresses are promised to: who stocks up leaves those out.
    pub fn stock_and_holders(&mut self) -> (&mut Stock, &HashMap<Ipv4Addr, ClientKey>) {
        (&mut self.stock, &self.addresses)
    }

    /// True if one more unknown client may come into the record now. Beyond that they are served all the same, but
    /// recorded only when they take a lease.
    pub fn admits_stranger(&mut self, now: Timestamp) -> bool {
        self.allowance.admits(now)
    }
}

/// True if that long has passed. A clock that was set back makes everything pass: better than to hold it for years.
pub(super) fn passed(since: Timestamp, patience: Duration, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(since)).map_or(true, |age| age >= patience)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn client(number: usize) -> ClientKey {
        ClientKey::identifier(&number.to_be_bytes())
    }

    fn address(number: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0a14_0000 + number)
    }

    #[test]
    fn an_offer_is_held_for_a_minute() {
        let mut offers = Offers::new();
        offers.put(&client(1), Some(address(1)), 7, at(0));
        offers.expire(at(59));
        assert_eq!(offers.holder(address(1)), Some(&client(1)));
        assert_eq!(offers.find(&client(1)).map(|offer| offer.xid), Some(7));
        offers.expire(at(60));
        assert_eq!((offers.holder(address(1)), offers.find(&client(1))), (None, None));
    }

    #[test]
    fn another_offer_replaces_the_first() {
        let mut offers = Offers::new();
        offers.put(&client(1), Some(address(1)), 7, at(0));
        offers.put(&client(1), Some(address(2)), 8, at(1));
        assert_eq!(offers.holder(address(1)), None);
        assert_eq!(offers.holder(address(2)), Some(&client(1)));
        offers.free(&client(1));
        assert!(offers.clients.is_empty() && offers.addresses.is_empty());
        assert!(offers.ages.is_empty() && offers.promised.is_empty());
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut offers = Offers::new();
        for number in 0..=MAX_OFFERS {
            let address = address(u32::try_from(number).unwrap());
            offers.put(&client(number), Some(address), 0, at(0));
        }
        assert_eq!(offers.clients.len(), MAX_OFFERS);
        assert_eq!((offers.addresses.len(), offers.ages.len()), (MAX_OFFERS, MAX_OFFERS));
        assert_eq!(offers.find(&client(0)), None);
        assert_eq!(offers.reclaim(|_| true, PATIENCE, at(9)), None, "too young");
        let other = |one| one != address(1);
        assert_eq!(offers.reclaim(other, PATIENCE, at(10)), Some(address(2)));
    }

    #[test]
    fn an_offer_is_found_behind_any_number_of_clients_that_got_none() {
        let mut offers = Offers::new();
        (0..1000).for_each(|number| offers.put(&client(number), None, 0, at(0)));
        offers.put(&client(1000), Some(address(1)), 0, at(0));
        assert_eq!(offers.reclaim(|_| true, PATIENCE, at(10)), Some(address(1)));
        assert!(offers.promised.is_empty());
    }

    #[test]
    fn a_clock_set_back_frees_everything() {
        let mut offers = Offers::new();
        offers.put(&client(1), Some(address(1)), 7, at(1000));
        offers.expire(at(0));
        assert_eq!(offers.find(&client(1)), None);
    }
}
