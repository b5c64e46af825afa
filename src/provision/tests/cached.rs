//! What was rendered before is what would be rendered now, whatever changed in between.

use std::fs;

use proptest::prelude::*;

use super::{explain::settings_of, *};
use crate::{
    domain::{
        Batch, Purpose, StagingChange, Window,
        wave::{Brake, Place},
    },
    store::Store,
};

const CISCO: &str = "001e7a00000a";
const YEALINK: &str = "001565aabbcc";
const OTHER: &str = "001565aabbcd";

const SETTINGS: &str = r#"[firmware]
wave = 1

[auto-registration]
numbers = "5000-5999"

[dhcp]
mode = "off"

[[dhcp.subnet]]
subnet = "10.20.0.0/24"
site = "paris"
pool = ["10.20.0.10-10.20.0.200"]
ntp = ["10.20.0.1"]

[[dhcp.subnet]]
subnet = "10.30.0.0/24"
site = "rome"
pool = ["10.30.0.10-10.30.0.200"]
voice-vlan = 30

[site.default]
time-zone = "Europe/Paris"
server = [{ address = "10.20.0.5" }]
admin-password = "4dm1n"
firmware.7961 = "SIP41.9-4-2SR3-1S"
extra.yealink = { "a.model" = "production" }

[site.default.staging]
server = [{ address = "10.98.0.1" }]
var.room = "bench"

[site.paris]
var.room = "paris"

[site.rome]
sip-transport = "tcp"
"#;

