//! Findings and diagnoses of a large fleet: 100,000 phones with 20 events each.
//!
//! What counts is that a commit costs what its own phones cost, not the fleet: a list of all findings goes through the
//! ledger, which is compared with what it would take to work out all reports again. How many reports were worked out is
//! checked here too, not only measured. Takes about 60 s and 1.5 GB.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that can't go on says so"
)]

use std::{fs, net::Ipv4Addr, sync::Arc, time::Instant};

use ringup::{
    domain::{
        Asked, Carrier, Change, Commit, Entry, Event, Granted, Mac, Outcome, Required, Role,
        Timestamp, What,
    },
    profile::{Catalog, Seen},
    provision::{Ledger, Library, Provisioner, Settings},
    store::{Phone, State, View},
};

use table::Table;

#[path = "table.rs"]
mod table;

const PHONES: u32 = 100_000;
const EVENTS: i64 = 20;

fn mac(number: u32) -> Mac {
    let [_, a, b, c] = number.to_be_bytes();
    Mac::new([0, 0x1e, 0x7a, a, b, c]).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// What a healthy Cisco does, over and over until there are enough events.
fn event(phone: Mac, step: i64) -> Event {
    let asked = |name: String, role, required| Asked {
        name,
        carrier: Carrier::Tftp,
        role,
        required,
        first: role == Role::Trust,
    };
    let own = || {
        let required = Some(Required { slot: 0, of: 1 });
        asked(format!("SEP{}.cnf.xml", phone.upper()), Role::Own, required)
    };
    let what = match step % 5 {
        0 => What::discovered(None),
        1 => {
            let address = Ipv4Addr::from(u32::from_be_bytes([10, 0, 0, 0]) + 9);
            What::Leased { address, until: Timestamp::MAX, granted: Granted::Selected }
        }
        2 => What::Refused {
            asked: asked(format!("CTLSEP{}.tlv", phone.upper()), Role::Trust, None),
            why: "there is no such file".to_owned(),
            normal: true,
        },
        3 => What::Opened { asked: own(), length: 4096 },
        _ => What::Ended {
            asked: own(),
            bytes: 4096,
            length: 4096,
            outcome: Outcome::Complete,
            etag: "e".to_owned(),
            normal: false,
            source: "template cisco-79xx-enterprise/phone.cnf.xml.j2".to_owned(),
        },
    };
    Event { at: at(step * 60), what }
}

fn fleet(catalog: &Catalog) -> State {
    let mut state = State::default();
    let class = Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G\0");
    let ground = catalog.recognize(&class, at(0)).unwrap();
    for number in 0..PHONES {
        let phone = mac(number);
        // One in a hundred is listed as what it is not.
        let model = if number % 100 == 0 { "7961G-GE" } else { "7961G" };
        let entry = Entry { model: model.to_owned(), ..Entry::default() };
        let mut changes =
            vec![Change::Listed(phone, Box::new(entry)), Change::Showed(phone, ground.clone())];
        changes.extend((0..EVENTS).map(|step| Change::Happened(phone, event(phone, step))));
        state.apply(&Commit { number: u64::from(number) + 1, changes });
    }
    state
}

/// Memory of this process, in kilobytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn main() {
    let (catalog, problems) = Catalog::load(None);
    assert!(problems.is_empty(), "{problems:?}");
    let catalog = Arc::new(catalog);
    let empty = resident();
    let mut state = fleet(&catalog);
    let held = resident();
    let settings = Arc::new(Settings::default());
    let library: Arc<Library> = Arc::default();
    let here = Provisioner::new(settings, Arc::clone(&catalog), library, View::default());
    let (here, ledger) = (Arc::new(here), Ledger::default());
    let now = at(EVENTS * 60 + 120);
    let began = Instant::now();
    ledger.update(&here, &state, now);
    let (first, kept) = (began.elapsed().as_secs_f64(), resident());
    assert_eq!(ledger.evaluations(), u64::from(PHONES));
    let of_one = |from: u64, to: u64| 1024 * to.saturating_sub(from) / u64::from(PHONES);
    println!(
        "first look at all: {first:.2} s; memory of a phone: {} B, on the ledger {} B",
        of_one(empty, held),
        of_one(held, kept)
    );

    let mut table = Table::new("findings of 100,000 phones");
    let (mut number, mut step, mut commits) = (u64::from(PHONES) + 1, EVENTS, 0_u64);
    let mut commit = |state: &mut State| {
        let phone = mac(u32::try_from(number % u64::from(PHONES)).unwrap());
        let change = Change::Happened(phone, event(phone, step));
        state.apply(&Commit { number, changes: vec![change] });
        (number, step, commits) = (number + 1, step + 1, commits + 1);
        (phone, commits)
    };
    let wrong = mac(100);
    table.measure("the report of a phone with a finding", || {
        here.report(wrong, &state.phones[&wrong], &state, now)
    });
    let all = table.measure("the reports of all", || {
        let of_one =
            |(mac, phone): (&Mac, &Phone)| here.report(*mac, phone, &state, now).findings.len();
        state.phones.iter().map(of_one).sum::<usize>()
    });
    let every = ("the reports of all", all);
    table.measure("a commit of one phone", || commit(&mut state));
    ledger.update(&here, &state, now);
    let (before, began) = (ledger.evaluations(), commit(&mut state).1);
    table.against("a commit of one phone, and then the list of findings", every, || {
        commit(&mut state);
        ledger.update(&here, &state, now);
        ledger.page(None, 1000)
    });
    ledger.update(&here, &state, now);
    let commits = commit(&mut state).1 - began;
    assert_eq!(ledger.evaluations() - before, commits, "one report a commit");
    ledger.update(&here, &state, now);
    let idle = ledger.evaluations();
    table.against("the list of findings again", every, || {
        ledger.update(&here, &state, now);
        ledger.page(None, 1000)
    });
    assert_eq!(ledger.evaluations(), idle, "nothing changed, so nobody was looked at");
}
