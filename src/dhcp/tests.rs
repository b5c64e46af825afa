//! Tests of the responder: a bench on which messages arrive and verdicts become fact, without sockets or clocks.

mod common;
mod hostile;
mod pools;
mod relays;
mod rfc2131;
mod rules;
mod wires;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddrV4},
    path::Path,
    sync::Arc,
    time::Duration,
};

use super::{
    addresses::Rules,
    arrival::{Arrival, To},
    offers::Offers,
    responder::{Responder, Silence, Verdict},
};
use crate::{
    domain::{Change, Commit, Entry, Mac, Timestamp},
    profile::Catalog,
    provision::{Admit, Library, Option82, Provisioner, Settings, Subnet},
    store::{State, View},
    wire::dhcp::{Message, Request, code},
};

/// Our address on the bench's interface.
const OWN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);

/// Another server on the same wire.
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 3);

fn mac(number: u32) -> Mac {
    let [a, b, c, d] = number.to_be_bytes();
    Mac::new([2, 0, a, b, c, d]).unwrap()
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

pub(super) fn subnet(network: &str, pool: (&str, &str)) -> Subnet {
    let (network, prefix) = network.split_once('/').unwrap();
    Subnet {
        network: ip(network),
        prefix: prefix.parse().unwrap(),
        site: "default".to_owned(),
        pool: vec![(ip(pool.0), ip(pool.1))],
        router: Vec::new(),
        dns: Vec::new(),
        ntp: Vec::new(),
        domain: None,
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: Duration::from_hours(1),
        servers: Vec::new(),
        voice_vlan: None,
        option_82: Option82::Relay,
        admit: Admit::All,
        options: Vec::new(),
        for_family: BTreeMap::new(),
    }
}

/// A server without sockets: what it binds is fact at once.
struct Bench {
    settings: Settings,
    catalog: Arc<Catalog>,
    state: State,
    offers: Offers,
    /// Seconds since the bench was set up.
    now: i64,
    /// What the last message brought to the record.
    recorded: Vec<Change>,
    /// The address that the wire is to be asked about before the last reply leaves.
    unproven: Option<Ipv4Addr>,
    /// What the next message is about: an address that is in use.
    found: Option<Ipv4Addr>,
    /// The VLAN that the interface is.
    vlan: Option<u16>,
}

/// What became of a message.
struct Outcome {
    /// In one line, for tables.
    text: String,
    /// The reply as sent.
    reply: Vec<u8>,
    to: Option<To>,
}

impl Bench {
    fn new() -> Self {
        Self::with(vec![subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.59"))])
    }

    fn with(subnets: Vec<Subnet>) -> Self {
        let mut settings = Settings::default();
        settings.dhcp.subnets = subnets;
        let (catalog, problems) = Catalog::load(None);
        assert!(problems.is_empty(), "{problems:?}");
        Self {
            settings,
            catalog: Arc::new(catalog),
            state: State::default(),
            offers: Offers::new(),
            now: 0,
            recorded: Vec::new(),
            unproven: None,
            found: None,
            vlan: None,
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + self.now).unwrap()
    }

    fn commit(&mut self, changes: Vec<Change>) {
        let number = self.state.commit + 1;
        self.state.apply(&Commit { number, changes });
    }

    fn list(&mut self, mac: Mac, address: &str) {
        let entry = Entry { address: Some(ip(address)), ..Entry::default() };
        self.commit(vec![Change::Listed(mac, Box::new(entry))]);
    }

    /// Asks a wire on which nobody answers about addresses ahead, for three seconds.
    fn stock_up(&mut self) {
        let own = [(OWN, 24)];
        for _ in 0..3 {
            let rules = Rules { state: &self.state, own: &own, mac: None, now: self.time() };
            let (stock, offered) = self.offers.stock_and_holders();
            for subnet in &self.settings.dhcp.subnets {
                stock.due(subnet, &rules, offered);
            }
            self.now += 1;
        }
    }

    /// A message that arrives on the interface.
    fn hear(&mut self, request: &Request) -> Outcome {
        self.receive(&request.encode(), (request.ciaddr, 68), OWN, &[(OWN, 24)])
    }

    /// The wire says that somebody uses the address that a client on it was to be offered.
    fn conflict(&mut self, request: &Request, address: Ipv4Addr) {
        self.found = Some(address);
        assert_eq!(self.hear(request).text, "no reply");
        self.found = None;
    }

    fn receive(
        &mut self,
        datagram: &[u8],
        peer: (Ipv4Addr, u16),
        local: Ipv4Addr,
        own: &[(Ipv4Addr, u8)],
    ) -> Outcome {
        let message = Message::request(datagram).unwrap();
        let nowhere = Path::new("/nonexistent");
        let library = Arc::new(Library::load(nowhere, nowhere).0);
        let settings = Arc::new(self.settings.clone());
        let view = View::new(self.state.clone());
        let provisioner = Provisioner::new(settings, Arc::clone(&self.catalog), library, view);
        let peer = SocketAddrV4::new(peer.0, peer.1);
        let arrival = Arrival { message: &message, peer, local, own, vlan: self.vlan };
        let now = self.time();
        let client = provisioner.client(message.mac(), &arrival.seen(), now);
        let mut responder = Responder {
            provisioner: &provisioner,
            state: &self.state,
            offers: &mut self.offers,
            now,
        };
        let verdict = match self.found {
            Some(address) => responder.in_use(&arrival, &client, address),
            None => responder.decide(&arrival, &client),
        };
        self.carry_out(&arrival, verdict)
    }

    fn carry_out(&mut self, arrival: &Arrival<'_>, verdict: Verdict) -> Outcome {
        let (reply, changes, quiet) = match verdict {
            Verdict::Answer { reply, changes, unproven } => {
                self.unproven = unproven;
                (Some(reply), changes, String::new())
            }
            Verdict::Bind { reply, batch } => {
                assert_eq!(self.state.admits(&batch), Ok(()), "the responder offers what is taken");
                self.commit(batch.changes.clone());
                (reply, batch.changes, "no reply".to_owned())
            }
            Verdict::Ignore { silence, changes } => (None, changes, silence.as_str().to_owned()),
        };
        self.recorded = changes;
        let Some(reply) = reply else {
            return Outcome { text: quiet, reply: Vec::new(), to: None };
        };
        let to = arrival.reply_to(&reply);
        let way = match to {
            To::Routed(to) => format!("to {to}"),
            To::Station { address, .. } => format!("to station {address}"),
            To::Everybody => "to everybody".to_owned(),
        };
        let bytes = reply.encode();
        let message = Message::reply(&bytes).unwrap();
        let words = message.option(code::MESSAGE).map(String::from_utf8_lossy);
        let what = words.map_or_else(|| message.yiaddr().to_string(), |why| format!("({why})"));
        let text = format!("{:?} {what} {way}", reply.kind());
        Outcome { text, reply: bytes, to: Some(to) }
    }

    /// Sends a message and compares what becomes of it.
    fn check(&mut self, request: &Request, expected: &str) {
        assert_eq!(self.hear(request).text, expected, "{request:?}");
    }

    /// Gets an address as a phone does, and tells which; panics if it gets none.
    fn lease(&mut self, mac: Mac) -> Ipv4Addr {
        let offer = self.hear(&Request::discover(mac, 1));
        let address =
            Message::reply(&offer.reply).unwrap_or_else(|_| panic!("{}", offer.text)).yiaddr();
        let ack = self.hear(&Request::select(mac, 1, address, OWN));
        assert_eq!(ack.text, format!("Ack {address} to station {address}"));
        address
    }

    /// What the last message brought to the record, events only.
    fn events(&self) -> Vec<String> {
        let event = |change: &Change| match change {
            Change::Happened(_, event) => Some(event.what.to_string()),
            _ => None,
        };
        self.recorded.iter().filter_map(event).collect()
    }
}
