//! Tests of the plan against what ringup itself would send, and of each language by golden files.

use std::{fs, path::Path, sync::Arc};

use super::*;
use crate::{
    config::{ForFamily, Subnet},
    domain::{Mac, Timestamp},
    profile::Seen,
    provision::{Library, Provisioner},
    store::{State, View},
};

const SERVERS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 20, 0, 2), Ipv4Addr::new(10, 20, 0, 3)];

const LANGUAGES: [(&str, Server); 6] = [
    ("kea", Server::Kea),
    ("isc", Server::Isc),
    ("dnsmasq", Server::Dnsmasq),
    ("windows", Server::Windows),
    ("ios", Server::Ios),
    ("mikrotik", Server::Mikrotik),
];

/// Families of today, so that a new one does not change the golden files.
const SHIPPED: &[&str] = &[
    "cisco-7940-7960",
    "cisco-79xx-enterprise",
    "cisco-legacy-sccp",
    "poly-soundpoint",
    "poly-vvx",
    "yealink-desk",
];

/// Sub-options, and values with every character that a language could trip over.
const ACME: &str = r#"
vendor = "Acme"
title = "Acme desk phones"
format = "ini"
[recognize]
option-60 = ['^O.Acme', '''^acme "O'Brien\\" \$x''']
[dhcp]
servers = [
  { option = 43, sub = 2, form = "text", text = "{http}/acme" },
  { option = 43, sub = 3, form = "bare" },
  { option = 159, form = "text", text = '''{http}/a'b"c\$mac,d?''' },
  { option = 66, form = "text", text = '''tftp://{server}/it's "$x", \ ''' },
]
"#;

/// The same vendor class as another family of the vendor, and other wishes.
const MPP: &str = r#"
vendor = "Cisco"
title = "Cisco 88xx with 4PCC loads"
format = "xml"
[recognize]
option-60 = ['^Cisco Systems, Inc\. IP Phone CP-(?P<model>\d+)-4PCC', '^(?P<vendor>Cisco Systems),? Inc']
[dhcp]
servers = [{ option = 160, form = "text", text = "{http}/$MA.xml" }, { option = 66, form = "bare" }]
[[model]]
name = "8851"
"#;

fn catalog(own: &[(&str, &str)]) -> Catalog {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in own {
        let folder = directory.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("profile.toml"), text).unwrap();
    }
    let (catalog, problems) = Catalog::load(Some(directory.path()));
    assert!(problems.is_empty(), "{problems:?}");
    catalog
}

fn plan(catalog: &Catalog, settings: &Settings, names: &[&str]) -> Plan {
    let families: Vec<&Family> = names.iter().map(|name| catalog.family(name).unwrap()).collect();
    Plan::new(catalog, settings, &families, &SERVERS)
}

fn subnet() -> Subnet {
    Subnet {
        network: [10, 20, 0, 0].into(),
        prefix: 22,
        site: "default".to_owned(),
        pool: Vec::new(),
        router: Vec::new(),
        dns: Vec::new(),
        ntp: Vec::new(),
        domain: None,
        search: Vec::new(),
        routes: Vec::new(),
        lease_time: std::time::Duration::from_hours(24),
        servers: SERVERS.to_vec(),
        voice_vlan: None,
        option_82: crate::config::Option82::Relay,
        admit: crate::config::Admit::All,
        options: Vec::new(),
        for_family: BTreeMap::new(),
    }
}

#[test]
fn golden_files() {
    let shipped = catalog(&[]);
    let odd = catalog(&[("acme", ACME), ("cisco-mpp", MPP)]);
    let mut elsewhere = Settings::default();
    elsewhere.http.phones = vec!["0.0.0.0:8081".parse().unwrap()];
    let other = ForFamily { servers: vec![[10, 1, 1, 5].into()] };
    let mut network = subnet();
    network.for_family.insert("yealink-desk".to_owned(), other);
    elsewhere.dhcp.subnets = vec![network];
    let odd_names = ["acme", "cisco-mpp", "cisco-79xx-enterprise", "yealink-desk"];
    for (language, server) in LANGUAGES {
        let text = plan(&shipped, &Settings::default(), SHIPPED).write(server);
        insta::assert_snapshot!(format!("shipped_{language}"), text);
        let text = plan(&odd, &elsewhere, &odd_names).write(server);
        insta::assert_snapshot!(format!("odd_{language}"), text);
    }
    let text = plan(&shipped, &Settings::default(), &["poly-vvx"]).write(Server::Ios);
    insta::assert_snapshot!("one_ios", text);
}

