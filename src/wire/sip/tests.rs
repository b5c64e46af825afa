//! Requests octet by octet, answers as phones write them, and garbage.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

const NOTIFY: Notify<'_> = Notify {
    user: "4012",
    peer: SocketAddrV4::new(Ipv4Addr::new(10, 20, 0, 51), PORT),
    local: SocketAddrV4::new(Ipv4Addr::new(10, 20, 0, 2), 40123),
    event: "check-sync;reboot=false",
    branch: "776asdhds",
    call: "a84b4c76e66710",
    tag: "1928301774",
    sequence: 1,
    credentials: None,
};

fn text(notify: &Notify<'_>) -> String {
    String::from_utf8(notify.encode()).unwrap()
}

#[test]
fn a_request_as_it_travels() {
    let expected = "NOTIFY sip:4012@10.20.0.51:5060 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.20.0.2:40123;branch=z9hG4bK776asdhds;rport\r\n\
        Max-Forwards: 70\r\n\
        From: <sip:ringup@10.20.0.2>;tag=1928301774\r\n\
        To: <sip:4012@10.20.0.51>\r\n\
        Call-ID: a84b4c76e66710@10.20.0.2\r\n\
        CSeq: 1 NOTIFY\r\n\
        Contact: <sip:ringup@10.20.0.2:40123>\r\n\
        Event: check-sync;reboot=false\r\n\
        Subscription-State: terminated\r\n\
        User-Agent: ringup\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(text(&NOTIFY), expected);
    let signed = Notify { sequence: 2, credentials: Some(("Authorization", "Digest x")), ..NOTIFY };
    assert!(text(&signed).contains("\r\nCSeq: 2 NOTIFY\r\n"));
    assert!(text(&signed).ends_with("\r\nAuthorization: Digest x\r\nContent-Length: 0\r\n\r\n"));
}

#[test]
fn users_that_a_uri_cannot_carry() {
    let check = |user: &str, uri: &str| assert_eq!(Notify { user, ..NOTIFY }.uri(), uri);
    check("", "sip:10.20.0.51:5060");
    check("anna.b+1", "sip:anna.b+1@10.20.0.51:5060");
    check("a@b c", "sip:a%40b%20c@10.20.0.51:5060");
    check("é\r\nX: y", "sip:%C3%A9%0D%0AX%3A%20y@10.20.0.51:5060");
    let event = "check-sync\r\nX: y";
    assert!(text(&Notify { event, ..NOTIFY }).contains("\r\nEvent: check-syncX:y\r\n"));
}

/// An answer with this status line and these headers.
fn answer(lines: &[&str]) -> Option<Answer> {
    Answer::decode(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes())
}

const VIA: &str =
    "Via: SIP/2.0/UDP 10.20.0.2:40123;branch=z9hG4bK776asdhds;rport=40123;received=10.20.0.2";
const CSEQ: &str = "CSeq: 1 NOTIFY";

#[test]
fn answers_as_they_come() {
    let check = |lines: &[&str], expected: Option<(u16, &str, &str, u32)>| {
        let read = answer(lines);
        let parts = read
            .as_ref()
            .map(|one| (one.code, one.reason.as_str(), one.branch.as_str(), one.sequence.0));
        assert_eq!(parts, expected, "{lines:?}");
    };
    check(&["SIP/2.0 200 OK", VIA, CSEQ], Some((200, "OK", "776asdhds", 1)));
    // Compact names, no phrase, several hops, folded lines, bare line feeds: RFC 3261 §7.3 and RFC 4475 §3.1.1.
    check(
        &[
            "SIP/2.0 100",
            "v: SIP/2.0/UDP a;branch=z9hG4bKx, SIP/2.0/UDP b;branch=z9hG4bKy",
            "cseq:  7   NOTIFY",
        ],
        Some((100, "", "x", 7)),
    );
    check(
        &["sip/2.0 489 Bad Event", "VIA : SIP/2.0/UDP a", " ;rport", "\t;Branch = z9hG4bKx", CSEQ],
        Some((489, "Bad Event", "x", 1)),
    );
    assert_eq!(
        Answer::decode(format!("SIP/2.0 200 OK\n{VIA}\n{CSEQ}\n\n").as_bytes()).unwrap().code,
        200
    );
    // A phrase is as long as somebody likes.
    let long = format!("SIP/2.0 603 {}", "no ".repeat(500));
    assert!(answer(&[&long, VIA, CSEQ]).unwrap().reason.chars().count() <= MAX_REASON + 1);
    for line in [
        "SIP/2.0 99 x",
        "SIP/2.0 700 x",
        "SIP/2.0 +20 x",
        "SIP/2.0",
        "HTTP/1.1 200 OK",
        "",
        "NOTIFY sip:a SIP/2.0",
    ] {
        check(&[line, VIA, CSEQ], None);
    }
    check(&["SIP/2.0 200 OK", CSEQ], None);
    check(&["SIP/2.0 200 OK", VIA], None);
    check(&["SIP/2.0 200 OK", "Via: SIP/2.0/UDP a;branch=1", CSEQ], None);
    check(&["SIP/2.0 200 OK", VIA, "CSeq: NOTIFY"], None);
    // Behind the empty line is a body.
    assert_eq!(answer(&["SIP/2.0 200 OK", VIA, "", CSEQ]), None);
}

