//! Opening a state directory: the lock, the rows, and what to do when they can't be read.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::domain::{Mac, Timestamp};

use super::{
    Feed, Journal, State, Store, StoreError, View,
    disk::{Disk, Unreadable, acknowledged, fault, place, remove_all, sync_directory, wait_closed},
    encode::{Row, read_event_key},
    journal::{Alone, Compactor, Limits, Writer},
    log,
    pending::{Pending, Shelf},
    replay::Replay,
    state::Replaced,
};

/// The rows inside a state directory.
const ROWS: &str = "store";

/// How many events are copied at a time.
pub(super) const PAGE: usize = 1000;

/// The file whose lock says that somebody has the directory open. It holds that process' number.
const LOCK: &str = "LOCK";

pub(super) fn rows_of(directory: &Path) -> PathBuf {
    directory.join(ROWS)
}

/// True if a directory holds rows, or new ones that a killed process left whole.
pub(super) fn is_used(directory: &Path) -> bool {
    let path = rows_of(directory);
    path.exists() || path.with_extension("new").exists()
}

/// Opens a state directory and starts the writer.
pub(super) fn open(directory: &Path, limits: Limits) -> Result<Store, StoreError> {
    let lock = lock(directory)?;
    let path = rows_of(directory);
    finish_building(&path)?;
    let (read, set_aside) = match read(&path) {
        Ok(read) if read.damage().is_none() => (read, None),
        Ok(read) => {
            let damage = read.damage().unwrap_or_default();
            let (read, aside) = salvage(&path, read, &damage)?;
            (read, Some(aside))
        }
        Err(Unreadable::Refused(error)) => return Err(error),
        Err(Unreadable::Damaged(text)) => {
            from_journal(&path)?;
            let (read, aside) = replace(&path, &text)?;
            (read, Some(aside))
        }
    };
    let Read { disk, state, undo, undo_rows, pending, .. } = read;
    if pending.is_empty() {
        // A process that was killed before it removed them left files that say nothing new.
        log::remove(disk.path(), pending.file)?;
    }
    let (view, feed) = (View::new(state), Feed::new());
    let journal = Journal::start(Writer {
        view: view.clone(),
        feed: feed.clone(),
        agreement: Box::new(Alone::new(disk.clone())),
        shelf: Arc::new(Shelf::new(disk, pending)),
        limits,
        undo,
        undo_rows,
        undoes: None,
        lock,
        queued: Arc::default(),
        fault: Arc::default(),
        compactor: Compactor::default(),
    })?;
    Ok(Store { view, journal, feed, set_aside })
}

/// What was read.
pub(super) struct Read {
    pub(super) disk: Disk,
    pub(super) state: State,
    pub(super) undo: Replaced,
    /// Whose undo is among the rows.
    pub(super) undo_rows: Vec<Mac>,
    /// What the rows lack.
    pub(super) pending: Pending,
    damage: Option<String>,
}

impl Read {
    /// What is damaged or lost, in words.
    pub(super) fn damage(&self) -> Option<String> {
        match self.disk.acknowledged().saturating_sub(self.state.commit) {
            0 => self.damage.clone(),
            lost => {
                let lost = format!("its last {lost} commits are lost");
                Some(self.damage.iter().fold(lost, |lost, damage| format!("{damage}; {lost}")))
            }
        }
    }

    /// True for an event among the rows that is an event of the store: not gone since, nor in the journal as well.
    pub(super) fn has(&self, key: &[u8]) -> bool {
        match (read_event_key(key), place(key)) {
            (Ok((mac, _)), Some(at)) => !self.pending.hides(mac, at),
            _ => true,
        }
    }
}

/// Opens the rows, reads them, and replays the journal over them.
pub(super) fn read(path: &Path) -> Result<Read, Unreadable> {
    let disk = Disk::open(path)?;
    let (state, undo) = disk.load()?;
    let undo_rows = undo.iter().map(|(mac, _)| *mac).collect();
    let Replay { state, undo, mut pending, damage, .. } = Replay::new(state, undo).run(path)?;
    // What comes now has a file of its own, so that none ever goes on behind a torn record.
    pending.file += 1;
    Ok(Read { disk, state, undo, undo_rows, pending, damage })
}

/// Makes the rows of a state directory that has none.
pub(super) fn create(
    path: &Path,
    state: &State,
    events: impl FnMut() -> Result<Vec<Row>, StoreError>,
) -> Result<(), StoreError> {
    build(path, state, events)?;
    finish_building(path)
}