/// The answers of a plan to a client with this option 60.
fn planned<'p>(plan: &'p Plan, class: &[u8]) -> &'p [Answer] {
    let sent = Opening { octets: class.to_vec(), any_case: false };
    let is_of = |class: &&Class| {
        class.tests.iter().any(|test| {
            test.opening.covers(&sent) && !test.except.iter().any(|other| other.covers(&sent))
        })
    };
    if let Some(class) = plan.classes.iter().find(is_of) {
        return &class.answers;
    }
    if plan.others.iter().any(|other| other.covers(&sent)) { &[] } else { &plan.fallback }
}

/// Whoever answers, the phone gets the same.
#[test]
fn a_plan_says_what_ringup_would_send() {
    let catalog = Arc::new(catalog(&[("acme", ACME), ("cisco-mpp", MPP)]));
    let names: Vec<&str> = [SHIPPED, &["acme", "cisco-mpp"]].concat();
    let mut network = subnet();
    let other = ForFamily { servers: vec![[10, 1, 1, 5].into(), [10, 1, 1, 6].into()] };
    for poly in catalog.expand("Polycom") {
        network.for_family.insert(poly.name.to_string(), other.clone());
    }
    let mut settings = Settings::default();
    settings.dhcp.subnets = vec![network.clone()];
    let plan = plan(&catalog, &settings, &names);
    let nowhere = Path::new("/nonexistent");
    let (library, _) = Library::load(nowhere, nowhere);
    let view = View::new(State::default());
    let provisioner = Provisioner::new(Arc::new(settings), catalog, Arc::new(library), view);
    let stranger: Mac = "020000000001".parse().unwrap();
    let check = |class: &[u8]| {
        let seen = [Seen::Option60(class)];
        let client = provisioner.client(stranger, &seen, Timestamp::UNIX_EPOCH);
        let mut sent = provisioner.options(&client, &network, SERVERS[0], &[]);
        sent.retain(|(code, _)| ![1, 3, 6, 15, 28, 42].contains(code));
        let mut planned: Vec<(u8, Vec<u8>)> = planned(&plan, class)
            .iter()
            .map(|answer| (answer.code, answer.value.bytes()))
            .collect();
        sent.sort();
        planned.sort();
        assert_eq!(planned, sent, "{}", String::from_utf8_lossy(class));
    };
    check(b"Cisco Systems, Inc. IP Phone CP-7961G\0");
    check(b"Cisco Systems, Inc. IP Phone CP-7960G\0");
    check(b"Cisco Systems, Inc. IP Phone 7905");
    check(b"Cisco Systems, Inc. Wireless Phone 7921");
    check(b"Cisco Systems, Inc. IP Phone CP-8851-4PCC");
    // Of the vendor, and more is not known: what most of the vendor's families read.
    check(b"Cisco Systems, Inc.");
    check(b"Cisco Systems, Inc. IP Phone\0");
    check(b"Polycom-SPIP670");
    check(b"Polycom-VVX411");
    check(b"\0\0\x36\x3d\x0b\x01\x07Polycom\xff");
    check(b"yealink");
    check(b"Yealink");
    check(b"acme \"O'Brien\\\" $x 1");
    check(b"O2Acme");
    check(b"udhcp 1.35.0");
    check(b"");
    check(b"MSFT 5.0");
    check(b"PXEClient:Arch:00007:UNDI:003016");
}

#[test]
fn what_cannot_be_told_is_noted() {
    let catalog = catalog(&[(
        "acme",
        &ACME.replace("'^O.Acme', ", "'acme', ").replace("'''^acme", "'''acme"),
    )]);
    let plan = plan(&catalog, &Settings::default(), &["acme"]);
    assert!(plan.classes.is_empty());
    assert!(plan.notes[0].contains("nothing in option 60 tells it"), "{:?}", plan.notes);
    // Even without a class the unknown are served in every language.
    for (_, server) in LANGUAGES {
        assert!(plan.write(server).contains("nothing in option 60"));
    }
}
