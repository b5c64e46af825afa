//! What is due to a message (RFC 2131 §4.3): pure, time is an argument.

use std::{net::Ipv4Addr, time::Duration};

use crate::{
    domain::{
        Batch, Change, Claim, ClientKey, Event, Granted, Ground, Lease, Timestamp, Unserved, What,
    },
    provision::{Admit, Client, ClientKind, Option82, Provisioner, Subnet, plugged, whereabouts},
    store::State,
    wire::dhcp::{Kind, Message, Reply, code},
};

mod aside;

pub(super) use super::silence::Silence;
use super::{
    addresses::{Addresses, Rules},
    arrival::Arrival,
    offers::{Offers, PATIENCE, PATIENCE_OF_LISTED},
    replies::Replies,
};

/// What is due.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// A reply, at once.
    Answer {
        /// What leaves.
        reply: Reply,
        /// What goes into the record.
        changes: Vec<Change>,
        /// The address in it, where the wire is to be asked first whether somebody uses it (RFC 5227): it is not known
        /// to be this client's.
        unproven: Option<Ipv4Addr>,
    },
    /// Something becomes fact first.
    Bind {
        /// What leaves once the batch is fact; RELEASE and DECLINE get no reply.
        reply: Option<Reply>,
        /// What is to become fact.
        batch: Batch,
    },
    /// No answer.
    Ignore {
        /// Why.
        silence: Silence,
        /// What goes into the record all the same.
        changes: Vec<Change>,
    },
}

/// Decides about messages.
#[derive(Debug)]
pub(super) struct Responder<'a> {
    /// Settings and families.
    pub provisioner: &'a Provisioner,
    /// What is fact.
    pub state: &'a State,
    /// What was promised.
    pub offers: &'a mut Offers,
    /// When it is.
    pub now: Timestamp,
}

/// One message with what was found out about it.
struct Case<'a> {
    arrival: &'a Arrival<'a>,
    client: &'a Client,
    key: ClientKey,
    /// The subnets of the link that the client is on.
    subnets: Vec<&'a Subnet>,
}

impl<'a> Case<'a> {
    const fn message(&self) -> &'a Message<'a> {
        self.arrival.message
    }

    fn discovered(&self) -> What {
        let (port, shows) = whereabouts(self.message());
        What::Discovered { relay: self.arrival.relay(), port, shows }
    }

    fn subnet_of(&self, address: Ipv4Addr) -> Option<&'a Subnet> {
        self.subnets.iter().find(|subnet| subnet.contains(address)).copied()
    }
}

impl<'a> Responder<'a> {
    /// Decides what is due to a message.
    pub fn decide(&mut self, arrival: &'a Arrival<'a>, client: &'a Client) -> Verdict {
        self.offers.expire(self.now);
        if self.is_stray(arrival) {
            return ignore(Silence::StrayRelay);
        }
        let case = self.case(arrival, client);
        match arrival.message.kind() {
            Kind::Discover => self.discover(&case),
            Kind::Request => self.request(&case),
            Kind::Decline => self.decline(&case),
            Kind::Release => self.release(&case),
            Kind::Inform => self.inform(&case),
            Kind::Offer | Kind::Ack | Kind::Nak => ignore(Silence::FromServer),
        }
    }

