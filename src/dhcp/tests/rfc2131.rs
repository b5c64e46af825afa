//! RFC 2131, section by section.

use super::*;

#[test]
fn section_3_1_discover_offer_request_ack() {
    let mut bench = Bench::new();
    let offer = bench.hear(&Request::discover(mac(1), 7));
    let message = Message::reply(&offer.reply).unwrap();
    let address = message.yiaddr();
    assert_eq!(offer.to, Some(To::Station { hardware: mac(1).octets(), address }));
    assert_eq!(message.address(code::SERVER_ID), Some(OWN));
    assert_eq!(message.number(code::LEASE_TIME), Some(3600));
    assert_eq!(message.number(code::RENEWAL), Some(1800));
    assert_eq!(message.number(code::REBINDING), Some(3150));
    assert_eq!(message.address(code::MASK), Some(ip("255.255.255.0")));
    assert_eq!(bench.events(), ["looks for a DHCP server", &format!("was offered {address}")]);
    assert!(bench.state.leases.is_empty(), "an offer is no fact");
    let ack = bench.hear(&Request::select(mac(1), 7, address, OWN));
    assert_eq!(ack.text, format!("Ack {address} to station {address}"));
    assert_eq!(bench.state.leases[&address].mac, mac(1));
    assert_eq!(bench.events(), [format!("leased {address}")]);
}

#[test]
fn section_3_1_a_retransmitted_discover_gets_the_same_offer_and_one_report() {
    let mut bench = Bench::new();
    let first = bench.hear(&Request::discover(mac(1), 7)).text;
    bench.now = 4;
    assert_eq!(bench.hear(&Request { secs: 4, ..Request::discover(mac(1), 7) }).text, first);
    assert_eq!(bench.events(), Vec::<String>::new());
    // A new transaction is a new start, with the same address all the same.
    assert_eq!(bench.hear(&Request::discover(mac(1), 8)).text, first);
    assert_eq!(bench.events().len(), 2);
}

#[test]
fn section_4_1_where_replies_go() {
    let mut bench = Bench::new();
    bench.list(mac(1), "10.20.0.70");
    let broadcast = Request { broadcast: true, ..Request::discover(mac(1), 1) };
    bench.check(&broadcast, "Offer 10.20.0.70 to everybody");
    bench.check(&Request::discover(mac(1), 1), "Offer 10.20.0.70 to station 10.20.0.70");
    bench.check(
        &Request::select(mac(1), 1, ip("10.20.0.70"), OWN),
        "Ack 10.20.0.70 to station 10.20.0.70",
    );
    bench.check(
        &Request::extend(mac(1), 2, ip("10.20.0.70")),
        "Ack 10.20.0.70 to station 10.20.0.70",
    );
    bench.check(
        &Request::reboot(mac(1), 3, ip("10.30.0.1")),
        "Nak (it is on another network) to everybody",
    );
    // Renewals of a phone behind a router come by unicast and go back the same way.
    bench.settings.dhcp.subnets.push(subnet("10.30.0.0/24", ("10.30.0.50", "10.30.0.59")));
    let far = Request::discover(mac(2), 1).relayed(ip("10.30.0.1"));
    let offer = bench.receive(&far.encode(), (ip("10.30.0.1"), 67), OWN, &[(OWN, 24)]);
    let address = Message::reply(&offer.reply).unwrap().yiaddr();
    let far = Request::select(mac(2), 1, address, OWN).relayed(ip("10.30.0.1"));
    bench.receive(&far.encode(), (ip("10.30.0.1"), 67), OWN, &[(OWN, 24)]);
    bench.check(&Request::extend(mac(2), 2, address), &format!("Ack {address} to {address}:68"));
}

#[test]
fn section_4_3_1_which_address() {
    let mut bench = Bench::new();
    let first = bench.lease(mac(1));
    // Its current one, whatever it wishes.
    let wishing =
        |number| Request::discover(mac(number), 9).option(code::REQUESTED, [10, 20, 0, 55]);
    bench.check(&wishing(1), &format!("Offer {first} to station {first}"));
    // Its last one, long after it ended.
    bench.now = 1_000_000;
    bench.check(&Request::discover(mac(1), 10), &format!("Offer {first} to station {first}"));
    // What it wishes, if that is free.
    let wish = if first == ip("10.20.0.55") { mac(1) } else { mac(2) };
    let wish = u32::from_be_bytes(*wish.octets().last_chunk().unwrap());
    bench.check(&wishing(wish), "Offer 10.20.0.55 to station 10.20.0.55");
    // What it wishes is not in the pool, or somebody else's offer: another one.
    let outside = Request::discover(mac(3), 9).option(code::REQUESTED, [10, 20, 0, 99]);
    assert_ne!(bench.hear(&outside).text, "Offer 10.20.0.99 to station 10.20.0.99");
    assert_ne!(bench.hear(&wishing(4)).text, "Offer 10.20.0.55 to station 10.20.0.55");
}

