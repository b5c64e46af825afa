//! The rules that concern a server of phones, and where each is tested.
//!
//! | RFC | rule | test |
//! |---|---|---|
//! | 2131 §2, 1542 §2.1 | at least 300 octets | `rfc_1542_section_2_1_replies_have_300_octets` |
//! | 2131 §3.1 | the same offer again, reserved meanwhile | `rfc2131::section_3_1_a_retransmitted_…`, `pools::a_delivery_…` |
//! | 2131 §3.1, 5227 | the wire is asked first | `rfc_5227_which_offers_…`, `conflict`, tests/it/dhcp/wire.rs |
//! | 5227 | or ahead, so that nobody waits | `stock`, `pools::rfc_5227_*`, tests/it/dhcp/ahead.rs |
//! | 2131 §4.1 | the way back, broadcast flag | `rfc2131::section_4_1_where_replies_go`, tests/it/dhcp/wire.rs |
//! | 2131 §4.1, table 3 | what a NAK holds, and its flag through a relay | `rfc_2131_table_3_a_nak_…` |
//! | 2131 §4.2 | the identifier is the key, opaque | `rfc_2131_section_4_2_any_identifier_is_a_key`, `rfc2131::rfc_4361_…` |
//! | 2131 §4.3.1 | which address | `rfc2131::section_4_3_1_which_address` |
//! | 2131 §4.3.2 | SELECTING, INIT-REBOOT, RENEWING, REBINDING | `rfc2131::section_4_3_2_*` |
//! | 2131 §4.3.2 | more renewals than neighbours (`gc_thresh3`) | tests/it/dhcp/crowd.rs |
//! | 2131 §4.3.3 | DECLINE: set aside, told, bounded | `rfc2131::section_4_3_3_decline`, `rfc_2131_section_4_3_3_*` |
//! | 2131 §4.3.3 | of many phones one finding | `conflict`, `provision::tests::report::rfc_2131_section_4_3_3_…` |
//! | 2131 §4.3.4, §4.3.5 | RELEASE, INFORM | `rfc2131::section_4_3_4_release`, `rfc2131::section_4_3_5_inform` |
//! | 2131 §4.4.5 | T1 and T2 | `rfc_2131_section_4_4_5_times` |
//! | 2132 §3.3, §9.8, 3442 | order of options | `wire::dhcp::tests::order_of_a_reply` |
//! | 2132 §9.3 | overload read and written | `wire::dhcp::tests::overload_…`, `…::rfc_2132_section_9_3_…` |
//! | 2132 §9.10 | option 57 | `wire::dhcp::tests::limit_follows_option_57`, `…::least_important_options_go_first` |
//! | 3046 §5 | only relays of our subnets, or where they say | `relays::rfc_3046_section_5_…` |
//! | 3046 §2.1, §2.2 | option 82 verbatim, last, not from anybody | `wire::dhcp::tests::relay_information_…`, `relays::option_82_…` |
//! | 3011 | option 118 is a client's word | `options_that_are_not_ours_to_read` |
//! | 3118, 3203, 6704 | no authentication, no FORCERENEW | `options_that_are_not_ours_to_read` |
//! | 3396 | joined, split | `wire::dhcp::tests::joined_…`, `…::no_option_is_sent_in_part` |
//! | 3397, 3442 | search list, routes | `wire::dhcp::lists`, `rfc_3442_routes_beside_the_router` |
//! | 3527, 5107, 5010, 8357 | relays' sub-options | `relays::rfc_3527_…`, `rfc_5107_…`, `rfc_5010_…`, `relays::rfc_8357_…` |
//! | 3925 | blocks of several enterprises | `wire::dhcp::lists`, `rfc_3925_a_second_enterprise_counts` |
//! | 3942 | codes 128 to 223 mean nothing | `options_that_are_not_ours_to_read` |
//! | 4361, 6842 | identifiers of any form, echoed | `rfc2131::rfc_4361_…`, `rfc_2131_section_4_2_…` |
//! | 4388, 6926, 7724 | no leasequery | `wire::dhcp::tests::rfc_4388_6926_7724_…` |
//! | 4702 | the client's name, without updates | `rfc_4702_the_name_is_answered` |
//! | 2563, 8925 | 116 and 108 | `options_that_are_not_ours_to_read` |
//! | 5859 | option 150 is a list | `wire::dhcp::tests::reply_as_the_client_reads_it` |
//! | 2131 §2 | op, hlen, cookie, length, BOOTP | `wire::dhcp::tests::what_is_no_message` |

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{domain::Quarantine, wire::dhcp::Kind};

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 1);

