//! Rows on disk: the only file that speaks to sled.
//!
//! sled 0.34.7 has habits that were measured and are worked around here. Its `flush` only starts the write-back of the
//! file (`sync_file_range`), so a pulled plug lost acknowledged rows until `sync_data` followed on a second descriptor.
//! Its `flush_async` deadlocks, its subscribers block writers, and a range that is open while the same thread writes
//! can hang: none of these is used. Values that outgrow a segment go to files of their own, which sled never syncs.

mod events;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, FileExt},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::domain::Mac;

use super::{
    State, StoreError,
    encode::{self, BadValue, Kind, Loader, Meta, Row, SCHEMA, read, rows},
    state::{Patch, Replaced, Unindexed},
};

pub(super) use events::{PruneCursor, event, place, row as event_row};

/// Memory for sled's pages. All that is read often is in the state; this is for writing.
const CACHE: u64 = 32 << 20;

/// How long a lock inside sled is waited for: its helper threads let go a moment after the store was closed.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// The file, among sled's own, in which the last commit that was told is noted. sled ends its log at the first damaged
/// octet and takes what comes before for all there is; this is how we notice.
const ACKNOWLEDGED: &str = "acknowledged";

/// Why the rows can't be had.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// They are damaged: set the store aside.
    Damaged(String),
    /// Something else is wrong: leave the store where it is.
    Refused(StoreError),
}

/// Rows on disk.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    path: PathBuf,
    rows: sled::Db,
    /// A second descriptor of sled's file, because sled syncs none.
    file: Arc<File>,
    /// Where the last commit that was told is noted.
    acknowledged: Arc<File>,
    /// The last file of outgrown values that was synced; they are numbered upwards.
    outgrown: Arc<AtomicI64>,
    /// Told of each step towards durability, in order.
    #[cfg(test)]
    steps: Arc<std::sync::Mutex<Vec<&'static str>>>,
}

impl Disk {
    /// Makes a store with the rows of a state and of a timeline, durable before this returns.
    pub(super) fn create(
        path: &Path,
        state: &State,
        mut events: impl FnMut() -> Result<Vec<Row>, StoreError>,
    ) -> Result<(), StoreError> {
        remove_all(path)?;
        let io = |error| fault(path, error);
        // Passwords lie in it as they are.
        fs::DirBuilder::new().mode(0o700).create(path).map_err(io)?;
        fs::write(path.join(ACKNOWLEDGED), mark(state.commit)).map_err(io)?;
        let disk = Self::open(path).map_err(|unreadable| unreadable.into_error(path))?;
        let all = Patch::of(state);
        let meta = Meta::of(&State::default(), &all);
        disk.put(rows(&meta, &all).map_err(|bad| fault(path, bad))?)?;
        loop {
            let page = events()?;
            if page.is_empty() {
                return disk.barrier();
            }
            disk.put(page)?;
        }
    }

    /// Opens the rows that are there.
    pub(super) fn open(path: &Path) -> Result<Self, Unreadable> {
        let refused = |error: io::Error| Unreadable::Refused(fault(path, error));
        let rows = open_sled(path)?;
        let file = Arc::new(File::open(path.join("db")).map_err(refused)?);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let acknowledged = Arc::new(options.open(path.join(ACKNOWLEDGED)).map_err(refused)?);
        let disk = Self {
            path: path.to_owned(),
            rows,
            file,
            acknowledged,
            outgrown: Arc::new(AtomicI64::new(-1)),
            #[cfg(test)]
            steps: Arc::default(),
        };
        disk.settle().map_err(refused)?;
        Ok(disk)
    }

