//! Waves through the resolver: real families, phones that ask for their configuration, cases as lines.

use std::{fs, path::Path, sync::Arc, time::Duration};

use super::*;
use crate::{
    config::{Firmware, Settings},
    domain::{Asked, Carrier, Commit, Event, Ground, Origin, Outcome, Required, What, wave::Brake},
    provision::{Library, Opened, tests as kit},
    store::View,
};

const A: &str = "00:1e:7a:00:00:0a";
const B: &str = "00:1e:7a:00:00:0b";
const C: &str = "00:1e:7a:00:00:0c";

/// What the site wants, and what lies in the firmware directory.
struct Bench {
    settings: Settings,
    directory: tempfile::TempDir,
    state: State,
    number: u64,
}

impl Bench {
    fn new(rules: Firmware, wants: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        let mut settings = kit::settings();
        settings.firmware = rules;
        for site in settings.sites.values_mut() {
            let wants = wants.iter().map(|(of, load)| ((*of).to_owned(), (*load).to_owned()));
            site.firmware = wants.collect();
        }
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { settings, directory, state: State::default(), number: 0 }
    }

    fn commit(&mut self, batch: Batch) -> bool {
        let admitted = self.state.admits(&batch).is_ok();
        if admitted {
            self.number += 1;
            self.state.apply(&Commit { number: self.number, changes: batch.changes });
        }
        admitted
    }

    fn happens(&mut self, changes: Vec<Change>) {
        assert!(self.commit(Batch::from(changes)));
    }

    fn open(&self, phone: &str, name: &str) -> Result<Opened, super::super::Refusal> {
        let nowhere = Path::new("/nonexistent");
        let (library, problems) = Library::load(nowhere, self.directory.path());
        assert!(problems.is_empty(), "{problems:?}");
        let (settings, view) = (Arc::new(self.settings.clone()), View::new(self.state.clone()));
        let provisioner = Provisioner::new(settings, kit::catalog(), Arc::new(library), view);
        let last = kit::mac(phone).octets()[5];
        kit::open(&provisioner, &format!("10.20.0.{last} {name}"))
    }

    /// The load that a phone is told in its own file, after whatever that takes became fact; its place, if it took one.
    fn told(&mut self, phone: &str) -> String {
        let name = format!("SEP{}.cnf.xml", kit::mac(phone).upper());
        let opened = self.open(phone, &name).unwrap();
        let mut batch = Batch::default();
        if let Some(seat) = &opened.seat {
            seat.claim(kit::now(), &mut batch);
        }
        if let Some(place) = opened.there.clone() {
            batch.changes.push(Change::Placed(kit::mac(phone), Some(place)));
        }
        assert!(self.commit(batch));
        let text = kit::text(&opened);
        let (_, rest) = text.split_once("<loadInformation>").unwrap_or(("", "</"));
        let load = rest.split_once("</").unwrap().0;
        format!("{load}{}", if opened.seat.is_some() { " placed" } else { "" })
    }
}

fn rules(wave: usize, canary: usize) -> Firmware {
    let some = |count: usize| (count > 0).then_some(count);
    Firmware { wave: some(wave), canary: some(canary), allow_downgrade: false }
}

/// Three 7961 that are listed, and lease 10.20.0.10 to .12.
fn three() -> Vec<Change> {
    [(A, 10), (B, 11), (C, 12)]
        .into_iter()
        .flat_map(|(phone, last)| [kit::listed(phone, "7961G", "4010"), kit::leased(phone, last)])
        .collect()
}

const WANTED: &str = "SIP41.9-4-2SR3-1S";
const HERE: &[(&str, &str)] = &[("SIP41.9-4-2SR3-1S.loads", "jar.9.sbn"), ("jar.9.sbn", "x")];

fn event(phone: &str, second: u64, what: What) -> Change {
    let at = kit::now() + Duration::from_secs(second);
    Change::Happened(kit::mac(phone), Event { at, what })
}

