//! The one append path: agree, apply, announce.
//!
//! To agree is to append a record to the journal's file and to sync it: a few hundred octets for a lease and its events.
//! The rows get what it has later and in one go ([`compact`]), on another thread, so that commits go on. sled writes 150
//! to 250 KB with each flush, whatever it is for, and takes ten times as long.

mod compact;
#[cfg(test)]
mod contract;
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
    disk::{Disk, PruneCursor, fault},
    encode::Row,
    pending::{Pending, Shelf},
};

pub(super) use writer::{Alone, Compactor, Limits, Writer};

/// Where an event lies in a timeline: the number of its commit, and its place among that commit's changes.
pub type Place = (u64, u32);

/// A page of a timeline, oldest first, with the commit of each event; and where the page before it ends.
pub type Events = (Vec<(u64, Event)>, Option<Place>);

/// The most batches that wait for the writer, but for what came with the last of them. One more is refused at once, with [`CommitError::Busy`]: whoever waits
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

/// Commits that become durable together.
#[derive(Debug)]
pub struct Group {
    pub(super) commits: Vec<Arc<Commit>>,
    /// The number of the journal's file to which they go.
    pub(super) file: u64,
    /// The commits in the journal's form.
    pub(super) record: Vec<u8>,
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
    shelf: Arc<Shelf>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer is asked for.
enum Request {
    /// To make batches fact, each for itself.
    Commit(Vec<Batch>, Reply),
    /// To take the last undoable batch back, if it is that of this commit.
    Undo(Option<u64>, Reply),
    /// To make rows of all that became fact so far.
    Compact(Compacted),
    /// To take note that the compaction up to this file is done.
    Compacted(u64),
    /// To stop.
    Close,
}

type Answer = Result<Option<Arc<Commit>>, CommitError>;
type Answered = oneshot::Receiver<Vec<Answer>>;
/// Takes the answers to all that was asked for in one request.
type Reply = Box<dyn FnOnce(Vec<Answer>) + Send>;
type Compacted = Box<dyn FnOnce(Result<(), String>) + Send>;

impl Journal {
    /// Starts the writer.
    pub(super) fn start(mut writer: Writer) -> Result<Self, StoreError> {
        let (requests, inbox) = mpsc::channel();
        writer.compactor.done = Some(requests.clone());
        let queued = Arc::clone(&writer.queued);
        let fault = Arc::clone(&writer.fault);
        let shelf = Arc::clone(&writer.shelf);
        let thread = std::thread::Builder::new()
            .name("ringup-store".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|error| super::disk::fault("the writer thread".as_ref(), error))?;
        let writer = Mutex::new(Some(thread));
        Ok(Self(Arc::new(Inner { requests, queued, fault, shelf, writer })))
    }

    /// Commits a batch: resolves once it is durable, applied and announced.
    ///
    /// The batch is queued before this returns, so that calls in order become fact in order; dropping the future does
    /// not take the batch back. Batches that arrive while others are synced share the next sync. This never waits: at
    /// most [`MAX_QUEUED`] batches are queued, and one more resolves to [`CommitError::Busy`].
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn commit(
        &self,
        batch: Batch,
    ) -> impl Future<Output = Result<Arc<Commit>, CommitError>> + Send + use<> {
        let answer = self.ask(1, |reply| Request::Commit(vec![batch], reply));
        async move { answered(answer).await.and_then(made) }
    }

    /// Commits batches that came together: each becomes fact or not for itself, in this order, all with one sync and
    /// one answer. Queued or refused as a whole, as [`Journal::commit`] has it.
    ///
    /// # Errors
    ///
    /// [`CommitError`], in the place of the batch that it is about.
    pub fn commit_all(
        &self,
        batches: Vec<Batch>,
    ) -> impl Future<Output = Vec<Result<Arc<Commit>, CommitError>>> + Send + use<> {
        let count = batches.len();
        let asked = (count > 0).then(|| self.ask(count, |reply| Request::Commit(batches, reply)));
        async move {
            let mut answers = match asked {
                None => Vec::new(),
                Some(Ok(answered)) => answered.await.unwrap_or_default(),
                Some(Err(error)) => vec![Err(error); count],
            };
            answers.resize(count, Err(CommitError::Closed));
            answers.into_iter().map(|answer| answer.and_then(made)).collect()
        }
    }

