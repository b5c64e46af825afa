//! Tests of what a client is taken for, and of the options that its family gets.

use std::{path::Path, sync::Arc};

use super::*;
use crate::{
    config::{RawOption, Settings},
    domain::{Change, Commit, Entry},
    profile::Catalog,
    provision::Library,
    store::{State, View},
};

const OWN: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
const CISCO: &[u8] = b"Cisco Systems, Inc. IP Phone CP-7961G\0";
const POLY: &[u8] = b"Polycom-SPIP670";

fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

fn subnet() -> Subnet {
    Subnet {
        network: [10, 20, 0, 0].into(),
        prefix: 22,
        site: "paris".to_owned(),
        pool: vec![([10, 20, 0, 50].into(), [10, 20, 3, 250].into())],
        router: vec![[10, 20, 0, 1].into()],
        dns: vec![[10, 20, 0, 1].into()],
        ntp: vec![[10, 20, 0, 1].into()],
        domain: Some("voice.example".to_owned()),
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: std::time::Duration::from_hours(24),
        servers: Vec::new(),
        voice_vlan: None,
        option_82: crate::config::Option82::Relay,
        admit: crate::config::Admit::All,
        options: Vec::new(),
        for_family: std::collections::BTreeMap::new(),
    }
}

fn provisioner(settings: Settings, changes: Vec<Change>) -> Provisioner {
    let mut state = State::default();
    state.apply(&Commit { number: 1, changes });
    let (catalog, problems) = Catalog::load(None);
    assert!(problems.is_empty(), "{problems:?}");
    let nowhere = Path::new("/nonexistent");
    let (library, _) = Library::load(nowhere, nowhere);
    Provisioner::new(Arc::new(settings), Arc::new(catalog), Arc::new(library), View::new(state))
}

fn listed(mac: Mac, model: &str) -> Change {
    let entry = Entry {
        model: model.to_owned(),
        address: Some([10, 20, 0, 99].into()),
        ..Entry::default()
    };
    Change::Listed(mac, Box::new(entry))
}

/// Server and VLAN options as text: addresses dotted, all else as it is.
fn show(options: &[(u8, Vec<u8>)]) -> String {
    let dotted = |octets: &[u8]| {
        let addresses = octets
            .chunks(4)
            .map(|four| Ipv4Addr::from(<[u8; 4]>::try_from(four).unwrap()).to_string());
        addresses.collect::<Vec<_>>().join(",")
    };
    let shown = options.iter().filter(|(code, _)| !matches!(code, 1 | 3 | 6 | 15 | 28 | 42)).map(
        |(code, content)| {
            let text = if *code == 150 {
                dotted(content)
            } else {
                String::from_utf8_lossy(content).into_owned()
            };
            format!("{code}={text}")
        },
    );
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_family_in_its_own_form() {
    let provisioner = provisioner(Settings::default(), Vec::new());
    let check = |mac_text: &str, class: &[u8], asked: &[u8], expected: &str| {
        let client =
            provisioner.client(mac(mac_text), &[Seen::Option60(class)], Timestamp::UNIX_EPOCH);
        assert_eq!(
            show(&provisioner.options(&client, &subnet(), OWN, asked)),
            expected,
            "{client:?}"
        );
    };
    let cisco = "150=10.20.0.2 66=10.20.0.2";
    let poly = "160=http://10.20.0.2/ 66=http://10.20.0.2/";
    let unknown = "150=10.20.0.2 66=http://10.20.0.2/ 160=http://10.20.0.2/";
    check("020000000001", CISCO, &[], cisco);
    check("020000000001", CISCO, &[1, 3], cisco);
    check("020000000001", b"Cisco Systems, Inc. IP Phone CP-7960G\0", &[150], cisco);
    check("020000000001", b"Cisco Systems, Inc. IP Phone 7905", &[], cisco);
    check("020000000001", POLY, &[1, 28, 160, 66, 43], poly);
    check("020000000001", b"Polycom-VVX401", &[], poly);
    check("020000000001", b"yealink", &[], "66=http://10.20.0.2/");
    check("020000000001", b"", &[], unknown);
    check("020000000001", b"", &[1, 3, 66], "66=http://10.20.0.2/");
    check("020000000001", b"", &[1, 3, 6], "");
    // The prefix is enough where all families of its vendor want the same.
    check("0004f2000001", b"", &[1, 3, 6], poly);
    check("020000000001", b"MSFT 5.0", &[1, 3, 66, 150], "");
    // A phone built on something common keeps its own evidence.
    check("0004f2000001", b"dhcpcd-9.4.1:Linux", &[], poly);
}

/// Octets as hexadecimal digits.
fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat()
}

