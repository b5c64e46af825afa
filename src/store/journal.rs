//! The one append path: agree, apply, announce.

#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use crate::domain::{Batch, Claim, Commit, Event, Mac, Timestamp};

use super::{
    StoreError,
    disk::{Disk, PruneCursor},
    encode::Row,
};

pub(super) use writer::{Alone, Writer};

/// Where an event lies in a timeline: the number of its commit, and its place among that commit's changes.
pub type Place = (u64, u32);

/// A page of a timeline, oldest first, with the commit of each event; and where the page before it ends.
pub type Events = (Vec<(u64, Event)>, Option<Place>);

/// The most batches that wait for the writer. One more is refused at once, with [`CommitError::Busy`]: whoever waits
/// for its commits never gets there, and a DHCP server that does is better silent, because phones ask again.
pub const MAX_QUEUED: usize = 65_536;

/// Why a batch did not become fact.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommitError {
    /// Something that the batch claimed is held by somebody else. Nothing of the batch became fact.
    #[error("{0:?} is taken")]
    Taken(Claim),
    /// The disk failed; the store takes nothing more (a failed fsync is final).
    #[error("the store can't write: {0}")]
    Store(String),
    /// [`MAX_QUEUED`] batches wait already. Try again later.
    #[error("the store is {MAX_QUEUED} batches behind")]
    Busy,
    /// What was to be taken back is not the last undoable batch any more. Nothing was taken back.
    #[error("something else that can be taken back was done since, or ringup was restarted")]
    NotTheLast,
    /// The journal has been closed.
    #[error("the store is closing")]
    Closed,
}

/// Commits that become durable together, with the rows that they put in place.
#[derive(Debug)]
pub struct Group {
    pub(super) commits: Vec<Arc<Commit>>,
    pub(super) rows: Vec<Row>,
    /// Phones whose timeline goes, before the rows are put in place.
    pub(super) wiped: Vec<Mac>,
}

impl Group {
    /// The commits in order.
    #[must_use]
    pub fn commits(&self) -> &[Arc<Commit>] {
        &self.commits
    }
}

/// Makes a group of commits durable: the only difference between one appliance and many.
pub trait Agreement: Send {
    /// Returns once all commits of the group will survive a pulled plug, in this order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]: none of them may be called fact, and the store is dead from here on.
    fn agree(&mut self, group: &Group) -> Result<(), StoreError>;
}

/// The way in for everything that becomes fact. Cheap to clone; one writer thread behind it.
///
/// When the last clone goes, the journal closes by itself.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

struct Inner {
    requests: mpsc::Sender<Request>,
    queued: Arc<AtomicUsize>,
    fault: Arc<OnceLock<String>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer is asked for.
enum Request {
    /// To make a batch fact.
    Commit(Batch, Reply),
    /// To take the last undoable batch back, if it is that of this commit.
    Undo(Option<u64>, Reply),
    /// To do something with the disk between two groups.
    Disk(Box<dyn FnOnce(&Disk) + Send>),
    /// To stop.
    Close,
}

type Answer = Result<Option<Arc<Commit>>, CommitError>;
type Answered = oneshot::Receiver<Answer>;
type Reply = Box<dyn FnOnce(Answer) + Send>;

impl Journal {
    /// Starts the writer.
    pub(super) fn start(writer: Writer) -> Result<Self, StoreError> {
        let (requests, inbox) = mpsc::channel();
        let queued = Arc::clone(&writer.queued);
        let fault = Arc::clone(&writer.fault);
        let thread = std::thread::Builder::new()
            .name("ringup-store".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|error| super::disk::fault("the writer thread".as_ref(), error))?;
        let writer = Mutex::new(Some(thread));
        Ok(Self(Arc::new(Inner { requests, queued, fault, writer })))
    }

    /// Commits a batch: resolves once it is durable, applied and announced.
    ///
    /// The batch is queued before this returns, so that calls in order become fact in order; dropping the future does
    /// not take the batch back. Batches that arrive within 2 ms of each other share one sync. This never waits: at
    /// most [`MAX_QUEUED`] batches are queued, and one more resolves to [`CommitError::Busy`].
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn commit(
        &self,
        batch: Batch,
    ) -> impl Future<Output = Result<Arc<Commit>, CommitError>> + Send + use<> {
        let answer = self.ask(|reply| Request::Commit(batch, reply));
        async move { answered(answer).await.and_then(made) }
    }

    /// Commits batches that came together: each becomes fact or not for itself, in this order.
    ///
    /// # Errors
    ///
    /// [`CommitError`], in the place of the batch that it is about.
    pub fn commit_all(
        &self,
        batches: Vec<Batch>,
    ) -> impl Future<Output = Vec<Result<Arc<Commit>, CommitError>>> + Send + use<> {
        let made: Vec<_> = batches.into_iter().map(|batch| self.commit(batch)).collect();
        async move {
            let mut facts = Vec::with_capacity(made.len());
            for one in made {
                facts.push(one.await);
            }
            facts
        }
    }