/// Makes rows beside those in use. They have the name of new ones once they are whole.
fn build(
    path: &Path,
    state: &State,
    events: impl FnMut() -> Result<Vec<Row>, StoreError>,
) -> Result<(), StoreError> {
    let building = path.with_extension("building");
    Disk::create(&building, state, events)?;
    wait_closed(&building);
    let new = path.with_extension("new");
    // Beside rows in use, what a killed process left is stale.
    remove_all(&new)?;
    fs::rename(&building, new).map_err(|error| fault(path, error))
}

/// Puts new rows in place where there are none: those that a killed process left whole, else empty ones.
pub(super) fn finish_building(path: &Path) -> Result<(), StoreError> {
    if path.exists() {
        return Ok(());
    }
    let new = path.with_extension("new");
    if !new.exists() {
        build(path, &State::default(), || Ok(Vec::new()))?;
    }
    fs::rename(&new, path).map_err(|error| fault(path, error))?;
    sync_directory(path.parent().unwrap_or(path))
}

/// Sets a store aside of which a part is damaged or lost, and goes on with what it holds.
fn salvage(path: &Path, mut read: Read, text: &str) -> Result<(Read, PathBuf), StoreError> {
    read.state.commit = read.state.commit.max(read.disk.acknowledged());
    copy(path, &read, Vec::new())?;
    drop(read);
    replace(path, text)
}

/// Makes rows beside damaged ones of what their journal has: the newest leases at least, or they would be given away twice.
fn from_journal(path: &Path) -> Result<(), StoreError> {
    let replay = Replay::new(State::default(), Replaced::new()).run(path);
    let replay = replay.map_err(|unreadable| unreadable.into_error(path))?;
    let mut state = replay.state;
    // Commit numbers go on where they were, so that nobody who watches takes new ones for old.
    state.commit = state.commit.max(acknowledged(path));
    let mut events = replay.pending.rows();
    build(path, &state, || {
        let page: Result<Vec<_>, _> = events.by_ref().take(PAGE).collect();
        page.map_err(|bad| fault(path, bad))
    })
}

/// Makes rows beside those in use of what was read of them: the state, these rows, and the timelines.
pub(super) fn copy(path: &Path, read: &Read, first: Vec<Row>) -> Result<(), StoreError> {
    let mut first = Some(first).filter(|rows| !rows.is_empty());
    let mut after = Vec::new();
    let mut lacking = read.pending.rows();
    build(path, &read.state, || {
        if let Some(rows) = first.take() {
            return Ok(rows);
        }
        loop {
            let page = read.disk.events(&after, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after.clone_from(last);
            let kept: Vec<_> = page.into_iter().filter(|(key, _)| read.has(key)).collect();
            if !kept.is_empty() {
                return Ok(kept);
            }
        }
        let page: Result<Vec<_>, _> = lacking.by_ref().take(PAGE).collect();
        page.map_err(|bad| fault(path, bad))
    })
}

/// Sets the rows at `path` aside, whole, and puts the new ones in their place.
fn replace(path: &Path, text: &str) -> Result<(Read, PathBuf), StoreError> {
    let aside = set_aside(path)?;
    tracing::error!(
        set_aside = %aside.display(),
        "the store is damaged, {text}: it was set aside; restore a backup"
    );
    finish_building(path)?;
    Ok((self::read(path).map_err(|unreadable| unreadable.into_error(path))?, aside))
}

/// Makes the directory if need be and takes its lock. The directory holds passwords: it is for its owner only.
pub(super) fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join(LOCK);
    let io = |error| refused(&path, &error);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| refused(directory, &error))?;
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who it is is a courtesy: the lock speaks for itself.
            let _ = file.read_to_string(&mut holder);
            let (path, process) = (directory.display().to_string(), holder.trim().parse().ok());
            return Err(StoreError::Locked { path, process });
        }
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
    Ok(file)
}

/// What the system said; that this user may not is an answer of its own, because there is a cure.
fn refused(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => StoreError::Denied { path: path.display().to_string() },
        _ => fault(path, error),
    }
}

/// Moves rows that can't be read out of the way, whole.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    // Two within a second are possible where somebody restores a damaged store by hand.
    let mut aside = path.with_extension(format!("corrupt-{stamp}"));
    let mut number = 1;
    while aside.exists() {
        number += 1;
        aside = path.with_extension(format!("corrupt-{stamp}-{number}"));
    }
    wait_closed(path);
    fs::rename(path, &aside).map_err(|error| fault(path, error))?;
    sync_directory(path.parent().unwrap_or(path))?;
    Ok(aside)
}
