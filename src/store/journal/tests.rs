//! The journal on a real disk: order, claims, undo, faults, and what is there after opening again.

use std::sync::{Condvar, Mutex};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{
    domain::{Change, ClientKey, Entry, Lease, Line, What},
    store::{Feed, Store, View, state::Patch},
};

pub(super) fn mac(n: u16) -> Mac {
    let [a, b] = n.to_be_bytes();
    Mac::new([2, 0, 0, 0, a, b]).unwrap()
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn listed(n: u16, number: &str) -> Change {
    let lines = vec![Line { number: number.to_owned(), ..Line::default() }];
    Change::Listed(mac(n), Box::new(Entry { lines, ..Entry::default() }))
}

pub(super) fn seen(n: u16, second: i64) -> Change {
    Change::Happened(mac(n), Event { at: at(second), what: What::discovered(None) })
}

pub(super) fn lease(n: u16, host: u8) -> Lease {
    let (client, address) = (ClientKey::hardware(mac(n)), [10, 0, 0, host].into());
    Lease { address, client, mac: mac(n), since: at(0), until: at(100) }
}

fn claiming(n: u16, host: u8) -> Batch {
    let lease = lease(n, host);
    let claim = Claim::Address { address: lease.address, client: lease.client.clone(), now: at(1) };
    Batch { claims: vec![claim], ..Batch::from(Change::Leased(lease)) }
}

pub(super) fn undoable(changes: Vec<Change>) -> Batch {
    Batch { undoable: true, ..Batch::from(changes) }
}

fn numbers(store: &Store) -> Vec<String> {
    let entry = |phone: &crate::store::Phone| Some(phone.entry.as_ref()?.number().to_owned());
    store.view.read().phones.values().filter_map(entry).collect()
}

#[tokio::test]
async fn calls_in_order_become_fact_in_order() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mut watch = store.feed.watch();
    // Nobody polls before all are queued, and the first is never polled at all.
    drop(store.journal.commit(seen(1, 1).into()));
    let made: Vec<_> = (2..600).map(|n| store.journal.commit(seen(1, n).into())).collect();
    for (number, made) in (2..).zip(made) {
        let commit = made.await.unwrap();
        assert_eq!(commit.number, number);
        assert!(store.view.read().commit >= number, "fact before it is told");
    }
    for number in 1..600 {
        assert_eq!(watch.recv().await.unwrap().number, number);
    }
    let timeline = store.journal.timeline(mac(1), 3).unwrap();
    let last: Vec<_> = timeline.iter().map(|(commit, event)| (*commit, event.at)).collect();
    assert_eq!(last, [(597, at(597)), (598, at(598)), (599, at(599))]);
}

#[test]
fn a_timeline_goes_back_page_by_page() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    // Another phone's events lie on both sides, and a page may end within a commit.
    for first in [0, 3, 6] {
        let mine = (first..first + 3).map(|second| seen(2, second));
        let changes: Vec<_> = [seen(1, 99), seen(3, 99)].into_iter().chain(mine).collect();
        store.journal.commit_blocking(changes.into()).unwrap();
    }
    let page = |before| {
        let (events, next) = store.journal.timeline_before(mac(2), before, 4).unwrap();
        let seconds: Vec<_> = events.iter().map(|(_, event)| event.at.as_second()).collect();
        (seconds, next)
    };
    let (newest, next) = page(None);
    assert_eq!(newest, [5, 6, 7, 8]);
    let (older, next) = page(next);
    assert_eq!(older, [1, 2, 3, 4]);
    let (oldest, next) = page(next);
    assert_eq!((oldest, next), (vec![0], None));
}

