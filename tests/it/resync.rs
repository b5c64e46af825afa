//! Phones that are told to come again, by a NOTIFY over a real socket: they answer, refuse, want a password, come back.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use ringup::{
    domain::{Change, Mac, What},
    profile::md5,
};
use serde_json::{Value, json};

use super::{
    cli,
    http::{Bench, batches, entry, happened, mac},
    reload::Places,
    run::{Home, PATIENCE, until},
};

/// A phone's end of SIP: port 5060 of an address of loopback that no other test has.
pub struct Phone {
    socket: UdpSocket,
    pub address: Ipv4Addr,
}

impl Phone {
    pub fn at(last: u8) -> Self {
        let address = Ipv4Addr::new(127, 0, 66, last);
        let socket = UdpSocket::bind((address, 5060)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, address }
    }

    /// The next request, and where it came from.
    fn hears(&self) -> (String, SocketAddr) {
        let mut buffer = [0; 2048];
        let (length, peer) = self.socket.recv_from(&mut buffer).expect("a NOTIFY");
        (String::from_utf8(buffer[..length].to_vec()).unwrap(), peer)
    }

    /// Answers a request as a phone does: what tells whose it is goes back as it came.
    fn answers(&self, (request, peer): &(String, SocketAddr), status: &str, more: &str) {
        let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let echo = request.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
        let echo = echo.collect::<Vec<_>>().join("\r\n");
        let answer = format!("SIP/2.0 {status}\r\n{echo}\r\n{more}Content-Length: 0\r\n\r\n");
        self.socket.send_to(answer.as_bytes(), peer).unwrap();
    }

    /// Takes the next request and answers it, from a thread of its own.
    pub fn will(self, status: &'static str) -> thread::JoinHandle<String> {
        thread::spawn(move || {
            let heard = self.hears();
            self.answers(&heard, status, "");
            heard.0
        })
    }

    /// Lists it as a Yealink that was seen at its address.
    pub fn listed(&self, phone: Mac, number: &str) -> Vec<Change> {
        vec![
            Change::Listed(phone, Box::new(entry("T46S", number, "Front desk"))),
            happened(phone, What::discovered(None)),
            happened(phone, What::Appeared { address: self.address }),
        ]
    }
}

const POLY: &str = "00:04:f2:aa:bb:01";
const YEALINK: &str = "00:15:65:aa:bb:cc";

/// A bench whose appliance asks phones to come again.
fn asking() -> Bench {
    let mut bench = Bench::new(&[]);
    bench.asks();
    bench
}

fn post(bench: &Bench, path: &str) -> (u16, Value) {
    let answer = bench.api("POST", path, "");
    (answer.status, answer.json())
}

fn ask(bench: &Bench, phone: &str) -> Value {
    let (status, called) = post(bench, &format!("/api/v1/phones/{phone}/resync"));
    assert_eq!(status, 200, "{called}");
    called
}

/// What the record says that it answered.
fn replied(bench: &Bench, phone: &str) -> Value {
    let recalled = || {
        let view = bench.api("GET", &format!("/api/v1/phones/{phone}"), "").json();
        Some(view["recalled"].clone()).filter(Value::is_object)
    };
    until("what it answered", recalled)
}

#[test]
fn a_phone_accepts() {
    let (bench, phone) = (asking(), Phone::at(1));
    bench.commit(phone.listed(mac(YEALINK), "4012"));
    let address = phone.address;
    let called = ask(&bench, YEALINK);
    assert_eq!((&called["called"], &called["event"]), (&"asked".into(), &"check-sync".into()));
    assert_eq!(called["address"], address.to_string());
    let heard = phone.will("200 OK").join().unwrap();
    let (first, rest) = heard.split_once("\r\n").unwrap();
    assert_eq!(first, format!("NOTIFY sip:4012@{address}:5060 SIP/2.0"));
    for line in [
        "Event: check-sync",
        "Subscription-State: terminated",
        "Content-Length: 0",
        "Max-Forwards: 70",
    ] {
        assert!(rest.lines().any(|one| one == line), "{line} is not in\n{heard}");
    }
    let reply = replied(&bench, YEALINK);
    assert_eq!((&reply["reply"], &reply["code"]), (&"accepted".into(), &200.into()));
    assert_eq!(reply["remedy"], "");
    // On its timeline, for good.
    let events = bench.api("GET", &format!("/api/v1/phones/{YEALINK}/events"), "").json();
    let last = events["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["kind"], &last["data"]["reply"]),
        (&"recalled".into(), &"accepted".into()),
        "{last}"
    );
    assert_eq!(last["text"], "was asked to come again by `check-sync`: it accepted (200)");
    let again = bench.again();
    assert_eq!(replied(&again, YEALINK), reply, "a restart forgets nothing");
}

