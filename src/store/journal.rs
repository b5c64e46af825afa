//! The one append path: agree, apply, announce.

use std::{future::Future, sync::Arc};

use crate::domain::{Batch, Claim, Commit, Event, Mac};

use super::StoreError;

/// Why a batch did not become fact.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// Something that the batch claimed is held by somebody else. Nothing of the batch became fact.
    #[error("{0:?} is taken")]
    Taken(Claim),
    /// The disk failed; the store takes nothing more (a failed fsync is final).
    #[error("the store can't write: {0}")]
    Store(String),
    /// The journal has been closed.
    #[error("the store is closing")]
    Closed,
}

/// Makes a group of encoded commits durable: the only difference between one appliance and many.
pub trait Agreement: Send {
    /// Returns once all of `commits` will survive a pulled plug, in this order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]: none of them may be called fact, and the store is dead from here on.
    fn agree(&mut self, commits: &[Arc<Commit>]) -> Result<(), StoreError>;
}

/// The way in for everything that becomes fact. Cheap to clone; one writer thread behind it.
#[derive(Clone, Debug)]
pub struct Journal {}

impl Journal {
    /// Commits a batch: resolves once it is durable, applied and announced.
    ///
    /// The batch is queued before this returns, so that calls in order become fact in order; dropping the future does
    /// not take the batch back. Batches that arrive within 2 ms of each other share one sync.
    pub fn commit(
        &self,
        batch: Batch,
    ) -> impl Future<Output = Result<Arc<Commit>, CommitError>> + Send + use<> {
        let _ = batch;
        async { unimplemented!() }
    }

    /// The same for a thread that may wait.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn commit_blocking(&self, batch: Batch) -> Result<Arc<Commit>, CommitError> {
        let _ = batch;
        unimplemented!()
    }

    /// The timeline of one phone, oldest first, at most `limit` events from the end.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn timeline(&self, phone: Mac, limit: usize) -> Result<Vec<(u64, Event)>, StoreError> {
        let _ = (phone, limit);
        unimplemented!()
    }

    /// Takes the last undoable batch back, as a commit of its own. `None` if there is nothing to undo.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn undo(
        &self,
    ) -> impl Future<Output = Result<Option<Arc<Commit>>, CommitError>> + Send + use<> {
        async { unimplemented!() }
    }

    /// Commits what is queued, syncs and stops the writer.
    pub fn close(&self) {
        unimplemented!()
    }
}