#[test]
fn options_in_the_block_of_an_enterprise() {
    let rule = |servers: Vec<ServerOption>| DhcpRule { servers, vlan: Vec::new() };
    let text = |code, sub, enterprise, text: &str| ServerOption {
        code,
        sub,
        enterprise,
        form: Form::Text,
        text: text.to_owned(),
    };
    let servers = [Ipv4Addr::new(11, 11, 11, 11)];
    let told = |registrars: &str, vlan: &str| Told {
        servers: &servers,
        http: "http://11.11.11.11",
        registrars: registrars.to_owned(),
        vlan: vlan.to_owned(),
    };
    // What Kea sends for the same text under 1027, sub-option 130 (isc-projects/forge, Mitel's test of option 125).
    let mitel = "id:ipphone.mitel.com;sw_tftp={server};call_srv={registrars}";
    let content = server_content(
        Some(&rule(vec![text(125, Some(130), Some(1027), mitel), text(43, None, None, mitel)])),
        &told("10.10.10.10", ""),
    );
    let plain = "id:ipphone.mitel.com;sw_tftp=11.11.11.11;call_srv=10.10.10.10";
    assert_eq!(content[0], (43, plain.as_bytes().to_vec()));
    assert_eq!(content[1].0, 125);
    assert_eq!(
        hex(&content[1].1),
        "000004033f823d69643a697070686f6e652e6d6974656c2e636f6d3b73775f746674703d31312e31312e31312e31313b63616c6c5f7372763\
         d31302e31302e31302e3130"
    );
    // Two sub-options of one enterprise share its block; another's begins a new one.
    let content = server_content(
        Some(&rule(vec![
            text(125, Some(1), Some(7), "{server}"),
            text(125, Some(2), Some(7), "{server}"),
            text(43, Some(2), None, "{http}/"),
        ])),
        &told("", ""),
    );
    let address = hex(b"11.11.11.11");
    let expected = [
        (43, format!("0213{}", hex(b"http://11.11.11.11/"))),
        (125, format!("000000071a010b{address}020b{address}")),
    ];
    let content: Vec<_> = content.iter().map(|(code, octets)| (*code, hex(octets))).collect();
    assert_eq!(content, expected);
}

#[test]
fn what_is_not_set_is_left_out_of_a_text() {
    let check = |text: &str, registrars: &str, vlan: &str, expected: &str| {
        let told = Told {
            servers: &[OWN],
            http: "http://10.20.0.2",
            registrars: registrars.to_owned(),
            vlan: vlan.to_owned(),
        };
        assert_eq!(String::from_utf8(told.fill(text)).unwrap(), expected);
    };
    let mitel = "sw_tftp={server};call_srv={registrars};vlan={vlan};l2p=6";
    check(
        mitel,
        "10.0.0.1,10.0.0.2",
        "20",
        "sw_tftp=10.20.0.2;call_srv=10.0.0.1,10.0.0.2;vlan=20;l2p=6",
    );
    check(mitel, "", "20", "sw_tftp=10.20.0.2;vlan=20;l2p=6");
    check(mitel, "10.0.0.1", "", "sw_tftp=10.20.0.2;call_srv=10.0.0.1;l2p=6");
    check("HTTPSRVR={server},L2QVLAN={vlan}", "", "", "HTTPSRVR=10.20.0.2");
    check("HTTPSRVR={server},L2QVLAN={vlan}", "", "20", "HTTPSRVR=10.20.0.2,L2QVLAN=20");
    // A separator that the profile ends with belongs to the form.
    check("{http}/;", "", "", "http://10.20.0.2/;");
}

