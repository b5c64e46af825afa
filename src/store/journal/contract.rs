//! One contract for whatever way facts take to the rows: the same commits give the same state, timelines, undo and
//! backup, before and after a restart, whenever the journal is compacted and wherever the process is killed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    tests::{any_change, lease, listed, mac, seen, undoable},
    *,
};
use crate::{
    domain::{Change, Event},
    store::{State, Store, backup, check, log, open, restore},
};

/// What is done to a store.
#[derive(Clone, Debug)]
enum Deed {
    Commit(Vec<Change>),
    Import(Vec<Change>),
    Undo,
    /// Nothing to whoever looks at the facts.
    Compact,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let changes = || prop::collection::vec(any_change(), 0..5);
    prop_oneof![
        6 => changes().prop_map(Deed::Commit),
        2 => changes().prop_map(Deed::Import),
        1 => Just(Deed::Undo),
        3 => Just(Deed::Compact),
    ]
}

fn opened(directory: &Path, limits: Limits) -> Store {
    let store = open::open(directory, limits).unwrap();
    assert_eq!(store.set_aside, None);
    store
}

/// Never by itself; what is compacted is compacted by name.
fn never() -> Limits {
    Limits { most: usize::MAX, worth: usize::MAX, ..Limits::default() }
}

/// After each group.
fn always() -> Limits {
    Limits { most: 1, ..never() }
}

fn act(store: &Store, deed: &Deed, compacts: bool) {
    match deed {
        Deed::Commit(changes) => drop(store.journal.commit(changes.clone().into())),
        Deed::Import(changes) => drop(store.journal.commit(undoable(changes.clone()))),
        Deed::Undo => drop(store.journal.undo()),
        Deed::Compact if compacts => store.journal.compact().unwrap(),
        Deed::Compact => {}
    }
}

/// All that a store tells.
type Told = (State, Vec<Vec<(u64, Event)>>, Vec<u8>);

fn told(store: &Store) -> Told {
    // Behind all that was queued.
    store.journal.commit_blocking(vec![].into()).unwrap();
    let timelines = (0..6).map(|n| paged(store, mac(n))).collect();
    let mut text = Vec::new();
    backup::write(&store.view, &store.journal, &mut text).unwrap();
    let state = store.view.read().clone();
    (state, timelines, text)
}

/// A timeline page by page, as small pages as there are.
fn paged(store: &Store, phone: Mac) -> Vec<(u64, Event)> {
    let whole = store.journal.timeline(phone, usize::MAX).unwrap();
    for size in 1..4 {
        let (mut pages, mut before) = (Vec::new(), None);
        loop {
            let (page, next) = store.journal.timeline_before(phone, before, size).unwrap();
            assert!(page.len() == size || next.is_none());
            pages.splice(0..0, page);
            before = next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(pages, whole, "in pages of {size}");
    }
    whole
}

/// What a process that is killed now leaves. Nothing may be running.
fn killed(directory: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    let (from, to) = (directory.join("store"), copy.path().join("store"));
    fs::create_dir_all(to.join("blobs")).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
    copy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_way_facts_take_they_are_the_same(deeds in prop::collection::vec(any_deed(), 1..24)) {
        let ways = [(never(), false), (never(), true), (always(), true)];
        let mut all = Vec::new();
        for (limits, compacts) in ways {
            let dir = TempDir::new().unwrap();
            let store = opened(dir.path(), limits);
            for deed in &deeds {
                act(&store, deed, compacts);
            }
            // Read before anything compacts it, then once more as rows.
            store.journal.commit_blocking(vec![].into()).unwrap();
            let early: Vec<_> = (0..6).map(|n| paged(&store, mac(n))).collect();
            let now = told(&store);
            prop_assert_eq!(&early, &now.1);
            drop(store);
            let again = opened(dir.path(), limits);
            let after = told(&again);
            prop_assert_eq!(&after.0.leases, &now.0.leases);
            all.push((now, after));
        }
        prop_assert_eq!(&all[0], &all[1]);
        prop_assert_eq!(&all[0], &all[2]);
    }

    #[test]
    fn whatever_was_told_outlives_a_kill(
        deeds in prop::collection::vec(any_deed(), 1..16),
        more in prop::collection::vec(any_deed(), 1..8),
    ) {
        let dir = TempDir::new().unwrap();
        let store = opened(dir.path(), never());
        for deed in &deeds {
            act(&store, deed, true);
        }
        store.journal.commit_blocking(vec![].into()).unwrap();
        let copy = killed(dir.path());
        let again = opened(copy.path(), never());
        prop_assert_eq!(&*again.view.read(), &*store.view.read());
        // What undo would take back is there again as well.
        for deed in more.iter().chain([&Deed::Undo]) {
            act(&store, deed, true);
            act(&again, deed, true);
        }
        let (expected, found) = (told(&store), told(&again));
        prop_assert_eq!(&found, &expected);
        drop(again);
        let checked = check(copy.path()).unwrap();
        prop_assert_eq!(checked.events, expected.1.iter().map(Vec::len).sum::<usize>());
        prop_assert_eq!(checked.damage, Vec::<String>::new());
    }
}

/// A store whose journal has a lease and an event for each of ten phones, killed.
fn ten_killed() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let store = opened(dir.path(), never());
    for n in 1..=10 {
        let changes = vec![Change::Leased(lease(n.into(), n)), super::tests::seen(n.into(), 1)];
        store.journal.commit_blocking(changes.into()).unwrap();
    }
    let copy = killed(dir.path());
    let file = log::path(&copy.path().join("store"), 1);
    (copy, file)
}

