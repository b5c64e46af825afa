//! The journal's form of commits: what is written reads back, and octets of nobody's are no commit and no panic.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{Granted, Kept, Purpose, Timestamp, What, hex},
    store::encode::tests::happened,
};

fn mac() -> Mac {
    Mac::new([0, 0x15, 0x65, 0xaa, 0xbb, 0xcc]).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn lease(since: Timestamp) -> Lease {
    let address = Ipv4Addr::new(10, 0, 0, 9);
    Lease { address, client: ClientKey::hardware(mac()), mac: mac(), since, until: Timestamp::MAX }
}

fn stagings() -> Vec<StagingChange> {
    let text = || "Ä |".to_owned();
    let purpose = Purpose { name: text(), site: Some(text()), planned: 9, ..Purpose::default() };
    let kept = Kept {
        model: text(),
        listed: text(),
        open: vec![text()],
        firmware: text(),
        number: text(),
        name: text(),
        ready: Some(at(1)),
    };
    vec![
        StagingChange::Opened { purpose: purpose.clone(), ports: [(text(), 7)].into(), at: at(1) },
        StagingChange::Described(purpose),
        StagingChange::Scanned { phone: mac(), by: text(), at: at(2), slot: Some(3) },
        StagingChange::Placed(mac(), None),
        StagingChange::Removed(mac()),
        StagingChange::Failed(mac(), Some(text())),
        StagingChange::Solved(mac(), text()),
        StagingChange::Settled(mac(), at(3)),
        StagingChange::Produced { phone: mac(), name: text(), etag: text() },
        StagingChange::HandedOver(at(4)),
        StagingChange::TakenBack,
        StagingChange::Closed { at: at(5), kept: vec![(mac(), kept)] },
    ]
}

/// One of everything, the odd values too.
fn everything() -> Vec<Change> {
    let early = Timestamp::new(-5, -123_456_789).unwrap();
    let mut changes: Vec<Change> = happened()
        .into_iter()
        .flat_map(|what| [early, at(1_795_000_000)].map(|at| Event { at, what: what.clone() }))
        .map(|event| Change::Happened(mac(), event))
        .collect();
    let text = || Some("Ä".to_owned());
    changes.extend(ORIGINS.map(|from| {
        let family = Some(FamilyName::new("poly-vvx"));
        let (model, mac, value) = (None, Some(mac()), String::new());
        let (vendor, firmware) = (text(), text());
        let ground = Ground { from, value, vendor, family, model, firmware, mac, at: at(3) };
        Change::Showed(ground.mac.unwrap(), ground)
    }));
    let address = Ipv4Addr::new(10, 0, 0, 9);
    let place = Place { load: "9.4".to_owned(), since: at(1), round: 2, done: None };
    let window = Window { enabled: true, until: Some(at(9)) };
    changes.extend([
        Change::Leased(lease(Timestamp::MIN)),
        Change::Released { address, at: early },
        Change::Quarantined(Quarantine { address, until: at(9), times: 3, by: mac() }),
        Change::Listed(mac(), Box::new(Entry { note: "x".repeat(300), ..Entry::default() })),
        Change::Unlisted(mac()),
        Change::Forgotten(mac()),
        Change::Numbered(mac(), "4012".to_owned()),
        Change::Placed(mac(), Some(Box::new(place))),
        Change::Placed(mac(), None),
        Change::Window(Some(window)),
        Change::Window(None),
        Change::Braked(Box::new(Brake { paused: true, passed: ["9.4".to_owned()].into() })),
    ]);
    changes.extend(stagings().into_iter().map(|change| Change::Staging(7, Box::new(change))));
    changes
}

#[test]
fn everything_reads_back() {
    let all = [(Undoes::Nothing, 1), (Undoes::This, 127), (Undoes::Done, u64::MAX)];
    let (mut record, mut spots) = (Vec::new(), Spots::new());
    for (undoes, number) in all {
        let commit = Commit { number, changes: everything() };
        write_commit(&commit, undoes, &mut record, &mut spots).unwrap();
    }
    let mut found = Spots::new();
    let read = read_commits(&record, 1000, &mut found).unwrap();
    for ((commit, undoes), expected) in read.iter().zip(all) {
        assert_eq!((*undoes, commit.number), expected);
        assert_eq!(commit.changes, everything());
    }
    assert_eq!((read.len(), spots.len()), (3, 3 * 2 * happened().len()));
    for ((mac, spot), (found_mac, found)) in spots.iter().zip(&found) {
        assert_eq!((mac, spot.at + 1000, spot.index), (found_mac, found.at, found.index));
        let event = read_event(&record[spot.at as usize..]).unwrap();
        assert_eq!(Change::Happened(*mac, event), everything()[spot.index as usize]);
    }
}

/// This form is for ever, as that of rows is.
#[test]
fn a_lease_as_written() {
    let what = What::Leased {
        address: Ipv4Addr::new(10, 0, 0, 9),
        until: at(86_400),
        granted: Granted::Renewed,
    };
    let event = Event { at: at(60), what };
    let lease = Lease { until: at(86_400), ..lease(at(0)) };
    let commit = Commit {
        number: 300,
        changes: vec![Change::Leased(lease), Change::Happened(mac(), event)],
    };
    let (mut record, mut spots) = (Vec::new(), Spots::new());
    write_commit(&commit, Undoes::Nothing, &mut record, &mut spots).unwrap();
    let expected = [
        "ac0200",
        "02",
        "030a00000907000015",
        "65aabbcc001565aabbcc000080c60a00",
        "01001565aabbcc0378000a00000980c60a0002",
    ];
    assert_eq!(hex(&record), expected.concat());
}

#[test]
fn a_cut_record_is_an_error() {
    let (mut record, mut spots) = (Vec::new(), Spots::new());
    let commit = Commit { number: 1, changes: everything() };
    write_commit(&commit, Undoes::Nothing, &mut record, &mut spots).unwrap();
    for length in 1..record.len() {
        assert!(read_commits(&record[..length], 0, &mut spots).is_err(), "{length} octets");
    }
}

proptest! {
    #[test]
    fn whatever_octets_are_no_panic(octets: Vec<u8>) {
        let _ = read_commits(&octets, 0, &mut Spots::new());
        let _ = read_event(&octets);
    }
}
