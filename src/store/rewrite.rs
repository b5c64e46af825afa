//! Writing a store anew: without the room that sled keeps for what is gone, and without a journal.

use std::{fs, path::Path};

use super::{
    StoreError,
    backup::size,
    disk::{fault, remove_all, sync_directory, wait_closed},
    encode::undo_rows,
    open::{copy, finish_building, lock, read, rows_of},
};

/// Octets that a store took, and takes now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Compacted {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// Writes the store of a state directory anew. Killed anywhere, it leaves the old one or the new one.
///
/// # Errors
///
/// [`StoreError::Locked`] beside a running appliance; [`StoreError::Io`] for a store that is damaged, which stays as it is.
pub fn compact(directory: &Path) -> Result<Compacted, StoreError> {
    let path = rows_of(directory);
    if !path.exists() {
        return Err(fault(&path, "there is no store; `ringup serve` makes one"));
    }
    let _lock = lock(directory)?;
    let before = size(directory)?.store;
    let read = read(&path).map_err(|unreadable| unreadable.into_error(&path))?;
    if let Some(damage) = read.damage() {
        let text = format!("{damage}; `ringup serve` sets it aside and goes on with the rest");
        return Err(fault(&path, text));
    }
    let undo = undo_rows(&read.undo).map_err(|bad| fault(&path, bad))?;
    copy(&path, &read, undo)?;
    drop(read);
    let old = path.with_extension("old");
    // One that a killed process left behind.
    remove_all(&old)?;
    wait_closed(&path);
    fs::rename(&path, &old).map_err(|error| fault(&path, error))?;
    sync_directory(directory)?;
    finish_building(&path)?;
    remove_all(&old)?;
    Ok(Compacted { before, after: size(directory)?.store })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Batch, Change, Entry, Event, Mac, Timestamp, What},
        store::{Store, check},
    };

    #[test]
    fn a_store_written_anew_has_all_that_it_had() {
        let directory = tempfile::tempdir().unwrap();
        let mac = |number| Mac::new([0, 0x1e, 0x7a, 0, 0, number]).unwrap();
        let listed = |note: &str| {
            Change::Listed(mac(1), Box::new(Entry { note: note.to_owned(), ..Entry::default() }))
        };
        let happened = |number, second| {
            let what = What::Offered { address: [10, 0, 0, number].into() };
            Change::Happened(
                mac(number),
                Event { at: Timestamp::from_second(second).unwrap(), what },
            )
        };
        let store = Store::open(directory.path()).unwrap();
        let commit = |change| store.journal.commit_blocking(change).unwrap();
        commit(Batch::from(listed("first")));
        for second in 0..300 {
            commit(Batch::from(happened(1 + u8::try_from(second % 3).unwrap(), second)));
        }
        store.journal.compact().unwrap();
        commit(Batch { undoable: true, ..Batch::from(listed("second")) });
        commit(Batch::from(happened(2, 1000)));
        assert!(matches!(compact(directory.path()), Err(StoreError::Locked { .. })));
        let state = store.view.read().clone();
        let timeline = |store: &Store| store.journal.timeline(mac(2), 1000).unwrap();
        let before = timeline(&store);
        store.journal.close();
        drop(store);

        let compacted = compact(directory.path()).unwrap();
        assert!(compacted.after > 0 && compacted.after <= compacted.before, "{compacted:?}");
        assert_eq!(check(directory.path()).unwrap().damage, Vec::<String>::new());
        assert!(!rows_of(directory.path()).with_extension("old").exists());
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.set_aside, None);
        assert_eq!(store.view.read().phones, state.phones);
        assert_eq!(timeline(&store), before);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        assert!(runtime.block_on(store.journal.undo()).unwrap().is_some());
        let state = store.view.read();
        assert_eq!(state.phones[&mac(1)].entry.as_ref().unwrap().note, "first");
    }
}
