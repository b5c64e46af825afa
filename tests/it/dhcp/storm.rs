//! Everybody at once, and twice: what a building does when its power returns and its network is slow.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use ringup::{
    domain::Mac,
    wire::dhcp::{Kind, Message, Request, code},
};

use crate::run::Home;

const PHONES: u8 = 200;

/// A relay at this machine's own address, for phones of 10.30.0.0/16; it listens where it sends from (RFC 3527, 8357).
fn through(request: Request, number: u8) -> Request {
    let request = request
        .option(code::RELAY, [5, 4, 10, 30, 0, 1, 19, 0])
        .option(code::CLASS, *b"yealink")
        .option(code::HOST_NAME, format!("SIP-T46S-{number}"))
        .option(code::ASKED, [1, 3, 6, 15, 42, 43, 66, 67, 150, number % 7]);
    Request { giaddr: Ipv4Addr::LOCALHOST, broadcast: true, ..request }
}

fn mac(number: u8) -> Mac {
    Mac::new([0x80, 0x5e, 0xc0, 0, 7, number]).unwrap()
}

/// Sends what each phone says, all of them before they say it again, until each has an answer of that kind: its address.
/// Any other kind of answer is wrong.
fn answers(
    relay: &UdpSocket,
    server: SocketAddr,
    kind: Kind,
    says: impl Fn(u8) -> Request,
) -> BTreeMap<u8, Ipv4Addr> {
    let mut given: BTreeMap<u8, Ipv4Addr> = BTreeMap::new();
    for again in 0..20_u16 {
        for twice in [0, 1] {
            for number in (0..PHONES).filter(|number| !given.contains_key(number)) {
                let request = Request { secs: again * 4 + twice, ..through(says(number), number) };
                relay.send_to(&request.encode(), server).unwrap();
            }
        }
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = relay.recv_from(&mut buffer) {
            let reply = Message::reply(&buffer[..length]).unwrap();
            assert_eq!((from, reply.xid()), (server, u32::from(reply.mac().octets()[5])));
            // An offer made twice may come late.
            if reply.kind() == Kind::Offer && kind == Kind::Ack {
                continue;
            }
            assert_eq!(reply.kind(), kind, "{:?}", reply.option(code::MESSAGE));
            let number = reply.mac().octets()[5];
            let first = *given.entry(number).or_insert(reply.yiaddr());
            assert_eq!(first, reply.yiaddr(), "one phone, one address");
            // Each has what it asked for, and option 82 as the relay wrote it.
            assert_eq!(reply.option(code::RELAY), Some(&[5, 4, 10, 30, 0, 1, 19, 0][..]));
            assert!(reply.option(code::TFTP_NAME).is_some());
        }
        if given.len() == usize::from(PHONES) {
            break;
        }
    }
    assert_eq!(given.len(), usize::from(PHONES), "{kind:?}");
    given
}

#[test]
fn two_hundred_phones_at_once_each_of_them_twice() {
    // A port that is free now.
    let server = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = format!(
        "[dhcp]\nmode = \"serve\"\nrelay-listen = \"{server}\"\n[[dhcp.subnet]]\nsubnet = \"10.30.0.0/16\"\n\
         pool = [\"10.30.1.1-10.30.1.220\"]\n[[site.default.server]]\naddress = \"10.20.0.5\"\n"
    );
    let home = Home::new(&settings);
    let serving = home.serve(&[]);
    let relay = UdpSocket::bind("127.0.0.1:0").unwrap();
    relay.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let xid = u32::from;
    let offers =
        answers(&relay, server, Kind::Offer, |number| Request::discover(mac(number), xid(number)));
    let acks = answers(&relay, server, Kind::Ack, |number| {
        Request::select(mac(number), xid(number), offers[&number], Ipv4Addr::LOCALHOST)
    });
    assert_eq!(acks, offers);
    let different: BTreeSet<_> = acks.values().collect();
    assert_eq!(different.len(), usize::from(PHONES), "nobody shares an address");
    let leases = serving.json("/api/v1/leases?limit=1000");
    assert_eq!(leases["items"].as_array().unwrap().len(), usize::from(PHONES));
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}