#[test]
fn challenges() {
    let asks = |status: &str, header: &str| answer(&[status, VIA, CSEQ, header]).unwrap().challenge;
    // RFC 2617 §3.5, as a phone would send it.
    let header = "WWW-Authenticate: Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let expected = Challenge {
        header: "Authorization",
        realm: "testrealm@host.com".to_owned(),
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093".to_owned(),
        opaque: Some("5ccc069c403ebaf9f0171e9517f40e41".to_owned()),
        counts: true,
    };
    assert_eq!(asks("SIP/2.0 401 Unauthorized", header), Some(expected));
    assert_eq!(asks("SIP/2.0 407 x", header), None, "the other header");
    assert_eq!(asks("SIP/2.0 403 Forbidden", header), None);
    let old = asks(
        "SIP/2.0 407 x",
        "proxy-authenticate: digest nonce=n , realm=\"a, \\\"b\\\"\",algorithm=md5",
    );
    let old = old.unwrap();
    assert_eq!(
        (old.header, old.realm.as_str(), old.nonce.as_str()),
        ("Proxy-Authorization", "a, \\\"b\\\"", "n")
    );
    assert!(!old.counts && old.opaque.is_none());
    for other in [
        "Basic realm=\"x\"",
        "Digest realm=\"x\"",
        "Digest nonce=\"x\"",
        "Digest",
        "Digest realm=\"x, nonce=\"y",
        "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256",
        "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"",
        "Digest realm=\"x\", nonce=\"y\u{1}\"",
    ] {
        assert_eq!(asks("SIP/2.0 401 x", &format!("WWW-Authenticate: {other}")), None, "{other}");
    }
    // Of several, the first that can be answered (RFC 8760 §2.4).
    let both = answer(&[
        "SIP/2.0 401 x",
        VIA,
        CSEQ,
        "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-256",
        "WWW-Authenticate: Digest realm=\"x\", nonce=\"2\", algorithm=MD5",
    ]);
    assert_eq!(both.unwrap().challenge.unwrap().nonce, "2");
}

proptest! {
    #[test]
    fn garbage_is_no_answer(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Answer::decode(&octets);
    }

    /// What looks like an answer up to some point, and is anything behind it.
    #[test]
    fn spoilt_answers_harm_nothing(cut in 0_usize..400, at in 0_usize..400, octet: u8, tail in "\\PC{0,60}") {
        let whole = format!("SIP/2.0 401 Unauthorized\r\n{VIA}\r\n{CSEQ}\r\n\
            WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\n");
        let mut octets = whole.into_bytes();
        if let Some(one) = octets.get_mut(at) {
            *one = octet;
        }
        octets.truncate(cut);
        octets.extend(tail.bytes());
        if let Some(read) = Answer::decode(&octets) {
            prop_assert!((100..700).contains(&read.code));
            prop_assert!(read.challenge.is_none_or(|one| !one.realm.chars().any(char::is_control)));
        }
    }

    /// No user, event or credentials make a request of more than one message.
    #[test]
    fn a_request_has_one_end(user in "\\PC{0,20}|[\\r\\n :a]{0,20}", event in "[\\r\\n a-z;=]{0,20}") {
        let octets = Notify { user: &user, event: &event, ..NOTIFY }.encode();
        let text = String::from_utf8(octets).unwrap();
        prop_assert_eq!(text.matches("\r\n\r\n").count(), 1);
        prop_assert_eq!(text.lines().count(), 13);
    }
}