#[test]
fn section_4_3_2_selecting() {
    let mut bench = Bench::new();
    let offer = bench.hear(&Request::discover(mac(1), 7));
    let address = Message::reply(&offer.reply).unwrap().yiaddr();
    bench.check(&Request::select(mac(1), 7, address, OTHER), "other-server");
    assert_eq!(bench.offers.holder(address), None, "the offer is free again");
    // After a restart of ours the promise is forgotten, and the address free still.
    bench.check(
        &Request::select(mac(1), 7, address, OWN),
        &format!("Ack {address} to station {address}"),
    );
    bench.check(
        &Request::select(mac(2), 8, address, OWN),
        "Nak (somebody else has it) to everybody",
    );
    bench.check(
        &Request::select(mac(2), 8, ip("10.9.0.1"), OWN),
        "Nak (it is on another network) to everybody",
    );
    bench.check(
        &Request::select(mac(2), 8, ip("10.20.0.200"), OWN),
        "Nak (somebody else has it) to everybody",
    );
    bench.check(&Request::new(crate::wire::dhcp::Kind::Request, mac(2), 8), "incomplete");
}

#[test]
fn section_4_3_2_init_reboot() {
    let mut bench = Bench::new();
    let address = bench.lease(mac(1));
    bench.check(
        &Request::reboot(mac(1), 2, address),
        &format!("Ack {address} to station {address}"),
    );
    assert_eq!(bench.events(), [format!("restarted and keeps {address}")]);
    let wrong = if address == ip("10.20.0.51") { ip("10.20.0.52") } else { ip("10.20.0.51") };
    let denial = format!("Nak (its address is {address}) to everybody");
    bench.check(&Request::reboot(mac(1), 2, wrong), &denial);
    bench.check(
        &Request::reboot(mac(1), 2, ip("192.168.1.5")),
        "Nak (it is on another network) to everybody",
    );
    // Unknown: another server may know it.
    bench.check(&Request::reboot(mac(2), 2, wrong), "unknown-client");
    bench.settings.dhcp.authoritative = true;
    bench.check(
        &Request::reboot(mac(2), 2, wrong),
        "Nak (nobody here knows this client) to everybody",
    );
    // The lease ended and nobody took the address meanwhile.
    bench.now = 1_000_000;
    bench.check(
        &Request::reboot(mac(1), 3, address),
        &format!("Ack {address} to station {address}"),
    );
}

#[test]
fn section_4_3_2_renewing_and_rebinding() {
    let mut bench = Bench::new();
    let address = bench.lease(mac(1));
    let ack = format!("Ack {address} to station {address}");
    bench.now = 1800;
    bench.check(&Request::extend(mac(1), 2, address), &ack);
    assert_eq!(bench.events(), [format!("renewed {address}")]);
    let lease = &bench.state.leases[&address];
    assert_eq!(lease.until.duration_since(lease.since).as_secs(), 1800 + 3600);
    bench.now = 1800 + 3200;
    bench.check(&Request::extend(mac(1), 3, address), &ack);
    assert_eq!(bench.events(), [format!("renewed {address} by broadcast")]);
    bench.check(&Request::extend(mac(2), 3, address), "unknown-client");
    bench.check(&Request::extend(mac(1), 3, ip("10.99.0.1")), "no-subnet");
    // The operator took the address out of the pool: the holder keeps it until it restarts.
    bench.settings.dhcp.subnets[0].pool = vec![(ip("10.20.0.100"), ip("10.20.0.101"))];
    bench.check(&Request::extend(mac(1), 4, address), &ack);
    let offer = bench.hear(&Request::discover(mac(1), 5)).text;
    assert!(offer.starts_with("Offer 10.20.0.10"), "{offer}");
}

