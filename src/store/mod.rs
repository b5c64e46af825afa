//! State, journal, feed and backup: the only module that names sled.

mod feed;
mod journal;
mod state;

pub use feed::Feed;
pub use journal::{Agreement, CommitError, Journal};
pub use state::{Phone, State, View};

use std::path::Path;

/// Why a store can't be opened, saved or restored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock.
    #[error("{path} is in use by another ringup; talk to it instead, or stop it first")]
    Locked {
        /// The state directory.
        path: String,
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
    /// A backup that is not one, or not whole.
    #[error("{path} is not a whole backup: {text}")]
    BadBackup {
        /// The file.
        path: String,
        /// What is wrong with it.
        text: String,
    },
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
        let _ = directory;
        unimplemented!()
    }
}