fn far() -> Bench {
    let near = subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.59"));
    Bench::with(vec![near, subnet("10.30.0.0/24", ("10.30.0.50", "10.30.0.59"))])
}

/// Through a relay with these sub-options.
fn relayed(bench: &mut Bench, request: Request, information: &[u8]) -> Outcome {
    let request = Request { giaddr: RELAY, ..request }.option(code::RELAY, information);
    bench.receive(&request.encode(), (RELAY, 67), OWN, &[(OWN, 24)])
}

#[test]
fn rfc_1542_section_2_1_replies_have_300_octets() {
    let mut bench = Bench::new();
    let bare = Request::discover(mac(1), 1).option(code::ASKED, [1]);
    let nak = Request::reboot(mac(1), 1, ip("10.99.0.1"));
    for request in [bare, nak, Request::inform(mac(1), 1, ip("10.20.0.9"))] {
        let reply = bench.hear(&request).reply;
        assert!(reply.len() >= 300, "{} octets: {request:?}", reply.len());
    }
}

#[test]
fn rfc_2131_table_3_a_nak_holds_this_and_nothing_else() {
    let mut bench = far();
    let id = Request::reboot(mac(1), 7, ip("10.99.0.5")).option(code::CLIENT_ID, *b"\xffphone");
    let id = id.option(code::ASKED, [1, 3, 66]).option(code::FQDN, *b"\0\0\0sep");
    let check = |outcome: &Outcome, broadcast: bool, codes: &[u8]| {
        let message = Message::reply(&outcome.reply).unwrap();
        assert_eq!((message.kind(), message.xid(), message.mac()), (Kind::Nak, 7, mac(1)));
        let none = Ipv4Addr::UNSPECIFIED;
        assert_eq!([message.ciaddr(), message.yiaddr(), message.siaddr()], [none; 3]);
        assert_eq!(message.wants_broadcast(), broadcast);
        let mut found: Vec<u8> = message.options().map(|(code, _)| code).collect();
        found.sort_unstable();
        assert_eq!(found, codes);
    };
    let direct = bench.hear(&id);
    assert_eq!(direct.to, Some(To::Everybody));
    check(&direct, false, &[53, 54, 56, 61]);
    check(&relayed(&mut bench, id, &[1, 1, 7]), true, &[53, 54, 56, 61, 82]);
    let renews = Request::extend(mac(1), 7, ip("10.20.0.55"));
    bench.settings.dhcp.authoritative = true;
    check(&bench.hear(&renews), false, &[53, 54, 56]);
}

#[test]
fn rfc_2131_section_4_2_any_identifier_is_a_key() {
    let mut bench = Bench::new();
    let mut got = std::collections::HashSet::new();
    for id in [&b"\x07"[..], b"\0phone", b"\xff\0\0\0\x01phone", b"\x01\x02\0\0\0\0\x01"] {
        let ask = || Request::discover(mac(1), 1).option(code::CLIENT_ID, id);
        let offer = bench.hear(&ask());
        let message = Message::reply(&offer.reply).unwrap();
        assert_eq!(message.option(code::CLIENT_ID), Some(id), "RFC 6842 §3: echoed");
        assert!(got.insert(message.yiaddr()), "{id:?} is a client of its own");
        assert_eq!(bench.hear(&ask()).text, offer.text);
    }
}

#[test]
fn rfc_2131_section_4_4_5_times() {
    let mut bench = Bench::new();
    let mut check = |lease: u64, times: [u32; 3]| {
        bench.settings.dhcp.subnets[0].lease_time = Duration::from_secs(lease);
        let offer = bench.hear(&Request::discover(mac(1), 1));
        let message = Message::reply(&offer.reply).unwrap();
        let found = [code::RENEWAL, code::REBINDING, code::LEASE_TIME];
        assert_eq!(found.map(|code| message.number(code).unwrap()), times);
        assert!(times[0] < times[1] && times[1] < times[2]);
    };
    check(60, [30, 52, 60]);
    check(86_400, [43_200, 75_600, 86_400]);
    check(u64::from(u32::MAX) + 9, [0x7fff_ffff, 0xdfff_ffff, u32::MAX]);
}

