//! The ledger: never stale, and never at work for phones that are not concerned.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    domain::{
        Asked, Carrier, Change, ClientKey, Commit, Event, Granted, Lease, Outcome, Quarantine,
        Required, Role, Step, What, Window,
    },
    profile::Seen,
    provision::tests::{listed, mac, now, provisioner, registering, serving, showed},
};

use super::*;

const CLASS: &str = "Cisco Systems, Inc. IP Phone CP-7961G\0";

/// A state, the ledger of it, and a clock.
struct Bench {
    here: Arc<Provisioner>,
    state: State,
    kept: Kept,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let here = Arc::new(provisioner(registering(serving(), 1, 2), Vec::new()));
        Self { here, state: State::default(), kept: Kept::default(), now: now() }
    }

    fn commit(&mut self, changes: Vec<Change>) {
        self.state.apply(&Commit { number: self.state.commit + 1, changes });
    }

    /// How many reports were worked out to be up to date again.
    fn refresh(&mut self) -> u64 {
        let before = self.kept.evaluations;
        self.kept.begin(&self.here, &self.state, self.now);
        while self.kept.go_on(&self.here, &self.state, self.now) {}
        // Set up anew, it goes on counting.
        self.kept.evaluations - before
    }

    /// Nothing but what reports say now, of each phone.
    fn is_fresh(&self) -> Result<(), TestCaseError> {
        let report = |(mac, phone): (&Mac, &_)| {
            let findings = self.here.report(*mac, phone, &self.state, self.now).findings;
            (*mac, Arc::<[Finding]>::from(findings))
        };
        let found = self.state.phones.iter().map(report).filter(|(_, found)| !found.is_empty());
        prop_assert_eq!(&self.kept.found, &found.collect::<BTreeMap<_, _>>());
        for kind in FindingKind::ALL {
            let has = |(mac, found): (&Mac, &Arc<[Finding]>)| {
                found.iter().any(|finding| finding.kind == kind).then_some(*mac)
            };
            let with: BTreeSet<Mac> = self.kept.found.iter().filter_map(has).collect();
            prop_assert_eq!(self.kept.by_kind.get(&kind).cloned().unwrap_or_default(), with);
        }
        Ok(())
    }

    fn event(&self, phone: Mac, what: What) -> Change {
        Change::Happened(phone, Event { at: self.now, what })
    }
}

fn asked(phone: Mac, role: Role) -> Asked {
    let name = match role {
        Role::Trust => format!("CTLSEP{}.tlv", phone.upper()),
        _ => format!("SEP{}.cnf.xml", phone.upper()),
    };
    let required = (role == Role::Own).then_some(Required { slot: 0, of: 1 });
    Asked { name, carrier: Carrier::Tftp, role, required, first: role == Role::Trust }
}

fn lease(phone: Mac, last: u8, from: Timestamp, seconds: u64) -> Lease {
    let (address, client) = (Ipv4Addr::new(10, 20, 0, last), ClientKey::hardware(phone));
    Lease { address, client, mac: phone, since: from, until: from + Duration::from_secs(seconds) }
}

/// What may happen, by name; `which` picks a detail.
fn change(bench: &Bench, phone: Mac, kind: &str, which: u8) -> Vec<Change> {
    let (at, last) = (bench.now, 50 + which % 3);
    let address = Ipv4Addr::new(10, 20, 0, last);
    let event = |what| vec![bench.event(phone, what)];
    let refused =
        |why: String| event(What::Refused { asked: asked(phone, Role::Own), why, normal: false });
    let registration = |step| event(What::Registration { by: format!("10.20.0.{last}"), step });
    match kind {
        "list" => vec![listed(
            &phone.lower(),
            ["7961", "7961G-GE", "VVX 411"][usize::from(which % 3)],
            "4012",
        )],
        "unlist" => vec![Change::Unlisted(phone)],
        "forget" => vec![Change::Forgotten(phone)],
        "discover" => event(What::discovered((which > 2).then_some(address))),
        "show" => vec![showed(&phone.lower(), Seen::Option60(CLASS.as_bytes()))],
        "lease" => {
            let seconds = 100 + u64::from(which) * 200;
            let lease = lease(phone, last, at, seconds);
            let what = What::Leased { address, until: lease.until, granted: Granted::Selected };
            vec![Change::Leased(lease), bench.event(phone, what)]
        }
        // As an import does it: nothing happened to the phone.
        "import" => vec![Change::Leased(lease(phone, last, at, 400))],
        "release" => vec![Change::Released { address, at }],
        "conflict" => {
            let until = at + Duration::from_mins(5);
            vec![Change::Quarantined(Quarantine { address, until, times: 1, by: phone })]
        }
        // On all sides.
        "conflicts" => {
            let until = at + Duration::from_mins(which.into());
            let aside = |(last, by)| {
                Change::Quarantined(Quarantine {
                    address: [10, 20, 0, last].into(),
                    until,
                    times: 1,
                    by,
                })
            };
            let phones = PHONES.iter().map(|phone| mac(phone));
            (60_u8..).zip(phones).skip(usize::from(which) % 4).map(aside).collect()
        }
        "window" => vec![Change::Window(Some(Window {
            enabled: which > 0,
            until: (which > 1).then(|| at + Duration::from_mins(u64::from(which))),
        }))],
        "trust" => event(What::Refused {
            asked: asked(phone, Role::Trust),
            why: "there is no such file".to_owned(),
            normal: true,
        }),
        "take" => event(What::Ended {
            asked: asked(phone, Role::Own),
            bytes: 9,
            length: 9,
            outcome: Outcome::Complete,
            etag: "e".to_owned(),
            normal: false,
            source: "template x".to_owned(),
        }),
        "withheld" => {
            refused(format!("{phone} has another address than {address}, so its file is withheld"))
        }
        "none left" => {
            refused(format!("{phone} is not listed, and no number is left for it in 1-2"))
        }
        "register" => registration(Step::Accepted),
        other => panic!("{other}"),
    }
}