/// A phone takes the load, restarts and has its configuration again.
fn comes_back(phone: &str) -> Vec<Change> {
    let asked = |name: &str, role, required| Asked {
        name: name.to_owned(),
        role,
        carrier: Carrier::Tftp,
        required,
        first: false,
    };
    let ended = |asked: Asked, source: &str| What::Ended {
        asked,
        bytes: 9,
        length: 9,
        outcome: Outcome::Complete,
        etag: "e".to_owned(),
        normal: false,
        source: source.to_owned(),
    };
    let load = asked("SIP41.9-4-2SR3-1S.loads", Role::Firmware, None);
    let own = asked("SEP.cnf.xml", Role::Own, Some(Required { slot: 0, of: 1 }));
    vec![
        event(phone, 1, ended(load, "firmware x")),
        event(phone, 2, What::discovered(None)),
        event(phone, 3, ended(own, "template x")),
    ]
}

#[test]
fn the_next_ones_as_those_come_back() {
    let mut bench = Bench::new(rules(2, 0), &[("7961", WANTED)], HERE);
    bench.happens(three());
    let placed = format!("{WANTED} placed");
    assert_eq!(bench.told(A), placed);
    assert_eq!(bench.told(B), placed);
    assert_eq!(bench.told(C), "", "waits, and is told nothing but what it has");
    assert_eq!(bench.told(A), WANTED, "told once, told again");
    bench.happens(comes_back(A));
    assert_eq!(bench.told(C), placed, "counts as there before anybody noted it");
    bench.happens(comes_back(B));
    assert_eq!(bench.told(B), WANTED);
    assert!(bench.state.places[&kit::mac(B)].done.is_some(), "noted at its own request");
}

#[test]
fn two_can_not_have_the_last_place() {
    let mut bench = Bench::new(rules(1, 0), &[("7961", WANTED)], HERE);
    bench.happens(three());
    let seat = |phone: &str| {
        let name = format!("SEP{}.cnf.xml", kit::mac(phone).upper());
        bench.open(phone, &name).unwrap().seat.unwrap()
    };
    let (mut one, mut other) = (Batch::default(), Batch::default());
    seat(A).claim(kit::now(), &mut one);
    seat(B).claim(kit::now(), &mut other);
    assert!(bench.commit(one) && !bench.commit(other));
}

#[test]
fn a_canary_waits_for_the_operator() {
    let mut bench = Bench::new(rules(9, 1), &[("7961", WANTED)], HERE);
    bench.happens(three());
    assert_eq!(bench.told(A), format!("{WANTED} placed"));
    bench.happens(comes_back(A));
    assert_eq!(bench.told(B), "", "also when the first one is back");
    let passed = [WANTED.to_lowercase()].into();
    bench.happens(vec![Change::Braked(Box::new(Brake { paused: false, passed }))]);
    assert_eq!(bench.told(B), format!("{WANTED} placed"));
    let passed = [WANTED.to_lowercase()].into();
    bench.happens(vec![Change::Braked(Box::new(Brake { paused: true, passed }))]);
    assert_eq!((bench.told(C), bench.told(B)), (String::new(), WANTED.to_owned()));
}

/// A 7961 over HTTP says what it runs.
fn runs(phone: &str, firmware: &str) -> Change {
    let ground = Ground {
        from: Origin::UserAgent,
        value: firmware.to_owned(),
        vendor: Some("Cisco".to_owned()),
        family: None,
        model: None,
        firmware: Some(firmware.to_owned()),
        mac: None,
        at: kit::now(),
    };
    Change::Showed(kit::mac(phone), ground)
}