/// What may happen between two requests. Numbers choose among a few values, so that what was comes again.
#[derive(Clone, Debug)]
enum Happens {
    Listed { phone: usize, model: usize, site: usize, text: u8 },
    Unlisted(usize),
    Leased { phone: usize, last: u8 },
    Shown { phone: usize, agent: usize },
    Staged(usize),
    Window(bool),
    Placed { phone: usize, done: bool },
    Paused(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    let phone = 0..3_usize;
    prop_oneof![
        4 => (phone.clone(), 0..4_usize, 0..3_usize, 0..3_u8).prop_map(
            |(phone, model, site, text)| Happens::Listed { phone, model, site, text }
        ),
        1 => phone.clone().prop_map(Happens::Unlisted),
        1 => (phone.clone(), 50..53_u8).prop_map(|(phone, last)| Happens::Leased { phone, last }),
        2 => (phone.clone(), 0..4_usize).prop_map(|(phone, agent)| Happens::Shown { phone, agent }),
        2 => (0..6_usize).prop_map(Happens::Staged),
        1 => any::<bool>().prop_map(Happens::Window),
        1 => (phone, any::<bool>()).prop_map(|(phone, done)| Happens::Placed { phone, done }),
        1 => any::<bool>().prop_map(Happens::Paused),
    ]
}

const AGENTS: [&str; 4] = [
    "Yealink SIP-T46S 66.86.0.15 00:15:65:aa:bb:cc",
    "Yealink SIP-T42S 66.86.0.15 00:15:65:aa:bb:cc",
    "Cisco-CP-7961G/8.5.4",
    "Cisco-CP-7942G/9.4.2",
];

fn change(what: &Happens) -> Vec<Change> {
    let phone = |number: usize| [CISCO, YEALINK, OTHER][number];
    match *what {
        Happens::Listed { phone: number, model, site, text } => {
            let model = ["7961G", "T46S", "T42S", ""][model];
            let Change::Listed(mac, mut entry) = listed(phone(number), model, "4012") else {
                return vec![];
            };
            entry.site = [None, Some("paris".to_owned()), Some("rome".to_owned())][site].clone();
            entry.lines[0].name = format!("Desk {text}");
            entry.lines[0].sip_password = Secret::new(format!("pw-{text}"));
            entry.var.insert("room".to_owned(), text.to_string());
            vec![Change::Listed(mac, entry)]
        }
        Happens::Unlisted(number) => vec![Change::Unlisted(mac(phone(number)))],
        Happens::Leased { phone: number, last } => vec![leased(phone(number), last)],
        Happens::Shown { phone: number, agent } => {
            let ground = catalog().recognize(&Seen::UserAgent(AGENTS[agent]), now());
            ground.map(|ground| Change::Showed(mac(phone(number)), ground)).into_iter().collect()
        }
        Happens::Staged(step) => {
            let (purpose, by, at) = (Purpose::default(), String::new(), now());
            let scanned = |phone| StagingChange::Scanned {
                phone: mac(phone),
                by: by.clone(),
                at,
                slot: None,
            };
            let change = match step {
                0 => StagingChange::Opened { purpose, ports: [].into(), at },
                1 => scanned(CISCO),
                2 => scanned(YEALINK),
                3 => StagingChange::HandedOver(at),
                4 => StagingChange::TakenBack,
                _ => StagingChange::Removed(mac(YEALINK)),
            };
            vec![Change::Staging(1, Box::new(change))]
        }
        Happens::Window(enabled) => vec![Change::Window(Some(Window { enabled, until: None }))],
        Happens::Placed { phone: number, done } => {
            let load = "SIP41.9-4-2SR3-1S".to_owned();
            let place = Place { load, since: now(), round: 1, done: done.then(now) };
            vec![Change::Placed(mac(phone(number)), Some(Box::new(place)))]
        }
        Happens::Paused(paused) => {
            vec![Change::Braked(Box::new(Brake { paused, ..Brake::default() }))]
        }
    }
}

/// Everything that phones and others ask for, from both subnets and from elsewhere.
fn requests() -> Vec<String> {
    let names = [
        "SEP001E7A00000A.cnf.xml",
        "XMLDefault.cnf.xml",
        "cisco-79xx-directory.xml",
        "001565aabbcc.cfg",
        "001565aabbcd.cfg",
        "y000000000066.cfg",
        "yealink-phonebook.xml",
        "own.cfg",
        "001565aabbcc.boot",
    ];
    let peers = ["10.20.0.50", "10.20.0.51", "10.30.0.50", "192.0.2.1"];
    let agents = ["", " | Yealink SIP-T42S 66.86.0.15 00:15:65:aa:bb:cc"];
    let all = peers.iter().flat_map(|peer| names.iter().map(move |name| format!("{peer} {name}")));
    all.flat_map(|line| agents.map(|agent| format!("{line}{agent}"))).collect()
}

/// All of the answer that a phone could notice, and what is recorded of it. A password that is drawn by lot is left out.
fn noticed(outcome: &Result<Opened, Refusal>) -> String {
    let told = told(outcome);
    match outcome {
        Ok(opened) if opened.admit.is_some() => told,
        Ok(opened) => {
            let Opened { etag, seals, seat, there, .. } = opened;
            format!("{told} {etag} {seals:?} {seat:?} {there:?}\n{}", text(opened))
        }
        Err(_) => told,
    }
}

fn is_as_if_fresh(changes: &[Happens]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let files = directory.path().join("files");
        fs::create_dir(&files).unwrap();
        fs::write(files.join("own.cfg.j2"), "{{ site }} {{ vlan }} {{ version }}\n").unwrap();
        let (library, problems) = Library::load(&files, &files);
        assert!(problems.is_empty(), "{problems:?}");
        let store = Store::open(&directory.path().join("state")).unwrap();
        let settings = Arc::new(settings_of(SETTINGS));
        let library = Arc::new(library);
        let resolver = || {
            let (settings, library) = (Arc::clone(&settings), Arc::clone(&library));
            Provisioner::new(settings, catalog(), library, store.view.clone())
        };
        let here = resolver();
        for what in changes {
            store.journal.commit(Batch::from(change(what))).await.unwrap();
            let fresh = resolver();
            for line in requests() {
                let (cached, now) = (open(&here, &line), open(&fresh, &line));
                assert_eq!(noticed(&cached), noticed(&now), "{line} after {what:?}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn a_file_that_was_made_before_is_the_one_that_would_be_made_now(
        story in prop::collection::vec(happens(), 1..20),
    ) {
        is_as_if_fresh(&story);
    }
}

/// The text of what `line` gets, and where it lies in memory.
fn lies(provisioner: &Provisioner, line: &str) -> (String, usize) {
    let opened = open(provisioner, line).unwrap();
    let Body::Bytes(bytes) = &opened.body else { panic!("{line} is a file") };
    (text(&opened), Arc::as_ptr(bytes).addr())
}

#[test]
fn a_storm_renders_each_file_once() {
    let here = provisioner(settings(), vec![listed(YEALINK, "T46S", "4014")]);
    for name in ["001565aabbcc.cfg", "y000000000066.cfg", "yealink-phonebook.xml"] {
        let line = format!("10.20.0.53 {name}");
        assert_eq!(lies(&here, &line), lies(&here, &line), "{name}");
    }
    // What all phones of a subnet share is one for all of them.
    let common = |peer: &str| lies(&here, &format!("{peer} y000000000066.cfg")).1;
    assert_eq!(common("10.20.0.53"), common("10.20.0.54"));
}

#[test]
fn who_looks_keeps_nothing() {
    let here = provisioner(settings(), vec![listed(YEALINK, "T46S", "4014")]);
    let look = |reveal| {
        let local = [10, 20, 0, 2].into();
        here.preview(mac(YEALINK), "001565aabbcc.cfg", local, reveal, now()).unwrap()
    };
    assert!(!text(&look(false)).contains("pw-4014") && text(&look(true)).contains("pw-4014"));
    assert_eq!(format!("{:?}", here.cache), "Cache { files: 0, .. }");
    assert!(text(&open(&here, "10.20.0.53 001565aabbcc.cfg").unwrap()).contains("pw-4014"));
    assert!(!text(&look(false)).contains("pw-4014"), "what the phone got is not what is shown");
}
