//! The wire is asked before anybody comes: strangers get their offer at once, and never what somebody typed in.

use std::{collections::BTreeSet, net::Ipv4Addr, time::Duration};

use ringup::wire::dhcp::{Kind, Request};
use tokio::time::timeout;

use super::crowd::{Heard, Wire, as_phones, broadcast, phone};
use crate::{
    cable::{SERVER, Switch},
    run::{Home, until},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// So many addresses that the appliance asks for half a minute, one of which the others' end of the switch has.
const SETTINGS: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.1.200"]
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
    asked_about_some(&wire).await;
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
        assert!(!asked.contains(&offer.address), "stranger {number}: {asked:?}");
        let server = SERVER.parse().unwrap();
        wire.send(&broadcast(&Request::select(mac, number, offer.address, server))).await;
        match timeout(PATIENCE, answer(&wire)).await.expect("an ACK") {
            (Kind::Ack, address) => assert_eq!(address, offer.address),
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until more addresses were asked about than strangers come, and nobody can answer any more: the appliance sends
/// ten frames a second at rest, and ten at once at most, so that so many more take longer than the 300 ms of a probe.
async fn asked_about_some(wire: &Wire) {
    let (mut known, mut more) = (BTreeSet::new(), 0);
    while known.len() < 10 || more < 16 {
        if let Heard::Asked(address) = timeout(PATIENCE, wire.hear()).await.expect("a probe") {
            more += u32::from(known.len() >= 10);
            known.insert(address);
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
