//! The state: what each change does, what claims find free, and that replaying gives the same.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Change, Event, Line, Origin, Purpose, StagingChange, What,
    wave::{Brake, Place},
};

fn mac(n: u32) -> Mac {
    let mut octets = [2; 6];
    octets[2..].copy_from_slice(&n.to_be_bytes());
    Mac::new(octets).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn address(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, n)
}

fn lease(client: u32, n: u8, until: i64) -> Lease {
    let (since, until) = (at(0), at(until));
    Lease {
        address: address(n),
        client: ClientKey::hardware(mac(client)),
        mac: mac(client),
        since,
        until,
    }
}

fn entry(number: &str, reserved: Option<u8>) -> Entry {
    let line = Line { number: number.to_owned(), ..Line::default() };
    Entry { lines: vec![line], address: reserved.map(address), ..Entry::default() }
}

fn listed(n: u32, number: &str, reserved: Option<u8>) -> Change {
    Change::Listed(mac(n), Box::new(entry(number, reserved)))
}

fn seen(n: u32, second: i64) -> Change {
    Change::Happened(mac(n), Event { at: at(second), what: What::discovered(None) })
}

fn showed(n: u32, from: Origin, value: &str) -> Change {
    let (value, at) = (value.to_owned(), at(1));
    let ground = Ground {
        from,
        value,
        vendor: None,
        family: None,
        model: None,
        firmware: None,
        mac: None,
        at,
    };
    Change::Showed(mac(n), ground)
}

/// Applies each list of changes as a commit of its own.
fn state(commits: &[Vec<Change>]) -> State {
    let mut state = State::default();
    for (number, changes) in (1..).zip(commits) {
        state.apply(&Commit { number, changes: changes.clone() });
    }
    state
}

fn claims(claim: Claim) -> Batch {
    Batch { claims: vec![claim], ..Batch::default() }
}

#[test]
fn listing_and_unlisting() {
    let state1 =
        state(&[vec![listed(1, "4012", Some(9)), listed(2, "4013", None)], vec![seen(2, 5)]]);
    assert_eq!(state1.listed(), 2);
    assert_eq!(state1.reserved_for(address(9)), Some(mac(1)));
    assert_eq!(state1.number_of("4013"), Some(mac(2)));
    assert_eq!(state1.phones[&mac(2)].changed, 2);

    let mut state2 = state1.clone();
    let changes =
        vec![Change::Unlisted(mac(1)), Change::Unlisted(mac(2)), Change::Unlisted(mac(3))];
    state2.apply(&Commit { number: 3, changes });
    assert_eq!(
        state2.phones.keys().copied().collect::<Vec<_>>(),
        [mac(2)],
        "only the seen one stays"
    );
    assert_eq!((state2.listed(), state2.commit), (0, 3));
    assert_eq!((state2.reserved_for(address(9)), state2.number_of("4013")), (None, None));
}

#[test]
fn relisting_moves_the_indexes() {
    let state = state(&[
        vec![listed(1, "4012", Some(9))],
        vec![listed(1, "4012", Some(10))],
        vec![listed(2, "4012", Some(10))],
        vec![listed(1, "4999", Some(10))],
    ]);
    assert_eq!(state.reserved_for(address(9)), None);
    assert_eq!(state.reserved_for(address(10)), Some(mac(1)), "the lowest of two");
    assert_eq!(state.number_of("4012"), Some(mac(2)));
}

#[test]
fn forgetting_keeps_leases_and_numbers() {
    let state = state(&[
        vec![listed(1, "4012", Some(9)), seen(1, 1), Change::Numbered(mac(1), "4100".to_owned())],
        vec![Change::Leased(lease(1, 50, 100)), Change::Forgotten(mac(1))],
    ]);
    assert!(state.phones.is_empty());
    assert_eq!(state.number_of("4100"), Some(mac(1)));
    assert!(state.holder(address(50), at(99)).is_some());
    assert!(state.holder(address(50), at(100)).is_none());
}

