//! DHCP below IP: addresses that somebody uses, phones that ARP does not find, and how others see an offer.

use std::{fs, process::Stdio};

use super::{SETTINGS, script};
use crate::{
    cable::{Cable, SERVER, Switch},
    run::{Home, Serving, happened, signal, until},
};

/// Two addresses: the first is in use, by hand, at the others' end of the switch.
const TWO: &str = "pool = [\"10.20.1.1-10.20.1.2\"]";
const POOL: &str = "pool = [\"10.20.1.1-10.20.4.250\"]";

const PHONE: &str = "02:15:65:00:00:21";

fn typed_in_by_hand() -> Switch {
    let switch = Switch::new();
    let typed = switch.others(&["ip", "addr", "add", "10.20.1.1/16", "dev", "eth1"]).status();
    assert!(typed.unwrap().success());
    switch.cable.plug(PHONE);
    switch
}

/// The finding of the phone whose address somebody uses.
fn conflict_is_told(serving: &Serving<'_>) {
    until("address-conflict", || {
        let phone = serving.phone(PHONE);
        let findings = phone["findings"].to_string();
        (findings.contains("address-conflict") && findings.contains("10.20.1.1")).then_some(())
    });
}

/// RFC 5227: the wire is asked before a phone is, so that it has its address at once.
#[test]
fn rfc_5227_an_address_in_use_is_found_before_it_is_offered() {
    let switch = typed_in_by_hand();
    let home = Home::new(&SETTINGS.replace(POOL, TWO));
    let serving = home.serve(&switch.cable.server());
    let words = ["udhcpc", "-i", "eth1", "-n", "-q", "-f", "-t", "3", "-T", "3", "-V", "yealink"];
    let words = [&["timeout", "30"], &words[..], &["-r", "10.20.1.1", "-s", "/bin/true"]].concat();
    let output = switch.cable.phone(&words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("lease of 10.20.1.2 "), "{said}");
    // One DISCOVER was enough: the first answer held.
    assert_eq!(said.matches("broadcasting discover").count(), 1, "{said}");
    conflict_is_told(&serving);
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// RFC 2131 §4.3.3, with a client that looks itself: dhcpcd finds the address in use and declines it.
#[test]
fn rfc_2131_section_4_3_3_dhcpcd_declines_and_gets_another_address() {
    let switch = typed_in_by_hand();
    let settings = SETTINGS.replace(POOL, TWO).replace("[dhcp]", "[dhcp]\nprobe = false");
    let home = Home::new(&settings);
    let serving = home.serve(&switch.cable.server());
    let words = ["timeout", "-s", "KILL", "60", "dhcpcd", "-4", "-B", "-f", "/dev/null"];
    // Its own script would write the machine's /etc/resolv.conf: a namespace of the network has no files of its own.
    let words =
        [&words[..], &["-c", "/bin/true", "-i", "yealink", "-r", "10.20.1.1", "eth1"]].concat();
    let mut client = switch.cable.phone(&words);
    let mut client = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    happened(&serving, PHONE, "declined 10.20.1.1: somebody else uses it");
    happened(&serving, PHONE, "leased 10.20.1.2");
    conflict_is_told(&serving);
    signal(client.id(), "TERM");
    client.wait().unwrap();
}

/// A phone that the kernel's neighbour table does not know, as if that were full (`gc_thresh3`): a server that answers
/// by UDP alone stays silent here.
#[test]
fn rfc_2131_section_4_1_a_phone_without_a_neighbour_entry_is_answered() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let serving = home.serve(&cable.server());
    cable.plug(PHONE);
    let shown = cable.shown_at_server(&["-o", "link", "show", "eth1"]);
    let hardware = shown.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap();
    let known = ["ip", "neigh", "replace", SERVER, "lladdr", hardware, "dev", "eth1"];
    cable.run(&[&known[..], &["nud", "permanent"]].concat());
    let deaf = "table arp deaf { chain input { type filter hook input priority 0; policy drop; }\n\
                chain output { type filter hook output priority 0; policy drop; }\n}";
    cable.run(&["nft", deaf]);
    let (script, got) = (script(&home.path("udhcpc.sh")), home.path("got"));
    let words = ["udhcpc", "-i", "eth1", "-f", "-n", "-t", "5", "-T", "2", "-s", &script];
    let mut client = cable.phone(&words);
    let mut client = client.env("GOT", &got).stderr(Stdio::null()).spawn().unwrap();
    let told = |name: &str| {
        let path = home.path(name);
        until(name, || fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n')))
    };
    let address = told("got");
    signal(client.id(), "USR1");
    assert_eq!(told("got.renewed"), address, "the ACK of a renewal arrived");
    happened(&serving, PHONE, &format!("renewed {}", address.trim()));
    // The kernel itself does not find it.
    let [.., namespace] = cable.server();
    let words =
        ["netns", "exec", namespace, "busybox", "ping", "-c", "1", "-W", "1", address.trim()];
    let found = std::process::Command::new("ip").args(words).stdout(Stdio::null()).status();
    assert!(!found.unwrap().success(), "then this test shows nothing");
    signal(client.id(), "TERM");
    client.wait().unwrap();
}

/// nmap reads an offer with eyes of its own.
#[test]
fn nmap_reads_our_offer() {
    let cable = Cable::new();
    let home = Home::new(SETTINGS);
    let _serving = home.serve(&cable.server());
    cable.plug(PHONE);
    cable.address("10.20.0.9/16");
    let words = ["timeout", "60", "nmap", "-e", "eth1", "--script", "broadcast-dhcp-discover"];
    let output = cable.run(&words);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let server = format!("Server Identifier: {SERVER}");
    for line in ["IP Offered: 10.20.", &server, "Subnet Mask: 255.255.0.0", "Router: 10.20.0.1"] {
        assert!(said.contains(line), "{line}: {said}\n{}", home.log());
    }
}
