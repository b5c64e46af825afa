//! Tests of the DHCP messages: by RFC, and against whatever a hostile sender may put on the wire.

use proptest::prelude::*;

use super::*;
use crate::domain::Mac;

const PHONE: [u8; 6] = [0x00, 0x1e, 0x7a, 0xc4, 0x10, 0x22];

fn mac() -> Mac {
    Mac::new(PHONE).unwrap()
}

fn discover() -> Request {
    Request::discover(mac(), 0x1234_5678)
        .option(code::CLASS, *b"Cisco Systems, Inc. IP Phone CP-7961G\0")
        .option(code::ASKED, [1, 66, 6, 3, 15, 150, 35])
}

/// A message whose options field, `file` and `sname` are exactly these.
fn raw(options: &[u8], file: &[u8], sname: &[u8]) -> Vec<u8> {
    let mut bytes = discover().encode();
    bytes.truncate(HEADER);
    bytes[108..108 + file.len()].copy_from_slice(file);
    bytes[44..44 + sname.len()].copy_from_slice(sname);
    bytes.extend(options);
    bytes
}

#[test]
fn what_is_no_message() {
    let check = |at: usize, value: u8, expected: NotDhcp| {
        let mut bytes = discover().encode();
        bytes[at] = value;
        assert_eq!(Message::request(&bytes).unwrap_err(), expected);
    };
    check(0, 2, NotDhcp::Op(2));
    check(1, 7, NotDhcp::Hardware { htype: 7, hlen: 6 });
    for hlen in [0, 5, 7, 16, 17, 255] {
        check(2, hlen, NotDhcp::Hardware { htype: 1, hlen });
    }
    check(28, 1, NotDhcp::Mac(crate::domain::MacError::Group));
    check(236, 0, NotDhcp::Cookie);
    check(240, 0, NotDhcp::Bootp);
    check(242, 9, NotDhcp::Kind(9));
    check(242, 19, NotDhcp::Kind(19));
    assert_eq!(Message::request(&discover().encode()[..239]).unwrap_err(), NotDhcp::Short);
}

#[test]
fn rfc_4388_6926_7724_a_leasequery_is_dropped_by_its_name() {
    for number in 10..=18 {
        let mut bytes = discover().encode();
        bytes[242] = number;
        let error = Message::request(&bytes).unwrap_err();
        assert_eq!((error, error.as_str()), (NotDhcp::LeaseQuery(number), "leasequery"));
    }
}

#[test]
fn joined_although_not_adjacent() {
    let bytes = raw(&[53, 1, 1, 60, 2, b'a', b'b', 55, 1, 3, 60, 1, b'c', 255], &[], &[]);
    let message = Message::request(&bytes).unwrap();
    assert_eq!(message.option(code::CLASS), Some(&b"abc"[..]));
    assert_eq!(message.asked(), [3]);
}

#[test]
fn overload_is_read_file_first() {
    let (file, sname) = ([60, 1, b'f', 255], [60, 1, b's', 12, 1, b'h', 255]);
    let check = |overload: u8, class: Option<&[u8]>, host: Option<&[u8]>| {
        let bytes = raw(&[53, 1, 1, 52, 1, overload, 255], &file, &sname);
        let message = Message::request(&bytes).unwrap();
        assert_eq!(message.option(code::CLASS), class, "overload {overload}");
        assert_eq!(message.option(code::HOST_NAME), host, "overload {overload}");
    };
    check(0, None, None);
    check(1, Some(b"f"), None);
    check(2, Some(b"s"), Some(b"h"));
    check(3, Some(b"fs"), Some(b"h"));
}

#[test]
fn a_bad_option_costs_only_itself() {
    let options = [53, 1, 1, 50, 3, 1, 2, 3, 12, 2, 0xff, 0xfe, 61, 1, 9, 55, 1, 150, 60, 200, 1];
    let bytes = raw(&options, &[], &[]);
    let message = Message::request(&bytes).unwrap();
    assert_eq!(message.address(code::REQUESTED), None, "three octets are no address");
    assert_eq!(message.option(code::HOST_NAME), Some(&[0xff, 0xfe][..]));
    assert_eq!(message.client_id(), Some(&[9][..]), "opaque, and one octet is enough");
    assert_eq!(message.asked(), [150]);
    assert_eq!(message.option(code::CLASS), None, "longer than the message");
}