#[test]
fn grounds_of_one_origin_replace_each_other() {
    let state = state(&[
        vec![showed(1, Origin::Option60, "a"), showed(1, Origin::Option12, "b")],
        vec![showed(1, Origin::Option60, "c")],
    ]);
    let values: Vec<_> = state.phones[&mac(1)].grounds.iter().map(|g| g.value.as_str()).collect();
    assert_eq!(values, ["b", "c"]);
}

#[test]
fn clients_and_addresses_are_one_to_one() {
    let key = |n| ClientKey::hardware(mac(n));
    let mut state =
        state(&[vec![Change::Leased(lease(1, 50, 100)), Change::Leased(lease(2, 51, 100))]]);
    // Client 1 moves to the address of client 2.
    state.apply(&Commit { number: 2, changes: vec![Change::Leased(lease(1, 51, 200))] });
    assert_eq!(state.leases.keys().copied().collect::<Vec<_>>(), [address(51)]);
    assert_eq!(state.clients, HashMap::from([(key(1), address(51))]));
    state.apply(&Commit {
        number: 3,
        changes: vec![Change::Released { address: address(51), at: at(150) }],
    });
    assert_eq!(state.leases[&address(51)].until, at(150));
    assert_eq!(state.clients[&key(1)], address(51), "who had it is remembered");
}

#[test]
fn claims_find_what_is_free() {
    let state = state(&[vec![
        Change::Leased(lease(1, 50, 100)),
        listed(1, "4012", None),
        Change::Numbered(mac(2), "4100".to_owned()),
    ]]);
    let check = |claim: Claim, free: bool| {
        let expected = if free { Ok(()) } else { Err(claim.clone()) };
        assert_eq!(state.admits(&claims(claim)), expected);
    };
    let held = |client, n, second| Claim::Address {
        address: address(n),
        client: ClientKey::hardware(mac(client)),
        now: at(second),
    };
    check(held(1, 50, 50), true);
    check(held(2, 50, 50), false);
    check(held(2, 50, 100), true);
    check(held(2, 51, 50), true);
    check(Claim::Unlisted(mac(1)), false);
    check(Claim::Unlisted(mac(2)), true);
    check(Claim::Number(mac(1), "4012".to_owned()), true);
    check(Claim::Number(mac(2), "4012".to_owned()), false);
    check(Claim::Number(mac(2), "4100".to_owned()), true);
    check(Claim::Number(mac(1), "4100".to_owned()), false);
    check(Claim::Number(mac(1), "4101".to_owned()), true);
}

#[test]
fn claims_see_earlier_batches_of_their_group() {
    let state = state(&[vec![listed(1, "4012", None), Change::Leased(lease(1, 50, 100))]]);
    let mut patch = Patch::default();
    let changes = vec![
        listed(1, "4013", None),
        listed(2, "4014", None),
        Change::Released { address: address(50), at: at(1) },
        Change::Leased(lease(3, 51, 100)),
    ];
    patch.apply(&state, &Commit { number: 2, changes });
    let check = |claim, free| assert_eq!(patch.admits(&state, &claims(claim)).is_ok(), free);
    check(Claim::Number(mac(9), "4012".to_owned()), true);
    check(Claim::Number(mac(9), "4013".to_owned()), false);
    check(Claim::Number(mac(9), "4014".to_owned()), false);
    check(Claim::Unlisted(mac(2)), false);
    let client = ClientKey::hardware(mac(9));
    check(Claim::Address { address: address(50), client: client.clone(), now: at(5) }, true);
    check(Claim::Address { address: address(51), client, now: at(5) }, false);
}

