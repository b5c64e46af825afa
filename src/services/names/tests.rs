//! What is answered to which question, and to what is none.

use proptest::prelude::*;

use super::*;

fn names() -> Names {
    let mut names = Names::new("bench.internal", Ipv4Addr::new(10, 99, 0, 1)).unwrap();
    names.add("pbx.example.net", Ipv4Addr::new(10, 99, 0, 5)).unwrap();
    names
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn ask(message: &Message) -> Message {
    let octets = names().answer(&message.to_vec().unwrap(), Way::Udp).unwrap();
    Message::from_vec(&octets).unwrap()
}

/// `NoError 10.99.0.1`, `NXDomain SOA` and the like.
fn told(reply: &Message) -> String {
    let answers = reply.answers.iter().map(|record| record.data.to_string());
    let authorities = reply.authorities.iter().map(|record| record.record_type().to_string());
    let mut words = vec![format!("{:?}", reply.metadata.response_code)];
    words.extend(answers.chain(authorities));
    words.join(" ")
}

#[test]
fn what_is_known_and_what_is_not() {
    use RecordType::{A, AAAA, ANY, AXFR, NAPTR, PTR, SRV};
    let check = |name: &str, kind: RecordType, expected: &str| {
        let reply = ask(&question(name, kind));
        assert_eq!(told(&reply), expected, "{name} {kind}");
        let head = reply.metadata;
        assert_eq!(
            (head.id, head.recursion_desired, head.recursion_available),
            (4711, true, false)
        );
        assert_eq!(reply.queries, question(name, kind).queries, "{name}");
    };
    check("ringup.bench.internal.", A, "NoError 10.99.0.1");
    check("RINGUP.Bench.Internal.", A, "NoError 10.99.0.1");
    check("ringup.", A, "NoError 10.99.0.1");
    check("bench.internal.", ANY, "NoError 10.99.0.1");
    check("pbx.example.net.", A, "NoError 10.99.0.5");
    check("pbx.example.net.", AAAA, "NoError SOA");
    check("pbx.example.net.", NAPTR, "NoError SOA");
    check("example.net.", A, "NoError SOA");
    check(".", A, "NoError SOA");
    check("_sip._udp.pbx.example.net.", SRV, "NXDomain SOA");
    check("ztp.vendor.example.", A, "NXDomain SOA");
    check("CiscoCM1.bench.internal.", A, "NXDomain SOA");
    check("7.0.99.10.in-addr.arpa.", PTR, "NXDomain SOA");
    check("bench.internal.", AXFR, "Refused");
}

#[test]
fn what_is_no_plain_question() {
    let check = |change: &dyn Fn(&mut Message), expected: &str| {
        let mut message = question("ringup.", RecordType::A);
        change(&mut message);
        assert_eq!(told(&ask(&message)), expected);
    };
    check(&|message| message.metadata.op_code = OpCode::Update, "NotImp");
    check(&|message| message.metadata.op_code = OpCode::Status, "NotImp");
    check(&|message| message.queries.clear(), "FormErr");
    check(&|message| message.queries.push(message.queries[0].clone()), "FormErr");
    check(
        &|message| {
            message.queries[0].set_query_class(DNSClass::CH);
        },
        "Refused",
    );
    let edns = |version: u8| {
        let mut edns = Edns::new();
        edns.set_version(version).set_max_payload(4096);
        edns
    };
    check(
        &|message| {
            message.set_edns(edns(0));
        },
        "NoError 10.99.0.1",
    );
    let mut message = question("ringup.", RecordType::A);
    message.set_edns(edns(1));
    let reply = ask(&message);
    assert_eq!(
        reply.edns.as_ref().map(|edns| (edns.version(), edns.max_payload())),
        Some((0, 1232))
    );
    // The upper bits of 16, which is BADVERS (and BADSIG in another place).
    assert_eq!((u16::from(reply.metadata.response_code), reply.answers.len()), (16, 0));
}

#[test]
fn what_gets_no_answer_and_what_is_not_understood() {
    let whole = question("ringup.", RecordType::A).to_vec().unwrap();
    let check = |message: &[u8], code: Option<u8>| {
        let reply = names().answer(message, Way::Udp);
        assert_eq!(reply.as_deref().map(|reply| reply[3] & 0x0f), code, "{message:02x?}");
        if let Some(reply) = reply {
            assert_eq!((&reply[..2], reply[2] & 0x80), (&message[..2], 0x80));
        }
    };
    check(&[], None);
    check(&whole[..11], None);
    // An answer.
    check(&[&whole[..2], &[0x81], &whole[3..]].concat(), None);
    // Ends within the question; counts records that are not there; a name that points at itself.
    check(&whole[..14], Some(1));
    check(&[&whole[..7], &[9], &whole[8..]].concat(), Some(1));
    check(&[&whole[..12], &[0xc0, 12, 0, 1, 0, 1]].concat(), Some(1));
}

#[test]
fn an_answer_that_is_too_long_says_so() {
    let domain = ["a", "b", "c"].map(|letter| letter.repeat(63)).join(".") + "." + &"d".repeat(50);
    let names = Names::new(&domain, Ipv4Addr::new(10, 99, 0, 1)).unwrap();
    let name = ["e", "f", "g"].map(|letter| letter.repeat(63)).join(".") + "." + &"h".repeat(60);
    let check = |payload: Option<u16>, way: Way, truncated: bool| {
        let mut message = question(&name, RecordType::A);
        if let Some(payload) = payload {
            let mut edns = Edns::new();
            edns.set_max_payload(payload);
            message.set_edns(edns);
        }
        let octets = names.answer(&message.to_vec().unwrap(), way).unwrap();
        assert!(way == Way::Tcp || octets.len() <= usize::from(payload.unwrap_or(0).max(PLAIN)));
        let reply = Message::from_vec(&octets).unwrap();
        let empty = reply.authorities.is_empty();
        assert_eq!((reply.metadata.truncation, empty), (truncated, truncated), "{payload:?}");
    };
    check(None, Way::Udp, true);
    check(Some(100), Way::Udp, true);
    check(Some(1232), Way::Udp, false);
    check(None, Way::Tcp, false);
}

#[test]
fn names_that_can_be_known() {
    let check = |name: &str, known: bool| {
        assert_eq!(names().add(name, Ipv4Addr::LOCALHOST).is_ok(), known, "{name}");
    };
    check("CiscoCM1", true);
    check("pbx.example.", true);
    check("_sip._udp.example", true);
    check("", false);
    check(".", false);
    check("two words", false);
    check("a..b", false);
    check(&"a".repeat(64), false);
    let mut names = names();
    let added = (0..1000).filter(|_| names.add("a", Ipv4Addr::LOCALHOST).is_ok()).count();
    assert_eq!((added + 4, names.known.len()), (MAX_NAMES, MAX_NAMES));
}

proptest! {
    #[test]
    fn random_messages_never_panic(message in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = names().answer(&message, Way::Udp);
    }

    /// Bytes of a real question changed here and there get further than random ones.
    #[test]
    fn mutated_questions_get_short_answers_or_none(
        changes in proptest::collection::vec((0_usize..60, any::<u8>()), 0..6),
    ) {
        let mut message = question("pbx.example.net.", RecordType::A);
        message.set_edns(Edns::new());
        let mut octets = message.to_vec().unwrap();
        for (at, octet) in changes {
            let length = octets.len();
            octets[at % length] = octet;
        }
        if let Some(reply) = names().answer(&octets, Way::Udp) {
            prop_assert!(reply.len() <= usize::from(LARGEST));
            prop_assert_eq!(names().answer(&reply, Way::Udp), None);
        }
    }
}
