//! Answers that fit, that don't, that come late, and that want a password first.

use std::{net::Ipv4Addr, time::Duration};

use super::*;
use crate::domain::Secret;

const PHONE: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 51);

fn mac() -> Mac {
    Mac::new([0, 0x15, 0x65, 0xaa, 0xbb, 0xcc]).unwrap()
}

fn order(password: &str) -> Order {
    Order {
        phone: mac(),
        address: PHONE,
        event: "check-sync".to_owned(),
        user: "4012".to_owned(),
        password: Secret::new(password.to_owned()),
    }
}

/// A request on its way, the texts that it takes being `1`, `2`, `3` …
struct Scene {
    calls: Calls,
    start: Instant,
    texts: u32,
    sent: Vec<String>,
}

impl Scene {
    fn new(password: &str) -> Self {
        let (calls, start) = (Calls::default(), Instant::now());
        let mut scene = Self { calls, start, texts: 0, sent: Vec::new() };
        let local = SocketAddrV4::new(Ipv4Addr::new(10, 20, 0, 2), 40123);
        let texts = &mut scene.texts;
        let sending = scene.calls.begin(order(password), local, start, &mut || next(texts));
        scene.sends(sending);
        scene
    }

    fn sends(&mut self, (octets, peer): Sending) {
        assert_eq!(peer, SocketAddr::from((PHONE, PORT)));
        self.sent.push(String::from_utf8(octets).unwrap());
    }

    /// The answer to the last request, with what `change` does to it, from `peer`.
    fn answers(&mut self, status: &str, more: &str, peer: Ipv4Addr, change: (&str, &str)) -> Led {
        let request = self.sent.last().unwrap();
        let echo = request.lines().filter(|line| {
            ["Via", "CSeq", "Call-ID", "From"].iter().any(|name| line.starts_with(name))
        });
        let head =
            format!("SIP/2.0 {status}\r\n{}\r\n{more}\r\n", echo.collect::<Vec<_>>().join("\r\n"));
        let answer = Answer::decode(head.replace(change.0, change.1).as_bytes()).unwrap();
        let texts = &mut self.texts;
        self.calls.answer(answer, peer.into(), self.start, &mut || next(texts))
    }

    fn plainly(&mut self, status: &str) -> Led {
        self.answers(status, "", PHONE, ("\0", ""))
    }
}

fn next(texts: &mut u32) -> String {
    *texts += 1;
    texts.to_string()
}

fn end(reply: Reply) -> Led {
    Led::End(Outcome { phone: mac(), event: "check-sync".to_owned(), reply })
}

const ASKS: &str = "WWW-Authenticate: Digest realm=\"Login\", nonce=\"n\", qop=\"auth\"\r\n";

#[test]
fn an_answer_ends_it() {
    let mut scene = Scene::new("");
    assert!(scene.calls.has(mac()) && scene.calls.has_room());
    assert_eq!(scene.plainly("100 Trying"), Led::Nowhere);
    assert_eq!(scene.plainly("200 OK"), end(Reply::Accepted { code: 200 }));
    assert_eq!(
        scene.plainly("200 OK"),
        Led::Nowhere,
        "the same again, as a phone sends it that heard us twice"
    );
    assert!(!scene.calls.has(mac()) && scene.calls.next().is_none());
    let refused =
        |code, text: &str| end(Reply::Refused { code, text: text.to_owned(), signed: false });
    assert_eq!(Scene::new("").plainly("489 Bad Event"), refused(489, "Bad Event"));
    assert_eq!(Scene::new("").plainly("302 Moved"), refused(302, "Moved"));
}

#[test]
fn what_fits_in_part_is_nobodys() {
    let check = |peer: Ipv4Addr, change| {
        let mut scene = Scene::new("");
        assert_eq!(scene.answers("200 OK", "", peer, change), Led::Nowhere, "{change:?}");
        assert!(scene.calls.has(mac()), "it goes on");
    };
    check(PHONE, ("branch=z9hG4bK1", "branch=z9hG4bK9"));
    check(PHONE, ("CSeq: 1", "CSeq: 2"));
    check(PHONE, ("1 NOTIFY", "1 REGISTER"));
    check(Ipv4Addr::new(10, 20, 0, 52), ("\0", ""));
}

#[test]
fn a_challenge_is_answered_once() {
    let mut scene = Scene::new("s3cret");
    let Led::Again(sending) = scene.answers("401 Unauthorized", ASKS, PHONE, ("\0", "")) else {
        panic!("it was not answered");
    };
    scene.sends(sending);
    let [first, second] = &scene.sent[..] else { panic!("{:?}", scene.sent) };
    let line = |request: &str, name: &str| {
        request.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    assert_eq!(line(first, "Call-ID"), line(second, "Call-ID"));
    assert_eq!(line(first, "From"), line(second, "From"));
    assert_ne!(line(first, "Via"), line(second, "Via"), "another transaction");
    assert_eq!(line(second, "CSeq"), "CSeq: 2 NOTIFY");
    let credentials = line(second, "Authorization: Digest");
    // md5(md5(4012:Login:s3cret):n:00000001:5:auth:md5(NOTIFY:sip:4012@10.20.0.51:5060)).
    assert!(credentials.contains("response=\"6f2f3532b0080172ce28d6d038823881\""), "{credentials}");
    assert!(
        credentials.contains("uri=\"sip:4012@10.20.0.51:5060\"") && !credentials.contains("s3cret")
    );
    let again = scene.answers("401 Unauthorized", ASKS, PHONE, ("\0", ""));
    let text = "Unauthorized".to_owned();
    assert_eq!(again, end(Reply::Refused { code: 401, text: text.clone(), signed: true }));
    // Who has no password is refused at once, and so is who is asked for something else than Digest.
    let refused = end(Reply::Refused { code: 401, text, signed: false });
    assert_eq!(Scene::new("").answers("401 Unauthorized", ASKS, PHONE, ("\0", "")), refused);
    assert_eq!(
        Scene::new("x").answers("401 Unauthorized", ASKS, PHONE, ("Digest", "Basic")),
        refused
    );
}

#[test]
fn silence_ends_it_too() {
    let mut scene = Scene::new("");
    let at = |millis| scene.start + Duration::from_millis(millis);
    assert_eq!(scene.calls.next(), Some(at(500)));
    assert_eq!(scene.calls.due(at(499)), (vec![], vec![]));
    let (again, over) = scene.calls.due(at(500));
    assert_eq!((again.len(), over.len()), (1, 0));
    assert_eq!(again[0].0, scene.sent[0].as_bytes(), "to the octet");
    let (again, over) = scene.calls.due(at(32_000));
    assert!(again.is_empty() && !scene.calls.has(mac()));
    assert_eq!(end(over[0].reply.clone()), end(Reply::Silent));
    let mut scene = Scene::new("");
    let unsent = scene.calls.fail(mac(), "no route".to_owned()).unwrap();
    assert_eq!(unsent.reply, Reply::Unsent { text: "no route".to_owned() });
    assert_eq!(scene.calls.fail(mac(), String::new()), None);
}
