//! Pools, reservations, admission and what happens when there is nothing left.

use std::collections::HashSet;

use super::*;
use crate::domain::Lease;

#[test]
fn a_reserved_address_is_nobody_elses() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.51"))]);
    bench.list(mac(1), "10.20.0.50");
    assert_eq!(bench.lease(mac(2)), ip("10.20.0.51"));
    bench.check(&Request::discover(mac(3), 1), "pool-exhausted");
    bench.check(
        &Request::select(mac(3), 1, ip("10.20.0.50"), OWN),
        "Nak (somebody else has it) to everybody",
    );
    assert_eq!(bench.lease(mac(1)), ip("10.20.0.50"));
}

#[test]
fn a_reservation_holds_whatever_the_phone_calls_itself() {
    let mut bench = Bench::new();
    bench.list(mac(1), "10.20.0.200");
    assert_eq!(bench.lease(mac(1)), ip("10.20.0.200"), "outside of the pool, too");
    let named = Request::discover(mac(1), 2).option(code::CLIENT_ID, *b"loader");
    bench.check(&named, "Offer 10.20.0.200 to station 10.20.0.200");
    let named =
        Request::select(mac(1), 2, ip("10.20.0.200"), OWN).option(code::CLIENT_ID, *b"loader");
    bench.check(&named, "Ack 10.20.0.200 to station 10.20.0.200");
}

#[test]
fn a_new_reservation_moves_the_phone() {
    let mut bench = Bench::new();
    let address = bench.lease(mac(1));
    bench.list(mac(1), "10.20.0.200");
    let denial = "Nak (its address is 10.20.0.200) to everybody";
    bench.check(&Request::extend(mac(1), 2, address), denial);
    bench.check(&Request::reboot(mac(1), 2, address), denial);
    assert_eq!(bench.lease(mac(1)), ip("10.20.0.200"));
    // Not while somebody sits on it.
    let second = bench.lease(mac(2));
    let third = bench.lease(mac(3));
    bench.list(mac(3), &second.to_string());
    bench.check(&Request::extend(mac(3), 2, third), &format!("Ack {third} to station {third}"));
}

#[test]
fn who_is_admitted() {
    let mut bench = Bench::new();
    bench.list(mac(1), "10.20.0.50");
    let cisco = Request::discover(mac(2), 1)
        .option(code::CLASS, *b"Cisco Systems, Inc. IP Phone CP-7961G\0");
    let windows = Request::discover(mac(3), 1).option(code::CLASS, *b"MSFT 5.0");
    let admitted = |bench: &mut Bench, admit, expected: [bool; 4]| {
        bench.settings.dhcp.subnets[0].admit = admit;
        bench.now += 61;
        let all = [
            Request::discover(mac(1), 1),
            cisco.clone(),
            windows.clone(),
            Request::discover(mac(4), 1),
        ];
        let got = all.map(|request| bench.hear(&request).text.starts_with("Offer"));
        assert_eq!(got, expected, "{admit:?}");
    };
    admitted(&mut bench, Admit::All, [true, true, true, true]);
    admitted(&mut bench, Admit::Phones, [true, true, false, false]);
    admitted(&mut bench, Admit::Listed, [true, false, false, false]);
    assert_eq!(
        bench.events(),
        ["looks for a DHCP server", "got no address: `admit` leaves it out"]
    );
    // Again within the minute: no second report.
    bench.check(&Request::discover(mac(4), 2), "not-admitted");
    assert_eq!(bench.events(), Vec::<String>::new());
    bench.check(&Request::select(mac(4), 2, ip("10.20.0.55"), OWN), "not-admitted");
}

#[test]
fn what_is_no_phone_gets_an_address_and_no_row() {
    let mut bench = Bench::new();
    let windows = |request: Request| {
        request.option(code::CLASS, *b"MSFT 5.0").option(code::ASKED, [1, 3, 66, 150])
    };
    let offer = bench.hear(&windows(Request::discover(mac(3), 1)));
    let message = Message::reply(&offer.reply).unwrap();
    assert_eq!(
        (message.option(66), message.option(150), message.siaddr()),
        (None, None, Ipv4Addr::UNSPECIFIED)
    );
    assert!(bench.recorded.is_empty());
    let address = message.yiaddr();
    bench.hear(&windows(Request::select(mac(3), 1, address, OWN)));
    assert!(matches!(bench.recorded[..], [Change::Leased(_)]));
    assert_eq!(bench.state.phones.len(), 0);
}

#[test]
fn from_a_network_that_nobody_set() {
    let mut bench = Bench::with(vec![subnet("10.99.0.0/24", ("10.99.0.50", "10.99.0.59"))]);
    bench.check(&Request::discover(mac(1), 1), "no-subnet");
    let report = "got no address: no subnet in the settings covers where it asked from";
    assert_eq!(bench.events(), ["looks for a DHCP server", report]);
    bench.check(&Request::reboot(mac(1), 1, ip("10.99.0.50")), "no-subnet");
}