    /// Syncs everything that lies in sled's directory: what a killed process wrote may not be on the disk yet.
    fn settle(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            File::open(entry?.path())?.sync_all()?;
        }
        self.sync_outgrown()?;
        File::open(&self.path)?.sync_all()
    }

    /// Reads the state and what undo would restore. Phones are read beside all else, which takes about as long.
    pub(super) fn load(&self) -> Result<(Unindexed, Replaced), Unreadable> {
        let of_phones = |kind: &Kind| matches!(kind, Kind::Meta | Kind::Entry | Kind::Phone);
        let (phones, others): (Vec<_>, Vec<_>) = Kind::STATE.into_iter().partition(of_phones);
        let (loader, more) = thread::scope(|scope| {
            let beside = thread::Builder::new().spawn_scoped(scope, || self.load_kinds(&others));
            let loader = self.load_kinds(&phones);
            let more = match beside {
                Ok(beside) => beside.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => self.load_kinds(&others),
            };
            (loader, more)
        });
        let mut loader = loader?;
        loader.join(more?);
        let mut undo = Replaced::new();
        self.scan(Kind::Undo, |key, value| {
            let octets = key[1..].try_into().map_err(BadValue::broken)?;
            let mac = Mac::new(octets).map_err(BadValue::broken)?;
            undo.push((mac, read::<encode::Replaced>(value)?.entry.map(Arc::new)));
            Ok(())
        })?;
        let state = loader.finish().map_err(|bad| self.unreadable(bad))?;
        Ok((state, undo))
    }

    fn load_kinds(&self, kinds: &[Kind]) -> Result<Loader, Unreadable> {
        let mut loader = Loader::default();
        for kind in kinds {
            self.scan(*kind, |key, value| loader.add(key, value))?;
        }
        Ok(loader)
    }

    fn scan(
        &self,
        kind: Kind,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), BadValue>,
    ) -> Result<(), Unreadable> {
        for row in self.rows.scan_prefix([kind.octet()]) {
            let (key, value) = row.map_err(|error| unreadable(&self.path, &error))?;
            each(&key, &value).map_err(|bad| self.unreadable(bad))?;
        }
        Ok(())
    }

    pub(super) fn unreadable(&self, bad: BadValue) -> Unreadable {
        match bad {
            BadValue::Newer(found) => Unreadable::Refused(newer(&self.path, found, SCHEMA)),
            BadValue::Broken(text) => Unreadable::Damaged(text),
        }
    }

    /// Where the rows lie, and the journal beside them.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts rows in place, all or none. They are not durable before [`Disk::barrier`].
    pub(super) fn put(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.rows.apply_batch(batch).map_err(|error| self.fault(error))
    }

    /// Returns once everything put before survives a pulled plug. After an error nothing may be believed durable.
    pub(super) fn barrier(&self) -> Result<(), StoreError> {
        self.step("flush");
        self.rows.flush().map_err(|error| self.fault(error))?;
        self.step("sync outgrown");
        self.sync_outgrown().map_err(|error| self.fault(error))?;
        self.step("sync");
        self.file.sync_data().map_err(|error| self.fault(error))
    }

    /// Notes that a commit is about to be told. Not synced: it is a tripwire, and one that lags gives no alarm.
    pub(super) fn acknowledge(&self, commit: u64) -> Result<(), StoreError> {
        self.acknowledged.write_all_at(&mark(commit), 0).map_err(|error| self.fault(error))
    }

    /// The last commit that was told, as far as it was noted.
    pub(super) fn acknowledged(&self) -> u64 {
        acknowledged(&self.path)
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only tests listen"))]
    fn step(&self, name: &'static str) {
        #[cfg(test)]
        self.steps.lock().unwrap().push(name);
        let _ = name;
    }

    /// Syncs the files of values that outgrew a segment since the last time; mostly there are none.
    fn sync_outgrown(&self) -> io::Result<()> {
        let folder = self.path.join("blobs");
        let known = self.outgrown.load(Ordering::Relaxed);
        let number = |entry: io::Result<fs::DirEntry>| -> Option<i64> {
            entry.ok()?.file_name().to_str()?.parse().ok()
        };
        let new: Vec<i64> =
            fs::read_dir(&folder)?.filter_map(number).filter(|n| *n > known).collect();
        let Some(last) = new.iter().copied().max() else { return Ok(()) };
        for number in new {
            match File::open(folder.join(number.to_string())) {
                Ok(file) => file.sync_all()?,
                // Replaced in the meantime: nobody refers to it any more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        File::open(&folder)?.sync_all()?;
        self.outgrown.store(last, Ordering::Relaxed);
        Ok(())
    }

    fn fault(&self, error: impl ToString) -> StoreError {
        fault(&self.path, error)
    }
}

impl Unreadable {
    /// As an error about the store at `path`, for whoever has nothing to set aside.
    pub(super) fn into_error(self, path: &Path) -> StoreError {
        match self {
            Self::Damaged(text) => fault(path, text),
            Self::Refused(error) => error,
        }
    }
}

/// The store at `path` has a form that is newer than the newest known.
pub(super) fn newer(path: &Path, found: u8, known: u8) -> StoreError {
    StoreError::Newer { path: path.display().to_string(), found, known }
}

/// The last commit that the store at `path` told, as far as it was noted; 0 if that can't be read either.
pub(super) fn acknowledged(path: &Path) -> u64 {
    let noted = fs::read(path.join(ACKNOWLEDGED)).unwrap_or_default();
    noted.try_into().map_or(0, u64::from_be_bytes)
}

fn mark(commit: u64) -> [u8; 8] {
    commit.to_be_bytes()
}

fn open_sled(path: &Path) -> Result<sled::Db, Unreadable> {
    let config = sled::Config::new()
        .path(path)
        .flush_every_ms(None)
        .cache_capacity(CACHE)
        .use_compression(false);
    let patience = Instant::now();
    loop {
        // sled panics at some damaged files where it should return an error.
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()))
            .map_err(|_| Unreadable::Damaged("sled panicked while reading it".to_owned()))?;
        match opened {
            Ok(rows) => return Ok(rows),
            Err(error) if is_lock(&error) && patience.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
}

/// Waits until sled has let go of rows that were dropped. It still writes into their directory by its name, which is
/// somebody else's as soon as they are moved.
pub(super) fn wait_closed(path: &Path) {
    let patience = Instant::now();
    while let Ok(file) = File::open(path.join("db")) {
        if file.try_lock().is_ok() || patience.elapsed() > LOCK_PATIENCE {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// True if sled's own lock is held. It has no kind of its own, only a text.
fn is_lock(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("acquire lock"))
}

fn unreadable(path: &Path, error: &sled::Error) -> Unreadable {
    match error {
        // What the system said has a number; what sled makes up about its files has none.
        sled::Error::Io(io) if io.raw_os_error().is_some() || is_lock(error) => {
            Unreadable::Refused(fault(path, io))
        }
        _ => Unreadable::Damaged(error.to_string()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "goes into `map_err` as it is")]
pub(super) fn fault(path: &Path, error: impl ToString) -> StoreError {
    StoreError::Io { path: path.display().to_string(), text: error.to_string() }
}

/// Makes names in a directory durable: a rename is not until its directory is synced.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| fault(path, error))
}

pub(super) fn remove_all(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(path, error)),
        _ => Ok(()),
    }
}