#[test]
fn what_is_lost_is_sent_again() {
    let (bench, phone) = (asking(), Phone::at(2));
    bench.commit(phone.listed(mac(YEALINK), "4012"));
    ask(&bench, YEALINK);
    let (begun, first) = (Instant::now(), phone.hears());
    // Asked once more meanwhile: it is at it, and one request is enough.
    ask(&bench, YEALINK);
    let second = phone.hears();
    assert_eq!(first, second, "the same request to the octet");
    assert!(begun.elapsed() >= Duration::from_millis(400), "after {:?}", begun.elapsed());
    phone.answers(&second, "100 Trying", "");
    phone.answers(&second, "481 Subscription does not exist", "");
    let reply = replied(&bench, YEALINK);
    assert_eq!((&reply["reply"], &reply["code"]), (&"refused".into(), &481.into()));
    assert!(reply["text"].as_str().unwrap().ends_with("it listens only to whom it subscribed to"));
    assert!(reply["remedy"].as_str().unwrap().contains("sip.notify_reboot_enable"), "{reply}");
}

#[test]
fn a_phone_that_wants_credentials_gets_those_of_its_line() {
    let (bench, phone) = (asking(), Phone::at(3));
    let password = entry("T46S", "4012", "x").lines[0].sip_password.reveal().to_owned();
    bench.commit(phone.listed(mac(YEALINK), "4012"));
    ask(&bench, YEALINK);
    let first = phone.hears();
    assert!(!first.0.contains("Authorization"));
    let challenge = "WWW-Authenticate: Digest realm=\"Login\", nonce=\"abc\", qop=\"auth\"\r\n";
    phone.answers(&first, "401 Unauthorized", challenge);
    let second = phone.hears();
    let header = second.0.lines().find(|line| line.starts_with("Authorization: Digest ")).unwrap();
    let value = |name: &str| {
        let (_, rest) = header.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    // As the phone itself checks it (RFC 2617 §3.2.2.1).
    let who = md5(format!("4012:Login:{password}").as_bytes());
    let what = md5(format!("NOTIFY:sip:4012@{}:5060", phone.address).as_bytes());
    let expected = md5(format!("{who}:abc:00000001:{}:auth:{what}", value("cnonce")).as_bytes());
    assert_eq!(value("response"), expected, "{header}");
    assert!(!password.is_empty() && !second.0.contains(&password));
    phone.answers(&second, "401 Unauthorized", challenge);
    let reply = replied(&bench, YEALINK);
    let text = reply["text"].as_str().unwrap();
    assert!(text.ends_with("it does not take the password of its first line"), "{reply}");
}

#[test]
fn who_is_not_reached_is_named() {
    let bench = asking();
    let cisco = "00:1e:7a:c4:10:22";
    bench.commit(vec![
        Change::Listed(mac(cisco), Box::new(entry("7961G", "4013", "x"))),
        happened(mac(cisco), What::Appeared { address: Ipv4Addr::new(127, 0, 66, 90) }),
        Change::Listed(mac(YEALINK), Box::new(entry("T46S", "4012", "x"))),
    ]);
    let check = |phone: &str, why: &str| {
        let called = ask(&bench, phone);
        let text = called["text"].as_str().unwrap();
        assert!(called["called"] == "restart" && text.contains(why), "{called}");
    };
    check(cisco, "service-control");
    check(YEALINK, "its address is not known");
    bench
        .commit(vec![happened(mac(YEALINK), What::Appeared { address: [198, 51, 100, 7].into() })]);
    check(YEALINK, "is in no subnet of the settings");
    let (status, _) = post(&bench, "/api/v1/phones/00:15:65:00:00:01/resync");
    assert_eq!(status, 404);
}

#[test]
fn many_are_asked_at_a_rate() {
    let bench = asking();
    let phones: Vec<_> = (10..13).map(Phone::at).collect();
    let macs: Vec<_> = (1..4).map(|n| Mac::new([0, 0x15, 0x65, 0, 0, n]).unwrap()).collect();
    for (phone, mac) in phones.iter().zip(&macs) {
        bench.commit(phone.listed(*mac, "4012"));
    }
    let cisco = mac("00:1e:7a:c4:10:22");
    bench.commit(vec![Change::Listed(cisco, Box::new(entry("7961G", "4013", "x")))]);
    let run = |query: &str| post(&bench, &format!("/api/v1/phones/resync{query}"));
    assert_eq!(bench.api("GET", "/api/v1/phones/resync", "").status, 404);
    for bad in
        ["", "?all=true&site=default", "?all&rate=0", "?site=default&rate=x", "?stage=nowhere"]
    {
        assert_eq!(run(bad).0, 400, "{bad}");
    }
    let (status, begun) = run("?q=front%20desk&rate=20/s");
    assert_eq!(status, 202, "{begun}");
    assert_eq!(
        (&begun["total"], &begun["restart"], &begun["rate"]),
        (&3.into(), &0.into(), &"20/s".into())
    );
    let answers = ["200 OK", "202 Accepted", "489 Bad Event"];
    let ends: Vec<_> =
        phones.into_iter().zip(answers).map(|(phone, status)| phone.will(status)).collect();
    for end in ends {
        end.join().unwrap();
    }
    let standing = || bench.api("GET", "/api/v1/phones/resync", "").json();
    let done =
        until("the end of the run", || Some(standing()).filter(|run| run["running"] == false));
    assert_eq!(
        (&done["accepted"], &done["refused"], &done["waiting"]),
        (&2.into(), &1.into(), &0.into())
    );

    // Slowly, so that there is somebody left to stop: the first is asked at once, the others never.
    let first = Phone::at(10);
    let (_, begun) = run("?all&rate=1/h");
    assert_eq!((&begun["total"], &begun["restart"]), (&4.into(), &1.into()));
    assert_eq!(begun["by-hand"], json!([cisco.to_string()]));
    assert_eq!(run("?all").0, 409, "one run at a time");
    first.will("200 OK").join().unwrap();
    let stopped = bench.api("DELETE", "/api/v1/phones/resync", "").json();
    assert_eq!((&stopped["stopped"], &stopped["waiting"]), (&true.into(), &0.into()));
    let done = until("the answer", || Some(standing()).filter(|run| run["running"] == false));
    assert_eq!((&done["accepted"], &done["total"]), (&1.into(), &2.into()), "{done}");
}

/// A batch is handed over, its phone is told to come again, comes, and is sealed: nobody walked.
#[test]
fn a_batch_is_sealed_without_a_hand() {
    let (bench, phone) = (asking(), Phone::at(20));
    let (seen, silent) = (mac(POLY), "00:15:65:00:00:07");
    bench.commit(phone.listed(seen, "4012"));
    bench.commit(vec![Change::Listed(seen, Box::new(entry("VVX 410", "4012", "Front desk")))]);
    bench.commit(vec![Change::Listed(mac(silent), Box::new(entry("T46S", "4013", "x")))]);
    batches::call(&bench, "POST", "", &json!({ "name": "Monday" }));
    for phone in [POLY, silent] {
        batches::call(&bench, "POST", "/1/phones", &json!({ "mac": phone }));
    }
    let fetch = || {
        let names = ["/0004f2aabb01.cfg", "/0004f2aabb01-line.cfg"];
        names.map(|name| bench.get(name, "").text()).concat()
    };
    assert!(fetch().contains("10.99.0.1"), "staging values");
    // Where it asked from is where it is; the test's own end of HTTP is not where its SIP is.
    bench.runtime.block_on(bench.service.recorder.drain());
    bench.commit(vec![happened(seen, What::Appeared { address: phone.address })]);
    let handed = batches::call(&bench, "POST", "/1/hand-over", &Value::Null).json();
    assert_eq!(handed["restart"], 1, "{handed}");
    assert_eq!(handed["by-hand"], json!([{ "mac": silent, "why": "its address is not known" }]));
    phone.will("200 OK").join().unwrap();
    let row = || batches::call(&bench, "GET", "/1", &Value::Null).json()["phones"][0].clone();
    until("what it answered", || {
        let says = row()["says"].as_str().unwrap().to_owned();
        says.ends_with("comes again by itself to be sealed").then_some(())
    });
    assert!(!fetch().contains("10.99.0.1"), "production values");
    until("the seal", || row()["sealed"].is_string().then_some(()));
    assert_eq!(row()["light"], "green");
}

/// The whole binary: a phone fetches its file by TFTP, and the command makes it come again.
#[test]
fn the_command_says_what_a_phone_answers() {
    let places = Places::new();
    let home = Home::new(&places.settings(""));
    // Without an appliance there is nobody whom a phone could answer.
    cli::expect(&home, &["phones", "resync", YEALINK], "", 69);
    let serving = home.serve(&[]);
    serving.import(
        "mac,model,number,site\n001565aabbcc,T46S,4012,default\n001e7ac41022,7961G,4013,default\n",
    );
    let fetches = |last: u8| {
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 66, last), 0)).unwrap();
        socket.send_to(b"\0\x01001565aabbcc.cfg\0octet\0", places.tftp).unwrap();
        let address = socket.local_addr().unwrap().ip().to_string();
        until("its address", || (serving.phone(YEALINK)["address"] == address).then_some(()));
    };
    fetches(30);
    let end = Phone::at(30).will("200 OK");
    let said = cli::expect(&home, &["phones", "resync", YEALINK], "", 0);
    assert!(said.contains("it accepted (200)"), "{said}");
    assert!(end.join().unwrap().starts_with("NOTIFY sip:4012@127.0.66.30:5060 SIP/2.0\r\n"));
    let said = cli::expect(&home, &["phones", "resync", "001e7ac41022"], "", 1);
    assert!(said.contains("restart it by hand"), "{said}");
    // The whole site: one refuses, one has to be restarted.
    let end = Phone::at(30).will("403 Forbidden");
    let said =
        cli::expect(&home, &["phones", "resync", "--site", "default", "--rate", "10/s"], "", 1);
    end.join().unwrap();
    assert!(said.contains("1 refused, 1 to restart by hand"), "{said}");
    assert!(said.contains("restart by hand: 00:1e:7a:c4:10:22"), "{said}");
    cli::expect(&home, &["phones", "resync"], "", 64);
    cli::expect(&home, &["phones", "resync", YEALINK, "--all"], "", 64);
    cli::expect(&home, &["phones", "resync", "--all", "--rate", "999/s"], "", 64);
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}
