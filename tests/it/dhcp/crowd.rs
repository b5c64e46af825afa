//! Phones by the thousand on one wire, each a station of its own: frames of our own, and no kernel between.

use std::{
    collections::HashMap,
    env,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use ringup::{
    domain::Mac,
    net::{FrameSender, FrameTap, Interface},
    wire::{
        dhcp::{CLIENT_PORT, Kind, Message, Request, SERVER_PORT},
        ethernet::{ARP, BROADCAST, Ethernet},
        frame::Frame,
    },
};
use tokio::time::timeout;

use crate::{
    cable::{Cable, SERVER},
    run::Home,
};

/// More than the 1,024 neighbours that the kernel knows by default (`gc_thresh3`).
const PHONES: u32 = 1500;

/// How many of them wait for an answer at once.
const AT_ONCE: usize = 64;

/// How long an answer may take. Nothing is sent twice: a lost answer is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

const SETTINGS: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
probe = false
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.16.1-10.20.31.250"]
"#;

/// RFC 2131 §4.3.2: renewals come by unicast, and so do their answers. A server that leaves those to the kernel needs a
/// neighbour entry for each phone, of which there are 1,024.
#[test]
fn rfc_2131_section_4_3_2_more_phones_renew_than_the_kernel_has_neighbours() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let serving = home.serve(&cable.server());
    as_phones(&cable, "dhcp::crowd::renew");
    let held = serving.json("/api/v1/leases?limit=1");
    assert!(!held["items"].as_array().unwrap().is_empty());
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// Runs one of the tests that are left out otherwise on the phones' end of a cable.
pub fn as_phones(cable: &Cable, name: &str) {
    let own = env::current_exe().unwrap().display().to_string();
    let words = [&*own, "--exact", name, "--ignored", "--nocapture"];
    let output = cable.phone(&words).output().unwrap();
    let told = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    assert!(output.status.success() && told[0].contains("1 passed"), "{}", told.concat());
}

#[tokio::test]
#[ignore = "runs on the phones' end of a cable only"]
async fn renew() {
    let mut wire = Wire::open();
    let macs: Vec<Mac> = (0..PHONES).map(phone).collect();
    let ask = |mac: &Mac| (*mac, broadcast(&Request::discover(*mac, 1)));
    let offers = wire.exchange(macs.iter().map(ask).collect(), Kind::Offer).await;
    let server: Ipv4Addr = SERVER.parse().unwrap();
    let take = |offer: &Answer| Request::select(offer.mac, 2, offer.address, server);
    let takes = offers.iter().map(|offer| (offer.mac, broadcast(&take(offer)))).collect();
    let leases = wire.exchange(takes, Kind::Ack).await;
    wire.stations = leases.iter().map(|lease| (lease.address, lease.mac)).collect();
    assert_eq!(wire.stations.len(), macs.len(), "an address each");
    let renew = |lease: &Answer| {
        let payload = Request::extend(lease.mac, 3, lease.address).encode();
        let frame = Frame {
            from: lease.mac.octets(),
            to: lease.server,
            source: SocketAddrV4::new(lease.address, CLIENT_PORT),
            destination: SocketAddrV4::new(server, SERVER_PORT),
            payload: &payload,
        };
        (lease.mac, frame.encode().unwrap())
    };
    let renewed = wire.exchange(leases.iter().map(renew).collect(), Kind::Ack).await;
    for (lease, again) in leases.iter().zip(&renewed) {
        let expected = (lease.mac, lease.address, lease.mac.octets(), lease.address);
        assert_eq!((again.mac, again.address, again.to, again.destination), expected);
    }
}

/// The phone of a number.
pub fn phone(number: u32) -> Mac {
    let [_, _, a, b] = number.to_be_bytes();
    Mac::new([0x02, 0x15, 0x65, 1, a, b]).unwrap()
}

/// What a phone was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub mac: Mac,
    pub kind: Kind,
    pub address: Ipv4Addr,
    /// Where the frame and the datagram went.
    pub to: [u8; 6],
    pub destination: Ipv4Addr,
    /// Who sent the frame.
    pub server: [u8; 6],
}