#[tokio::test]
async fn undo_of_a_commit_leaves_others_alone() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let first = store.journal.commit(undoable(vec![listed(1, "1")])).await.unwrap().number;
    let second = store.journal.commit(undoable(vec![listed(2, "2")])).await.unwrap().number;
    store.journal.commit(seen(2, 1).into()).await.unwrap();
    let late = store.journal.undo_of(first).await;
    assert!(matches!(late, Err(CommitError::NotTheLast)), "{late:?}");
    assert_eq!(numbers(&store), ["1", "2"]);
    store.journal.undo_of(second).await.unwrap().unwrap();
    assert_eq!(numbers(&store), ["1"]);
    let twice = store.journal.undo_of(second).await;
    assert!(matches!(twice, Err(CommitError::NotTheLast)), "{twice:?}");
}

#[tokio::test]
async fn two_batches_never_find_the_same_free() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let made: Vec<_> = (0..100).map(|n| store.journal.commit(claiming(n, 50))).collect();
    let mut taken = 0;
    for made in made {
        taken += u32::from(matches!(made.await, Err(CommitError::Taken(Claim::Address { .. }))));
    }
    assert_eq!(taken, 99);
    assert_eq!(store.view.read().commit, 1, "what was refused is no commit");
}

#[test]
fn everything_is_there_again() {
    let dir = TempDir::new().unwrap();
    let before = {
        let store = Store::open(dir.path()).unwrap();
        let changes = vec![listed(1, "4012"), seen(1, 1), seen(2, 2), Change::Leased(lease(1, 50))];
        store.journal.commit_blocking(changes.into()).unwrap();
        let changes = vec![Change::Numbered(mac(2), "4100".to_owned()), Change::Window(None)];
        store.journal.commit_blocking(changes.into()).unwrap();
        store.view.read().clone()
    };
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(*store.view.read(), before);
    assert_eq!(store.journal.timeline(mac(2), 10).unwrap().len(), 1);
    assert_eq!(store.journal.commit_blocking(seen(2, 3).into()).unwrap().number, 3);
    assert_eq!(store.set_aside, None);
}

#[tokio::test]
async fn undo_takes_the_last_import_back() {
    let dir = TempDir::new().unwrap();
    let check = |store: &Store, expected: &[&str]| assert_eq!(numbers(store), expected);
    {
        let store = Store::open(dir.path()).unwrap();
        assert!(store.journal.undo().await.unwrap().is_none());
        store.journal.commit(undoable(vec![listed(1, "1"), listed(2, "2")])).await.unwrap();
        let import = undoable(vec![
            listed(2, "22"),
            Change::Unlisted(mac(1)),
            listed(3, "3"),
            listed(3, "33"),
        ]);
        store.journal.commit(import).await.unwrap();
        store.journal.commit(listed(3, "later").into()).await.unwrap();
        check(&store, &["22", "later"]);
    }
    let store = Store::open(dir.path()).unwrap();
    let commit = store.journal.undo().await.unwrap().unwrap();
    assert_eq!(commit.number, 4);
    check(&store, &["1", "2"]);
    assert!(store.journal.undo().await.unwrap().is_none(), "only the last one");
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    check(&store, &["1", "2"]);
    assert!(store.journal.undo().await.unwrap().is_none());
}

#[tokio::test]
async fn import_and_undo_in_one_group() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let empty = undoable(Vec::new());
    let made = [undoable(vec![listed(1, "1")]), undoable(vec![listed(1, "2")]), empty];
    let made: Vec<_> = made.into_iter().map(|batch| store.journal.commit(batch)).collect();
    let undone = store.journal.undo();
    for made in made {
        made.await.unwrap();
    }
    undone.await.unwrap().unwrap();
    assert_eq!(numbers(&store), ["1"], "an import of nothing leaves the one before to undo");
}

#[test]
fn the_forgotten_lose_their_timeline() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.journal.commit_blocking(vec![seen(1, 1), seen(2, 1)].into()).unwrap();
    let changes = vec![seen(1, 2), Change::Forgotten(mac(1)), seen(1, 3)];
    store.journal.commit_blocking(changes.into()).unwrap();
    let seconds = |n| -> Vec<_> {
        let timeline = store.journal.timeline(mac(n), 10).unwrap();
        timeline.iter().map(|(_, event)| event.at.as_second()).collect()
    };
    assert_eq!((seconds(1), seconds(2)), (vec![3], vec![1]));
}

