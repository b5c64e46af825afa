//! What a message or an ARP packet between others tells (RFC 2131 §4.3): pure, time is an argument.

use std::{net::Ipv4Addr, time::Duration};

use crate::{
    domain::{Change, ClientKey, Event, Granted, Lease, Mac, Timestamp, What, printable},
    provision::{Client, ClientKind, Provisioner, whereabouts},
    store::State,
    wire::dhcp::{Kind, Message, code},
};

use super::{
    memory::{Asking, Exchange, Heard, Memory, Offer, PROVISIONAL, Waiting},
    reading::{Question, address_of, is_host, key, servers, wanted},
};

/// The most leases that observing brings to the record, ended ones included. No pool bounds them here: at the bound,
/// an address that nobody had before is not recorded any more, so that a liar fills no memory.
pub(super) const MAX_LEASES: usize = 65_536;

/// How long a lease lasts whose length was not heard and is not in the settings. ARP extends it all along.
const UNHEARD: Duration = Duration::from_hours(24);

/// How long a lease lasts that a relay told us about. Renewals go past the relay and past us, so nothing tells its end
/// but the next client that takes the address, and that one is relayed to us too.
const RELAYED: Duration = Duration::from_hours(365 * 24);

/// What is to be done about something overheard.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// A lease begins, goes on or ends: to become fact.
    Commit(Vec<Change>),
    /// What happened, for the record.
    Record(Vec<Change>),
    /// Nothing.
    Ignore(Silence),
}

/// Why nothing comes of something overheard. Each has a counter of its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Silence {
    /// Heard a moment ago already: sent again, or by another way.
    Repeated,
    /// Its sender is known not to be a phone.
    NotPhone,
    /// Too many unknown clients come at once.
    Stranger,
    /// [`MAX_LEASES`] addresses are on record.
    Full,
    /// An address that the message must have is missing.
    Incomplete,
    /// An answer without a question, to somebody unknown.
    Unasked,
    /// It gives back what it does not hold.
    NotItsLease,
    /// A client's message in a server's clothes, or the other way round.
    Disguised,
    /// It tells nothing that is not fact already.
    NothingNew,
}

impl Silence {
    /// The counter's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::NotPhone => "not-a-phone",
            Self::Stranger => "stranger",
            Self::Full => "full",
            Self::Incomplete => "incomplete",
            Self::Unasked => "unasked",
            Self::NotItsLease => "not-its-lease",
            Self::Disguised => "disguised",
            Self::NothingNew => "nothing-new",
        }
    }
}

/// Decides what is new.
#[derive(Debug)]
pub(super) struct Watcher<'a> {
    /// Settings and families.
    pub provisioner: &'a Provisioner,
    /// What is fact.
    pub state: &'a State,
    /// What was overheard lately.
    pub memory: &'a mut Memory,
    /// When it is.
    pub now: Timestamp,
}