#[test]
fn an_endless_client_identifier_is_none() {
    let check = |length: usize, known: bool| {
        let bytes = discover().option(code::CLIENT_ID, vec![7; length]).encode();
        let message = Message::request(&bytes).unwrap();
        assert_eq!(message.client_id().is_some(), known, "{length}");
        // Where it is echoed (RFC 6842) or not: there is room for what makes an offer an offer.
        let offer = offer(&discover().option(code::CLIENT_ID, vec![7; length])).encode();
        let offer = Message::reply(&offer).unwrap();
        assert_eq!(offer.option(code::CLIENT_ID).is_some(), known, "{length}");
        assert!(
            offer.option(code::SERVER_ID).is_some() && offer.number(code::LEASE_TIME).is_some()
        );
    };
    check(134, true);
    check(255, true);
    check(256, false);
    check(1000, false);
}

#[test]
fn limit_follows_option_57() {
    let check = |content: &[u8], limit: usize| {
        let bytes = discover().option(code::MAX_SIZE, content).encode();
        assert_eq!(Message::request(&bytes).unwrap().limit(), limit, "{content:?}");
    };
    check(&[], 548);
    check(&[2], 548);
    check(&[0, 100], 548);
    check(&1152_u16.to_be_bytes(), 1124);
    check(&u16::MAX.to_be_bytes(), 1472);
}

/// Codes of a reply in the order of the wire, without padding.
fn codes(bytes: &[u8]) -> Vec<u8> {
    let (mut codes, mut at) = (Vec::new(), HEADER);
    while bytes[at] != 255 {
        codes.push(bytes[at]);
        at += 2 + usize::from(bytes[at + 1]);
    }
    codes
}

fn offer(to: &Request) -> Reply {
    let bytes = to.encode();
    Reply::to(&Message::request(&bytes).unwrap(), Kind::Offer)
        .give(Ipv4Addr::new(10, 20, 0, 51))
        .option(code::SERVER_ID, [10, 20, 0, 2])
        .option(code::LEASE_TIME, 3600_u32.to_be_bytes())
        .option(code::MASK, [255, 255, 252, 0])
        .option(code::ROUTER, [10, 20, 0, 1])
        .option(code::TFTP_ADDRESSES, addresses(&[[10, 1, 1, 5].into(), [10, 1, 1, 6].into()]))
        .option(code::TFTP_NAME, *b"10.1.1.5")
        .option(code::DOMAIN, *b"voice.example")
}

#[test]
fn order_of_a_reply() {
    let check = |asked: &[u8], order: &[u8]| {
        let request = Request::discover(mac(), 1)
            .option(code::RELAY, [1, 2, 7, 7])
            .option(code::CLIENT_ID, [1, 2, 3])
            .option(code::ASKED, asked);
        assert_eq!(codes(&offer(&request).encode()), order, "asked {asked:?}");
    };
    check(&[], &[53, 54, 51, 1, 3, 150, 66, 15, 61, 82]);
    check(&[66, 15, 6, 3, 1], &[53, 54, 51, 66, 15, 1, 3, 150, 61, 82]);
    check(&[150, 51, 1, 53, 82], &[53, 54, 51, 150, 1, 3, 66, 15, 61, 82]);
    // RFC 3442: classless routes in front of the routers, wherever the client names them.
    let request = Request::discover(mac(), 1).option(code::ASKED, [3, 6, 121]);
    let reply = offer(&request).option(code::ROUTES, [0, 10, 20, 0, 1]);
    assert_eq!(codes(&reply.encode()), [53, 54, 51, 1, 121, 3, 150, 66, 15]);
}

#[test]
fn reply_as_the_client_reads_it() {
    let request = Request { broadcast: true, ..discover() };
    let bytes = offer(&request).encode();
    let reply = Message::reply(&bytes).unwrap();
    assert_eq!((reply.kind(), reply.xid(), reply.mac()), (Kind::Offer, 0x1234_5678, mac()));
    assert_eq!(reply.yiaddr(), Ipv4Addr::new(10, 20, 0, 51));
    assert!(reply.wants_broadcast());
    assert_eq!(reply.option(code::TFTP_ADDRESSES), Some(&[10, 1, 1, 5, 10, 1, 1, 6][..]));
    assert_eq!(reply.number(code::LEASE_TIME), Some(3600));
    let bytes = request.encode();
    let nak = Reply::to(&Message::request(&bytes).unwrap(), Kind::Nak);
    assert_eq!(nak.encode().len(), SHORTEST);
}