#[test]
fn strangers_are_bounded_and_the_listed_stay() {
    let mut state = State::default();
    state.apply(&Commit { number: 1, changes: vec![listed(0, "1", None), seen(0, 1)] });
    let limit = u32::try_from(State::MAX_STRANGERS).unwrap();
    for (number, n) in (2..).zip(1..=limit) {
        state.apply(&Commit { number, changes: vec![seen(n, 2)] });
    }
    let number = state.commit + 1;
    // The oldest shows itself again; three new ones push out the next oldest.
    let changes = vec![seen(1, 3), seen(limit + 1, 3), seen(limit + 2, 3), seen(limit + 3, 3)];
    state.apply(&Commit { number, changes });
    assert_eq!(state.phones.len(), State::MAX_STRANGERS + 1);
    let known = |n| state.phones.contains_key(&mac(n));
    assert_eq!([0, 1, 2, 3, 4, 5].map(known), [true, true, false, false, false, true]);
    // An entry that goes leaves a stranger, and the oldest makes room for it.
    let changes = vec![Change::Unlisted(mac(0))];
    state.apply(&Commit { number: number + 1, changes });
    assert_eq!(state.phones.len(), State::MAX_STRANGERS);
    assert!(!state.phones.contains_key(&mac(5)) && state.phones.contains_key(&mac(0)));
}

prop_compose! {
    fn any_change()(kind in 0..18_u8, n in 0..12_u32, m in 0..4_u8, second in 0..100_i64) -> Change {
        match kind {
            0 | 1 => seen(n, second),
            2 => showed(n, [Origin::Option60, Origin::Option12][usize::from(m % 2)], &second.to_string()),
            3 => listed(n, &m.to_string(), Some(m)),
            4 => Change::Unlisted(mac(n)),
            5 => Change::Forgotten(mac(n)),
            6 => Change::Leased(lease(n, m, second)),
            7 => Change::Released { address: address(m), at: at(second) },
            8 => Change::Numbered(mac(n), m.to_string()),
            9 => Change::Quarantined(Quarantine { address: address(m), until: at(second), times: 1, by: mac(n) }),
            10..=13 => Change::Staging(u32::from(m % 2), Box::new(any_staging(kind, n, m, second))),
            14 | 15 => Change::Placed(mac(n), (m > 0).then(|| Box::new(place(m, second)))),
            16 => Change::Braked(Box::new(Brake { paused: m > 1, passed: [m.to_string()].into() })),
            _ => Change::Window((m > 1).then_some(Window { enabled: m > 2, until: None })),
        }
    }
}

fn place(m: u8, second: i64) -> Place {
    let done = (m > 2).then(|| at(second));
    Place { load: m.to_string(), since: at(second), round: m.into(), done }
}

/// What may become of a batch.
fn any_staging(kind: u8, n: u32, m: u8, second: i64) -> StagingChange {
    let (phone, slot) = (mac(n), Some(u16::from(m)).filter(|slot| *slot > 0));
    match kind {
        10 => {
            let purpose = Purpose { by_plugging: m > 1, ..Purpose::default() };
            StagingChange::Opened { purpose, ports: BTreeMap::new(), at: at(second) }
        }
        11 | 12 => StagingChange::Scanned { phone, by: String::new(), at: at(second), slot },
        _ => match n % 4 {
            0 => StagingChange::Closed { at: at(second), kept: Vec::new() },
            1 => StagingChange::HandedOver(at(second)),
            2 => StagingChange::Removed(phone),
            _ => StagingChange::Placed(mac(n / 2), slot),
        },
    }
}

/// Works the indexes out anew from the maps.
fn indexed(state: &State) -> Index {
    let mut index = Index { limit: state.index.limit, ..Index::default() };
    state.phones.iter().for_each(|(mac, phone)| index.add(*mac, phone));
    state.stagings.iter().for_each(|(id, one)| index.restage(*id, Some(one)));
    state.leases.iter().for_each(|(at, lease)| index.addresses.lease(*at, None, Some(lease)));
    for aside in state.quarantine.values() {
        index.addresses.set_aside(None, aside);
        index.conflicts.insert((aside.by, aside.address));
    }
    state.numbers.iter().for_each(|(number, phone)| index.given.give(number, None, *phone));
    // So that those of the state are compared, too.
    index.near_silent.of(index.silent.iter().copied());
    index.near_strangers.of(index.strangers.iter().map(|(_, mac)| *mac));
    index
}

