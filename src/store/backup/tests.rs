//! Backups: whole or refused.

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        Batch, Change, ClientKey, Entry, Event, Lease, Line as EntryLine, Mac, Secret, Timestamp,
        What,
    },
    store::Store,
};

fn mac(n: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, n]).unwrap()
}

fn filled(dir: &TempDir) -> Store {
    let store = Store::open(&dir.path().join("state")).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    for n in 1..=9 {
        let sip_password = Secret::new("s3cret".to_owned());
        let lines =
            vec![EntryLine { number: format!("40{n}"), sip_password, ..EntryLine::default() }];
        let lease = Lease {
            address: [10, 0, 0, n].into(),
            client: ClientKey::hardware(mac(n)),
            mac: mac(n),
            since: at,
            until: at,
        };
        let mut changes = vec![
            Change::Listed(mac(n), Box::new(Entry { lines, ..Entry::default() })),
            Change::Leased(lease),
            Change::Numbered(mac(n), format!("41{n}")),
        ];
        let seen = Event { at, what: What::discovered(None) };
        changes.extend((0..200).map(|_| Change::Happened(mac(n), seen.clone())));
        store.journal.commit_blocking(Batch::from(changes)).unwrap();
    }
    store
}

#[test]
fn all_of_it_comes_back() {
    let dir = TempDir::new().unwrap();
    let store = filled(&dir);
    let file = dir.path().join("backup");
    store.backup_file(&file).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds passwords");

    let other = dir.path().join("other");
    let restored = restore(&file, &other).unwrap();
    assert_eq!(restored, Restored { commit: 9, phones: 9, leases: 9, events: 1800 });
    let again = Store::open(&other).unwrap();
    assert_eq!(*again.view.read(), *store.view.read());
    assert_eq!(
        again.journal.timeline(mac(3), 9999).unwrap(),
        store.journal.timeline(mac(3), 9999).unwrap()
    );
    let (mut one, mut two) = (Vec::new(), Vec::new());
    store.backup(&mut one).unwrap();
    again.backup(&mut two).unwrap();
    assert_eq!(one, two, "a backup of what was restored is the same file");
}

#[test]
fn only_an_empty_directory_is_restored_into() {
    let dir = TempDir::new().unwrap();
    let store = filled(&dir);
    let file = dir.path().join("backup");
    store.backup_file(&file).unwrap();
    assert!(store.backup_file(&file).is_err(), "no file is overwritten");
    let state = dir.path().join("state");
    assert!(matches!(restore(&file, &state), Err(StoreError::Locked { .. })));
    drop(store);
    let refused = || matches!(restore(&file, &state), Err(StoreError::NotEmpty { .. }));
    assert!(refused());
    fs::rename(state.join("store"), state.join("store.new")).unwrap();
    assert!(refused(), "rows that a killed process left");
}

#[test]
fn damaged_backups_are_refused_and_nothing_is_written() {
    let dir = TempDir::new().unwrap();
    let mut whole = Vec::new();
    filled(&dir).backup(&mut whole).unwrap();
    let text = String::from_utf8(whole).unwrap();
    let (file, other) = (dir.path().join("backup"), dir.path().join("other"));
    let check = |damaged: &str, expected: &str| {
        fs::write(&file, damaged).unwrap();
        let error = restore(&file, &other).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
        assert!(!other.join("store").exists());
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().concat();
    check("", "it ends before its last line");
    check("mac,model\n", "its first line is not the header of a backup");
    check("{\"format\":\"x\"}\n", "its first line is not the header of a backup");
    check(&text[..text.len() - 1], "it ends before its last line");
    check(&lines[..lines.len() - 1].concat(), "it ends before its last line");
    check(&without(2), "it was changed or damaged");
    check(&without(lines.len() - 2), "it was changed or damaged");
    check(
        &text.replacen("4100", "4199", 1).replacen("s3cret", "s3cree", 1),
        "it was changed or damaged",
    );
    check(&text.replacen("\"schema\":5", "\"schema\":9", 1), "(schema 9, this one knows 5)");
    check(&format!("{text}{{}}\n"), "it has a line that is no row");
}

#[test]
fn a_check_tells_what_there_is() {
    let dir = TempDir::new().unwrap();
    let state = dir.path().join("state");
    assert!(check(&state).is_err(), "nothing there");
    drop(filled(&dir));
    let checked = check(&state).unwrap();
    let expected = Checked {
        commit: 9,
        phones: 9,
        listed: 9,
        leases: 9,
        numbers: 9,
        events: 1800,
        ..Checked::default()
    };
    assert_eq!(checked, expected);
    let size_before = size(&state).unwrap();
    assert!(size_before.store > 1000 && size_before.set_aside.is_empty());
    fs::write(state.join("store/db"), b"").unwrap();
    assert!(!check(&state).unwrap().damage.is_empty());
    assert!(state.join("store").exists(), "a check moves nothing");
    drop(Store::open(&state).unwrap());
    assert_eq!(size(&state).unwrap().set_aside.len(), 1);
}