impl Watcher<'_> {
    /// A client's message.
    pub fn asked(&mut self, question: &Question<'_>, client: &Client) -> Verdict {
        let message = question.message;
        let phone = !matches!(client.kind, ClientKind::NotPhone(_));
        if phone && !client.known && !self.memory.admits_stranger(client.mac, self.now) {
            return Verdict::Ignore(Silence::Stranger);
        }
        let asking = match message.kind() {
            Kind::Discover => Some(Asking::Discover),
            Kind::Inform => Some(Asking::Inform),
            Kind::Request => match wanted(question) {
                Some(asking) => Some(asking),
                None => return Verdict::Ignore(Silence::Incomplete),
            },
            Kind::Release | Kind::Decline => None,
            Kind::Offer | Kind::Ack | Kind::Nak => return Verdict::Ignore(Silence::Disguised),
        };
        let before = self.memory.exchange(client.mac, message.xid(), self.now);
        let repeated = before.clone().filter(|before| Some(before.asking) == asking);
        if let Some(asking) = asking {
            let bound = repeated.as_ref().is_some_and(|before| before.bound);
            let offer = before.and_then(|before| before.offer);
            let exchange = Exchange { asking, key: key(message, client.mac), phone, bound, offer };
            self.memory.ask(client.mac, message.xid(), exchange, self.now);
        }
        if !phone {
            return Verdict::Ignore(Silence::NotPhone);
        }
        // What was sent to a server a moment ago may come from a relay now, and tells more then.
        if repeated.is_some_and(|before| before.bound || !question.relayed) {
            return Verdict::Ignore(Silence::Repeated);
        }
        match asking {
            Some(Asking::Discover) => {
                let relay = address_of(message.giaddr());
                let (port, shows) = whereabouts(message);
                self.record([What::Discovered { relay, port, shows }], client)
            }
            Some(Asking::Inform) => match address_of(message.ciaddr()) {
                Some(address) => self.record([What::Informed { address }], client),
                None => Verdict::Ignore(Silence::Incomplete),
            },
            Some(asking) => self.requested(question, asking, client),
            None if message.kind() == Kind::Release => self.released(message, client),
            None => self.declined(message, client),
        }
    }

    /// A REQUEST: what its client takes or keeps.
    fn requested(&mut self, question: &Question<'_>, asking: Asking, client: &Client) -> Verdict {
        let Some(address) = asking.address().filter(|address| is_host(*address)) else {
            return Verdict::Ignore(Silence::Incomplete);
        };
        let key = key(question.message, client.mac);
        if question.relayed {
            let (phone, bound, offer) = (true, true, None);
            let exchange = Exchange { asking, key: key.clone(), phone, bound, offer };
            self.memory.ask(client.mac, question.message.xid(), exchange, self.now);
            if !self.has_room(&key, address) {
                return Verdict::Ignore(Silence::Full);
            }
            let mut changes = self.bind((client.mac, key, address), RELAYED, asking.granted());
            changes.extend(self.changes([], client));
            return Verdict::Commit(changes);
        }
        if question.unicast {
            // A renewal says nothing until it is answered.
            return self.record([], client);
        }
        let waiting = Waiting { address, key: key.clone(), granted: asking.granted() };
        self.memory.wait(client.mac, waiting, self.now);
        let server = match asking {
            Asking::Select { server, .. } => Some(server),
            _ => None,
        };
        let happened = [What::Requested { address, server }];
        let holder = self.state.holder(address, self.now);
        // Nobody loses an address before its server gave it away, and nobody's lease gets shorter.
        if holder.is_some() || !self.has_room(&key, address) {
            return self.record(happened, client);
        }
        let lease = self.lease((client.mac, key, address), PROVISIONAL);
        let mut changes = vec![Change::Leased(lease)];
        changes.extend(self.changes(happened, client));
        Verdict::Commit(changes)
    }

    fn released(&mut self, message: &Message<'_>, client: &Client) -> Verdict {
        let Some(address) = address_of(message.ciaddr()) else {
            return Verdict::Ignore(Silence::Incomplete);
        };
        if !self.holds(client.mac, address) {
            return Verdict::Ignore(Silence::NotItsLease);
        }
        self.memory.give_up(client.mac, address, self.now);
        let mut changes = vec![Change::Released { address, at: self.now }];
        changes.extend(self.changes([What::Released { address }], client));
        Verdict::Commit(changes)
    }

    /// The client found the address in use; whom it belongs to is the other server's to find out.
    fn declined(&mut self, message: &Message<'_>, client: &Client) -> Verdict {
        let Some(address) = message.address(code::REQUESTED) else {
            return Verdict::Ignore(Silence::Incomplete);
        };
        let heard = Heard::Message(client.mac, message.xid(), Kind::Decline, address);
        if self.memory.is_repeated(heard, self.now) {
            return Verdict::Ignore(Silence::Repeated);
        }
        self.ended(address, What::Declined { address }, client)
    }

    /// A server's message; `hardware` is where its frame came from.
    pub fn answered(
        &mut self,
        message: &Message<'_>,
        hardware: Option<Mac>,
        client: &Client,
    ) -> Verdict {
        let exchange = self.memory.exchange(client.mac, message.xid(), self.now);
        if exchange.as_ref().is_some_and(|exchange| !exchange.phone) {
            return Verdict::Ignore(Silence::NotPhone);
        }
        if exchange.is_none() && !client.known {
            return Verdict::Ignore(Silence::Unasked);
        }
        let server = message.address(code::SERVER_ID).unwrap_or_else(|| message.siaddr());
        let heard = Heard::Message(client.mac, message.xid(), message.kind(), server);
        match (message.kind(), exchange) {
            (Kind::Ack, exchange) => self.acknowledged(message, server, exchange, client),
            (Kind::Offer | Kind::Nak, None) => Verdict::Ignore(Silence::Unasked),
            (Kind::Offer | Kind::Nak, _) if self.memory.is_repeated(heard, self.now) => {
                Verdict::Ignore(Silence::Repeated)
            }
            (Kind::Offer, Some(exchange)) => match address_of(message.yiaddr()) {
                Some(address) => {
                    let offer = Offer::read(message, server, hardware);
                    let rival = self.rival(exchange, offer, message.xid(), client);
                    self.record([What::Offered { address }].into_iter().chain(rival), client)
                }
                None => Verdict::Ignore(Silence::Incomplete),
            },
            (Kind::Nak, Some(exchange)) => self.denied(message, server, &exchange, client),
            (Kind::Discover | Kind::Request | Kind::Decline | Kind::Release | Kind::Inform, _) => {
                Verdict::Ignore(Silence::Disguised)
            }
        }
    }

    /// A server that offers something else than the one before it in the same exchange. Two that say the same are a pair
    /// that shares the work; of two that differ, the one that does not send phones to us is the stranger, else the later.
    fn rival(
        &mut self,
        exchange: Exchange,
        offer: Offer,
        xid: u32,
        client: &Client,
    ) -> Option<What> {
        let Some(first) = &exchange.offer else {
            let exchange = Exchange { offer: Some(offer), ..exchange };
            self.memory.ask(client.mac, xid, exchange, self.now);
            return None;
        };
        let differs = (&first.servers, &first.network) != (&offer.servers, &offer.network);
        if first.by == offer.by || !differs {
            return None;
        }
        let ours = |offer: &Offer| {
            let subnets = &self.provisioner.settings().dhcp.subnets;
            let known = subnets.iter().flat_map(|subnet| &subnet.servers);
            let known: Vec<String> = known.map(ToString::to_string).collect();
            offer.servers.iter().any(|(_, text)| known.iter().any(|one| text.contains(one)))
        };
        let (stranger, other) =
            if ours(&offer) && !ours(first) { (first, &offer) } else { (&offer, first) };
        let (server, hardware, beside) = (stranger.by, stranger.hardware, Some(other.by));
        Some(What::Rivalled { server, hardware, beside })
    }

    fn acknowledged(
        &mut self,
        message: &Message<'_>,
        server: Ipv4Addr,
        exchange: Option<Exchange>,
        client: &Client,
    ) -> Verdict {
        let told = What::Told { by: server, servers: servers(message) };
        let informed = |exchange: &Exchange| exchange.asking == Asking::Inform;
        let Some(address) = address_of(message.yiaddr()).filter(|address| is_host(*address)) else {
            let heard = Heard::Message(client.mac, message.xid(), Kind::Ack, server);
            if !exchange.as_ref().is_some_and(informed) {
                return Verdict::Ignore(Silence::Incomplete);
            }
            if self.memory.is_repeated(heard, self.now) {
                return Verdict::Ignore(Silence::Repeated);
            }
            return self.record([told], client);
        };
        let key = self.key_of(message, exchange.as_ref(), address, client.mac);
        if !self.has_room(&key, address) {
            return Verdict::Ignore(Silence::Full);
        }
        let renews = self.holds(client.mac, address);
        let unasked = if renews { Granted::Renewed } else { Granted::Selected };
        let granted = exchange.as_ref().map_or(unasked, |exchange| exchange.asking.granted());
        let bound = exchange.as_ref().is_some_and(|exchange| exchange.bound);
        if let Some(exchange) = exchange {
            let exchange = Exchange { bound: true, ..exchange };
            self.memory.ask(client.mac, message.xid(), exchange, self.now);
        }
        self.memory.settle(client.mac);
        let given = message.number(code::LEASE_TIME).map(u64::from).map(Duration::from_secs);
        let term = given.unwrap_or_else(|| self.usual(address));
        let lease = self.lease((client.mac, key, address), term);
        if bound && self.state.leases.get(&address).is_some_and(|fact| is_same(fact, &lease)) {
            return Verdict::Ignore(Silence::Repeated);
        }
        let mut happened = Vec::new();
        if !bound {
            happened.push(What::Leased { address, until: lease.until, granted });
            let fresh = matches!(granted, Granted::Selected | Granted::Rebooted);
            happened.extend((fresh && client.kind == ClientKind::Phone).then_some(told));
        }
        let mut changes = vec![Change::Leased(lease)];
        changes.extend(self.changes(happened, client));
        Verdict::Commit(changes)
    }

    fn denied(
        &mut self,
        message: &Message<'_>,
        server: Ipv4Addr,
        exchange: &Exchange,
        client: &Client,
    ) -> Verdict {
        let Some(address) = exchange.asking.address() else {
            return Verdict::Ignore(Silence::Unasked);
        };
        let words = message.option(code::MESSAGE).map(printable).filter(|text| !text.is_empty());
        let why = format!("{server} says {}", words.as_deref().unwrap_or("no"));
        // The client gives it up, whoever said so (RFC 2131 §4.4.1): no more is it its own.
        self.ended(address, What::Nak { address, why }, client)
    }

    /// A station that uses an address, by ARP.
    pub fn uses(&mut self, mac: Mac, address: Ipv4Addr) -> Verdict {
        let waiting = self.memory.waiting(mac, self.now);
        if let Some(waiting) = waiting.filter(|waiting| waiting.address == address).cloned() {
            self.memory.settle(mac);
            if !self.has_room(&waiting.key, address) {
                return Verdict::Ignore(Silence::Full);
            }
            let term = self.usual(address);
            return Verdict::Commit(self.bind((mac, waiting.key, address), term, waiting.granted));
        }
        let Some(lease) = self.state.leases.get(&address).filter(|lease| lease.mac == mac) else {
            return Verdict::Ignore(Silence::NothingNew);
        };
        // Who uses its address past half of its time has renewed it, out of our hearing.
        let term = self.renewed(lease);
        if later(self.now, term / 2) < lease.until
            || self.memory.is_repeated(Heard::Station(mac, address), self.now)
        {
            return Verdict::Ignore(Silence::NothingNew);
        }
        Verdict::Commit(self.bind((mac, lease.client.clone(), address), term, Granted::Renewed))
    }

    /// How long a lease of this address lasts, where nobody said.
    fn usual(&self, address: Ipv4Addr) -> Duration {
        let mut subnets = self.provisioner.settings().dhcp.subnets.iter();
        let subnet = subnets.find(|subnet| subnet.contains(address));
        subnet.map_or(UNHEARD, |subnet| subnet.lease_time)
    }

    /// How much longer a lease lasts that was renewed unheard: as long as it lasted so far, within reason.
    fn renewed(&self, lease: &Lease) -> Duration {
        let lasted = Duration::try_from(lease.until.duration_since(lease.since));
        let most = self.usual(lease.address).max(PROVISIONAL);
        lasted.unwrap_or_default().clamp(PROVISIONAL, most)
    }

    /// A lease from now on, and that it was granted.
    fn bind(
        &self,
        who: (Mac, ClientKey, Ipv4Addr),
        term: Duration,
        granted: Granted,
    ) -> Vec<Change> {
        let mac = who.0;
        let lease = self.lease(who, term);
        let what = What::Leased { address: lease.address, until: lease.until, granted };
        vec![Change::Leased(lease), Change::Happened(mac, Event { at: self.now, what })]
    }

    /// A lease from now on; one that goes on keeps its beginning.
    fn lease(&self, (mac, client, address): (Mac, ClientKey, Ipv4Addr), term: Duration) -> Lease {
        let before = self.state.holder(address, self.now).filter(|lease| lease.mac == mac);
        let since = before.map_or(self.now, |lease| lease.since);
        Lease { address, client, mac, since, until: later(self.now, term) }
    }

    /// Something took the address from its client: the lease ends, if it had one.
    fn ended(&mut self, address: Ipv4Addr, happened: What, client: &Client) -> Verdict {
        self.memory.give_up(client.mac, address, self.now);
        let changes = self.changes([happened], client);
        if self.holds(client.mac, address) {
            let released = Change::Released { address, at: self.now };
            Verdict::Commit([vec![released], changes].concat())
        } else {
            Verdict::Record(changes)
        }
    }

    fn holds(&self, mac: Mac, address: Ipv4Addr) -> bool {
        self.state.holder(address, self.now).is_some_and(|lease| lease.mac == mac)
    }

    /// True if a lease may be recorded: it replaces one, or there is room for one more.
    fn has_room(&self, client: &ClientKey, address: Ipv4Addr) -> bool {
        self.state.leases.len() < MAX_LEASES
            || self.state.leases.contains_key(&address)
            || self.state.clients.contains_key(client)
    }

    /// What a client is known by: as it said itself, now or before. So its address stays its own where this server
    /// takes over from the other one.
    fn key_of(
        &self,
        message: &Message<'_>,
        exchange: Option<&Exchange>,
        address: Ipv4Addr,
        mac: Mac,
    ) -> ClientKey {
        // A server repeats it since RFC 6842.
        let said = message.client_id().map(ClientKey::identifier);
        let known = || self.state.leases.get(&address).filter(|lease| lease.mac == mac);
        said.or_else(|| exchange.map(|exchange| exchange.key.clone()))
            .or_else(|| known().map(|lease| lease.client.clone()))
            .unwrap_or_else(|| ClientKey::hardware(mac))
    }

    fn record(&self, happened: impl IntoIterator<Item = What>, client: &Client) -> Verdict {
        let changes = self.changes(happened, client);
        if changes.is_empty() {
            Verdict::Ignore(Silence::NothingNew)
        } else {
            Verdict::Record(changes)
        }
    }

    fn changes(&self, happened: impl IntoIterator<Item = What>, client: &Client) -> Vec<Change> {
        let events = happened.into_iter().map(|what| {
            let event = Event { at: self.now, what };
            Change::Happened(client.mac, event)
        });
        let grounds =
            client.grounds.iter().map(|ground| Change::Showed(client.mac, ground.clone()));
        events.chain(grounds).collect()
    }
}

/// True if one lease tells what the other does: the same ACK, heard twice.
fn is_same(one: &Lease, other: &Lease) -> bool {
    let apart = one.until.duration_since(other.until).unsigned_abs();
    one.mac == other.mac && one.client == other.client && apart < Duration::from_secs(2)
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    let by = jiff::SignedDuration::try_from(by).unwrap_or(jiff::SignedDuration::MAX);
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}
