//! The wire is asked before anybody comes: strangers get their offer at once, and never what somebody typed in.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use ringup::wire::dhcp::{Kind, Request};
use tokio::time::timeout;

use super::crowd::{Heard, Wire, as_phones, broadcast, phone};
use crate::{
    cable::{SERVER, Switch},
    run::{Home, until},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Eight addresses, of which the others' end of the switch has one.
const SETTINGS: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.1.8"]
"#;

const TYPED_IN: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 3);

#[test]
fn rfc_5227_strangers_do_not_wait_for_the_wire() {
    let switch = Switch::new();
    let address = format!("{TYPED_IN}/16");
    let typed = switch.others(&["ip", "addr", "add", &address, "dev", "eth1"]).status().unwrap();
    assert!(typed.success());
    let home = Home::new(SETTINGS);
    let serving = home.serve(&switch.cable.server());
    as_phones(&switch.cable, "dhcp::ahead::seven_strangers");
    until("a notice about the address that was typed in", || {
        let about = serving.json("/api/v1/about")["notices"].to_string();
        about.contains(&format!("given to nobody: {TYPED_IN} by ")).then_some(())
    });
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

#[tokio::test]
#[ignore = "runs on the phones' end of a switch only"]
async fn seven_strangers() {
    let wire = Wire::open();
    asked_about_all(&wire).await;
    for number in 0..7 {
        let mac = phone(number);
        wire.send(&broadcast(&Request::discover(mac, number))).await;
        let mut asked = Vec::new();
        let offer = loop {
            match timeout(PATIENCE, wire.hear()).await.expect("an offer") {
                Heard::Asked(address) => asked.push(address),
                Heard::Answer(answer) => break answer,
            }
        };
        assert_eq!((offer.mac, offer.kind), (mac, Kind::Offer));
        assert_ne!(offer.address, TYPED_IN, "stranger {number}");
        // The last ones may be under way when the first stranger comes.
        assert!(number > 4 || !asked.contains(&offer.address), "stranger {number}: {asked:?}");
        let server = SERVER.parse().unwrap();
        wire.send(&broadcast(&Request::select(mac, number, offer.address, server))).await;
        match timeout(PATIENCE, answer(&wire)).await.expect("an ACK") {
            (Kind::Ack, address) => assert_eq!(address, offer.address),
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until every free address of the pool was asked about twice.
async fn asked_about_all(wire: &Wire) {
    let mut times: BTreeMap<Ipv4Addr, u32> = BTreeMap::new();
    let all = |times: &BTreeMap<Ipv4Addr, u32>| {
        let mut pool = (1..=8).map(|last| Ipv4Addr::new(10, 20, 1, last));
        pool.all(|address| {
            address == TYPED_IN || times.get(&address).is_some_and(|times| *times >= 2)
        })
    };
    while !all(&times) {
        if let Heard::Asked(address) = timeout(PATIENCE, wire.hear()).await.expect("a probe") {
            *times.entry(address).or_default() += 1;
        }
    }
}

async fn answer(wire: &Wire) -> (Kind, Ipv4Addr) {
    loop {
        if let Heard::Answer(answer) = wire.hear().await {
            return (answer.kind, answer.address);
        }
    }
}
