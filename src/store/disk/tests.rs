//! The disk: the order of syncs, and stores that can't be read.

use std::io::{Seek, SeekFrom, Write};

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{Batch, Change, Entry, Event, Timestamp, What},
    store::Store,
};

fn seen(n: u8) -> Change {
    let event = Event { at: Timestamp::UNIX_EPOCH, what: What::discovered(None) };
    Change::Happened(Mac::new([2, 0, 0, 0, 0, n]).unwrap(), event)
}

fn listed(n: u8, note: &str) -> Change {
    let entry = Entry { note: note.to_owned(), ..Entry::default() };
    Change::Listed(Mac::new([2, 0, 0, 0, 0, n]).unwrap(), Box::new(entry))
}

/// A store with some commits in it, each written to the rows for itself, closed.
fn filled() -> TempDir {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for n in 1..=50 {
        store.journal.commit_blocking(Batch::from(vec![seen(n), listed(n, "x")])).unwrap();
        store.journal.compact().unwrap();
    }
    dir
}

fn rows_in(dir: &TempDir) -> Disk {
    Disk::open(&dir.path().join("store")).unwrap()
}

#[test]
fn damaged_rows_leave_what_the_journal_has() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let mac = Mac::new([0, 0x1e, 0x7a, 0, 0, 7]).unwrap();
    let (address, since) = (std::net::Ipv4Addr::new(10, 20, 0, 9), Timestamp::UNIX_EPOCH);
    let client = crate::domain::ClientKey::hardware(mac);
    let lease = crate::domain::Lease { address, client, mac, since, until: Timestamp::MAX };
    let number =
        store.journal.commit_blocking(vec![Change::Leased(lease.clone())].into()).unwrap().number;
    // What a pulled plug leaves: nothing is closed, and the journal has what the rows lack.
    let left = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(directory.path().join("store"))
        .arg(left.path())
        .status();
    assert!(copied.unwrap().success());
    std::fs::write(left.path().join("store/db"), [0xa5; 4096]).unwrap();
    drop(store);
    let store = Store::open(left.path()).unwrap();
    assert!(store.set_aside.is_some());
    let state = store.view.read();
    assert_eq!(state.leases.get(&address), Some(&lease));
    assert!(state.commit >= number);
}

#[test]
fn sync_follows_flush() {
    let dir = filled();
    let disk = rows_in(&dir);
    disk.steps.lock().unwrap().clear();
    disk.put(vec![(Kind::Number.key(b"1"), Some(vec![SCHEMA]))]).unwrap();
    assert!(disk.steps.lock().unwrap().is_empty());
    disk.barrier().unwrap();
    assert_eq!(*disk.steps.lock().unwrap(), ["flush", "sync outgrown", "sync"]);
}

#[test]
fn outgrown_values_are_synced_and_read_back() {
    let dir = filled();
    {
        let store = Store::open(dir.path()).unwrap();
        let note = "n".repeat(900_000);
        store.journal.commit_blocking(listed(7, &note).into()).unwrap();
    }
    let disk = rows_in(&dir);
    assert!(
        disk.outgrown.load(Ordering::Relaxed) >= 0,
        "there is a file of its own, and it was seen"
    );
    drop(disk);
    let store = Store::open(dir.path()).unwrap();
    let state = store.view.read();
    let notes = state.phones.values().filter_map(|phone| Some(phone.entry.as_ref()?.note.len()));
    assert_eq!(notes.max(), Some(900_000));
}

/// Damages a store, opens it, and expects that it was set aside whole and that the new one works.
fn check_damage(damage: impl FnOnce(&TempDir)) {
    let dir = filled();
    damage(&dir);
    let store = Store::open(dir.path()).unwrap();
    let aside = store.set_aside.clone().expect("set aside");
    assert!(aside.join("db").exists() || aside.join("conf").exists(), "kept whole");
    assert!(store.view.read().phones.is_empty());
    assert_eq!(store.view.read().commit, 50, "numbers go on");
    store.journal.commit_blocking(seen(1).into()).unwrap();
    drop(store);
    let again = Store::open(dir.path()).unwrap();
    assert_eq!((again.set_aside.clone(), again.view.read().commit), (None, 51));
    assert!(aside.exists());
}