/// The hosts that have leases.
fn leased(store: &Store) -> Vec<u8> {
    store.view.read().leases.keys().map(|address| address.octets()[3]).collect()
}

#[test]
fn a_record_that_was_not_told_is_torn_in_silence() {
    let (dir, file) = ten_killed();
    let whole = fs::read(&file).unwrap();
    let start = whole.windows(3).rposition(|window| window == b"RJL").unwrap();
    for length in (start..whole.len()).step_by(7) {
        let copy = killed(dir.path());
        fs::write(log::path(&copy.path().join("store"), 1), &whole[..length]).unwrap();
        fs::write(copy.path().join("store/acknowledged"), 9_u64.to_be_bytes()).unwrap();
        let store = opened(copy.path(), never());
        assert_eq!(leased(&store), (1..=9).collect::<Vec<_>>());
        assert_eq!(store.journal.commit_blocking(seen(1, 2).into()).unwrap().number, 10);
        // Killed again: the torn file has one behind it by now.
        let again = killed(copy.path());
        let store = opened(again.path(), never());
        assert_eq!(store.view.read().commit, 10);
        assert_eq!(store.journal.timeline(mac(1), 9).unwrap().len(), 2);
    }
}

#[test]
fn a_record_that_was_told_is_missed() {
    let (dir, file) = ten_killed();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.set_aside.clone().unwrap().join("journal.1").exists(), "kept whole");
    assert_eq!((leased(&store).len(), store.view.read().commit), (9, 10));
}

#[test]
fn damage_in_the_middle_costs_what_is_damaged() {
    let (dir, file) = ten_killed();
    let mut octets = fs::read(&file).unwrap();
    let records: Vec<usize> =
        (0..octets.len()).filter(|at| octets[*at..].starts_with(b"RJL")).collect();
    octets[records[4] + 20] ^= 4;
    fs::write(&file, octets).unwrap();
    let checked = check(dir.path()).unwrap();
    assert!(checked.damage[0].contains("journal.1 are damaged"), "{:?}", checked.damage);
    assert_eq!((checked.leases, checked.events), (9, 9));
    let store = Store::open(dir.path()).unwrap();
    let aside = store.set_aside.clone().expect("set aside");
    assert!(aside.join("journal.1").exists() && aside.join("db").exists(), "kept whole");
    assert_eq!(leased(&store), [1, 2, 3, 4, 6, 7, 8, 9, 10]);
    assert_eq!(store.journal.timeline(mac(6), 9).unwrap().len(), 1);
    assert_eq!(store.journal.commit_blocking(seen(1, 2).into()).unwrap().number, 11);
    drop(store);
    let again = opened(dir.path(), never());
    assert_eq!(leased(&again).len(), 9);
}