#[test]
fn a_flood_of_invented_clients_keeps_no_listed_phone_out() {
    let mut bench = Bench::new();
    bench.commit(vec![Change::Listed(mac(99_999), Box::default())]);
    for number in 0..1800 {
        bench.now = i64::from(number / 100);
        bench.hear(&Request::discover(mac(number), 1));
    }
    // All ten addresses were offered anew a few seconds ago, and nobody takes them.
    bench.now += 2;
    bench.check(&Request::discover(mac(5000), 1), "pool-exhausted");
    bench.lease(mac(99_999));
}

#[test]
fn a_full_pool_takes_back_what_nobody_claims() {
    let mut bench = Bench::new();
    for number in 0..10 {
        assert!(bench.hear(&Request::discover(mac(number), 1)).text.starts_with("Offer"));
    }
    bench.check(&Request::discover(mac(10), 1), "pool-exhausted");
    assert_eq!(
        bench.events(),
        ["looks for a DHCP server", "got no address: no address is free in its subnet"]
    );
    bench.now = 11;
    assert!(
        bench.hear(&Request::discover(mac(10), 2)).text.starts_with("Offer"),
        "an old offer is taken back"
    );
    // But never what is leased.
    let mut bench = Bench::new();
    let held: HashSet<Ipv4Addr> = (0..10).map(|number| bench.lease(mac(number))).collect();
    assert_eq!(held.len(), 10);
    bench.now = 100;
    bench.check(&Request::discover(mac(10), 1), "pool-exhausted");
    // One phone leaves; within the second the pool counts as full still.
    let left = *held.iter().next().unwrap();
    let holder = bench.state.leases[&left].mac;
    bench.hear(&Request::release(holder, 2, left, OWN));
    bench.now = 101;
    bench.check(&Request::discover(mac(10), 2), &format!("Offer {left} to station {left}"));
}

#[test]
fn never_ours_nor_the_routers_nor_the_ends() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/29", ("10.20.0.0", "10.20.0.7"))]);
    bench.settings.dhcp.subnets[0].router = vec![ip("10.20.0.1")];
    bench.settings.dhcp.subnets[0].servers = vec![ip("10.20.0.3")];
    let mut got: Vec<Ipv4Addr> = (0..3).map(|number| bench.lease(mac(number))).collect();
    got.sort_unstable();
    assert_eq!(got, [ip("10.20.0.4"), ip("10.20.0.5"), ip("10.20.0.6")]);
    bench.check(&Request::discover(mac(9), 1), "pool-exhausted");
}

#[test]
fn the_next_subnet_of_the_wire_when_one_is_full() {
    let first = subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.50"));
    let second = subnet("10.21.0.0/24", ("10.21.0.50", "10.21.0.50"));
    let mut bench = Bench::with(vec![first, second]);
    let own = [(OWN, 24), (ip("10.21.0.2"), 24)];
    let hear = |bench: &mut Bench, request: Request| {
        bench.receive(&request.encode(), (ip("0.0.0.0"), 68), OWN, &own)
    };
    let one = hear(&mut bench, Request::discover(mac(1), 1));
    assert_eq!(one.text, "Offer 10.20.0.50 to station 10.20.0.50");
    let two = hear(&mut bench, Request::discover(mac(2), 1));
    assert_eq!(two.text, "Offer 10.21.0.50 to station 10.21.0.50");
    // Our address in the client's own subnet names us.
    let server = Message::reply(&two.reply).unwrap().address(code::SERVER_ID);
    assert_eq!(server, Some(ip("10.21.0.2")));
    let ack = hear(&mut bench, Request::select(mac(2), 1, ip("10.21.0.50"), ip("10.21.0.2")));
    assert_eq!(ack.text, "Ack 10.21.0.50 to station 10.21.0.50");
}

#[test]
fn a_delivery_of_phones_is_spread() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/21", ("10.20.1.0", "10.20.4.255"))]);
    let offered: HashSet<Ipv4Addr> = (0..1000)
        .map(|number| {
            Message::reply(&bench.hear(&Request::discover(mac(number), 1)).reply).unwrap().yiaddr()
        })
        .collect();
    assert_eq!(offered.len(), 1000, "sequential MACs never get the same offer");
}

#[test]
fn fresh_addresses_go_before_those_of_others() {
    let mut bench = Bench::new();
    let before = bench.lease(mac(1));
    bench.now = 10_000;
    let others: HashSet<Ipv4Addr> = (2..11).map(|number| bench.lease(mac(number))).collect();
    assert!(!others.contains(&before), "nine fresh ones were there");
    assert_eq!(bench.lease(mac(11)), before, "the last one goes to whoever asks");
    bench.check(&Request::reboot(mac(1), 2, before), "unknown-client");
}

