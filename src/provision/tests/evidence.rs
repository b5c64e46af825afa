//! What each carrier delivers of what phones show, and how much of it is kept.

use std::collections::BTreeSet;

use crate::{
    domain::{Ground, Origin},
    provision::shown,
    wire::dhcp::{Message, Request as Discover, code},
};

use super::{service::bench, *};

const PHONE: &str = "0004f2aabbcc";

/// Poly's own class in option 60 and 125, and a device's description in 125.
const POLY: &[u8] = b"\0\0\x36\x3d\x21\x01\x07Polycom\x02\x0bVVX-VVX_401\x03\x0a3111-48400";

const DEVICE: &[u8] = b"\0\0\x0d\xe9\x11\x01\x060004F2\x03\x07VVX_401";

/// `ORIGIN VENDOR MODEL MAC` of each ground, sorted.
fn told<'a>(grounds: impl IntoIterator<Item = &'a Ground>) -> Vec<String> {
    let line = |ground: &Ground| {
        let mac = ground.mac.map(|mac| mac.to_string());
        let parts =
            [&ground.vendor, &ground.model, &mac].map(|part| part.as_deref().unwrap_or("-"));
        format!("{} {}", ground.from.as_str(), parts.join(" "))
    };
    let mut lines: Vec<_> = grounds.into_iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn every_option_of_a_discover() {
    let here = provisioner(settings(), vec![]);
    let check = |options: &[(u8, &[u8])], expected: &[&str]| {
        let discover =
            options.iter().fold(Discover::discover(mac(PHONE), 7), |it, (code, octets)| {
                it.option(*code, *octets)
            });
        let datagram = discover.encode();
        let message = Message::request(&datagram).unwrap();
        let client = here.client(mac(PHONE), &shown(&message), now());
        // The prefix is the sender's own, whatever it says.
        let said = client.grounds.iter().filter(|ground| ground.from != Origin::Prefix);
        assert_eq!(told(said), expected);
        assert!(client.grounds.iter().all(|ground| ground.at == now()));
    };
    check(&[(code::CLASS, b"Polycom-VVX401\0")], &["option-60 Polycom VVX401 -"]);
    check(&[(code::CLASS, POLY)], &["option-60 Polycom VVX401 -"]);
    check(
        &[(code::HOST_NAME, b"Polycom_0004f2aabbcd")],
        &["option-12 Polycom - 00:04:f2:aa:bb:cd"],
    );
    check(&[(code::ASKED, &[1, 28, 160, 66, 43, 3, 4, 42, 2, 6, 15])], &["option-55 Polycom - -"]);
    check(
        &[(code::CLIENT_ID, b"\x01\0\x04\xf2\xaa\xbb\xcc")],
        &["option-61 - - 00:04:f2:aa:bb:cc"],
    );
    check(&[(code::VENDOR_CLASS, POLY)], &["option-125 Polycom VVX401 -"]);
    check(&[(code::VENDOR_INFO, DEVICE)], &["option-125 Polycom VVX401 -"]);
    // What contradicts stays beside what it contradicts.
    check(
        &[
            (code::CLASS, b"yealink"),
            (code::VENDOR_INFO, POLY),
            (code::HOST_NAME, b"SEP001E7AC41022"),
        ],
        &[
            "option-12 Cisco - 00:1e:7a:c4:10:22",
            "option-125 Polycom VVX401 -",
            "option-60 Yealink - -",
        ],
    );
}

#[tokio::test]
async fn names_agents_and_queries_go_on_record() {
    let bench = bench(settings(), vec![listed(PHONE, "VVX 401", "1")]).await;
    let ask = async |name: &str, seen: &[Seen<'_>], second: i64| {
        let at = now() + jiff::SignedDuration::from_secs(second);
        let (peer, local) = ([10, 20, 0, 9].into(), [10, 20, 0, 2].into());
        let request = Request { name, peer, local, carrier: Carrier::Http, seen };
        // Whether there is such a file is another matter.
        let _ = bench.service.open(&request, at).await;
    };
    let agent = |kind: &str, version: &str| {
        format!("FileTransport PolycomVVX-VVX_401-UA/{version} (SN:{PHONE}) Type/{kind}")
    };
    ask("3111-48400-001.sip.ld", &[Seen::Prefix(mac(PHONE))], 1).await;
    ask("0004f2aabbcc.cfg", &[Seen::UserAgent(&agent("Updater", "6.4.7.3828"))], 2).await;
    ask("0004f2aabbcc.cfg", &[Seen::UserAgent(&agent("Application", "6.4.6.2494"))], 3).await;
    ask("0004f2aabbcc.cfg", &[Seen::UserAgent(&agent("Application", "6.4.7.4560"))], 4).await;
    // A hundred boots and strangers' texts do not make it more.
    for number in 0..100 {
        let agent =
            format!("Yealink SIP-T46S 66.86.0.{number} 00:15:65:00:00:{:02x}", number % 100);
        let name = format!("0004f2aabbcc-{number}.cfg");
        ask(&name, &[Seen::Register(&agent), Seen::SipPnp("ua-profile;vendor=\"snom\"")], 5).await;
    }
    bench.service.drain().await;
    let state = bench.service.view.read();
    let grounds = &state.phones[&mac(PHONE)].grounds;
    let origins: BTreeSet<_> = grounds.iter().map(|ground| ground.from).collect();
    assert_eq!(origins.len(), grounds.len(), "one of each origin: {grounds:?}");
    let of = |origin| grounds.iter().find(|ground| ground.from == origin).unwrap();
    let seconds = |origin| of(origin).at.duration_since(now()).as_secs();
    assert_eq!(
        told([
            of(Origin::FileName),
            of(Origin::Updater),
            of(Origin::UserAgent),
            of(Origin::Register)
        ]),
        [
            "file-name Polycom VVX401 -",
            "register Yealink T46S 00:15:65:00:00:63",
            "updater Polycom VVX401 00:04:f2:aa:bb:cc",
            "user-agent Polycom VVX401 00:04:f2:aa:bb:cc",
        ]
    );
    assert_eq!(of(Origin::Updater).firmware, None, "its version is not the firmware's");
    assert_eq!(of(Origin::UserAgent).firmware.as_deref(), Some("6.4.7.4560"), "the newest");
    assert_eq!((seconds(Origin::FileName), seconds(Origin::UserAgent)), (1, 4));
    let identity = crate::domain::conclude(grounds);
    assert_eq!(identity.firmware.as_deref(), Some("6.4.7.4560"));
    assert_eq!(
        (identity.vendor.as_deref(), identity.model.as_deref()),
        (Some("Polycom"), Some("VVX401"))
    );
}