const KINDS: &[&str] = &[
    "list",
    "list",
    "list",
    "unlist",
    "forget",
    "discover",
    "show",
    "show",
    "lease",
    "import",
    "release",
    "conflict",
    "conflicts",
    "window",
    "trust",
    "take",
    "withheld",
    "none left",
    "register",
];

/// Near each other by one mistake, two or three, in a row, and far off.
const PHONES: &[&str] = &[
    "001e7ac4102b",
    "001e7ac41028",
    "001e7ac41029",
    "001e7ac4112b",
    "001e7ac43128",
    "001e7ac44445",
    "001e7a4c102b",
    "0004f2aabbcc",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens, and whenever somebody looks: the ledger says what the reports say.
    #[test]
    fn never_stale(
        steps in vec((vec((select(PHONES), select(KINDS), 0_u8..6), 0..4), 0_u64..400, any::<bool>()), 1..30)
    ) {
        let mut bench = Bench::new();
        for (changes, seconds, looks) in steps {
            bench.now += Duration::from_secs(seconds);
            let changes =
                changes.into_iter().flat_map(|(phone, kind, which)| change(&bench, mac(phone), kind, which));
            let changes = changes.collect();
            bench.commit(changes);
            if looks {
                bench.refresh();
                bench.is_fresh()?;
                prop_assert_eq!(bench.refresh(), 0, "there was nothing left to do");
            }
        }
    }
}

/// 2,000 phones of a fleet with 20 events each; the benchmark has 100,000.
fn fleet() -> Bench {
    let mut bench = Bench::new();
    bench.now -= Duration::from_hours(1);
    for number in 0..2000_u32 {
        let [_, _, a, b] = number.to_be_bytes();
        let phone = Mac::new([0, 0x1e, 0x7a, a, b, 0x11]).unwrap();
        let model = if number % 100 == 0 { "7961G-GE" } else { "7961" };
        let mut changes = vec![listed(&phone.lower(), model, "4012")];
        changes.push(showed(&phone.lower(), Seen::Option60(CLASS.as_bytes())));
        for _ in 0..5 {
            for kind in ["discover", "lease", "trust", "take"] {
                changes.extend(change(&bench, phone, kind, 5));
            }
        }
        bench.commit(changes);
    }
    bench.now += Duration::from_hours(1);
    bench
}

#[test]
fn only_those_concerned_are_looked_at() {
    let mut bench = fleet();
    let phone = *bench.state.phones.keys().nth(500).unwrap();
    let (wrong, none) = (FindingKind::WrongModel, BTreeSet::new());
    assert_eq!(bench.refresh(), 2000, "all of them once");
    assert_eq!(bench.kept.by_kind[&wrong].len(), 20);
    let check = |bench: &mut Bench, (phone, kind, which): (&str, &str, u8), evaluated: u64| {
        let phone = if phone.is_empty() { mac("001e7a000511") } else { mac(phone) };
        let changes = change(bench, phone, kind, which);
        bench.commit(changes);
        assert_eq!(bench.refresh(), evaluated, "{kind} of {phone}");
        assert_eq!(bench.refresh(), 0, "again");
        bench.is_fresh().unwrap();
    };
    check(&mut bench, ("", "trust", 0), 1);
    check(&mut bench, ("", "list", 1), 1);
    // Two strangers, one of them without a number: the window is an input of both reports.
    check(&mut bench, ("001565aabbcc", "none left", 0), 1);
    check(&mut bench, ("001565aabbcd", "discover", 0), 1);
    check(&mut bench, ("", "window", 0), 2);
    check(&mut bench, ("", "window", 1), 2);
    // Somebody is found using an address: the finding of whom it was offered to.
    check(&mut bench, ("001565aabbcd", "conflict", 1), 1);
    // An entry never seen, and the phone that it was meant for: both, and then neither.
    check(&mut bench, ("0004f2aabbcc", "list", 2), 1);
    check(&mut bench, ("0004f2aabbc9", "discover", 0), 2);
    check(&mut bench, ("0004f2aabbc9", "forget", 0), 1);
    assert!(!bench.state.phones.contains_key(&mac("0004f2aabbc9")));
    // Time alone: the quarantine ends, and what was late is late.
    bench.now += Duration::from_mins(6);
    assert!((1..10).contains(&bench.refresh()), "the few that waited for something");
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.refresh(), 0, "nobody waited for this");
    // Other settings are another world.
    bench.here = Arc::new(provisioner(serving(), Vec::new()));
    assert_eq!(bench.refresh(), bench.state.phones.len() as u64);
    bench.commit(vec![Change::Forgotten(phone)]);
    assert_eq!((bench.refresh(), bench.kept.found.contains_key(&phone)), (0, false));
    assert_ne!(bench.kept.by_kind.get(&wrong), Some(&none));
}