#[test]
fn a_minet_phone_learns_its_call_servers_and_its_vlan() {
    let servers = [[10, 30, 0, 1], [10, 30, 0, 2]].map(|address| crate::config::Registrar {
        address: Ipv4Addr::from(address).to_string(),
        port: None,
    });
    let site = crate::config::Site { servers: servers.to_vec(), ..crate::config::Site::default() };
    let settings = Settings { sites: [("paris".to_owned(), site)].into(), ..Settings::default() };
    let provisioner = provisioner(settings, Vec::new());
    let class: &[u8] = b"ipphone.mitel.com";
    let client =
        provisioner.client(mac("08000f000001"), &[Seen::Option60(class)], Timestamp::UNIX_EPOCH);
    let subnet = Subnet { voice_vlan: Some(20), ..subnet() };
    let text =
        "id:ipphone.mitel.com;sw_tftp=10.20.0.2;call_srv=10.30.0.1,10.30.0.2;vlan=20;l2p=6;dscp=46";
    let options = provisioner.options(&client, &subnet, OWN, &[1, 3, 6, 43, 125]);
    let of = |code: u8| options.iter().find(|(one, _)| *one == code).map(|(_, octets)| &octets[..]);
    assert_eq!(of(43), Some(text.as_bytes()));
    let length = u8::try_from(text.len()).unwrap();
    let head = [0, 0, 4, 3, length + 2, 130, length];
    assert_eq!(of(125), Some(&[&head, text.as_bytes()].concat()[..]));
}

#[test]
fn what_was_learned_and_listed_counts_in_that_order() {
    let (one, two) = (mac("020000000001"), mac("020000000002"));
    let (catalog, _) = Catalog::load(None);
    let ground = catalog.recognize(&Seen::Option60(POLY), Timestamp::UNIX_EPOCH).unwrap();
    let changes =
        vec![listed(one, "7961G"), listed(two, "7961G"), Change::Showed(two, ground.clone())];
    let provisioner = provisioner(Settings::default(), changes);
    let check = |mac: Mac, seen: &[Seen<'_>], family: &str, new: usize| {
        let client = provisioner.client(mac, seen, Timestamp::UNIX_EPOCH);
        assert_eq!(client.family, Some(FamilyName::new(family)), "{client:?}");
        assert_eq!(client.grounds.len(), new, "{client:?}");
        assert_eq!(
            (client.kind, client.listed, client.reserved),
            (ClientKind::Phone, true, Some([10, 20, 0, 99].into()))
        );
    };
    check(one, &[], "cisco-79xx-enterprise", 0);
    check(two, &[], "poly-soundpoint", 0);
    check(two, &[Seen::Option60(POLY)], "poly-soundpoint", 0);
    check(two, &[Seen::Option60(b"Polycom-VVX401")], "poly-vvx", 1);
    check(
        one,
        &[Seen::Option60(POLY), Seen::Option61(b"\x01\x02\0\0\0\0\x01")],
        "poly-soundpoint",
        2,
    );
}

#[test]
fn who_is_no_phone() {
    let phone = mac("020000000001");
    let provisioner = provisioner(Settings::default(), vec![listed(phone, "")]);
    let check = |mac_text: &str, class: &[u8], kind: ClientKind| {
        let client =
            provisioner.client(mac(mac_text), &[Seen::Option60(class)], Timestamp::UNIX_EPOCH);
        assert_eq!(client.kind, kind);
        assert!(client.kind == ClientKind::Phone || client.grounds.is_empty());
    };
    check("020000000009", b"MSFT 5.0", ClientKind::NotPhone("Windows".to_owned()));
    check("020000000009", b"PXEClient:Arch:00000", ClientKind::NotPhone("PXE boot ROM".to_owned()));
    check("020000000009", b"udhcp 1.35.0", ClientKind::Unknown);
    check("020000000001", b"MSFT 5.0", ClientKind::Phone);
    check("0004f2000001", b"android-dhcp-12", ClientKind::Phone);
}

