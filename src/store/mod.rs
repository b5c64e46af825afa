//! State, journal, feed and backup: the only module that names sled.
//!
//! A state directory has `store/`: sled's rows, and beside them the journal's files with what became fact since. Readers
//! have all of it in memory.

mod backup;
mod disk;
mod encode;
mod feed;
mod journal;
mod log;
mod open;
mod pending;
mod replay;
mod rewrite;
mod state;

pub use backup::{Checked, Restored, Size, check, restore, size};
pub use feed::Feed;
pub use journal::{Agreement, CommitError, Events, Group, Journal, MAX_QUEUED, Place};
pub use rewrite::{Compacted, compact};
pub use state::{Phone, State, View};

use std::path::Path;

/// Why a store can't be opened, saved or restored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock.
    #[error("{path} is in use by another ringup{}; talk to it instead, or stop it first", by(*process))]
    Locked {
        /// The state directory.
        path: String,
        /// That process, where it is known.
        process: Option<u32>,
    },
    /// Written by a newer ringup.
    #[error("{path} was written by a newer ringup (schema {found}, this one knows {known})")]
    Newer {
        /// The state directory.
        path: String,
        /// What it says.
        found: u8,
        /// What this binary knows.
        known: u8,
    },
    /// The disk said no.
    #[error("{path}: {text}")]
    Io {
        /// Where.
        path: String,
        /// What the system said.
        text: String,
    },
    /// The state directory is somebody else's.
    #[error(
        "{path}: permission denied; use `sudo`, or name a directory of your own as [appliance] state"
    )]
    Denied {
        /// Where.
        path: String,
    },
    /// A backup that is not one, or not whole.
    #[error("{path} is not a whole backup: {text}")]
    BadBackup {
        /// The file.
        path: String,
        /// What is wrong with it.
        text: String,
    },
    /// A backup is restored into an empty directory only.
    #[error("{path} holds a store already; move it away, or name another state directory")]
    NotEmpty {
        /// The state directory.
        path: String,
    },
}

fn by(process: Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(" (process {process})"))
}

/// An open store: one directory, one writer, one lock.
#[derive(Debug)]
pub struct Store {
    /// What is fact, in memory, for readers.
    pub view: View,
    /// The way in.
    pub journal: Journal,
    /// News of commits.
    pub feed: Feed,
    /// Where a store that could not be opened was set aside, if that happened now.
    pub set_aside: Option<std::path::PathBuf>,
}

impl Store {
    /// Opens the state directory, making it if absent. A store that can't be read is moved aside whole and reported.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`], [`StoreError::Newer`] and [`StoreError::Io`].
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        open::open(directory, journal::Limits::default())
    }

    /// Writes all that is fact, the timelines too, as one text that [`restore`] takes. The appliance goes on meanwhile.
    ///
    /// Passwords are in it as they are: whoever makes the file makes it for its owner only ([`Store::backup_file`] does).
    /// What `undo` would take back is not in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn backup(&self, to: &mut dyn std::io::Write) -> Result<(), StoreError> {
        backup::write(&self.view, &self.journal, to)
    }

    /// The same into a new file with mode 0600, synced.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], also if the file is there already.
    pub fn backup_file(&self, path: &Path) -> Result<(), StoreError> {
        backup::write_file(&self.view, &self.journal, path)
    }
}
