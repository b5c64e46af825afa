//! Batches: slots, ports, and above all what may count as sealed.

use proptest::prelude::*;

use super::*;
use crate::domain::{Asked, Carrier, Granted, Required};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn mac(n: u8) -> Mac {
    Mac::new([0, 0x15, 0x65, 0, 0, n]).unwrap()
}

fn opened(by_plugging: bool) -> Staging {
    let purpose = Purpose { by_plugging, ..Purpose::default() };
    let mut staging = Staging::default();
    staging.apply(&StagingChange::Opened { purpose, ports: BTreeMap::new(), at: at(1) });
    staging
}

fn scanned(n: u8, slot: Option<u16>) -> StagingChange {
    StagingChange::Scanned { phone: mac(n), by: "Anna".to_owned(), at: at(2), slot }
}

/// One of two files that the phone requires.
fn ended(file: u8, etag: &str, outcome: Outcome) -> What {
    let asked = Asked {
        name: format!("{file}.cfg"),
        carrier: Carrier::Tftp,
        role: Role::Own,
        required: Some(Required { slot: file, of: 2 }),
        first: false,
    };
    let (etag, source) = (etag.to_owned(), String::new());
    What::Ended { asked, bytes: 1, length: 1, outcome, etag, normal: false, source }
}

fn produced(file: u8, etag: &str) -> StagingChange {
    StagingChange::Produced { phone: mac(1), name: format!("{file}.cfg"), etag: etag.to_owned() }
}

/// A bench with one phone, and what happens to it.
struct Bench {
    staging: Staging,
    boot: Boot,
    clock: i64,
}

impl Bench {
    fn new() -> Self {
        let mut staging = opened(false);
        staging.apply(&scanned(1, None));
        Self { staging, boot: Boot::default(), clock: 10 }
    }

    fn happens(&mut self, what: What) {
        self.clock += 1;
        let event = Event { at: at(self.clock), what };
        self.boot.fold(&event);
        self.staging.happened(mac(1), &event, &self.boot);
    }

    fn takes(&mut self, file: u8, etag: &str) {
        self.happens(ended(file, etag, Outcome::Complete));
    }

    fn hand_over(&mut self) {
        self.staging.apply(&StagingChange::HandedOver(at(self.clock)));
    }

    fn is_sealed(&self) -> bool {
        self.staging.phones[&mac(1)].sealed.is_some()
    }
}

#[test]
fn only_the_production_files_to_the_last_byte_seal() {
    let mut bench = Bench::new();
    bench.staging.apply(&produced(0, "p0"));
    bench.takes(0, "s0");
    bench.takes(1, "s1");
    assert!(!bench.is_sealed() && bench.staging.phones[&mac(1)].produced.is_empty(), "staging");
    assert_eq!(bench.staging.phones[&mac(1)].ready, Some(at(12)));
    bench.hand_over();
    // A transfer of before ends after the hand-over.
    bench.takes(0, "s0");
    bench.staging.apply(&produced(0, "p0"));
    bench.staging.apply(&produced(1, "p1"));
    bench.takes(1, "s1");
    bench.happens(ended(0, "p0", Outcome::TimedOut));
    bench.takes(0, "p0");
    assert!(!bench.is_sealed(), "one of two");
    bench.takes(0, "p0");
    assert!(!bench.is_sealed(), "the same one twice");
    bench.happens(ended(1, "p1", Outcome::Aborted { text: String::new() }));
    assert!(!bench.is_sealed(), "broken off");
    bench.takes(1, "p1");
    assert_eq!(bench.staging.phones[&mac(1)].sealed, Some(at(bench.clock)));
    let sealed = bench.clock;
    bench.takes(1, "p1");
    assert_eq!(bench.staging.phones[&mac(1)].sealed, Some(at(sealed)), "once");
    // Its entry changes: it has to have all of it anew.
    bench.staging.relisted(mac(1));
    assert!(!bench.is_sealed());
    bench.staging.apply(&produced(0, "q0"));
    bench.staging.apply(&produced(1, "q1"));
    bench.takes(0, "q0");
    bench.takes(1, "q1");
    assert!(bench.is_sealed());
    bench.staging.apply(&produced(1, "r1"));
    assert!(!bench.is_sealed(), "another rendering");
    bench.staging.apply(&StagingChange::TakenBack);
    assert_eq!(bench.staging.standing(), Standing::Open);
}