    /// The same as [`Journal::commit`] for a thread that may wait. It must not hold a guard of the view, which the writer
    /// waits for.
    ///
    /// # Errors
    ///
    /// [`CommitError`].
    pub fn commit_blocking(&self, batch: Batch) -> Result<Arc<Commit>, CommitError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let reply = move |made| drop(answer.send(made));
        self.queue(1, |reply| Request::Commit(vec![batch], reply), reply)?;
        only(answered.recv().unwrap_or_default()).and_then(made)
    }

    /// The timeline of one phone, oldest first, at most `limit` events from the end.
    ///
    /// Reads from the rows, on this thread, and what they lack from the journal; the writer goes on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn timeline(&self, phone: Mac, limit: usize) -> Result<Vec<(u64, Event)>, StoreError> {
        self.timeline_before(phone, None, limit).map(|(events, _)| events)
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
        self.0.shelf.timeline_before(phone, before, limit)
    }

    /// Deletes events from before `older_than`, and of a phone that has very many the oldest. Tells how many.
    ///
    /// Goes in steps, between which commits go on; may take seconds on a large store.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn prune(&self, older_than: Timestamp) -> Result<usize, StoreError> {
        // What the rows lack would be too young for them, and uncounted.
        self.compact()?;
        let mut cursor = PruneCursor::default();
        while self.read(|disk| disk.prune(&mut cursor, older_than))? {}
        Ok(cursor.deleted)
    }

    /// Makes rows of all that became fact so far, and waits for it. Commits go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn compact(&self) -> Result<(), StoreError> {
        let (done, waits) = mpsc::sync_channel(1);
        let done = Box::new(move |outcome| drop(done.send(outcome)));
        let failed = |text: String| fault("store".as_ref(), text);
        let closed = || failed(CommitError::Closed.to_string());
        self.0.requests.send(Request::Compact(done)).map_err(|_| closed())?;
        waits.recv().map_err(|_| closed())?.map_err(failed)
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
        let answer = self.ask(1, |reply| Request::Undo(None, reply));
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
        let answer = self.ask(1, |reply| Request::Undo(Some(commit), reply));
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

    /// Reads rows, on this thread. They may lack what the journal has: see [`Journal::lacking`] and
    /// [`Journal::compact`].
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.0.shelf.with(work)
    }

    /// The events that the rows lack, as rows.
    pub(super) fn lacking(&self) -> Result<Vec<Row>, StoreError> {
        let lacking = self.0.shelf.lacking();
        let parts = lacking.leaving.iter().map(|part| &**part).chain([&lacking.since]);
        let rows: Result<_, _> = parts.flat_map(Pending::rows).collect();
        rows.map_err(|bad| fault("journal".as_ref(), bad))
    }

    fn ask(
        &self,
        count: usize,
        request: impl FnOnce(Reply) -> Request,
    ) -> Result<Answered, CommitError> {
        let (answer, answered) = oneshot::channel();
        // Whoever dropped the future is not told; the batch becomes fact all the same.
        self.queue(count, request, move |made| drop(answer.send(made)))?;
        Ok(answered)
    }

    fn queue(
        &self,
        count: usize,
        request: impl FnOnce(Reply) -> Request,
        reply: impl FnOnce(Vec<Answer>) + Send + 'static,
    ) -> Result<(), CommitError> {
        if self.0.queued.fetch_add(count, Ordering::Relaxed) >= MAX_QUEUED {
            self.0.queued.fetch_sub(count, Ordering::Relaxed);
            return Err(CommitError::Busy);
        }
        let request = request(Box::new(reply));
        self.0.requests.send(request).map_err(|_| CommitError::Closed)
    }
}

async fn answered(queued: Result<Answered, CommitError>) -> Answer {
    only(queued?.await.unwrap_or_default())
}

/// The answer to the only thing that was asked for.
fn only(mut answers: Vec<Answer>) -> Answer {
    answers.pop().unwrap_or(Err(CommitError::Closed))
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