/// The frame of a message that a phone without an address sends.
pub fn broadcast(request: &Request) -> Vec<u8> {
    let payload = request.encode();
    let frame = Frame {
        from: request.mac.octets(),
        to: BROADCAST,
        source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT),
        destination: SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
        payload: &payload,
    };
    frame.encode().unwrap()
}

/// What is heard on the wire.
pub enum Heard {
    /// Somebody asks who has an address.
    Asked(Ipv4Addr),
    Answer(Answer),
}

/// The phones' end of the wire.
pub struct Wire {
    sender: FrameSender,
    tap: FrameTap,
    /// Phones that have an address, and say so to whoever asks.
    stations: HashMap<Ipv4Addr, Mac>,
}

impl Wire {
    pub fn open() -> Self {
        let interface = Interface::find("eth1").unwrap().unwrap();
        Self {
            sender: FrameSender::open(interface.index).unwrap(),
            tap: FrameTap::open(interface.index).unwrap(),
            stations: HashMap::new(),
        }
    }

    pub async fn send(&self, frame: &[u8]) {
        self.sender.send(frame).await.unwrap();
    }

    /// Asks for all of them, a few at a time; the answers in the order of the questions.
    async fn exchange(&self, questions: Vec<(Mac, Vec<u8>)>, kind: Kind) -> Vec<Answer> {
        let mut answers: HashMap<Mac, Answer> = HashMap::new();
        let mut left = questions.iter();
        while answers.len() < questions.len() {
            while questions.len() - left.len() < answers.len() + AT_ONCE
                && let Some((_, frame)) = left.next()
            {
                self.send(frame).await;
            }
            let missing = || format!("{} of {} {kind:?}", answers.len(), questions.len());
            match timeout(PATIENCE, self.hear()).await.unwrap_or_else(|_| panic!("{}", missing())) {
                Heard::Asked(address) => self.say(address).await,
                Heard::Answer(answer) => {
                    assert_eq!(answer.kind, kind, "{answer:?}");
                    answers.insert(answer.mac, answer);
                }
            }
        }
        questions.iter().map(|(mac, _)| answers[mac].clone()).collect()
    }

    /// The next thing that the appliance says. ARP is heard from everybody but the phones.
    pub async fn hear(&self) -> Heard {
        let mut buffer = [0; 2048];
        loop {
            let heard = self.tap.recv(&mut buffer).await.unwrap();
            let Some(frame) = Ethernet::decode(&buffer[..heard.length]) else { continue };
            if frame.kind == ARP
                && let Some([0, 1]) = frame.content.get(6..8)
                && let Some(target) = frame.content.get(24..28)
            {
                return Heard::Asked(Ipv4Addr::from(<[u8; 4]>::try_from(target).unwrap()));
            }
            let Some(datagram) = Frame::read(&frame, heard.summed) else { continue };
            if datagram.source.port() == SERVER_PORT
                && let Ok(message) = Message::reply(datagram.payload)
            {
                let (mac, kind, address) = (message.mac(), message.kind(), message.yiaddr());
                let (to, destination) = (datagram.to, *datagram.destination.ip());
                let server = datagram.from;
                return Heard::Answer(Answer { mac, kind, address, to, destination, server });
            }
        }
    }

    /// A phone says that an address is its own, as any station does.
    async fn say(&self, address: Ipv4Addr) {
        let Some(mac) = self.stations.get(&address).map(|mac| mac.octets()) else { return };
        let server: Ipv4Addr = SERVER.parse().unwrap();
        let form = [0, 1, 8, 0, 6, 4, 0, 2];
        let content = [&form[..], &mac, &address.octets(), &BROADCAST, &server.octets()].concat();
        let frame = Ethernet { to: BROADCAST, from: mac, vlan: None, kind: ARP, content: &content };
        self.send(&frame.encode()).await;
    }
}
