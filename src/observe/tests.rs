//! Tests of the watcher: a wire on which frames pass and verdicts become fact, without sockets or clocks.

mod access;
mod hostile;

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    path::Path,
    sync::Arc,
};

use super::{
    memory::Memory,
    overheard::{Overheard, Unread},
    watcher::{MAX_LEASES, Verdict},
};
use crate::{
    domain::{Change, Commit, Lease, Mac, Timestamp},
    profile::Catalog,
    provision::{Library, Provisioner, Settings},
    store::{State, View},
    wire::{
        arp::Arp,
        dhcp::{Kind, Message, Reply, Request, code},
        frame::{BROADCAST, Frame},
    },
};

/// Our address on the wire.
const OWN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);

/// The server of this network.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 3);

/// Another one.
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 4);

/// A relay of another network.
const RELAY: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 1);

const EVERYBODY: Ipv4Addr = Ipv4Addr::BROADCAST;

/// The hardware address of whatever is not a phone.
const MACHINE: [u8; 6] = [2, 0, 0, 0, 0, 0xfe];

/// A Cisco phone.
fn phone() -> Mac {
    "001e7ac41022".parse().unwrap()
}

fn mac(number: u32) -> Mac {
    let [a, b, c, d] = number.to_be_bytes();
    Mac::new([2, 0, a, b, c, d]).unwrap()
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// A message in a frame.
fn frame(from: [u8; 6], source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let everybody = destination.is_broadcast();
    let frame = Frame {
        from,
        to: if everybody { BROADCAST } else { MACHINE },
        source: SocketAddrV4::new(source, 67),
        destination: SocketAddrV4::new(destination, 67),
        payload,
    };
    frame.encode().unwrap()
}

/// What passes a wire, heard by a watcher whose verdicts are fact at once.
struct Wire {
    settings: Arc<Settings>,
    catalog: Arc<Catalog>,
    library: Arc<Library>,
    state: State,
    memory: Memory,
    /// Seconds since the wire was laid.
    now: i64,
}

impl Wire {
    fn new() -> Self {
        let (catalog, problems) = Catalog::load(None);
        assert!(problems.is_empty(), "{problems:?}");
        let nowhere = Path::new("/nonexistent");
        Self {
            settings: Arc::default(),
            catalog: Arc::new(catalog),
            library: Arc::new(Library::load(nowhere, nowhere).0),
            state: State::default(),
            memory: Memory::new(),
            now: 0,
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + self.now).unwrap()
    }

    fn commit(&mut self, changes: Vec<Change>) {
        let number = self.state.commit + 1;
        self.state.apply(&Commit { number, changes });
    }

    /// A frame passes; what is made of it, and it is fact.
    fn hear(&mut self, frame: &[u8]) -> Result<Verdict, Unread> {
        let view = View::new(std::mem::take(&mut self.state));
        let (settings, catalog) = (Arc::clone(&self.settings), Arc::clone(&self.catalog));
        let provisioner =
            Provisioner::new(settings, catalog, Arc::clone(&self.library), view.clone());
        let now = self.time();
        let overheard = Overheard::read(frame, true);
        let ours = |address| address == OWN;
        let verdict =
            overheard.map(|heard| heard.decide(&ours, &provisioner, &mut self.memory, now));
        self.state = view.read().clone();
        if let Ok(Verdict::Commit(changes) | Verdict::Record(changes)) = &verdict {
            self.commit(changes.clone());
        }
        verdict
    }

    /// The same in one line, for tables: leases and their ends, and what happened. What was shown is left out.
    fn told(&mut self, frame: &[u8]) -> String {
        let now = self.time();
        let told = |change: &Change| match change {
            Change::Leased(lease) => {
                let seconds = lease.until.duration_since(now).as_secs();
                Some(format!("{} for {seconds} s", lease.address))
            }
            Change::Released { address, .. } => Some(format!("end of {address}")),
            Change::Happened(_, event) => Some(event.what.to_string()),
            _ => None,
        };
        match self.hear(frame) {
            Ok(Verdict::Commit(changes) | Verdict::Record(changes)) => {
                changes.iter().filter_map(told).collect::<Vec<_>>().join("; ")
            }
            Ok(Verdict::Ignore(silence)) => silence.as_str().to_owned(),
            Err(unread) => unread.as_str().to_owned(),
        }
    }

    /// A client's message to everybody.
    #[track_caller]
    fn says(&mut self, request: &Request, expected: &str) {
        self.says_to(EVERYBODY, request, expected);
    }

    /// A client's or a relay's message to one server.
    #[track_caller]
    fn says_to(&mut self, to: Ipv4Addr, request: &Request, expected: &str) {
        let frame = frame(request.mac.octets(), request.ciaddr, to, &request.encode());
        assert_eq!(self.told(&frame), expected, "{request:?}");
    }

    /// A server's answer to `request`.
    #[track_caller]
    fn answers(&mut self, request: &Request, edit: impl FnOnce(Reply) -> Reply, expected: &str) {
        let bytes = request.encode();
        let reply = edit(Reply::to(&Message::request(&bytes).unwrap(), Kind::Ack));
        let frame = frame(MACHINE, SERVER, reply.yiaddr(), &reply.encode());
        assert_eq!(self.told(&frame), expected, "answer to {request:?}");
    }

    /// The server's ACK of this address for an hour.
    #[track_caller]
    fn acknowledges(&mut self, request: &Request, address: &str, expected: &str) {
        let hour = 3600_u32.to_be_bytes();
        let ack = |reply: Reply| {
            reply
                .give(ip(address))
                .option(code::SERVER_ID, SERVER.octets())
                .option(code::LEASE_TIME, hour)
        };
        self.answers(request, ack, expected);
    }

    /// An ARP request of a station.
    #[track_caller]
    fn uses(&mut self, mac: Mac, address: &str, expected: &str) {
        let station = Arp { hardware: mac.octets(), address: ip(address) };
        assert_eq!(self.told(&station.request(OWN)), expected, "{mac} at {address}");
    }

    fn holder(&self, address: &str) -> Option<Mac> {
        self.state.holder(ip(address), self.time()).map(|lease| lease.mac)
    }

    fn stage(&self, mac: Mac) -> &str {
        self.state.phones.get(&mac).map_or("unknown", |phone| phone.boot.stage().as_str())
    }
}

fn discover(mac: Mac, xid: u32) -> Request {
    Request::discover(mac, xid).option(code::CLASS, *b"Cisco Systems, Inc. IP Phone CP-7961G\0")
}

fn offer(reply: Reply, address: &str) -> Reply {
    let bytes = Reply::option(reply, code::SERVER_ID, SERVER.octets()).give(ip(address)).encode();
    // The bench answers with ACKs; only the kind is another.
    let message = Message::reply(&bytes).unwrap();
    Reply::to(&message, Kind::Offer).give(ip(address)).option(code::SERVER_ID, SERVER.octets())
}

#[test]
fn a_boot_between_others_where_all_is_heard() {
    let mut wire = Wire::new();
    let first = discover(phone(), 1);
    wire.says(&first, "looks for a DHCP server");
    wire.says(&first, "repeated");
    wire.answers(&first, |reply| offer(reply, "10.20.1.7"), "was offered 10.20.1.7");
    wire.answers(&first, |reply| offer(reply, "10.20.1.7"), "repeated");
    let select =
        Request::select(phone(), 1, ip("10.20.1.7"), SERVER).option(code::CLIENT_ID, [1, 2, 3]);
    wire.says(&select, "10.20.1.7 for 600 s; takes 10.20.1.7, which 10.20.0.3 offered");
    assert_eq!(wire.stage(phone()), "discovered");
    let ack = |reply: Reply| {
        reply
            .give(ip("10.20.1.7"))
            .option(code::SERVER_ID, SERVER.octets())
            .option(code::LEASE_TIME, 7200_u32.to_be_bytes())
            .option(66, *b"http://10.20.0.2/")
            .option(150, [10, 20, 0, 2, 10, 20, 0, 9])
    };
    let told =
        "10.20.0.3 names its server: option 66 http://10.20.0.2/ option 150 10.20.0.2,10.20.0.9";
    let leased = format!("10.20.1.7 for 7200 s; leased 10.20.1.7; {told}");
    wire.answers(&select, ack, &leased);
    wire.answers(&select, ack, "repeated");
    assert_eq!((wire.stage(phone()), wire.holder("10.20.1.7")), ("leased", Some(phone())));
    let key = wire.state.leases[&ip("10.20.1.7")].client.clone();
    assert_eq!(key, crate::domain::ClientKey::identifier(&[1, 2, 3]), "as we would know it");

    // T1, then T2, then the end.
    wire.now = 3600;
    let renew = Request::extend(phone(), 2, ip("10.20.1.7"));
    wire.says_to(SERVER, &renew, "nothing-new");
    wire.acknowledges(&renew, "10.20.1.7", "10.20.1.7 for 3600 s; renewed 10.20.1.7");
    let rebind = Request::extend(phone(), 3, ip("10.20.1.7"));
    wire.says(&rebind, "asks to keep 10.20.1.7");
    wire.acknowledges(&rebind, "10.20.1.7", "10.20.1.7 for 3600 s; renewed 10.20.1.7 by broadcast");
    let release = Request::release(phone(), 4, ip("10.20.1.7"), SERVER);
    wire.says_to(SERVER, &release, "end of 10.20.1.7; released 10.20.1.7");
    wire.says_to(SERVER, &release, "not-its-lease");
    assert_eq!((wire.stage(phone()), wire.holder("10.20.1.7")), ("leased", None));
}

#[test]
fn a_server_that_names_no_server() {
    let mut wire = Wire::new();
    wire.says(&discover(phone(), 1), "looks for a DHCP server");
    let select = Request::select(phone(), 1, ip("10.20.1.7"), SERVER);
    wire.says(&select, "10.20.1.7 for 600 s; takes 10.20.1.7, which 10.20.0.3 offered");
    let text = "10.20.1.7 for 3600 s; leased 10.20.1.7; 10.20.0.3 names no server for its files";
    wire.acknowledges(&select, "10.20.1.7", text);
    let inform = Request::inform(phone(), 2, ip("10.20.1.7"));
    wire.says(&inform, "asked for options at 10.20.1.7");
    let ack = |reply: Reply| reply.siaddr(SERVER).option(66, *b"tftp.example");
    wire.answers(&inform, ack, "10.20.0.3 names its server: option 66 tftp.example");
}

#[test]
fn denied_and_declined() {
    let mut wire = Wire::new();
    let reboot = Request::reboot(phone(), 1, ip("10.20.1.7"));
    wire.says(&reboot, "10.20.1.7 for 600 s; asks to keep 10.20.1.7");
    let nak = |reply: Reply| {
        let bytes = reply.option(code::SERVER_ID, SERVER.octets()).encode();
        let message = Message::reply(&bytes).unwrap();
        let nak = Reply::to(&message, Kind::Nak).option(code::SERVER_ID, SERVER.octets());
        nak.option(code::MESSAGE, *b"wrong network")
    };
    let denied = "end of 10.20.1.7; was denied 10.20.1.7: 10.20.0.3 says wrong network";
    wire.answers(&reboot, nak, denied);
    wire.answers(&reboot, nak, "repeated");
    wire.uses(phone(), "10.20.1.7", "nothing-new");
    // What nobody asked for ends nothing.
    let unheard = Request::reboot(phone(), 9, ip("10.20.1.7"));
    wire.answers(&unheard, nak, "unasked");
    let select = Request::select(phone(), 2, ip("10.20.1.8"), SERVER);
    wire.says(&select, "10.20.1.8 for 600 s; takes 10.20.1.8, which 10.20.0.3 offered");
    let decline = Request::decline(phone(), 2, ip("10.20.1.8"), SERVER);
    let declined = "end of 10.20.1.8; declined 10.20.1.8: somebody else uses it";
    wire.says(&decline, declined);
    wire.says(&decline, "repeated");
    assert_eq!(wire.holder("10.20.1.8"), None);
}

#[test]
fn what_is_no_phone_is_left_alone() {
    let mut wire = Wire::new();
    let laptop = mac(77);
    let windows = |request: Request| request.option(code::CLASS, *b"MSFT 5.0");
    wire.says(&windows(Request::discover(laptop, 1)), "not-a-phone");
    let select = windows(Request::select(laptop, 1, ip("10.20.1.9"), SERVER));
    wire.says(&select, "not-a-phone");
    wire.acknowledges(&select, "10.20.1.9", "not-a-phone");
    wire.uses(laptop, "10.20.1.9", "nothing-new");
    assert!(wire.state.phones.is_empty() && wire.state.leases.is_empty());
    // An answer to somebody whom nobody heard is nobody's.
    wire.acknowledges(&Request::discover(mac(78), 1), "10.20.1.9", "unasked");
}

/// Two servers that say different things are told, a pair that says the same is none.
#[test]
fn two_servers_on_one_wire() {
    let check = |first: &str, second: &str, told: &str| {
        let question = discover(phone(), 7);
        let bytes = question.encode();
        let mut wire = Wire::new();
        wire.says(&question, "looks for a DHCP server");
        let mut offers = |by: Ipv4Addr, files: &str, expected: &str| {
            let reply = Reply::to(&Message::request(&bytes).unwrap(), Kind::Offer);
            let reply = reply.give(ip("10.20.0.60")).option(code::SERVER_ID, by.octets());
            let reply = reply.option(code::TFTP_NAME, files.as_bytes());
            let frame = frame(MACHINE, by, reply.yiaddr(), &reply.encode());
            assert_eq!(wire.told(&frame), expected, "{by} {files}");
        };
        offers(SERVER, first, "was offered 10.20.0.60");
        offers(SERVER, first, "repeated");
        offers(OTHER, second, told);
        wire.state.phones[&phone()].boot.rival.clone()
    };
    let both =
        "was offered 10.20.0.60; 10.20.0.4 answers it too, and says something else than 10.20.0.3";
    let rival = check("10.20.0.2", "192.168.1.1", both).unwrap();
    assert_eq!((rival.server, rival.hardware), (OTHER, Mac::new(MACHINE).ok()));
    assert_eq!(check("10.20.0.2", "10.20.0.2", "was offered 10.20.0.60"), None);
}