    /// The same for a thread that may wait. It must not hold a guard of the view, which the writer waits for.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn commit_blocking(&self, batch: Batch) -> Result<Arc<Commit>, CommitError> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.queue(|reply| Request::Commit(batch, reply), move |made| drop(answer.send(made)))?;
        answered.recv().unwrap_or(Err(CommitError::Closed)).and_then(made)
    }

    /// The timeline of one phone, oldest first, at most `limit` events from the end.
    ///
    /// Waits for the group that is being written, a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn timeline(&self, phone: Mac, limit: usize) -> Result<Vec<(u64, Event)>, StoreError> {
        self.with_disk(move |disk| disk.timeline(phone, limit))
    }

    /// A page of the timeline of one phone, oldest first: at most `limit` events from before a place, else from the end;
    /// and the place from which the page before it ends, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn timeline_before(
        &self,
        phone: Mac,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Events, StoreError> {
        self.with_disk(move |disk| disk.timeline_before(phone, before, limit))
    }

    /// Deletes events from before `older_than`, and of a phone that has very many the oldest. Tells how many.
    ///
    /// Goes in steps, between which commits go on; may take seconds on a large store.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn prune(&self, older_than: Timestamp) -> Result<usize, StoreError> {
        let mut cursor = PruneCursor::default();
        loop {
            let mut next = cursor.clone();
            let (more, reached) = self.with_disk(move |disk| {
                let more = disk.prune(&mut next, older_than)?;
                Ok((more, next))
            })?;
            cursor = reached;
            if !more {
                return Ok(cursor.deleted);
            }
        }
    }

    /// Takes the last undoable batch back, as a commit of its own. `None` if there is nothing to undo.
    ///
    /// Every entry that the batch added, changed or removed is as it was before, later edits of it included.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn undo(
        &self,
    ) -> impl Future<Output = Result<Option<Arc<Commit>>, CommitError>> + Send + use<> {
        let answer = self.ask(|reply| Request::Undo(None, reply));
        answered(answer)
    }

    /// The same, but only if that batch is still the one of this commit: nobody means to take back what somebody else
    /// did a moment ago. Which commit it was is not known after a restart.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn undo_of(
        &self,
        commit: u64,
    ) -> impl Future<Output = Result<Option<Arc<Commit>>, CommitError>> + Send + use<> {
        let answer = self.ask(|reply| Request::Undo(Some(commit), reply));
        answered(answer)
    }

    /// What made the store take nothing more, if something did: an operator must look at it.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.0.fault.get().map(String::as_str)
    }

    /// Commits what is queued, syncs and stops the writer. Later commits resolve to [`CommitError::Closed`].
    pub fn close(&self) {
        self.0.close();
    }

    /// Has the writer do something with the disk between two groups, and waits for the result.
    pub(super) fn with_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let work = Box::new(move |disk: &Disk| drop(answer.send(work(disk))));
        let closed = || super::disk::fault("store".as_ref(), CommitError::Closed);
        self.0.requests.send(Request::Disk(work)).map_err(|_| closed())?;
        answered.recv().unwrap_or_else(|_| Err(closed()))
    }

    fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<Answered, CommitError> {
        let (answer, answered) = oneshot::channel();
        // Whoever dropped the future is not told; the batch becomes fact all the same.
        self.queue(request, move |made| drop(answer.send(made)))?;
        Ok(answered)
    }

    fn queue(
        &self,
        request: impl FnOnce(Reply) -> Request,
        reply: impl FnOnce(Answer) + Send + 'static,
    ) -> Result<(), CommitError> {
        if self.0.queued.fetch_add(1, Ordering::Relaxed) >= MAX_QUEUED {
            self.0.queued.fetch_sub(1, Ordering::Relaxed);
            return Err(CommitError::Busy);
        }
        let request = request(Box::new(reply));
        self.0.requests.send(request).map_err(|_| CommitError::Closed)
    }
}

async fn answered(queued: Result<Answered, CommitError>) -> Answer {
    queued?.await.unwrap_or(Err(CommitError::Closed))
}

/// A batch that became fact always has a commit; only undo may find nothing to do.
fn made(commit: Option<Arc<Commit>>) -> Result<Arc<Commit>, CommitError> {
    commit.ok_or(CommitError::Closed)
}

impl Inner {
    fn close(&self) {
        // A writer that has stopped already takes no request.
        let _ = self.requests.send(Request::Close);
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("queued", &self.queued)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}
