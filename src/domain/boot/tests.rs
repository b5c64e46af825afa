//! Boots as phones of several families go through them, event by event.

use super::{super::Carrier, *};

fn asked(name: &str, role: Role) -> Asked {
    let required = (role == Role::Own).then_some(Required { slot: 0, of: 1 });
    Asked { name: name.to_owned(), carrier: Carrier::Tftp, role, required, first: false }
}

fn first(name: &str, role: Role) -> Asked {
    Asked { first: true, ..asked(name, role) }
}

fn ended(asked: Asked, outcome: Outcome, etag: &str) -> What {
    let normal = matches!(outcome, Outcome::Aborted { .. });
    let (etag, source) = (etag.to_owned(), String::new());
    What::Ended { asked, bytes: 10, length: 10, outcome, etag, normal, source }
}

fn leased(granted: Granted) -> What {
    What::Leased { address: Ipv4Addr::new(10, 0, 0, 9), until: Timestamp::MAX, granted }
}

/// Folds what happened, a second apart, and tells the stage after each.
fn stages(happened: Vec<What>) -> (Boot, String) {
    let mut boot = Boot::default();
    let mut stages = Vec::new();
    for (second, what) in (1..).zip(happened) {
        let at = Timestamp::from_second(second).unwrap();
        boot.fold(&Event { at, what });
        stages.push(boot.stage().as_str());
    }
    (boot, stages.join(" "))
}

#[test]
fn healthy_cisco() {
    let own = || asked("SEP001E7AC41022.cnf.xml", Role::Own);
    let (boot, seen) = stages(vec![
        What::discovered(None),
        leased(Granted::Selected),
        What::Refused {
            asked: first("CTLSEP001E7AC41022.tlv", Role::Trust),
            why: String::new(),
            normal: true,
        },
        What::Opened { asked: own(), length: 10 },
        ended(own(), Outcome::Complete, "a"),
        leased(Granted::Renewed),
    ]);
    assert_eq!(seen, "discovered leased asking asking configured configured");
    assert_eq!((boot.rounds, boot.transfers.len()), (1, 2));
    assert_eq!(boot.since, Timestamp::from_second(5).unwrap());
}

#[test]
fn fallback_then_upgrade_then_own() {
    let load = || asked("sip.ld", Role::Firmware);
    let (_, seen) = stages(vec![
        ended(asked("SEPDEFAULT.cnf", Role::Fallback), Outcome::Complete, "d"),
        What::Opened { asked: load(), length: 100 },
        What::Progress { name: "sip.ld".to_owned(), bytes: 50, length: 100 },
        ended(load(), Outcome::Complete, "l"),
        ended(asked("x.cfg", Role::Own), Outcome::Complete, "a"),
    ]);
    assert_eq!(seen, "defaulted upgrading upgrading defaulted configured");
}

#[test]
fn a_round_starts_at_the_first_file_asked_again() {
    let own = || first("0004f2aabbcc.cfg", Role::Own);
    let (boot, seen) = stages(vec![
        What::Opened { asked: own(), length: 10 },
        ended(own(), Outcome::Complete, "a"),
        What::Opened { asked: own(), length: 10 },
        ended(own(), Outcome::Aborted { text: String::new() }, "a"),
    ]);
    assert_eq!(seen, "asking configured asking configured");
    assert_eq!(boot.rounds, 2);
}

#[test]
fn first_seen_in_the_middle_of_a_round() {
    let own = || asked("SEP001E7AC41022.cnf.xml", Role::Own);
    let (boot, seen) = stages(vec![
        What::Opened { asked: own(), length: 10 },
        ended(own(), Outcome::Complete, "a"),
        What::discovered(None),
    ]);
    assert_eq!(seen, "asking configured discovered");
    assert_eq!((boot.rounds, boot.round), (2, Timestamp::from_second(3).unwrap()));
}

#[test]
fn an_abort_of_other_bytes_delivers_nothing() {
    let own = || asked("0004f2aabbcc.cfg", Role::Own);
    let aborted = |etag| ended(own(), Outcome::Aborted { text: String::new() }, etag);
    let (_, seen) = stages(vec![
        aborted("a"),
        ended(own(), Outcome::Complete, "a"),
        What::discovered(None),
        aborted("b"),
        aborted("a"),
    ]);
    assert_eq!(seen, "discovered configured discovered discovered configured");
}