#[test]
fn ports_servers_and_other_servers() {
    let mut settings = Settings::default();
    settings.http.phones = vec!["127.0.0.1:8069".parse().unwrap()];
    let provisioner = provisioner(settings, Vec::new());
    let mut subnet = subnet();
    subnet.servers = vec![[10, 1, 1, 5].into(), [10, 1, 1, 6].into()];
    subnet.voice_vlan = Some(20);
    let elsewhere = ForFamily { servers: vec![[10, 9, 9, 9].into()] };
    for family in ["yealink-desk", "yealink-dect"] {
        subnet.for_family.insert(family.to_owned(), elsewhere.clone());
    }
    let check = |subnet: &Subnet, class: &[u8], expected: &str| {
        let client = provisioner.client(
            mac("020000000001"),
            &[Seen::Option60(class)],
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(show(&provisioner.options(&client, subnet, OWN, &[])), expected);
    };
    check(&subnet, CISCO, "150=10.1.1.5,10.1.1.6 66=10.1.1.5");
    check(
        &subnet,
        POLY,
        "160=http://10.1.1.5:8069/ 66=http://10.1.1.5:8069/ 128=VLAN-A=20; 144=VLAN-A=20; 157=VLAN-A=20; 191=VLAN-A=20;",
    );
    check(&subnet, b"yealink", "66=http://10.9.9.9/ 132=20");
    check(&subnet, b"MSFT 5.0", "");
    // What the operator wrote goes before what the family would get; option 2 is there only if he wrote it.
    let raw = |code, text: &str| RawOption { code, bytes: text.as_bytes().to_vec() };
    subnet.options = vec![raw(66, "tftp.example"), raw(2, "\0\0\x0e\x10")];
    check(&subnet, CISCO, "66=tftp.example 2=\0\0\u{e}\u{10} 150=10.1.1.5,10.1.1.6");
}

#[test]
fn the_voice_vlan_in_each_familys_form() {
    let changes = vec![listed(mac("020000000002"), "Siemens optiPoint")];
    let provisioner = provisioner(Settings::default(), changes);
    let leave = Subnet { voice_vlan: Some(20), ..subnet() };
    let check = |mac_text: &str, class: &[u8], expected: &str| {
        let seen = [Seen::Option60(class)];
        let client = provisioner.client(mac(mac_text), &seen, Timestamp::UNIX_EPOCH);
        let vlans = |subnet: &Subnet| {
            let options = provisioner.options(&client, subnet, OWN, &[1, 3]);
            let vlans = |(code, _): &(u8, Vec<u8>)| [128, 132, 144, 157, 191].contains(code);
            show(&options.into_iter().filter(vlans).collect::<Vec<_>>())
        };
        assert_eq!(vlans(&leave), expected, "{client:?}");
        // A subnet that names none is the voice VLAN itself, or there is none.
        assert_eq!(vlans(&subnet()), "");
    };
    let poly = "128=VLAN-A=20; 144=VLAN-A=20; 157=VLAN-A=20; 191=VLAN-A=20;";
    check("020000000001", POLY, poly);
    check("020000000001", b"Polycom-VVX401", poly);
    check("0004f2000001", b"", poly);
    check("020000000001", b"yealink", "132=20");
    // They read it from CDP and LLDP only.
    check("020000000001", CISCO, "");
    // A phone of no family that we know; what is none; what may be one.
    check("020000000002", b"", "132=20");
    check("020000000001", b"MSFT 5.0", "");
    check("020000000001", b"", "");
}

#[test]
fn base_options_follow_what_is_asked() {
    let provisioner = provisioner(Settings::default(), Vec::new());
    let client = provisioner.client(mac("020000000001"), &[], Timestamp::UNIX_EPOCH);
    let check = |asked: &[u8], expected: &[u8]| {
        let options = provisioner.options(&client, &subnet(), OWN, asked);
        assert_eq!(options.iter().map(|(code, _)| *code).collect::<Vec<_>>(), expected);
    };
    check(&[], &[1, 3, 150, 66, 160, 6, 15, 42, 28]);
    check(&[12], &[1, 3, 6, 15]);
    check(&[42, 28], &[1, 3, 6, 15, 42, 28]);
}

#[test]
fn sub_options_share_one_option() {
    let option = |code, sub| ServerOption {
        code,
        sub,
        enterprise: None,
        form: Form::Text,
        text: String::new(),
    };
    let rules = [option(43, Some(2)), option(66, None), option(43, Some(3))];
    let contents = [b"http://a".to_vec(), b"a".to_vec(), vec![0]];
    let expected =
        vec![(66, b"a".to_vec()), (43, [&[2, 8], &b"http://a"[..], &[3, 1, 0]].concat())];
    assert_eq!(encapsulate(rules.iter().zip(contents)), expected);
}
