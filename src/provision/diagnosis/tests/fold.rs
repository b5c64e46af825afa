//! Whatever happens in whatever order: the fold does not mind batch boundaries, and a ready phone has no diagnosis.

use std::{collections::BTreeMap, time::Duration};

use proptest::{
    collection::vec, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner,
};

use crate::{
    config::{ReadyWhen, Settings},
    domain::{Change, Commit, Event, Mac},
    profile::Seen,
    provision::tests::{catalog, listed, now, provisioner, settings, showed},
    store::{Phone, State},
};

use super::Told;

/// Events of a Cisco or Poly phone, as lines behind their second.
const LINES: &[&str] = &[
    "discover",
    "offer 10.20.0.51",
    "lease 10.20.0.51",
    "nak 10.20.0.51 no",
    "decline 10.20.0.52",
    "unserved pool",
    "unserved subnet",
    "told 10.20.0.9 66=http://10.20.0.2/",
    "told 10.20.0.9",
    "miss CTLSEP001E7AC41022.tlv",
    "miss ITLFile.tlv",
    "has SEP001E7AC41022.cnf.xml",
    "late SEP001E7AC41022.cnf.xml 0/4096",
    "stops SEP001E7AC41022.cnf.xml 512/4096 Disk full",
    "stops SEP001E7AC41022.cnf.xml 512/4096",
    "fails SEP001E7AC41022.cnf.xml 512/4096 I/O",
    "refuse SEP001E7AC41022.cnf.xml 00:1e:7a:c4:10:22 is not listed, and auto-registration is closed",
    "refuse SEP001E7AC41022.cnf.xml broken {file} {{",
    "has XMLDefault.cnf.xml",
    "begin SIP41.9-4-2.loads 0/900",
    "progress SIP41.9-4-2.loads 300/900",
    "has SIP41.9-4-2.loads 900",
    "has cvm41sip.9-4-2.sbn 900",
    "miss SIP41.9-4-2.loads",
    "has 001e7ac41022.cfg",
    "stops 001e7ac41022.cfg 512/4096",
    "has 001e7ac41022-line.cfg",
    "miss Ringlist.xml",
    "asks 10.20.0.5",
    "asks 192.0.2.7",
    "registers 10.20.0.5",
    "registers 10.20.0.6",
    "ends 10.20.0.5 expired",
    "rejected 10.20.0.5 challenged",
    "rejected 10.20.0.5 security",
    "rejected 10.20.0.5 version 8.5",
];

const FAMILIES: [&str; 3] = ["cisco-79xx-enterprise", "cisco-7940-7960", "poly-vvx"];

/// What it may say that it is: as listed, and otherwise.
const CLASSES: &[&str] = &[
    "Cisco Systems, Inc. IP Phone CP-7961G\0",
    "Cisco Systems, Inc. IP Phone CP-7941G\0",
    "Polycom-VVX411",
];

/// Lines at random, each up to two minutes after the one before.
fn boots() -> impl Strategy<Value = Vec<(i64, &'static str)>> {
    vec((0_i64..120, select(LINES)), 0..60)
}

fn events(family: &str, lines: &[(i64, &str)]) -> (Mac, Vec<Event>, i64) {
    let catalog = catalog();
    let mut told = Told::new(&catalog, Settings::default(), family, "001e7ac41022");
    let mut second = 0;
    for (later, line) in lines {
        second += later;
        told.line(&format!("{second} {line}"));
    }
    (told.mac, told.events, second)
}

/// Facts as commits of these sizes; what is left goes into a last one.
fn committed(changes: &[Change], sizes: &[usize]) -> State {
    let (mut state, mut rest) = (State::default(), changes);
    let mut number = 0;
    for size in sizes.iter().copied().chain([usize::MAX]) {
        let (batch, later) = rest.split_at(size.min(rest.len()));
        (number, rest) = (number + 1, later);
        state.apply(&Commit { number, changes: batch.to_vec() });
    }
    state
}

/// The phones without the number of the commit that changed them last: that does depend on the batches.
fn phones(state: &State) -> BTreeMap<Mac, Phone> {
    let timeless = |(mac, phone): (&Mac, &Phone)| (*mac, Phone { changed: 0, ..phone.clone() });
    state.phones.iter().map(timeless).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn batches_do_not_matter(
        lines in boots(),
        family in select(&FAMILIES),
        sizes in vec(0_usize..9, 0..12),
        registered in any::<bool>(),
        shows in vec((0_usize..60, select(CLASSES)), 0..4),
        later in 0_i64..4000,
    ) {
        let (mac, events, last) = events(family, &lines);
        let happened = events.iter().map(|event| Change::Happened(mac, event.clone()));
        let mut changes: Vec<Change> =
            [listed("001e7ac41022", "7961G", "4012")].into_iter().chain(happened).collect();
        for (place, class) in shows {
            let place = place.min(changes.len());
            changes.insert(place, showed("001e7ac41022", Seen::Option60(class.as_bytes())));
        }
        let (whole, split) = (committed(&changes, &[]), committed(&changes, &sizes));
        prop_assert_eq!(phones(&whole), phones(&split));

        let mut settings = settings();
        if registered {
            settings.sites.values_mut().for_each(|site| site.ready_when = ReadyWhen::Registered);
        }
        let here = provisioner(settings, Vec::new());
        let began = now() - Duration::from_hours(3);
        for second in [0, last / 2, last, last + later] {
            let at = began + jiff::SignedDuration::from_secs(second);
            let report = here.report(mac, &whole.phones[&mac], &whole, at);
            prop_assert_eq!(&report, &here.report(mac, &split.phones[&mac], &split, at));
            prop_assert!(!report.ready || report.diagnosis.is_none(), "{:?}", report);
            prop_assert!(!(report.ready && (report.stuck || report.looping || report.away)), "{:?}", report);
            prop_assert!(!report.looping || report.stuck || report.away, "{:?}", report);
        }
    }
}

/// What the property speaks of does happen: findings and diagnoses, and boots without any.
#[test]
fn boots_at_random_have_much_to_say() {
    let (mut runner, here) = (TestRunner::deterministic(), provisioner(settings(), Vec::new()));
    let began = now() - Duration::from_hours(3);
    let (mut findings, mut diagnoses, mut nothing) = (0, 0, 0);
    for turn in 0..60_usize {
        let lines = boots().new_tree(&mut runner).unwrap().current();
        let (mac, events, last) = events(FAMILIES[turn % 3], &lines);
        let mut changes = vec![listed("001e7ac41022", "7961G", "4012")];
        let class = CLASSES[turn % 2];
        changes.push(showed("001e7ac41022", Seen::Option60(class.as_bytes())));
        changes.extend(events.into_iter().map(|event| Change::Happened(mac, event)));
        let state = committed(&changes, &[]);
        let at = began + jiff::SignedDuration::from_secs(last + 200);
        let report = here.report(mac, &state.phones[&mac], &state, at);
        findings += usize::from(!report.findings.is_empty());
        diagnoses += usize::from(report.diagnosis.is_some());
        nothing += usize::from(report.findings.is_empty() && report.diagnosis.is_none());
    }
    assert!(findings > 5 && diagnoses > 5 && nothing > 0, "{findings} {diagnoses} {nothing}");
}