#[test]
fn section_4_3_3_decline() {
    let mut bench = Bench::new();
    let address = bench.lease(mac(1));
    bench.check(&Request::decline(mac(2), 2, address, OWN), "not-its-lease");
    bench.check(&Request::decline(mac(1), 2, address, OTHER), "other-server");
    for (times, minutes) in [(1, 10), (2, 20), (3, 40)] {
        bench.check(&Request::decline(mac(1), 2, address, OWN), "no reply");
        let aside = bench.state.quarantine[&address].clone();
        let until = aside.until.duration_since(bench.time()).as_mins();
        assert_eq!((aside.times, until, aside.by), (times, minutes, mac(1)));
        assert_eq!(bench.events(), [format!("declined {address}: somebody else uses it")]);
        // Nobody gets it meanwhile; afterwards it is its last address again.
        let wish = Request::discover(mac(3), 3).option(code::REQUESTED, address.octets());
        assert_ne!(bench.hear(&wish).text, format!("Offer {address} to station {address}"));
        bench.now += 60 * minutes;
        assert_eq!(bench.lease(mac(1)), address);
    }
    // After a day of peace it begins anew.
    bench.now += 2 * 24 * 3600;
    assert_eq!(bench.lease(mac(1)), address);
    bench.check(&Request::decline(mac(1), 2, address, OWN), "no reply");
    assert_eq!(bench.state.quarantine[&address].times, 1);
}

#[test]
fn section_4_3_4_release() {
    let mut bench = Bench::new();
    let address = bench.lease(mac(1));
    bench.check(&Request::release(mac(2), 2, address, OWN), "not-its-lease");
    bench.check(&Request::release(mac(1), 2, address, OTHER), "other-server");
    bench.check(&Request::release(mac(1), 2, address, OWN), "no reply");
    assert_eq!(bench.events(), [format!("released {address}")]);
    assert!(bench.state.holder(address, bench.time()).is_none());
    bench.check(&Request::release(mac(1), 2, address, OWN), "not-its-lease");
    assert_eq!(bench.lease(mac(1)), address, "it is its last address still");
}

#[test]
fn section_4_3_5_inform() {
    let mut bench = Bench::new();
    let outcome = bench.hear(&Request::inform(mac(1), 2, ip("10.20.0.9")));
    assert_eq!(outcome.text, "Ack 0.0.0.0 to station 10.20.0.9");
    let message = Message::reply(&outcome.reply).unwrap();
    assert_eq!(message.ciaddr(), ip("10.20.0.9"));
    for code in [code::LEASE_TIME, code::RENEWAL, code::REBINDING] {
        assert_eq!(message.option(code), None, "{code}");
    }
    assert_eq!(message.option(code::TFTP_ADDRESSES), Some(&OWN.octets()[..]));
    assert_eq!(bench.events(), ["asked for options at 10.20.0.9"]);
    bench.check(&Request::inform(mac(1), 2, Ipv4Addr::UNSPECIFIED), "incomplete");
}

#[test]
fn rfc_4361_the_identifier_is_the_client() {
    let mut bench = Bench::new();
    let as_ = |mac: Mac, id: &'static [u8]| Request::discover(mac, 1).option(code::CLIENT_ID, id);
    let address = |outcome: &Outcome| Message::reply(&outcome.reply).unwrap().yiaddr();
    let first = address(&bench.hear(&as_(mac(1), b"\xff\0\0\0\x01one")));
    let second = address(&bench.hear(&as_(mac(2), b"\xff\0\0\0\x01one")));
    let third = address(&bench.hear(&as_(mac(1), b"\xff\0\0\0\x01two")));
    assert_eq!(first, second, "another interface of the same client");
    assert_ne!(first, third, "another client with the same hardware address");
    // RFC 6842: it is echoed.
    let outcome = bench.hear(&as_(mac(1), b"\xff\0\0\0\x01one"));
    let message = Message::reply(&outcome.reply).unwrap();
    assert_eq!(message.option(code::CLIENT_ID), Some(&b"\xff\0\0\0\x01one"[..]));
}

#[test]
fn a_servers_message_is_not_a_clients() {
    let mut bench = Bench::new();
    for kind in
        [crate::wire::dhcp::Kind::Offer, crate::wire::dhcp::Kind::Ack, crate::wire::dhcp::Kind::Nak]
    {
        bench.check(&Request::new(kind, mac(1), 1), Silence::FromServer.as_str());
    }
}

/// What a client says to another server is on record where it is ours to serve: once for each of our offers.
#[test]
fn a_server_beside_ours_is_told() {
    let mut bench = Bench::new();
    let address = ip("10.20.0.200");
    let takes = Request::select(mac(1), 7, address, OTHER);
    let check = |bench: &mut Bench, told: &[&str]| {
        bench.check(&takes, "other-server");
        assert_eq!(bench.events(), told);
    };
    check(&mut bench, &[]);
    bench.hear(&Request::discover(mac(1), 7));
    check(&mut bench, &["takes the offer of another DHCP server, 10.20.0.3"]);
    check(&mut bench, &[]);
    bench.hear(&Request::discover(mac(1), 8));
    bench.settings.dhcp.subnets[0].admit = Admit::Listed;
    check(&mut bench, &[]);
}
