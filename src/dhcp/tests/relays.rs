//! Relays (RFC 1542, 3046, 3527, 8357) and switches that insert option 82.

use super::*;
use crate::{domain::Origin, provision::plug};

const CLASS: &[u8] = b"Cisco Systems, Inc. IP Phone CP-7961G\0";

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 1);

fn bench() -> Bench {
    let near = subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.59"));
    let far = subnet("10.30.0.0/24", ("10.30.0.50", "10.30.0.50"));
    Bench::with(vec![near, far, subnet("10.40.0.0/24", ("10.40.0.50", "10.40.0.50"))])
}

fn relayed(bench: &mut Bench, request: &Request, port: u16) -> Outcome {
    bench.receive(&request.encode(), (RELAY, port), OWN, &[(OWN, 24)])
}

fn through(request: Request, information: &[u8]) -> Request {
    Request { giaddr: RELAY, ..request }.option(code::RELAY, information)
}

#[test]
fn the_relay_tells_the_subnet_and_gets_the_reply() {
    let mut bench = bench();
    let discover = through(Request::discover(mac(1), 1), &[1, 2, 0, 7]);
    let offer = relayed(&mut bench, &discover, 4011);
    assert_eq!(
        offer.text, "Offer 10.30.0.50 to 10.30.0.1:67",
        "its port is 67 whatever it sent from"
    );
    assert_eq!(bench.events()[0], "looks for a DHCP server through relay 10.30.0.1");
    let message = Message::reply(&offer.reply).unwrap();
    assert_eq!((message.giaddr(), message.address(code::SERVER_ID)), (RELAY, Some(OWN)));
    assert_eq!(message.option(code::RELAY), Some(&[1, 2, 0, 7][..]));
    let select = through(Request::select(mac(1), 1, ip("10.30.0.50"), OWN), &[1, 2, 0, 7]);
    assert_eq!(relayed(&mut bench, &select, 67).text, "Ack 10.30.0.50 to 10.30.0.1:67");
}

#[test]
fn a_denial_through_a_relay_is_broadcast_there() {
    let mut bench = bench();
    let reboot = through(Request::reboot(mac(1), 1, ip("10.20.0.50")), &[1, 1, 7]);
    let nak = relayed(&mut bench, &reboot, 67);
    assert_eq!(nak.text, "Nak (it is on another network) to 10.30.0.1:67");
    let message = Message::reply(&nak.reply).unwrap();
    assert!(message.wants_broadcast());
    assert_eq!(message.option(code::RELAY), Some(&[1, 1, 7][..]));
}

#[test]
fn rfc_8357_a_relay_on_another_port() {
    let mut bench = bench();
    let discover = Request::discover(mac(1), 1).relayed(RELAY);
    let offer = relayed(&mut bench, &discover, 40_123);
    assert_eq!(offer.text, "Offer 10.30.0.50 to 10.30.0.1:40123");
    let message = Message::reply(&offer.reply).unwrap();
    assert_eq!(message.relay_option(code::RELAY_SOURCE_PORT), Some(&[][..]));
}

#[test]
fn rfc_3527_link_selection_goes_before_giaddr() {
    let mut bench = bench();
    let discover = through(Request::discover(mac(1), 1), &[5, 4, 10, 40, 0, 0]);
    assert_eq!(relayed(&mut bench, &discover, 67).text, "Offer 10.40.0.50 to 10.30.0.1:67");
    let broken = through(Request::discover(mac(2), 1), &[5, 2, 10, 40]);
    assert_eq!(relayed(&mut bench, &broken, 67).text, "Offer 10.30.0.50 to 10.30.0.1:67");
}