#[test]
fn pruning_cuts_by_age_and_by_number() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let noisy = (1..=10_050).map(|second| seen(2, second));
    let changes: Vec<_> = (1..=30).map(|second| seen(1, second)).chain(noisy).collect();
    store.journal.commit_blocking(changes.into()).unwrap();
    assert_eq!(store.journal.prune(at(11)).unwrap(), 10 + 50);
    let first = |n| {
        let timeline = store.journal.timeline(mac(n), usize::MAX).unwrap();
        (timeline.len(), timeline[0].1.at.as_second())
    };
    assert_eq!((first(1), first(2)), ((20, 11), (10_000, 51)));
    assert_eq!(store.journal.prune(at(11)).unwrap(), 0);
}

#[tokio::test]
async fn closing_commits_what_is_queued() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let made: Vec<_> = (0..700).map(|n| store.journal.commit(seen(1, n).into())).collect();
    store.journal.close();
    for made in made {
        made.await.unwrap();
    }
    assert!(matches!(store.journal.commit(seen(1, 1).into()).await, Err(CommitError::Closed)));
    assert!(store.journal.timeline(mac(1), 1).is_err());
    store.journal.close();
    assert_eq!(Store::open(dir.path()).unwrap().view.read().commit, 700);
}

/// An agreement whose disk fails, or which waits until it is told to go on.
#[derive(Clone, Default)]
struct Faulty(Arc<(Mutex<Told>, Condvar)>);

#[derive(Default)]
struct Told {
    fail: bool,
    wait: bool,
    groups: usize,
}

