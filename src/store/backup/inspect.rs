//! What lies in a state directory: whether it is whole, and how big it is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::store::{
    StoreError,
    disk::{Unreadable, event, fault},
    open::{PAGE, Read, lock, read, rows_of},
};

/// What a check of a store found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Checked {
    /// The number of the last commit.
    pub commit: u64,
    /// Phones, listed or seen.
    pub phones: usize,
    /// Phones with an entry.
    pub listed: usize,
    /// Leases, ended ones included.
    pub leases: usize,
    /// Addresses set aside.
    pub quarantine: usize,
    /// Numbers given away for ever.
    pub numbers: usize,
    /// Events of all timelines.
    pub events: usize,
    /// What is damaged; empty for a store that is whole.
    pub damage: Vec<String>,
}

/// How big a state directory is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Size {
    /// Octets of the store in use.
    pub store: u64,
    /// Octets of each store that was set aside, by path.
    pub set_aside: Vec<(PathBuf, u64)>,
}

/// Reads every row of the store in a directory. Changes nothing; an appliance must not have it open.
///
/// # Errors
///
/// [`StoreError::Locked`], [`StoreError::Newer`] and [`StoreError::Io`]; damage is in the result.
pub fn check(directory: &Path) -> Result<Checked, StoreError> {
    let path = rows_of(directory);
    if !path.exists() {
        return Err(fault(&path, "there is no store; `ringup serve` makes one"));
    }
    let _lock = lock(directory)?;
    let read = match read(&path) {
        Ok(read) => read,
        Err(Unreadable::Refused(error)) => return Err(error),
        Err(Unreadable::Damaged(text)) => {
            return Ok(Checked { damage: vec![text], ..Checked::default() });
        }
    };
    let Read { disk, state, .. } = &read;
    let mut checked = Checked {
        commit: state.commit,
        phones: state.phones.len(),
        listed: state.listed(),
        leases: state.leases.len(),
        quarantine: state.quarantine.len(),
        numbers: state.numbers.len(),
        events: read.pending.count(),
        damage: read.damage().into_iter().collect(),
    };
    let mut after = Vec::new();
    loop {
        let page = disk.events(&after, PAGE)?;
        let Some((key, _)) = page.last() else { return Ok(checked) };
        after.clone_from(key);
        for (key, value) in &page {
            checked.events += usize::from(read.has(key));
            if let Err(bad) = event(key, value.as_deref().unwrap_or_default()) {
                checked.damage.push(format!("event {}: {bad}", super::hex(key)));
            }
        }
    }
}

/// Measures a state directory. Works beside a running appliance.
///
/// # Errors
///
/// [`StoreError::Io`].
pub fn size(directory: &Path) -> Result<Size, StoreError> {
    let io = |error| fault(directory, error);
    let rows = rows_of(directory);
    let mut size = Size::default();
    for entry in fs::read_dir(directory).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path == rows {
            size.store = octets(&path).map_err(io)?;
        } else if name.starts_with("store.corrupt-") {
            let octets = octets(&path).map_err(io)?;
            size.set_aside.push((path, octets));
        }
    }
    size.set_aside.sort();
    Ok(size)
}

fn octets(path: &Path) -> io::Result<u64> {
    let found = match fs::symlink_metadata(path) {
        // The store may drop a file while we look.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        found => found?,
    };
    if !found.is_dir() {
        return Ok(found.len());
    }
    fs::read_dir(path)?.map(|entry| octets(&entry?.path())).sum()
}
