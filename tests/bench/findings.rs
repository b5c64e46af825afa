//! Findings and diagnoses of a large fleet: 100,000 phones with 20 events each.
//!
//! What counts is that a commit costs what its own phones cost, not the fleet: the first two lines are one phone's, the
//! last is what a list of all findings has to go through. Takes about 30 s and 1 GB.
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on says so")]

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use criterion::Criterion;
use ringup::{
    domain::{
        Asked, Carrier, Change, Commit, Entry, Event, Granted, Mac, Outcome, Required, Role,
        Timestamp, What,
    },
    profile::{Catalog, Seen},
    provision::{Library, Provisioner, Settings},
    store::{State, View},
};

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

fn main() {
    let (catalog, problems) = Catalog::load(None);
    assert!(problems.is_empty(), "{problems:?}");
    let catalog = Arc::new(catalog);
    let mut state = fleet(&catalog);
    let settings = Arc::new(Settings::default());
    let library: Arc<Library> = Arc::default();
    let here = Provisioner::new(settings, Arc::clone(&catalog), library, View::default());
    let now = at(EVENTS * 60 + 120);
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    let (mut number, mut step) = (u64::from(PHONES) + 1, EVENTS);
    criterion.bench_function("a commit of one phone among 100,000, and its report", |bench| {
        bench.iter(|| {
            let phone = mac(u32::try_from(number % u64::from(PHONES)).unwrap());
            let change = Change::Happened(phone, event(phone, step));
            state.apply(&Commit { number, changes: vec![change] });
            (number, step) = (number + 1, step + 1);
            here.report(phone, &state.phones[&phone], &state, now)
        });
    });
    let wrong = mac(100);
    criterion.bench_function("the report of a phone with a finding", |bench| {
        bench.iter(|| here.report(wrong, &state.phones[&wrong], &state, now));
    });
    criterion.bench_function("the reports of all 100,000", |bench| {
        bench.iter(|| {
            let all = state
                .phones
                .iter()
                .map(|(mac, phone)| here.report(*mac, phone, &state, now).findings.len());
            all.sum::<usize>()
        });
    });
}