#[test]
fn a_file_that_is_missing_is_missed() {
    let (dir, file) = ten_killed();
    let store = opened(dir.path(), never());
    store.journal.commit_blocking(Change::Leased(lease(11, 11)).into()).unwrap();
    let copy = killed(dir.path());
    fs::remove_file(copy.path().join("store").join(file.file_name().unwrap())).unwrap();
    let store = Store::open(copy.path()).unwrap();
    assert!(store.set_aside.is_some());
    assert_eq!((leased(&store), store.view.read().commit), (vec![11], 11));
}

#[test]
fn a_newer_journal_stays_where_it_is() {
    let (dir, file) = ten_killed();
    let mut octets = fs::read(&file).unwrap();
    // The first record, as a later version would have written it.
    let length = octets[4..8].try_into().map(u32::from_le_bytes).unwrap() as usize;
    octets[3] += 1;
    let sum = log::crc(&octets[..8], 0, &octets[12..12 + length]);
    octets[8..12].copy_from_slice(&sum);
    fs::write(&file, octets).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(file.exists());
}

/// Killed between the barrier and the removal of the files, and before the barrier with a part of the rows written.
#[test]
fn what_is_a_row_already_is_not_replayed() {
    let (dir, file) = ten_killed();
    let journal = fs::read(&file).unwrap();
    let before = {
        let store = opened(dir.path(), never());
        store.journal.commit_blocking(vec![seen(1, 2), Change::Forgotten(mac(2))].into()).unwrap();
        store.journal.compact().unwrap();
        assert_eq!(log::numbers(&dir.path().join("store")).unwrap(), [] as [u64; 0]);
        told(&store)
    };
    fs::write(&file, &journal).unwrap();
    let store = opened(dir.path(), never());
    assert!(!file.exists(), "it said nothing new");
    let (state, timelines, _) = told(&store);
    assert_eq!(
        (state.leases, state.phones, timelines),
        (before.0.leases, before.0.phones, before.1)
    );
}

#[test]
fn events_that_were_rows_before_the_kill_come_once() {
    let (dir, _) = ten_killed();
    let rows = dir.path().join("store");
    let read = open::read(&rows).unwrap();
    // The events' part of a compaction, and no more.
    let events: Result<Vec<_>, _> = read.pending.rows().collect();
    read.disk.put(events.unwrap()).unwrap();
    read.disk.barrier().unwrap();
    drop(read);
    assert_eq!(check(dir.path()).unwrap().events, 10);
    let store = opened(dir.path(), never());
    assert_eq!(paged(&store, mac(3)).len(), 1);
    store.journal.commit_blocking(Change::Forgotten(mac(3)).into()).unwrap();
    assert_eq!(paged(&store, mac(3)).len(), 0);
    let file = dir.path().join("backup");
    store.backup_file(&file).unwrap();
    let restored = restore(&file, &dir.path().join("other")).unwrap();
    assert_eq!((restored.events, restored.leases), (9, 10));
}

/// An import is one record, and what it takes to undo it is worked out again.
#[tokio::test]
async fn undo_outlives_a_kill() {
    let dir = TempDir::new().unwrap();
    let store = opened(dir.path(), never());
    store.journal.commit(undoable(vec![listed(1, "1")])).await.unwrap();
    store.journal.compact().unwrap();
    store.journal.commit(undoable(vec![listed(1, "2"), listed(2, "3")])).await.unwrap();
    let copy = killed(dir.path());
    let again = opened(copy.path(), never());
    again.journal.undo().await.unwrap().unwrap();
    let number = |store: &Store, n| {
        let state = store.view.read();
        state.phones.get(&mac(n)).map(|phone| phone.entry.as_ref().unwrap().number().to_owned())
    };
    assert_eq!((number(&again, 1), number(&again, 2)), (Some("1".to_owned()), None));
    drop(again);
    let again = opened(copy.path(), never());
    assert!(again.journal.undo().await.unwrap().is_none(), "only the last one");
}