#[test]
fn bytes_that_it_has_already_count_when_it_shows_so() {
    let mut bench = Bench::new();
    bench.takes(0, "p0");
    bench.takes(1, "p1");
    bench.hand_over();
    bench.staging.apply(&produced(0, "p0"));
    bench.staging.apply(&produced(1, "p1"));
    let unchanged = |file, etag: &str| match ended(file, etag, Outcome::Complete) {
        What::Ended { asked, etag, .. } => What::Unchanged { asked, etag },
        _ => unreachable!("an end"),
    };
    bench.happens(unchanged(0, "p0"));
    bench.happens(unchanged(1, "p9"));
    assert!(!bench.is_sealed(), "it has other bytes");
    bench.happens(unchanged(1, "p1"));
    assert!(bench.is_sealed());
}

#[test]
fn slots_by_scanning_by_plugging_and_by_port() {
    let slots = |staging: &Staging| -> Vec<_> {
        staging.phones.values().map(|one| one.slot.unwrap_or(0)).collect()
    };
    let mut staging = opened(false);
    for n in 1..=3 {
        let slot = staging.free_slot();
        staging.apply(&scanned(n, Some(slot)));
    }
    staging.apply(&StagingChange::Placed(mac(3), Some(1)));
    assert_eq!(slots(&staging), [0, 2, 1], "whoever had it is without one");
    staging.apply(&scanned(2, None));
    assert_eq!((slots(&staging), staging.free_slot()), (vec![0, 2, 1], 3));

    let mut staging = opened(true);
    (1..=3).for_each(|n| staging.apply(&scanned(n, None)));
    let mut boot = Boot::default();
    let granted = Granted::Selected;
    let leased = What::Leased { address: [10, 0, 0, 1].into(), until: at(9), granted };
    let event = Event { at: at(5), what: leased };
    boot.fold(&event);
    for n in [3, 1, 3] {
        staging.happened(mac(n), &event, &boot);
    }
    assert_eq!(slots(&staging), [2, 0, 1]);
    // The switch tells ports: they are learnt, and the next phone at one of them stands there.
    staging.plugged(mac(3), "sw | 7");
    assert_eq!(staging.ports["sw | 7"], 1);
    let mut next = opened(false);
    next.ports.clone_from(&staging.ports);
    next.apply(&scanned(9, Some(4)));
    next.apply(&scanned(8, Some(2)));
    next.plugged(mac(9), "sw | 7");
    next.plugged(mac(8), "sw | 8");
    assert_eq!(slots(&next), [2, 1]);
    assert_eq!(next.ports["sw | 8"], 2);
}

#[test]
fn what_is_closed_stays_and_growth_is_bounded() {
    let mut staging = opened(false);
    for n in 0..=MAX_STAGED {
        let [high, low] = u16::try_from(n).unwrap().to_be_bytes();
        let phone = Mac::new([2, 0, 0, 0, high, low]).unwrap();
        staging.apply(&StagingChange::Scanned { phone, by: String::new(), at: at(2), slot: None });
        for text in 0..20 {
            staging.apply(&StagingChange::Solved(phone, text.to_string()));
            staging.plugged(phone, &format!("sw{n} | {text}"));
            staging.apply(&StagingChange::Placed(phone, Some(1)));
        }
    }
    assert_eq!(staging.phones.len(), MAX_STAGED);
    assert_eq!(staging.ports.len(), MAX_PORTS);
    assert!(staging.phones.values().all(|one| one.solved.len() == MAX_SOLVED));
    staging.apply(&StagingChange::Closed { at: at(9), kept: Vec::new() });
    let closed = staging.clone();
    for change in [scanned(1, None), StagingChange::TakenBack, StagingChange::HandedOver(at(1))] {
        staging.apply(&change);
    }
    assert_eq!(staging, closed);
}

proptest! {
    /// Whatever comes in whatever order: sealed means that both files, as last produced, were delivered since then.
    #[test]
    fn sealed_is_never_claimed(steps in prop::collection::vec((0..8_u8, 0..2_u8, 0..3_u8), 0..60)) {
        let mut bench = Bench::new();
        let (mut handed, mut want, mut has) = (false, [None, None], [false; 2]);
        for (kind, file, tag) in steps {
            let (index, etag) = (usize::from(file), tag.to_string());
            match kind {
                0 => {
                    bench.hand_over();
                    handed = true;
                }
                1 => {
                    bench.staging.apply(&StagingChange::TakenBack);
                    (handed, want, has) = (false, [None, None], [false; 2]);
                }
                2 => {
                    bench.staging.relisted(mac(1));
                    (want, has) = ([None, None], [false; 2]);
                }
                3 | 4 => {
                    bench.staging.apply(&produced(file, &etag));
                    if handed && want[index] != Some(tag) {
                        if want[index].is_some() {
                            (want, has) = ([None, None], [false; 2]);
                        }
                        want[index] = Some(tag);
                    }
                }
                _ => {
                    bench.takes(file, &etag);
                    has[index] |= handed && want[index] == Some(tag);
                }
            }
            prop_assert_eq!(bench.is_sealed(), has == [true; 2]);
        }
    }
}