#[test]
fn a_large_full_pool_is_searched_in_no_time() {
    let mut bench = Bench::with(vec![subnet("10.0.0.0/8", ("10.20.0.0", "10.20.255.255"))]);
    let until = bench.time() + Duration::from_hours(1);
    let free = 4242_u32;
    let lease = |number: u32| {
        let (address, mac) = (Ipv4Addr::from(u32::from(ip("10.20.0.0")) + number), mac(number));
        let client = crate::domain::ClientKey::hardware(mac);
        Change::Leased(Lease { address, client, mac, since: Timestamp::UNIX_EPOCH, until })
    };
    let changes = (0..65_536).filter(|number| *number != free).map(lease).collect();
    bench.commit(changes);
    // Strides through all of it once, finds the only free one, and does not try again within the second.
    bench.check(&Request::discover(mac(100_000), 1), "Offer 10.20.16.146 to station 10.20.16.146");
    bench.check(&Request::discover(mac(100_001), 1), "pool-exhausted");
    assert!(bench.offers.is_full(ip("10.0.0.0"), bench.time()));
    bench.check(&Request::discover(mac(100_002), 1), "pool-exhausted");
}

#[test]
fn rfc_5227_strangers_get_what_the_wire_was_asked_about_ahead() {
    let mut bench = Bench::new();
    bench.stock_up();
    let mut offered = HashSet::new();
    for number in 0..9 {
        let offer = bench.hear(&Request::discover(mac(number), 1));
        offered.insert(Message::reply(&offer.reply).unwrap().yiaddr());
        assert_eq!(bench.unproven, None, "{}: at once", offer.text);
    }
    assert_eq!(offered.len(), 9);
    // The last one is heard of meanwhile: it is no proof any more.
    let last = (50..60).map(|last| Ipv4Addr::new(10, 20, 0, last));
    let last = last.into_iter().find(|address| !offered.contains(address)).unwrap();
    assert!(bench.offers.stock.is_proven(last, bench.time()));
    let now = bench.time();
    bench.offers.stock.hear(last, [2, 0, 0, 0, 0, 9], now);
    bench.check(&Request::discover(mac(9), 1), &format!("Offer {last} to station {last}"));
    assert_eq!(bench.unproven, Some(last));
}

#[test]
fn rfc_5227_a_proof_holds_for_a_minute_and_on_its_wire() {
    let mut bench = Bench::new();
    bench.stock_up();
    let far = bench.hear(&Request::discover(mac(1), 1).relayed(ip("10.20.0.9")));
    assert!(far.text.starts_with("Offer "), "{}", far.text);
    let wish =
        |number, last: [u8; 4]| Request::discover(mac(number), 1).option(code::REQUESTED, last);
    // What it wishes goes before what is next, as long as it is free.
    bench.check(&wish(2, [10, 20, 0, 57]), "Offer 10.20.0.57 to station 10.20.0.57");
    assert_eq!(bench.unproven, None);
    bench.now += 60;
    bench.hear(&Request::discover(mac(3), 1));
    assert!(bench.unproven.is_some(), "it was a minute ago");
}

#[test]
fn a_large_pool_of_leases_that_are_over() {
    let mut bench = Bench::with(vec![subnet("10.0.0.0/8", ("10.20.0.0", "10.20.255.255"))]);
    let now = bench.time();
    let lease = |number: u32| {
        let (address, mac) = (Ipv4Addr::from(u32::from(ip("10.20.0.0")) + number), mac(number));
        let client = crate::domain::ClientKey::hardware(mac);
        // Two ended, the second one first.
        let until = match number {
            1000 => now - Duration::from_secs(1),
            2000 => now - Duration::from_secs(2),
            _ => now + Duration::from_hours(1),
        };
        Change::Leased(Lease { address, client, mac, since: Timestamp::UNIX_EPOCH, until })
    };
    bench.commit((0..65_536).map(lease).collect());
    bench.check(&Request::discover(mac(100_000), 1), "Offer 10.20.7.208 to station 10.20.7.208");
    bench.check(&Request::discover(mac(100_001), 1), "Offer 10.20.3.232 to station 10.20.3.232");
    bench.check(&Request::discover(mac(100_002), 1), "pool-exhausted");
}

#[test]
fn a_pool_of_several_ranges_is_searched_whole() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/16", ("10.20.1.0", "10.20.1.99"))]);
    let pool = &mut bench.settings.dhcp.subnets[0].pool;
    pool.extend([(ip("10.20.3.0"), ip("10.20.3.0")), (ip("10.20.2.0"), ip("10.20.2.99"))]);
    let got: HashSet<Ipv4Addr> = (0..201).map(|number| bench.lease(mac(number))).collect();
    assert_eq!(got.len(), 201);
    bench.now += 1;
    bench.check(&Request::discover(mac(999), 1), "pool-exhausted");
}