#[test]
fn what_a_phone_runs_counts() {
    let check = |running: &str, rules: Firmware, files: &[(&str, &str)], expected: &str| {
        let files = [HERE, files].concat();
        let mut bench = Bench::new(rules, &[("7961", WANTED)], &files);
        bench.happens([three(), vec![runs(A, running)]].concat());
        assert_eq!(bench.told(A), expected, "{running}");
    };
    let placed = format!("{WANTED} placed");
    let old = ("SIP41.8-5-4S.loads", "jar.9.sbn");
    check("SIP41.9-4-2SR3-1S", rules(1, 0), &[], WANTED);
    check("SIP41.8-5-4S", rules(1, 0), &[], &placed);
    check("SIP41.8-5-4S", rules(0, 0), &[], WANTED);
    // Newer than wanted: never back, and told its own where that is here.
    check("SIP41.10-1-1S", rules(0, 0), &[], "");
    check("SIP41.10-1-1S", rules(1, 0), &[("SIP41.10-1-1S.loads", "jar.9.sbn")], "SIP41.10-1-1S");
    let down = Firmware { allow_downgrade: true, ..rules(1, 0) };
    check("SIP41.10-1-1S", down, &[], &placed);
    // 8.3(2) can't jump to 9.x: the newest between the two goes first, in a wave as any.
    check("SIP41.8-3-2S", rules(1, 0), &[], "");
    check("SIP41.8-3-2S", rules(1, 0), &[old], "SIP41.8-5-4S placed");
    check("SIP41.8-3-2S", rules(0, 0), &[old], "SIP41.8-5-4S");
    check("SIP41.8-3-2S", rules(0, 0), &[("SIP45.8-5-4S.loads", "jar.9.sbn")], "");
}

#[test]
fn a_waiting_phone_is_told_its_own_load() {
    let files = [HERE, &[("SIP41.8-5-4S.loads", "jar.9.sbn")]].concat();
    let mut bench = Bench::new(rules(1, 0), &[("7961", WANTED)], &files);
    bench.happens([three(), vec![runs(B, "SIP41.8-5-4S")]].concat());
    assert_eq!(bench.told(A), format!("{WANTED} placed"));
    assert_eq!(bench.told(B), "SIP41.8-5-4S");
}

#[test]
fn an_incomplete_load_is_not_offered() {
    let files = [("SIP41.9-4-2SR3-1S.loads", "jar.9.sbn dsp.9.sbn"), ("jar.9.sbn", "x")];
    let mut bench = Bench::new(rules(0, 0), &[("7961", WANTED)], &files);
    bench.happens(three());
    assert_eq!(bench.told(A), "");
    let refused = bench.open(A, "SIP41.9-4-2SR3-1S.loads").unwrap_err();
    let text = "SIP41.9-4-2SR3-1S.loads is not whole: something is wrong with dsp.9.sbn";
    assert_eq!(refused.why.to_string(), text);
}

#[test]
fn names_that_all_releases_share_are_gated_by_phone() {
    let wants = [("poly-vvx", "5.9.4.3247")];
    let mut bench = Bench::new(rules(1, 0), &wants, &[("3111-48400-001.sip.ld", "x")]);
    let (one, other) = ("64:16:7f:00:00:0a", "64:16:7f:00:00:0b");
    let listed = |phone, last| [kit::listed(phone, "VVX 401", "4010"), kit::leased(phone, last)];
    bench.happens([listed(one, 10), listed(other, 11)].concat());
    let name = "3111-48400-001.sip.ld";
    let stranger = bench.open("64:16:7f:00:00:0c", name).unwrap_err();
    assert!(stranger.why.to_string().contains("nobody knows"), "{}", stranger.why);
    let opened = bench.open(one, name).unwrap();
    let mut batch = Batch::default();
    opened.seat.unwrap().claim(kit::now(), &mut batch);
    assert!(bench.commit(batch));
    assert!(bench.open(one, name).unwrap().seat.is_none());
    let refused = bench.open(other, name).unwrap_err();
    assert!(refused.normal, "a wave is no fault");
    assert_eq!(refused.why.to_string(), format!("{name} is held back: the wave is full"));
}