#[test]
fn rfc_3046_section_5_a_relay_that_only_the_message_names() {
    let mut bench = bench();
    let mut check = |giaddr: &str, from: &str, link: &[u8], expected: &str| {
        let giaddr = ip(giaddr);
        let request = Request { giaddr, ..Request::discover(mac(1), 1) };
        let request = request.option(code::RELAY, link).encode();
        let outcome = bench.receive(&request, (ip(from), 67), OWN, &[(OWN, 24)]);
        assert_eq!(outcome.text, expected, "{giaddr} from {from}");
    };
    let link = [5, 4, 10, 40, 0, 0];
    // Its loopback address, from there (RFC 3527 §3).
    check("192.0.2.9", "192.0.2.9", &link, "Offer 10.40.0.50 to 192.0.2.9:67");
    check("192.0.2.9", "10.99.0.7", &link, "stray-relay");
    // In a subnet of ours, wherever it sends from; without link selection nothing else was ever served.
    check("10.40.0.1", "10.99.0.7", &link, "Offer 10.40.0.50 to 10.40.0.1:67");
    check("192.0.2.9", "192.0.2.9", &[1, 1, 7], "no-subnet");
}

#[test]
fn option_82_without_a_relay() {
    let mut bench = bench();
    let echo = |bench: &mut Bench| {
        let request = Request::discover(mac(1), 1).option(code::RELAY, [1, 2, 0, 7]);
        let offer = bench.hear(&request);
        Message::reply(&offer.reply).unwrap().option(code::RELAY).map(<[u8]>::to_vec)
    };
    assert_eq!(echo(&mut bench), None, "nobody who may insert it is there");
    bench.settings.dhcp.subnets[0].option_82 = Option82::L2;
    assert_eq!(echo(&mut bench), Some(vec![1, 2, 0, 7]));
}

#[test]
fn a_listener_for_relays_only() {
    let mut bench = bench();
    let loopback = Ipv4Addr::LOCALHOST;
    let discover = Request::discover(mac(1), 1).relayed(RELAY).encode();
    let offer = bench.receive(&discover, (RELAY, 5000), loopback, &[]);
    assert_eq!(offer.text, "Offer 10.30.0.50 to 10.30.0.1:5000");
    let server = Message::reply(&offer.reply).unwrap().address(code::SERVER_ID);
    assert_eq!(server, Some(loopback), "the address that was asked");
    let direct = Request::discover(mac(2), 1).encode();
    assert_eq!(bench.receive(&direct, (RELAY, 68), loopback, &[]).text, "no-subnet");
}

#[test]
fn where_a_phone_is_plugged_in_is_recorded_once() {
    let mut bench = bench();
    let information = b"\x01\x07Gi1/0/7\x02\x04sw-3";
    let plugs = |bench: &Bench| {
        let phone = bench.state.phones.get(&mac(1));
        let plugs: Vec<_> = phone.into_iter().filter_map(|phone| plug(&phone.grounds)).collect();
        plugs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    // How often the record is told.
    let hear = |bench: &mut Bench, xid: u32, relay: bool, information: &[u8]| {
        let request = Request::discover(mac(1), xid).option(code::CLASS, CLASS);
        if relay {
            relayed(bench, &through(request, information), 67);
        } else {
            bench.hear(&request.option(code::RELAY, information));
        }
        let changes = std::mem::take(&mut bench.recorded);
        let told = |change: &&Change| matches!(change, Change::Showed(_, ground) if ground.from == Origin::Option82);
        let told = changes.iter().filter(told).count();
        bench.commit(changes);
        told
    };
    assert_eq!(hear(&mut bench, 1, false, information), 0);
    assert_eq!(plugs(&bench), "", "without a relay anybody could have written it");
    assert_eq!(hear(&mut bench, 2, true, information), 1);
    assert_eq!(plugs(&bench), "sw-3 | Gi1/0/7");
    assert_eq!(hear(&mut bench, 3, true, information), 0, "no news");
    assert_eq!(hear(&mut bench, 4, true, b"\x01\x018\x02\x04sw-4"), 1);
    assert_eq!(plugs(&bench), "sw-4 | 8", "it moved");
}