#[test]
fn relay_information_is_echoed_octet_by_octet() {
    // Out of order, with a sub-option twice and one that is cut: a parser would lose something.
    let odd = [9, 1, 7, 1, 2, 8, 8, 1, 0, 2, 200, 1];
    let long: Vec<u8> = (0..=255).chain(0..40).collect();
    for content in [&odd[..], &long] {
        let request = discover().option(code::RELAY, content).option(code::MAX_SIZE, [5, 0]);
        let bytes = offer(&request).encode();
        assert_eq!(Message::reply(&bytes).unwrap().option(code::RELAY), Some(content));
        assert_eq!(codes(&bytes).last(), Some(&code::RELAY));
    }
    let sent = discover().relayed([10, 9, 0, 1].into()).encode();
    let message = Message::request(&sent).unwrap();
    assert_eq!(message.relay_option(code::RELAY_SOURCE_PORT), Some(&[][..]));
    assert_eq!(message.relay_option(code::RELAY_LINK), None);
}

#[test]
fn least_important_options_go_first() {
    let reply = offer(&discover()).option(43, vec![7; 600]).option(160, *b"http://10.1.1.5/");
    let bytes = reply.encode();
    assert!(bytes.len() <= 548);
    let message = Message::reply(&bytes).unwrap();
    assert_eq!(message.option(43), None, "no room");
    assert_eq!(message.option(160), Some(&b"http://10.1.1.5/"[..]), "there is room for this one");
    let roomy = discover().option(code::MAX_SIZE, 1500_u16.to_be_bytes());
    let bytes = offer(&roomy).option(43, vec![7; 300]).encode();
    assert_eq!(Message::reply(&bytes).unwrap().option(43), Some(&[7; 300][..]), "split at 255");
    assert_eq!(Message::reply(&bytes).unwrap().option(code::OVERLOAD), None, "there is room");
}

#[test]
fn rfc_2132_section_9_3_what_finds_no_room_goes_into_file_and_sname() {
    // 548 octets less the header, 53, 54, 51, 1, 3, 150, 66, 15 and the end leave 229.
    let check = |contents: &[(u8, usize)], overload: Option<u8>, file: &[u8], sname: &[u8]| {
        let relayed = discover().option(code::RELAY, [1, 2, 7, 7]);
        let reply = contents.iter().fold(offer(&relayed), |reply, (code, length)| {
            reply.option(*code, vec![*code; *length])
        });
        let bytes = reply.encode();
        assert!(bytes.len() <= 548);
        let message = Message::reply(&bytes).unwrap();
        assert_eq!(message.option(code::OVERLOAD), overload.as_ref().map(std::slice::from_ref));
        for (code, length) in contents {
            assert_eq!(message.option(*code), Some(&vec![*code; *length][..]), "{code}");
        }
        // Option 82 stays where relays look for it (RFC 3046 §2.1).
        assert_eq!(codes(&bytes).last(), Some(&code::RELAY));
        let codes_of = |field: &[u8]| {
            let (mut at, mut found) = (0, Vec::new());
            while overload.is_some() && field[at] != 255 && field[at] != 0 {
                found.push(field[at]);
                at += 2 + usize::from(field[at + 1]);
            }
            found
        };
        assert_eq!(
            (codes_of(&bytes[108..236]), codes_of(&bytes[44..108])),
            (file.to_vec(), sname.to_vec())
        );
    };
    check(&[(43, 200)], None, &[], &[]);
    check(&[(43, 200), (160, 100)], Some(1), &[160], &[]);
    check(&[(43, 200), (160, 125), (176, 61)], Some(3), &[160], &[176]);
    check(&[(43, 200), (160, 30), (176, 110), (177, 20)], Some(3), &[176], &[177]);
    // In pieces, where it is longer than what is left of any field (RFC 3396 §7).
    check(&[(43, 300)], Some(1), &[43], &[]);
    check(&[(43, 200), (160, 180)], Some(3), &[160], &[160]);
}

