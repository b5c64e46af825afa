//! Several subnets on one wire, on several, and behind relays; VLANs that phones are to leave.

use super::*;
use crate::provision::ForFamily;

const POLY: &str = "Polycom-VVX401";

/// A wire with two subnets: phones belong into the second, everybody else into the first.
fn shared() -> Bench {
    let data = subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.51"));
    let mut voice = subnet("10.21.0.0/24", ("10.21.0.50", "10.21.0.50"));
    voice.admit = Admit::Phones;
    Bench::with(vec![data, voice])
}

const BOTH: [(Ipv4Addr, u8); 2] = [(OWN, 24), (Ipv4Addr::new(10, 21, 0, 2), 24)];

fn on_the_wire(bench: &mut Bench, request: &Request) -> Outcome {
    bench.receive(&request.encode(), (request.ciaddr, 68), OWN, &BOTH)
}

fn discover(number: u32, class: &str) -> Request {
    Request::discover(mac(number), 1).option(code::CLASS, class.as_bytes())
}

#[test]
fn one_wire_two_subnets() {
    let mut bench = shared();
    let mut check = |request: &Request, expected: &str| {
        assert_eq!(on_the_wire(&mut bench, request).text, expected, "{request:?}");
    };
    // The first pool is used up, then the other one by whom it admits.
    check(&discover(1, "MSFT 5.0"), "Offer 10.20.0.50 to station 10.20.0.50");
    check(&discover(2, POLY), "Offer 10.20.0.51 to station 10.20.0.51");
    check(&discover(3, "MSFT 5.0"), "pool-exhausted");
    check(&discover(4, POLY), "Offer 10.21.0.50 to station 10.21.0.50");
    check(&discover(5, POLY), "pool-exhausted");
}

#[test]
fn each_subnet_admits_whom_it_wants() {
    let mut bench = shared();
    bench.settings.dhcp.subnets[0].admit = Admit::Listed;
    bench.list(mac(9), "10.20.0.50");
    let mut check = |request: &Request, expected: &str| {
        assert_eq!(on_the_wire(&mut bench, request).text, expected, "{request:?}");
    };
    // What the first subnet does not admit, the second may.
    check(&discover(1, POLY), "Offer 10.21.0.50 to station 10.21.0.50");
    check(&discover(2, "MSFT 5.0"), "not-admitted");
    check(&discover(9, ""), "Offer 10.20.0.50 to station 10.20.0.50");
    check(&Request::reboot(mac(2), 1, ip("10.21.0.50")), "not-admitted");
    let known = Request::reboot(mac(9), 1, ip("10.20.0.50"));
    check(&known, "Ack 10.20.0.50 to station 10.20.0.50");
}

#[test]
fn we_answer_from_the_address_in_the_clients_subnet() {
    let mut bench = shared();
    bench.settings.dhcp.subnets.remove(0);
    let offer = on_the_wire(&mut bench, &discover(1, POLY));
    let message = Message::reply(&offer.reply).unwrap();
    assert_eq!(message.address(code::SERVER_ID), Some(BOTH[1].0));
}

#[test]
fn a_relay_tells_which_subnet_of_its_wire() {
    let mut bench = shared();
    let mut check = |giaddr: &str, number: u32, expected: &str| {
        let request = discover(number, POLY).relayed(ip(giaddr));
        let offer = bench.receive(&request.encode(), (ip(giaddr), 67), OWN, &[(OWN, 24)]);
        assert_eq!(offer.text, expected, "{giaddr}");
    };
    // A relay with two addresses on the wire asks with the second where the first brought nothing.
    check("10.20.0.1", 1, "Offer 10.20.0.50 to 10.20.0.1:67");
    check("10.21.0.1", 2, "Offer 10.21.0.50 to 10.21.0.1:67");
    check("10.22.0.1", 3, "no-subnet");
}

#[test]
fn no_phone_is_sent_where_it_is() {
    let mut bench = shared();
    bench.settings.dhcp.subnets[1].voice_vlan = Some(20);
    bench.settings.dhcp.subnets.remove(0);
    let vlan = |bench: &mut Bench, number| {
        let offer = on_the_wire(bench, &discover(number, POLY));
        let message = Message::reply(&offer.reply).unwrap();
        message.option(128).map(|text| String::from_utf8_lossy(text).into_owned())
    };
    let to = Some("VLAN-A=20;".to_owned());
    for (interface, expected) in [(None, to.clone()), (Some(10), to.clone()), (Some(20), None)] {
        bench.vlan = interface;
        assert_eq!(vlan(&mut bench, 1), expected, "on {interface:?}");
    }
    // Behind a relay our own interface says nothing about the phone's.
    let giaddr = ip("10.21.0.1");
    let request = discover(1, POLY).relayed(giaddr).encode();
    let offer = bench.receive(&request, (giaddr, 67), OWN, &BOTH);
    assert!(Message::reply(&offer.reply).unwrap().option(128).is_some());
}

#[test]
fn another_server_for_a_family() {
    let mut bench = shared();
    let other = ForFamily { servers: vec![ip("10.9.9.9")] };
    bench.settings.dhcp.subnets[1].for_family.insert("poly-vvx".to_owned(), other);
    bench.settings.dhcp.subnets.remove(0);
    let offer = on_the_wire(&mut bench, &discover(1, POLY));
    let message = Message::reply(&offer.reply).unwrap();
    assert_eq!(message.option(160), Some(&b"http://10.9.9.9/"[..]));
    assert_eq!(message.address(code::SERVER_ID), Some(BOTH[1].0), "the lease is ours");
}