fn overwrite(dir: &TempDir, key: Vec<u8>, value: Option<Vec<u8>>) {
    let disk = rows_in(dir);
    disk.put(vec![(key, value)]).unwrap();
    disk.barrier().unwrap();
}

#[test]
fn damage_is_set_aside() {
    check_damage(|dir| overwrite(dir, Kind::Entry.key(&[2, 0, 0, 0, 0, 9]), None));
    check_damage(|dir| {
        overwrite(dir, Kind::Entry.key(&[2, 0, 0, 0, 0, 9]), Some(b"\x01{".to_vec()));
    });
    check_damage(|dir| overwrite(dir, Kind::Entry.key(&[9]), Some(b"\x01{}".to_vec())));
    check_damage(|dir| overwrite(dir, Kind::Meta.key(&[]), None));
    check_damage(|dir| fs::write(dir.path().join("store/db"), b"").unwrap());
    check_damage(|dir| fs::remove_file(dir.path().join("store/db")).unwrap());
    check_damage(|dir| {
        let path = dir.path().join("store/db");
        let length = fs::metadata(&path).unwrap().len();
        let mut file = File::options().write(true).open(path).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&vec![0xa5; usize::try_from(length).unwrap()]).unwrap();
    });
}

#[test]
fn a_newer_store_stays_where_it_is() {
    let dir = filled();
    overwrite(&dir, Kind::Window.key(&[]), Some(vec![SCHEMA + 1, b'{']));
    let error = Store::open(dir.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found, known: SCHEMA, .. } if found == SCHEMA + 1),
        "{error}"
    );
    assert!(dir.path().join("store").exists());
}

#[test]
fn one_process_at_a_time() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    let expected = format!(
        "{} is in use by another ringup (process {}); talk to it instead, or stop it first",
        dir.path().display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    drop(store);
    Store::open(dir.path()).unwrap();
}

#[test]
fn what_the_system_refuses_is_not_set_aside() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let error = Store::open(&dir.path().join("file")).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
}

/// sled takes a damaged octet for the end of its log. Whatever octet it is: either nothing is lost, or it is told and
/// the old store kept.
#[test]
fn a_flipped_octet_loses_nothing_in_silence() {
    let dir = filled();
    let before = Store::open(dir.path()).unwrap().view.read().clone();
    let rows = dir.path().join("store");
    let whole = fs::read(rows.join("db")).unwrap();
    let mut salvaged = 0;
    for position in (0..whole.len()).step_by(whole.len() / 97) {
        let copy = TempDir::new().unwrap();
        fs::create_dir_all(copy.path().join("store/blobs")).unwrap();
        for name in ["conf", "acknowledged"] {
            fs::copy(rows.join(name), copy.path().join("store").join(name)).unwrap();
        }
        let mut damaged = whole.clone();
        damaged[position] ^= 0x55;
        fs::write(copy.path().join("store/db"), damaged).unwrap();
        let store = Store::open(copy.path()).unwrap();
        let state = store.view.read();
        assert!(store.set_aside.is_some() || *state == before, "octet {position}");
        assert_eq!(state.commit, before.commit, "numbers go on");
        salvaged +=
            usize::from(!state.phones.is_empty() && state.phones.len() < before.phones.len());
    }
    assert!(salvaged > 0, "what comes before the damage is not thrown away");
}

#[test]
fn new_rows_that_a_killed_process_left_are_used() {
    let dir = filled();
    let path = dir.path().join("store");
    fs::rename(&path, path.with_extension("new")).unwrap();
    fs::create_dir(path.with_extension("building")).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().view.read().commit, 50);
    // Beside rows in use they are stale, and in nobody's way when those turn out to be damaged.
    fs::create_dir_all(path.with_extension("new").join("db")).unwrap();
    fs::write(path.join("db"), b"").unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.set_aside.is_some() && store.view.read().phones.is_empty());
}