fn discover_of(asked: &[u8], id: &[u8], size: u16) -> Request {
    let request =
        Request::discover(mac(), 7).option(code::ASKED, asked).option(code::CLIENT_ID, id);
    request.option(code::MAX_SIZE, size.to_be_bytes())
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        let _ = Message::request(&bytes);
        let _ = Message::reply(&bytes);
    }

    #[test]
    fn any_options(options in prop::collection::vec(any::<u8>(), 0..400), file: [u8; 32], sname: [u8; 32]) {
        let bytes = raw(&options, &file, &sname);
        if let Ok(message) = Message::request(&bytes) {
            let bytes = Reply::to(&message, Kind::Ack).option(code::ROUTER, [1, 2, 3, 4]).encode();
            prop_assert!(Message::reply(&bytes).is_ok());
        }
    }

    #[test]
    fn mutation_never_loses_an_option_before_it(at in 0_usize..300, value: u8) {
        let mut bytes = discover().option(code::HOST_NAME, *b"SEP001E7AC41022").encode();
        bytes[at] = value;
        // What is written before the changed octet can't be hurt by it; behind it the framing may be another.
        if let Ok(message) = Message::request(&bytes) && at >= 283 {
            prop_assert_eq!(message.option(code::CLASS).map(<[u8]>::len), Some(38));
        }
    }

    #[test]
    fn an_option_of_any_content_hurts_no_other(
        code in 1_u8..255, content in prop::collection::vec(any::<u8>(), 0..600), place in 0_usize..3,
    ) {
        prop_assume!(![code::KIND, code::CLASS, code::ASKED, code::OVERLOAD].contains(&code));
        let mut request = discover();
        request.options.insert(place, (code, content.clone()));
        let bytes = request.encode();
        let message = Message::request(&bytes).unwrap();
        prop_assert_eq!(message.option(code), Some(&content[..]));
        prop_assert_eq!(message.option(code::CLASS).map(<[u8]>::len), Some(38));
        prop_assert_eq!(message.asked(), [1, 66, 6, 3, 15, 150, 35]);
    }

    /// Whatever is to be sent in whatever room: what is kept is kept whole, and nothing exceeds the limit.
    #[test]
    fn no_option_is_sent_in_part(
        options in prop::collection::vec((60_u8..240, prop::collection::vec(any::<u8>(), 0..400)), 0..8), size in 0_u16..1600,
    ) {
        let request = discover().option(code::MAX_SIZE, size.to_be_bytes());
        let mut reply = offer(&request);
        for (code, content) in options {
            reply = reply.option(code, content);
        }
        let bytes = reply.encode();
        let message = Message::reply(&bytes).unwrap();
        prop_assert!(bytes.len() <= usize::from(size).clamp(576, 1500) - 28);
        prop_assert!(message.option(code::SERVER_ID).is_some());
        for (code, content) in message.options().filter(|(code, _)| ![code::KIND, code::OVERLOAD].contains(code)) {
            prop_assert_eq!(reply.find(code), Some(content));
        }
    }

    /// However options come into a reply, in a block that others share or one by one: the octets are the same.
    #[test]
    fn a_block_is_as_if_each_option_were_added(
        options in prop::collection::vec((60_u8..240, prop::collection::vec(any::<u8>(), 0..200)), 0..8), own: [u8; 3],
        asked in prop::collection::vec(any::<u8>(), 0..9), other: bool, id: [u8; 9], size in 400_u16..800, named: bool,
    ) {
        let asking = |asked: &[u8]| discover_of(asked, &id, size).encode();
        let (bytes, others) = (asking(&asked), asking(if other { &[3, 6] } else { &asked }));
        let [message, others] = [&bytes, &others].map(|bytes| Message::request(bytes).unwrap());
        let add = |reply: Reply| options.iter().fold(reply, |reply, (code, content)| {
            reply.option(*code, content.clone())
        });
        let last = |reply: Reply| if named { reply.option(81, own).option(60, own) } else { reply };
        let block = std::sync::Arc::new(add(Reply::to(&others, Kind::Offer)).block());
        let plain = last(add(Reply::to(&message, Kind::Offer)));
        let shared = last(Reply::to(&message, Kind::Offer).with(std::sync::Arc::clone(&block)));
        prop_assert_eq!(plain.encode(), shared.encode());
        // What was added before comes behind the block, and not where the block has it.
        let before = last(Reply::to(&message, Kind::Offer)).with(block);
        prop_assert_eq!(plain.encode(), before.encode());
    }

    #[test]
    fn round_trip(xid: u32, secs: u16, broadcast: bool, ciaddr: [u8; 4], giaddr: [u8; 4]) {
        let request = Request {
            secs, broadcast, ciaddr: ciaddr.into(), giaddr: giaddr.into(), ..Request::discover(mac(), xid)
        };
        let bytes = request.encode();
        let message = Message::request(&bytes).unwrap();
        prop_assert_eq!((message.xid(), message.secs(), message.wants_broadcast()), (xid, secs, broadcast));
        prop_assert_eq!((message.ciaddr(), message.giaddr()), (ciaddr.into(), giaddr.into()));
    }
}