    fn link(&self, arrival: &Arrival<'_>) -> Vec<&'a Subnet> {
        let all = self.provisioner.settings().dhcp.subnets.iter();
        match arrival.remote_link() {
            Some(remote) => all.filter(|subnet| subnet.contains(remote)).collect(),
            None => all
                .filter(|subnet| arrival.own.iter().any(|(own, _)| subnet.contains(*own)))
                .collect(),
        }
    }

    /// True for a relay that only the message names. A relay is in the subnet that it serves, or it asks for one by link
    /// selection (RFC 3527) from an address of its own: then that is where the datagram came from. Everything else would
    /// have us send replies to anybody's address (RFC 3046 §5).
    fn is_stray(&self, arrival: &Arrival<'_>) -> bool {
        let subnets = &self.provisioner.settings().dhcp.subnets;
        let knows = |relay| subnets.iter().any(|subnet| subnet.contains(relay));
        arrival.relay().is_some_and(|relay| !knows(relay) && *arrival.peer.ip() != relay)
    }

    fn discover(&mut self, case: &Case<'a>) -> Verdict {
        if case.subnets.is_empty() {
            return self.unserved(case, Silence::NoSubnet, Unserved::NoSubnet);
        }
        // Several subnets on one wire may want different clients: phones one of them, everybody else another.
        let admit = case.subnets.iter().filter(|subnet| admits(subnet, case.client)).copied();
        let subnets: Vec<&Subnet> = admit.collect();
        if subnets.is_empty() {
            return self.unserved(case, Silence::NotAdmitted, Unserved::NotAdmitted);
        }
        let Some((subnet, address)) = self.choose(case, &subnets) else {
            return self.unserved(case, Silence::PoolExhausted, Unserved::PoolExhausted);
        };
        let xid = case.message().xid();
        let repeated = self
            .offers
            .find(&case.key)
            .is_some_and(|offer| offer.address == Some(address) && offer.xid == xid);
        let unproven = self.is_unproven(case, address).then_some(address);
        self.offers.put(&case.key, Some(address), xid, self.now);
        if self.is_stranger(case) {
            self.offers.count(&case.key, subnet.network);
        }
        let reply = self.replies(case).grant(Kind::Offer, subnet, address);
        let happened = [case.discovered(), What::Offered { address }];
        let changes = if repeated { Vec::new() } else { self.tell(case, happened) };
        Verdict::Answer { reply, changes, unproven }
    }

    /// Nobody listed it, and it never had a lease, or one of an address that is set aside: it would take another one.
    fn is_stranger(&self, case: &Case<'a>) -> bool {
        let aside = |address| {
            self.state.quarantine.get(address).is_some_and(|aside| self.now < aside.until)
        };
        !case.client.listed && self.state.clients.get(&case.key).is_none_or(aside)
    }

    fn case(&self, arrival: &'a Arrival<'a>, client: &'a Client) -> Case<'a> {
        let identifier = arrival.message.client_id().map(ClientKey::identifier);
        let key = identifier.unwrap_or_else(|| ClientKey::hardware(client.mac));
        Case { arrival, client, key, subnets: self.link(arrival) }
    }

    /// The address to offer: one that the client has a claim to, else a new one.
    fn choose(
        &mut self,
        case: &Case<'a>,
        subnets: &[&'a Subnet],
    ) -> Option<(&'a Subnet, Ipv4Addr)> {
        let wish = case.message().address(code::REQUESTED);
        let wished = wish.filter(|_| !self.is_stranger(case));
        if let Some(known) = self.addresses(case).known(subnets, wished) {
            return Some(known);
        }
        let (listed, stranger) = (case.client.listed, self.is_stranger(case));
        let patience = if listed { PATIENCE_OF_LISTED } else { PATIENCE };
        for subnet in subnets {
            let full = self.offers.is_full(subnet.network, self.now);
            if full && !listed {
                continue;
            }
            // A stranger without room may take over what another one does not claim, and nothing else.
            let room = !stranger || self.offers.shares.has_room(subnet, self.state, self.now);
            let wished = wish.filter(|wish| room && self.addresses(case).is_usable(subnet, *wish));
            let attached = case.arrival.relay().is_none();
            if attached && wished.is_none() {
                self.offers.stock.want(subnet.network, self.now);
            }
            let stocked = || self.addresses(case).stocked(subnet).filter(|_| attached);
            let pick = || self.addresses(case).pick(subnet);
            let new = || wished.or_else(stocked).or_else(pick);
            let fresh = if full || !room { None } else { new() };
            let rules = self.rules(case);
            let fits = |address| rules.is_only_offered(subnet, address);
            let address = fresh.or_else(|| self.offers.reclaim(fits, patience, self.now));
            if let Some(address) = address {
                return Some((subnet, address));
            }
            if room {
                self.offers.set_full(subnet.network, self.now);
            }
        }
        None
    }

    fn request(&mut self, case: &Case<'a>) -> Verdict {
        let (requested, ciaddr) = (case.message().address(code::REQUESTED), case.arrival.ciaddr());
        match (case.message().address(code::SERVER_ID), requested, ciaddr) {
            (Some(server), _, _) if !case.arrival.is_ours(server) => {
                self.took_another(case, server)
            }
            (Some(_), Some(address), _) => self.select(case, address),
            (_, _, Some(address)) => self.extend(case, address),
            (None, Some(address), None) => self.reboot(case, address),
            (_, None, None) => ignore(Silence::Incomplete),
        }
    }

    /// The client takes another server's offer, and says so to everybody. Where it is ours to serve, that is on record:
    /// once for each time that we answered its DISCOVER, so that nobody fills the record with what he invents.
    fn took_another(&mut self, case: &Case<'a>, server: Ipv4Addr) -> Verdict {
        let silence = Silence::OtherServer;
        let answered = self.offers.find(&case.key).is_some();
        self.offers.free(&case.key);
        let is_here = case.subnets.iter().any(|subnet| admits(subnet, case.client));
        // A relay may put itself in the server's place (RFC 5107 §4).
        let is_relay = case.arrival.relay() == Some(server) || server.is_unspecified();
        if !answered || !is_here || is_relay {
            return ignore(silence);
        }
        let hardware = self.state.holder(server, self.now).map(|lease| lease.mac);
        let changes = self.tell(case, [What::Rivalled { server, hardware, beside: None }]);
        Verdict::Ignore { silence, changes }
    }

    /// The client takes our offer. After a restart of ours the offer is forgotten, and the address may be free still.
    fn select(&mut self, case: &Case<'a>, address: Ipv4Addr) -> Verdict {
        let Some(subnet) = case.subnet_of(address) else { return self.wrong_net(case, address) };
        if !admits(subnet, case.client) {
            return ignore(Silence::NotAdmitted);
        }
        if !self.addresses(case).is_usable(subnet, address) {
            return self.deny(case, address, "somebody else has it");
        }
        // Who skips the DISCOVER does not get past the share of strangers either.
        let offered = self.offers.holder(address) == Some(&case.key);
        if !offered && self.is_stranger(case) {
            if !self.offers.shares.has_room(subnet, self.state, self.now) {
                return ignore(Silence::PoolExhausted);
            }
            self.offers.put(&case.key, Some(address), case.message().xid(), self.now);
            self.offers.count(&case.key, subnet.network);
        }
        self.bind(case, subnet, address, Granted::Selected)
    }

    /// INIT-REBOOT: the client asks whether the address of before still holds (RFC 2131 §4.3.2).
    fn reboot(&mut self, case: &Case<'a>, address: Ipv4Addr) -> Verdict {
        let Some(subnet) = case.subnet_of(address) else { return self.wrong_net(case, address) };
        if !admits(subnet, case.client) {
            return ignore(Silence::NotAdmitted);
        }
        let usable = self.addresses(case).is_usable(subnet, address);
        match self.standing(case, subnet, address) {
            Standing::Its if usable => self.bind(case, subnet, address, Granted::Rebooted),
            Standing::Its => self.deny(case, address, "somebody else has it"),
            Standing::Other(own) => self.deny(case, address, &format!("its address is {own}")),
            Standing::Unknown => self.unknown(case, address),
        }
    }

    /// RENEWING and REBINDING. A renewal comes by unicast, maybe through a router: its own address tells the subnet.
    fn extend(&mut self, case: &Case<'a>, address: Ipv4Addr) -> Verdict {
        let Some(subnet) = self.subnet_of(address) else { return ignore(Silence::NoSubnet) };
        if !admits(subnet, case.client) {
            return ignore(Silence::NotAdmitted);
        }
        let held = self.held(case, address).cloned();
        // An address that the operator took out of the pool meanwhile stays with its holder until that one restarts.
        let usable = held.is_some() || self.addresses(case).is_usable(subnet, address);
        match self.standing(case, subnet, address) {
            Standing::Its if usable => {
                let early = held.is_some_and(|lease| !is_late(&lease, subnet, self.now));
                let granted = if early { Granted::Renewed } else { Granted::Rebound };
                self.bind(case, subnet, address, granted)
            }
            Standing::Its => self.deny(case, address, "somebody else has it"),
            Standing::Other(own) => self.deny(case, address, &format!("its address is {own}")),
            Standing::Unknown => self.unknown(case, address),
        }
    }

    fn release(&mut self, case: &Case<'a>) -> Verdict {
        let Some(address) = case.arrival.ciaddr() else { return ignore(Silence::Incomplete) };
        if is_for_another(case) {
            return ignore(Silence::OtherServer);
        }
        if self.held(case, address).is_none() {
            return ignore(Silence::NotItsLease);
        }
        self.offers.free(&case.key);
        let mut changes = vec![Change::Released { address, at: self.now }];
        changes.extend(self.tell(case, [What::Released { address }]));
        Verdict::Bind { reply: None, batch: self.claiming(case, address, changes) }
    }

    /// The client has an address of its own and wants the rest (RFC 2131 §4.3.5).
    fn inform(&mut self, case: &Case<'a>) -> Verdict {
        let Some(address) = case.arrival.ciaddr() else { return ignore(Silence::Incomplete) };
        let subnet = self.subnet_of(address).or_else(|| case.subnets.first().copied());
        let Some(subnet) = subnet else { return ignore(Silence::NoSubnet) };
        if !admits(subnet, case.client) {
            return ignore(Silence::NotAdmitted);
        }
        let changes = self.tell(case, [What::Informed { address }]);
        let reply = self.replies(case).inform(subnet);
        Verdict::Answer { reply, changes, unproven: None }
    }

    /// The lease becomes fact, then the ACK leaves.
    fn bind(
        &mut self,
        case: &Case<'a>,
        subnet: &Subnet,
        address: Ipv4Addr,
        granted: Granted,
    ) -> Verdict {
        if self.offers.holder(address).is_none() {
            // Nobody else is to be offered what is on its way to the disk.
            self.offers.put(&case.key, Some(address), case.message().xid(), self.now);
        }
        self.offers.taken(&case.key);
        let client = self.addresses(case).key(address);
        let before = self.state.leases.get(&address).filter(|lease| lease.client == client);
        let since =
            before.filter(|lease| lease.is_active(self.now)).map_or(self.now, |lease| lease.since);
        let until = later(self.now, subnet.lease_time);
        let lease = Lease { address, client: client.clone(), mac: case.client.mac, since, until };
        let mut changes = vec![Change::Leased(lease)];
        // A lease is recorded whoever takes it: the pool bounds how many there are.
        changes.extend(self.tell_anyway(case, [What::Leased { address, until, granted }]));
        let claims = vec![Claim::Address { address, client, now: self.now }];
        let reply = self.replies(case).grant(Kind::Ack, subnet, address);
        Verdict::Bind { reply: Some(reply), batch: Batch { claims, changes, undoable: false } }
    }

    /// Where the client stands with an address that it says is its own.
    fn standing(&self, case: &Case<'a>, subnet: &Subnet, address: Ipv4Addr) -> Standing {
        let reserved = case.client.reserved.filter(|reserved| subnet.contains(*reserved));
        if reserved == Some(address) {
            return Standing::Its;
        }
        // A reservation that was made meanwhile moves the phone, unless somebody still sits on it.
        let free = |own: &Ipv4Addr| self.addresses(case).is_usable(subnet, *own);
        if let Some(own) = reserved.filter(free) {
            return Standing::Other(own);
        }
        match self.state.clients.get(&case.key) {
            Some(own) if *own == address => Standing::Its,
            Some(own) => Standing::Other(*own),
            None => Standing::Unknown,
        }
    }

    fn unknown(&mut self, case: &Case<'a>, address: Ipv4Addr) -> Verdict {
        if self.provisioner.settings().dhcp.authoritative {
            self.deny(case, address, "nobody here knows this client")
        } else {
            ignore(Silence::Unknown)
        }
    }

    fn wrong_net(&mut self, case: &Case<'a>, address: Ipv4Addr) -> Verdict {
        if case.subnets.is_empty() {
            return ignore(Silence::NoSubnet);
        }
        self.deny(case, address, "it is on another network")
    }

    fn deny(&mut self, case: &Case<'a>, address: Ipv4Addr, why: &str) -> Verdict {
        self.offers.free(&case.key);
        let subnet = self.subnet_of(address).or_else(|| case.subnets.first().copied());
        let reply = self.replies(case).nak(subnet, why);
        let changes = self.tell(case, [What::Nak { address, why: why.to_owned() }]);
        Verdict::Answer { reply, changes, unproven: None }
    }

    /// A client that gets nothing: reported once a minute, however often it asks.
    fn unserved(&mut self, case: &Case<'a>, silence: Silence, why: Unserved) -> Verdict {
        let reported = self.offers.find(&case.key).is_some_and(|offer| offer.address.is_none());
        if reported {
            return ignore(silence);
        }
        self.offers.put(&case.key, None, case.message().xid(), self.now);
        let changes = self.tell(case, [case.discovered(), What::Unserved(why)]);
        Verdict::Ignore { silence, changes }
    }

    /// What happened, for the record: nothing about what is no phone, and not everything about strangers.
    fn tell<const N: usize>(&mut self, case: &Case<'a>, happened: [What; N]) -> Vec<Change> {
        if case.client.known || self.offers.admits_stranger(self.now) {
            self.tell_anyway(case, happened)
        } else {
            Vec::new()
        }
    }

    fn tell_anyway<const N: usize>(&self, case: &Case<'a>, happened: [What; N]) -> Vec<Change> {
        let mac = case.client.mac;
        let quiet = matches!(case.client.kind, ClientKind::NotPhone(_));
        let shown = case.client.grounds.iter().cloned().chain(self.plugged(case));
        let grounds = shown.map(|ground| Change::Showed(mac, ground));
        let events = happened.map(|what| Change::Happened(mac, Event { at: self.now, what }));
        events.into_iter().chain(grounds).filter(|_| !quiet).collect()
    }

    /// The port that a phone is plugged in at, where that is news and those who may say so say it.
    fn plugged(&self, case: &Case<'a>) -> Option<Ground> {
        let l2 = case.subnets.iter().any(|subnet| subnet.option_82 == Option82::L2);
        let trusted = l2 || case.arrival.relay().is_some();
        if !trusted || case.client.kind != ClientKind::Phone {
            return None;
        }
        let known = self.state.phones.get(&case.client.mac);
        plugged(case.message(), known.map_or(&[], |phone| &phone.grounds), self.now)
    }

    /// The active lease of an address, if it is this client's.
    fn held(&self, case: &Case<'a>, address: Ipv4Addr) -> Option<&'a Lease> {
        let key = self.addresses(case).key(address);
        self.state.holder(address, self.now).filter(|lease| lease.client == key)
    }

    fn subnet_of(&self, address: Ipv4Addr) -> Option<&'a Subnet> {
        self.provisioner.settings().dhcp.subnets.iter().find(|subnet| subnet.contains(address))
    }

    fn addresses<'b>(&'b self, case: &'b Case<'a>) -> Addresses<'b> {
        let (client, reserved) = (&case.key, case.client.reserved);
        let mac = case.client.mac;
        Addresses { rules: self.rules(case), offers: self.offers, mac, client, reserved }
    }

    fn rules(&self, case: &Case<'a>) -> Rules<'a> {
        let (own, mac) = (case.arrival.own, Some(case.client.mac));
        Rules { state: self.state, own, mac, now: self.now }
    }

    const fn replies(&self, case: &Case<'a>) -> Replies<'a> {
        Replies { provisioner: self.provisioner, arrival: case.arrival, client: case.client }
    }
}

/// Where a client stands with an address that it says is its own.
enum Standing {
    /// It had it last, or its entry reserves it.
    Its,
    /// It has another one.
    Other(Ipv4Addr),
    /// Nothing here knows the client.
    Unknown,
}

const fn ignore(silence: Silence) -> Verdict {
    Verdict::Ignore { silence, changes: Vec::new() }
}

/// True if the message names another server than us.
fn is_for_another(case: &Case<'_>) -> bool {
    let server = case.message().address(code::SERVER_ID);
    server.is_some_and(|server| !case.arrival.is_ours(server))
}

fn admits(subnet: &Subnet, client: &Client) -> bool {
    match subnet.admit {
        Admit::All => true,
        Admit::Phones => client.listed || client.kind == ClientKind::Phone,
        Admit::Listed => client.listed,
    }
}

/// True past T2: then the client asks everybody, because we did not answer for long.
fn is_late(lease: &Lease, subnet: &Subnet, now: Timestamp) -> bool {
    later(now, subnet.lease_time / 8) > lease.until
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    let by = jiff::SignedDuration::try_from(by).unwrap_or(jiff::SignedDuration::MAX);
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}