#[test]
fn breaking_off_its_own_file_is_normal_only_with_the_same_bytes_in_hand() {
    let own = || asked("0004f2aabbcc-line.cfg", Role::Own);
    let aborted = || ended(own(), Outcome::Aborted { text: String::new() }, "a");
    let opened = || What::Opened { asked: own(), length: 10 };
    let whole = ended(own(), Outcome::Complete, "a");
    let (boot, seen) = stages(vec![
        opened(),
        aborted(),
        opened(),
        whole,
        What::discovered(None),
        opened(),
        aborted(),
    ]);
    assert_eq!(seen, "asking asking asking configured discovered asking configured");
    let normal: Vec<bool> = boot.transfers.iter().map(|one| one.normal).collect();
    assert_eq!(normal, [false, false, true]);
}

#[test]
fn all_required_files_are_required() {
    let slot = |slot| Asked { required: Some(Required { slot, of: 2 }), ..asked("f", Role::Own) };
    let (_, seen) = stages(vec![
        ended(slot(0), Outcome::Complete, "a"),
        ended(slot(0), Outcome::Complete, "a"),
        ended(slot(1), Outcome::Complete, "a"),
    ]);
    assert_eq!(seen, "discovered discovered configured");
}

#[test]
fn a_restart_with_the_old_address_is_a_round() {
    let (boot, seen) = stages(vec![
        leased(Granted::Rebooted),
        ended(asked("f", Role::Own), Outcome::Complete, "a"),
        leased(Granted::Rebound),
        leased(Granted::Rebooted),
    ]);
    assert_eq!(seen, "leased configured configured leased");
    assert_eq!(boot.rounds, 2);
}

#[test]
fn memory_is_bounded() {
    let refused = |n: usize| What::Refused {
        asked: first(&format!("name{n}"), Role::Extra),
        why: String::new(),
        normal: false,
    };
    let own = |n: usize| ended(asked(&format!("own{n}"), Role::Own), Outcome::Complete, "a");
    let moved = |n: u8| What::discovered(Some(Ipv4Addr::new(10, 0, n, 1)));
    let files = (0..100).map(refused).chain((0..100).map(own));
    let (boot, _) = stages((0..100).map(moved).chain(files).collect());
    let kept = (boot.transfers.len(), boot.first.len(), boot.held.len(), boot.visits.len());
    assert_eq!(kept, (32, 4, 8, 8));
}

#[test]
fn arrivals_are_one_a_round_and_tell_what_was_before() {
    let own = || asked("0004f2aabbcc.cfg", Role::Own);
    let boots = || What::discovered(None);
    let has = || ended(own(), Outcome::Complete, "a");
    let at = |second| Timestamp::from_second(second).unwrap();
    let (boot, _) = stages(vec![boots(), has(), has(), boots(), boots(), has(), boots()]);
    let rounds: Vec<_> = boot.arrivals.iter().map(|one| (one.round, one.at)).collect();
    assert_eq!(rounds, [(at(1), at(2)), (at(5), at(6))]);
    let had = |boot: &Boot, moment| was_configured(&boot.arrivals, &boot.starts, at(moment));
    let check = |moment, expected| assert_eq!(had(&boot, moment), expected, "{moment}");
    check(2, false);
    check(3, true);
    check(5, false);
    check(7, true);
    check(9, false);
    let (first, _) = stages(vec![has()]);
    assert_eq!(first.arrivals, [Arrival { round: at(1), at: at(1) }]);
    // It looped so long that its restarts are forgotten: what it had before counts.
    let mut looping = first;
    for second in 2..40 {
        looping.fold(&Event { at: at(second), what: boots() });
    }
    assert!(had(&looping, 2));
    for second in 40..60 {
        looping.fold(&Event { at: at(second), what: boots() });
        looping.fold(&Event { at: at(second), what: has() });
    }
    assert_eq!(looping.arrivals.len(), MAX_ARRIVALS);
}