impl Faulty {
    fn tell(&self, told: impl FnOnce(&mut Told)) {
        told(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }
}

impl Agreement for Faulty {
    fn agree(&mut self, _: &Group) -> Result<(), StoreError> {
        let mut told = self.0.0.lock().unwrap();
        told.groups += 1;
        self.0.1.notify_all();
        let told = self.0.1.wait_while(told, |told| told.wait).unwrap();
        if told.fail { Err(crate::store::disk::fault("x".as_ref(), "no space")) } else { Ok(()) }
    }
}

/// A journal over that agreement; its disk is only read.
fn faulty(dir: &TempDir) -> (Faulty, View, Journal) {
    let path = dir.path().join("store");
    Disk::create(&path, &crate::store::State::default(), || Ok(Vec::new())).unwrap();
    let (faulty, view) = (Faulty::default(), View::default());
    let writer = Writer {
        view: view.clone(),
        feed: Feed::new(),
        agreement: Box::new(faulty.clone()),
        shelf: Arc::new(Shelf::new(Disk::open(&path).unwrap(), Pending::default())),
        limits: Limits::default(),
        undo: Vec::new(),
        undo_rows: Vec::new(),
        undoes: None,
        lock: tempfile::tempfile().unwrap(),
        queued: Arc::default(),
        fault: Arc::default(),
        compactor: Compactor::default(),
    };
    (faulty, view, Journal::start(writer).unwrap())
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_taken() {
    let dir = TempDir::new().unwrap();
    let (faulty, view, journal) = faulty(&dir);
    journal.commit(seen(1, 1).into()).await.unwrap();
    faulty.tell(|told| told.fail = true);
    let failed = journal.commit(seen(1, 2).into()).await;
    assert!(matches!(failed, Err(CommitError::Store(text)) if text == "x: no space"));
    // The disk says that it is well again, and is not believed: the page cache may have dropped what it could not write.
    faulty.tell(|told| told.fail = false);
    assert!(matches!(journal.commit(seen(1, 3).into()).await, Err(CommitError::Store(_))));
    assert_eq!(journal.fault(), Some("x: no space"));
    assert_eq!((view.read().commit, faulty.0.0.lock().unwrap().groups), (1, 2));
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let dir = TempDir::new().unwrap();
    let (faulty, view, journal) = faulty(&dir);
    faulty.tell(|told| told.wait = true);
    let first = journal.commit(seen(1, 1).into());
    drop(faulty.0.1.wait_while(faulty.0.0.lock().unwrap(), |told| told.groups == 0).unwrap());
    for second in 0..i64::try_from(MAX_QUEUED).unwrap() {
        drop(journal.commit(seen(1, second).into()));
    }
    assert!(matches!(journal.commit(seen(1, 1).into()).await, Err(CommitError::Busy)));
    faulty.tell(|told| told.wait = false);
    first.await.unwrap();
    journal.close();
    assert_eq!(view.read().commit, 1 + MAX_QUEUED as u64);
}

pub(super) fn any_change() -> impl Strategy<Value = Change> {
    (0..9_u8, 0..6_u16, 0..4_u8, 0..100_i64).prop_map(|(kind, n, m, second)| match kind {
        0..=2 => seen(n, second),
        3 => listed(n, &m.to_string()),
        4 => Change::Unlisted(mac(n)),
        5 => Change::Forgotten(mac(n)),
        6 => Change::Leased(lease(n, m)),
        7 => Change::Released { address: [10, 0, 0, m].into(), at: at(second) },
        _ => Change::Numbered(mac(n), m.to_string()),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// What memory holds is what a new start finds on disk; the timelines hold the events since the last wipe.
    #[test]
    fn state_after_reopen_is_state_before(sessions in prop::collection::vec(
        prop::collection::vec(prop::collection::vec(any_change(), 0..4), 1..12), 1..4,
    )) {
        let dir = TempDir::new().unwrap();
        let mut events: Vec<(Mac, Event)> = Vec::new();
        let mut before = crate::store::State::default();
        for session in sessions {
            let store = Store::open(dir.path()).unwrap();
            prop_assert_eq!(&*store.view.read(), &before);
            for changes in session {
                for change in &changes {
                    match change {
                        Change::Happened(mac, event) => events.push((*mac, event.clone())),
                        Change::Forgotten(gone) => events.retain(|(mac, _)| mac != gone),
                        _ => {}
                    }
                }
                drop(store.journal.commit(changes.into()));
            }
            store.journal.close();
            before = store.view.read().clone();
        }
        let store = Store::open(dir.path()).unwrap();
        prop_assert_eq!(&*store.view.read(), &before);
        for n in 0..6 {
            let timeline = store.journal.timeline(mac(n), usize::MAX).unwrap();
            let found: Vec<_> = timeline.into_iter().map(|(_, event)| event).collect();
            let expected: Vec<_> = events.iter().filter(|(m, _)| *m == mac(n)).map(|(_, e)| e.clone()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

#[tokio::test]
async fn batches_that_came_together_are_answered_in_their_order() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let made = store.journal.commit_all(vec![claiming(1, 9), claiming(2, 9), claiming(3, 8)]).await;
    let numbers: Vec<_> = made.iter().map(|made| made.as_ref().ok().map(|c| c.number)).collect();
    assert_eq!(numbers, [Some(1), None, Some(2)]);
    assert!(matches!(made[1], Err(CommitError::Taken(Claim::Address { .. }))));
    assert!(store.journal.commit_all(Vec::new()).await.is_empty());
    store.journal.close();
    let late = store.journal.commit_all(vec![claiming(1, 1), claiming(2, 2)]).await;
    assert!(matches!(late[..], [Err(CommitError::Closed), Err(CommitError::Closed)]));
}

#[test]
fn a_patch_of_a_state_makes_that_state() {
    let mut state = crate::store::State::default();
    let changes = vec![listed(1, "1"), seen(1, 1), seen(2, 1), Change::Leased(lease(1, 9))];
    state.apply(&Commit { number: 1, changes });
    let mut copy = crate::store::State::default();
    copy.install(Patch::of(&state));
    assert_eq!(copy, state);
}