#[test]
fn rfc_2131_section_4_3_3_set_aside_for_a_day_at_most() {
    let mut bench = Bench::new();
    let address = bench.lease(mac(1));
    let mut minutes = Vec::new();
    for _ in 0..10 {
        bench.check(&Request::decline(mac(1), 2, address, OWN), "no reply");
        let until = bench.state.quarantine[&address].until;
        minutes.push(until.duration_since(bench.time()).as_mins());
        bench.now += minutes.last().unwrap() * 60;
        // What was found in use lately is asked about again, although this client had it last.
        let offer = bench.hear(&Request::discover(mac(1), 3)).text;
        assert_eq!(
            (offer, bench.unproven),
            (format!("Offer {address} to station {address}"), Some(address))
        );
        bench.hear(&Request::select(mac(1), 3, address, OWN));
    }
    assert_eq!(minutes, [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
}

#[test]
fn rfc_2131_section_4_3_3_a_tenth_of_a_pool_is_set_aside_at_most() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.89"))]);
    let mut declined = Vec::new();
    for number in 0..30 {
        bench.now += 1;
        let address = bench.lease(mac(number));
        bench.check(&Request::decline(mac(number), 2, address, OWN), "no reply");
        declined.push(address);
        let now = bench.time();
        let aside = |it: &&Quarantine| now < it.until;
        let aside: Vec<_> = bench.state.quarantine.values().filter(aside).collect();
        assert!(aside.len() <= 4, "{aside:?}");
        assert!(aside.iter().any(|it| it.address == address), "the last one is");
    }
    // The first ones are back, and nobody gets them unasked.
    let wish = Request::discover(mac(77), 3).option(code::REQUESTED, declined[0].octets());
    assert!(bench.hear(&wish).text.starts_with(&format!("Offer {} ", declined[0])));
    assert_eq!(bench.unproven, Some(declined[0]));
}

#[test]
fn rfc_5227_which_offers_wait_for_the_wire() {
    let mut bench = far();
    let mut check = |request: Request, asks: bool| {
        let offer = bench.hear(&request);
        assert!(offer.text.starts_with("Offer "), "{}", offer.text);
        assert_eq!(bench.unproven.is_some(), asks, "{request:?}");
        Message::reply(&offer.reply).unwrap().yiaddr()
    };
    let address = check(Request::discover(mac(1), 1), true);
    // It waits for its answer already, or has it.
    check(Request::discover(mac(1), 1), false);
    check(Request::discover(mac(1), 2), false);
    bench.check(
        &Request::select(mac(1), 2, address, OWN),
        &format!("Ack {address} to station {address}"),
    );
    // Its own, of before.
    bench.now = 1_000_000;
    assert_eq!(bench.lease(mac(1)), address);
    assert_eq!(bench.unproven, None);
    bench.list(mac(2), "10.20.0.200");
    bench.lease(mac(2));
    // Behind a relay nobody hears us, and whoever says `probe = false` does not want it.
    let through = relayed(&mut bench, Request::discover(mac(3), 1), &[1, 1, 7]);
    assert_eq!((through.text.starts_with("Offer"), bench.unproven), (true, None));
    bench.settings.dhcp.unprobed = true;
    bench.hear(&Request::discover(mac(4), 1));
    assert_eq!(bench.unproven, None);
}

#[test]
fn rfc_5107_a_relay_stands_in_for_us() {
    let mut bench = far();
    let stand_in = ip("10.30.0.7");
    let information = [&[1, 1, 7, 11, 4][..], &stand_in.octets()].concat();
    let offer = relayed(&mut bench, Request::discover(mac(1), 1), &information);
    let message = Message::reply(&offer.reply).unwrap();
    let address = message.yiaddr();
    assert_eq!(message.address(code::SERVER_ID), Some(stand_in));
    assert_eq!(message.siaddr(), OWN, "files come from us");
    let takes = Request::select(mac(1), 1, address, stand_in);
    let ack = relayed(&mut bench, takes.clone(), &information);
    assert_eq!(ack.text, format!("Ack {address} to 10.30.0.1:67"));
    // Nobody but a relay may say so, and not without the sub-option.
    assert_eq!(relayed(&mut bench, takes.clone(), &[1, 1, 7]).text, "other-server");
    bench.check(&takes.option(code::RELAY, information), "other-server");
    let broken = relayed(&mut bench, Request::discover(mac(2), 1), &[11, 3, 1, 2, 3]);
    assert_eq!(Message::reply(&broken.reply).unwrap().address(code::SERVER_ID), Some(OWN));
}

#[test]
fn rfc_5010_flags_of_a_relay_are_tolerated() {
    let mut bench = far();
    for flags in [&[10, 1, 0x80][..], &[10, 1, 0], &[10, 0], &[10, 200, 1]] {
        let offer = relayed(&mut bench, Request::discover(mac(1), 1), flags);
        assert!(offer.text.starts_with("Offer 10.30.0."), "{flags:?}: {}", offer.text);
        assert_eq!(Message::reply(&offer.reply).unwrap().option(code::RELAY), Some(flags));
    }
}

#[test]
fn rfc_3442_routes_beside_the_router() {
    let mut bench = Bench::new();
    let router = ip("10.20.0.1");
    let subnet = &mut bench.settings.dhcp.subnets[0];
    subnet.router = vec![router];
    subnet.routes = vec![(ip("10.0.0.0"), 8, router)];
    subnet.search = vec!["voice.example".to_owned(), "example".to_owned()];
    let mut asked = |codes: &[u8]| {
        let offer = bench.hear(&Request::discover(mac(1), 1).option(code::ASKED, codes));
        let message = Message::reply(&offer.reply).unwrap();
        let octets = |code| message.option(code).map(<[u8]>::to_vec);
        (octets(3), octets(121), octets(119))
    };
    let both = vec![8, 10, 10, 20, 0, 1, 0, 10, 20, 0, 1];
    let search = b"\x05voice\x07example\0\xc0\x06".to_vec();
    assert_eq!(asked(&[1, 3, 119, 121]), (Some(vec![10, 20, 0, 1]), Some(both), Some(search)));
    assert_eq!(asked(&[1, 3]), (Some(vec![10, 20, 0, 1]), None, None), "who does not ask for them");
}

#[test]
fn rfc_3925_a_second_enterprise_counts() {
    let mut bench = Bench::new();
    let poly = b"\0\0\x36\x3d\x1c\x01\x07Polycom\x02\x11SoundPointIP-SPIP";
    let class = |content: Vec<u8>| Request::discover(mac(1), 1).option(code::VENDOR_INFO, content);
    for (number, first) in
        [&[][..], b"\0\0\0\x09\x02xy", b"\0\0\0\x09\0\0\0\x01\x02\x01a"].into_iter().enumerate()
    {
        let mac = mac(10 + u32::try_from(number).unwrap());
        let offer = bench.hear(&Request { mac, ..class([first, poly].concat()) });
        let message = Message::reply(&offer.reply).unwrap();
        assert!(message.option(160).is_some(), "Poly's own option, behind {first:?}");
    }
    // A length that is wrong costs this option, not the message.
    let cut = class(b"\0\0\0\x09\xff".to_vec()).option(code::CLASS, *b"yealink");
    assert!(bench.hear(&cut).text.starts_with("Offer "));
}

#[test]
fn rfc_4702_the_name_is_answered() {
    let mut bench = Bench::new();
    let mut answer = |request: Request| {
        let reply = bench.hear(&request).reply;
        Message::reply(&reply).unwrap().option(code::FQDN).map(<[u8]>::to_vec)
    };
    let named = |request: Request| request.option(code::FQDN, *b"\x05\0\0\x03sep\0");
    let none = Some(b"\x0e\xff\xff\x03sep\0".to_vec());
    assert_eq!(answer(Request::discover(mac(1), 1)), None);
    assert_eq!(answer(named(Request::discover(mac(1), 1))), none);
    assert_eq!(answer(named(Request::inform(mac(1), 1, ip("10.20.0.9")))), none);
    let long = [&[4, 0, 0, 64][..], &[b'a'; 64]].concat();
    assert_eq!(answer(Request::discover(mac(1), 1).option(code::FQDN, long)), None);
}

/// RFC 2563 (116), 3011 (118), 3118 (90), 3942 (128 to 223), 6704 (145), 8925 (108): the answer is the same without.
#[test]
fn options_that_are_not_ours_to_read() {
    let mut bench = far();
    let plain = bench.hear(&Request::discover(mac(1), 1));
    let contents = [&b""[..], b"\x0a\x1e\0\0", b"\xff\xff\xff\xff", &[0xc0; 200]];
    for code in [90, 108, 116, 118].into_iter().chain(128..=223) {
        for content in contents {
            let outcome = bench.hear(&Request::discover(mac(1), 1).option(code, content));
            assert_eq!(outcome.reply, plain.reply, "option {code}: {content:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever declines, takes without asking and conflicts come: a tenth is set aside at most, nobody's address is
    /// given away, and a listed phone finds its own.
    #[test]
    fn strangers_and_conflicts_leave_room_for_the_listed(steps in vec((0_u8..5, 0_u32..40, 50_u8..90), 1..120)) {
        let mut bench = Bench::with(vec![subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.89"))]);
        for number in 100..110 {
            bench.commit(vec![Change::Listed(mac(number), Box::default())]);
        }
        for (step, number, last) in steps {
            bench.now += 1;
            let (mac, address) = (mac(number), Ipv4Addr::new(10, 20, 0, last));
            let offered = |bench: &mut Bench| {
                let reply = bench.hear(&Request::discover(mac, 1)).reply;
                Message::reply(&reply).map_or(address, |message| message.yiaddr())
            };
            match step {
                0 => { bench.hear(&Request::select(mac, 1, address, OWN)); }
                1 => { bench.hear(&Request::discover(mac, 1)); }
                2 => { bench.hear(&Request::decline(mac, 1, address, OWN)); }
                3 => {
                    let address = offered(&mut bench);
                    bench.hear(&Request::select(mac, 1, address, OWN));
                }
                _ => {
                    let address = offered(&mut bench);
                    bench.conflict(&Request::discover(mac, 1), address);
                }
            }
            let now = bench.time();
            prop_assert!(bench.state.quarantine.values().filter(|it| now < it.until).count() <= 4);
        }
        bench.now += 2;
        for number in 100..110 {
            let reply = bench.hear(&Request::discover(mac(number), 2));
            prop_assert!(reply.text.starts_with("Offer "), "{}: {}", number, reply.text);
            let address = Message::reply(&reply.reply).unwrap().yiaddr();
            bench.hear(&Request::select(mac(number), 2, address, OWN));
        }
    }
}

#[test]
fn an_address_in_use_is_set_aside_and_another_one_offered() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.89"))]);
    let ask = Request::discover(mac(1), 1);
    let first = Message::reply(&bench.hear(&ask).reply).unwrap().yiaddr();
    bench.conflict(&ask, first);
    let aside = &bench.state.quarantine[&first];
    assert_eq!((aside.by, aside.times), (mac(1), 1));
    let second = bench.hear(&ask);
    assert_ne!(Message::reply(&second.reply).unwrap().yiaddr(), first);
    assert!(bench.unproven.is_some(), "that one is asked about too");
}

#[test]
fn strangers_leave_an_address_for_each_listed_phone() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/24", ("10.20.0.50", "10.20.0.89"))]);
    let list = |bench: &mut Bench, numbers: std::ops::Range<u32>| {
        for number in numbers {
            bench.commit(vec![Change::Listed(mac(number), Box::default())]);
        }
    };
    list(&mut bench, 100..110);
    for number in 0..30 {
        bench.now += 1;
        bench.lease(mac(number));
    }
    bench.now += 1;
    bench.check(&Request::discover(mac(30), 1), "pool-exhausted");
    let free = (50..90).map(|last| Ipv4Addr::new(10, 20, 0, last));
    let free = free.into_iter().find(|it| !bench.state.leases.contains_key(it)).unwrap();
    bench.check(&Request::select(mac(30), 1, free, OWN), "pool-exhausted");
    for number in 100..110 {
        bench.lease(mac(number));
    }
    // A stranger that had an address keeps it.
    bench.now += 3000;
    bench.lease(mac(7));
    // A list of a whole company keeps half of a pool at most.
    let mut bench = Bench::new();
    list(&mut bench, 100..200);
    for number in 0..5 {
        bench.lease(mac(number));
    }
    bench.now += 1;
    bench.check(&Request::discover(mac(9), 1), "pool-exhausted");
}

#[test]
fn offers_that_strangers_do_not_take_hold_a_tenth_of_a_pool() {
    let mut bench = Bench::with(vec![subnet("10.20.0.0/22", ("10.20.0.50", "10.20.2.49"))]);
    let offers = |bench: &mut Bench, from: u32| {
        let offer = |number| bench.hear(&Request::discover(mac(number), 1)).text;
        (from..from + 200).map(offer).filter(|text| text.starts_with("Offer")).count()
    };
    for number in 9000..9002 {
        bench.commit(vec![Change::Listed(mac(number), Box::default())]);
    }
    assert_eq!(offers(&mut bench, 0), 51, "of 512");
    bench.lease(mac(9000));
    // What is taken makes room, and so does what is not taken for ten seconds.
    bench.hear(&Request::discover(mac(0), 1));
    let first = bench.offers.find(&crate::domain::ClientKey::hardware(mac(0))).unwrap();
    bench.hear(&Request::select(mac(0), 1, first.address.unwrap(), OWN));
    bench.now += 2;
    assert_eq!(offers(&mut bench, 1000), 1);
    bench.now += 10;
    assert_eq!(offers(&mut bench, 2000), 51);
}