proptest! {
    /// One patch over a group of commits does what the commits do one by one, and the indexes follow the maps.
    #[test]
    fn a_group_is_its_commits(groups in prop::collection::vec(
        prop::collection::vec(prop::collection::vec(any_change(), 0..5), 1..5), 1..6,
    )) {
        let mut one_by_one = State::default();
        one_by_one.index.limit = 4;
        let mut grouped = one_by_one.clone();
        let mut read = Unindexed::new(grouped.clone());
        // Asked for at once, so that what is near is in step from here on.
        grouped.silent_near(mac(0), |_| ControlFlow::Continue(()));
        grouped.strangers_near(mac(0), |_| ControlFlow::Continue(()));
        let mut number = 0;
        for group in groups {
            let mut patch = Patch::default();
            for changes in group {
                number += 1;
                let commit = Commit { number, changes };
                one_by_one.apply(&commit);
                patch.apply(&grouped, &commit);
            }
            // A patch over a state that is being read is the same one.
            prop_assert_eq!(read.state().index.strangers.len(), grouped.index.strangers.len());
            read.install(patch.clone());
            grouped.install(patch);
            prop_assert_eq!(&one_by_one, &grouped);
            prop_assert_eq!(&indexed(&grouped), &grouped.index);
            prop_assert!(grouped.index.strangers.len() <= 4);
            prop_assert_eq!(&Unindexed::new(grouped.clone()).indexed(), &grouped);
            let unheld = (0..9).map(address).filter(|it| !grouped.leases.contains_key(it));
            prop_assert!(grouped.unheld(address(0), address(8)).eq(unheld));
            let spelled = (0..12).map(|number| format!("{number}"));
            let free = spelled.into_iter().find(|number| grouped.number_of(number).is_none());
            prop_assert_eq!(grouped.free_number(0, 11, 1), free);
            prop_assert_eq!(grouped.clients.len(), grouped.leases.len());
            let open = || grouped.stagings.values().filter(|one| one.end.is_none());
            prop_assert_eq!(open().map(|one| one.phones.len()).sum::<usize>(), grouped.index.staged.len());
            for one in grouped.stagings.values() {
                let slots: Vec<_> = one.phones.values().filter_map(|one| one.slot).collect();
                let different: std::collections::BTreeSet<_> = slots.iter().collect();
                prop_assert_eq!(slots.len(), different.len());
            }
        }
        prop_assert_eq!(&read.indexed(), &grouped);
    }
}

#[test]
fn the_next_number_is_told_by_how_it_is_written() {
    let given = |number: &str| Change::Numbered(mac(9), number.to_owned());
    let state = state(&[
        vec![listed(1, "98", None), listed(2, "99", None), given("100"), given("0098")],
        vec![given("4100"), listed(3, "4101", None), listed(4, "4101", None)],
        vec![Change::Unlisted(mac(4)), listed(5, "4103", None)],
        vec![Change::Unlisted(mac(5))],
    ]);
    let check = |first, last, width, expected: Option<&str>| {
        assert_eq!(state.free_number(first, last, width).as_deref(), expected, "{first}-{last}");
    };
    check(98, 120, 1, Some("101"));
    check(98, 100, 2, None);
    check(98, 120, 4, Some("0099"));
    check(4100, 4199, 4, Some("4102"));
    check(4103, 4199, 4, Some("4103"));
    check(1, 0, 1, None);
    check(u64::MAX, u64::MAX, 1, Some("18446744073709551615"));
    assert_eq!(state.given(mac(9)).collect::<Vec<_>>(), ["0098", "100", "4100"]);
    assert_eq!(state.given(mac(8)).count(), 0);
}

#[test]
fn leases_that_are_over_come_in_the_order_of_their_end() {
    let state = state(&[
        vec![Change::Leased(lease(1, 1, 30)), Change::Leased(lease(2, 2, 10))],
        vec![Change::Leased(lease(3, 3, 20)), Change::Leased(lease(2, 2, 40))],
        vec![Change::Released { address: address(1), at: at(5) }],
    ]);
    let ended = |second| state.ended(at(second)).collect::<Vec<_>>();
    assert!(ended(4).is_empty());
    assert_eq!(ended(20), [address(1), address(3)]);
    assert_eq!(ended(40), [address(1), address(3), address(2)]);
}
