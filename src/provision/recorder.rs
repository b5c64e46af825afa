//! Progress reports on their way to the journal: batched, bounded, and dropped before they would stall a boot.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout_at,
};

use crate::{
    domain::{Asked, Batch, Change, Event, Mac, Outcome, Role, Timestamp, What},
    store::{CommitError, Journal},
    telemetry::Counters,
};

use super::Opened;

/// How many reports may wait.
const QUEUE: usize = 16_384;

/// How many wakes may wait; whoever drains waits for room.
const WAKES: usize = 16;

/// The most reports in one commit.
const BATCH: usize = 256;

/// How long the first report of a commit waits for others.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often a batch is offered to a store that is behind, [`PATIENCE`] apart; then it is lost, as what would have queued
/// up behind it.
const MAX_TRIES: usize = 100;

/// How often a running transfer is reported.
const PROGRESS: Duration = Duration::from_secs(1);

/// Takes progress reports without ever waiting.
///
/// At most 16,384 wait at a time; one more is dropped and counted, because losing a progress report is better than
/// stalling a boot. Leases and inventory edits never go this way, but `Service::commit` sends ahead of them what
/// waits here, so that facts keep the order in which they came about.
#[derive(Clone, Debug)]
pub struct Recorder {
    waiting: Arc<Mutex<VecDeque<Change>>>,
    wake: mpsc::Sender<Wake>,
    counters: Counters,
}

/// Why the recorder's task is woken.
#[derive(Debug)]
enum Wake {
    /// Something waits.
    Reports,
    /// Answered once all that waited before it is fact.
    Drain(oneshot::Sender<()>),
}

impl Recorder {
    /// A recorder, and the task that carries its reports to the journal until the last clone of it is gone.
    pub fn new(journal: Journal, counters: Counters) -> (Self, impl Future<Output = ()> + Send) {
        Self::with(move |batch| journal.commit(batch), counters)
    }

    fn with<C, F, T>(commit: C, counters: Counters) -> (Self, impl Future<Output = ()> + Send)
    where
        C: FnMut(Batch) -> F + Send,
        F: Future<Output = Result<T, CommitError>> + Send,
        T: Send,
    {
        let (wake, wakes) = mpsc::channel(WAKES);
        let waiting = Arc::default();
        let recorder = Self { waiting: Arc::clone(&waiting), wake, counters: counters.clone() };
        (recorder, carry(waiting, wakes, commit, counters))
    }

    /// Queues one change; drops it if the journal is that far behind.
    pub fn record(&self, change: Change) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() == QUEUE {
            self.counters.count("recorder", "dropped");
            tracing::debug!("recorder is behind: report dropped");
            return;
        }
        waiting.push_back(change);
        if matches!(waiting.len(), 1 | BATCH) {
            // A task that is full of wakes is awake.
            let _ = self.wake.try_send(Wake::Reports);
        }
    }

    /// Takes what waits, in batches, for somebody whose own commit has to come after it.
    pub(super) fn take(&self) -> Vec<Batch> {
        let mut waiting = lock(&self.waiting);
        std::iter::from_fn(|| next(&mut waiting)).collect()
    }

    /// Waits until all that was queued so far is fact, or lost because the store is.
    pub async fn drain(&self) {
        let (done, drained) = oneshot::channel();
        if self.wake.send(Wake::Drain(done)).await.is_ok() {
            // An error means that the task has ended, and the queue with it.
            let _ = drained.await;
        }
    }

    /// Records what happened to a phone.
    pub(super) fn happened(&self, phone: Mac, at: Timestamp, what: What) {
        self.record(Change::Happened(phone, Event { at, what }));
    }
}

/// What waits. Who panicked while holding the lock has pushed or taken whole changes only.
fn lock(waiting: &Mutex<VecDeque<Change>>) -> MutexGuard<'_, VecDeque<Change>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next batch of what waits.
fn next(waiting: &mut VecDeque<Change>) -> Option<Batch> {
    let changes: Vec<Change> = waiting.drain(..waiting.len().min(BATCH)).collect();
    (!changes.is_empty()).then(|| changes.into())
}

/// Carries reports to the journal in order. Dropping it loses what is queued and nothing else.
async fn carry<C, F, T>(
    waiting: Arc<Mutex<VecDeque<Change>>>,
    mut wakes: mpsc::Receiver<Wake>,
    mut commit: C,
    counters: Counters,
) where
    C: FnMut(Batch) -> F,
    F: Future<Output = Result<T, CommitError>>,
{
    while let Some(wake) = wakes.recv().await {
        let drained = match wake {
            Wake::Drain(drained) => Some(drained),
            Wake::Reports => linger(&waiting, &mut wakes).await,
        };
        loop {
            let Some(batch) = next(&mut lock(&waiting)) else { break };
            let count = batch.changes.len();
            if let Err(error) = patiently(&mut commit, batch).await {
                counters.count("recorder", "lost");
                tracing::debug!(count, %error, "reports lost");
            }
        }
        if let Some(drained) = drained {
            // Whoever waited may have gone; the reports are fact all the same.
            let _ = drained.send(());
        }
    }
}

/// Commits a batch, as often as it takes a busy store to have room for it.
async fn patiently<C, F, T>(commit: &mut C, batch: Batch) -> Result<T, CommitError>
where
    C: FnMut(Batch) -> F,
    F: Future<Output = Result<T, CommitError>>,
{
    for _ in 1..MAX_TRIES {
        match commit(batch.clone()).await {
            Err(CommitError::Busy) => tokio::time::sleep(PATIENCE).await,
            done => return done,
        }
    }
    commit(batch).await
}

/// Waits for company until a batch is full, the patience of its first report is over, or somebody waits for it.
async fn linger(
    waiting: &Mutex<VecDeque<Change>>,
    wakes: &mut mpsc::Receiver<Wake>,
) -> Option<oneshot::Sender<()>> {
    let until = tokio::time::Instant::now() + PATIENCE;
    while lock(waiting).len() < BATCH {
        // Receiving is cancel-safe: a wake that the timeout cuts off stays in the channel.
        match timeout_at(until, wakes.recv()).await {
            Ok(Some(Wake::Drain(drained))) => return Some(drained),
            Ok(Some(Wake::Reports)) => {}
            Ok(None) | Err(_) => break,
        }
    }
    None
}

/// One transfer's report: made when the file is opened, sent exactly once, when it is dropped.
#[derive(Debug)]
pub struct Delivery {
    recorder: Recorder,
    phone: Option<Mac>,
    asked: Asked,
    length: u64,
    etag: String,
    source: String,
    abort_is_normal: bool,
    bytes: u64,
    told: Instant,
    outcome: Outcome,
}

impl Delivery {
    /// Reports that a file is on its way.
    pub(super) fn begin(recorder: Recorder, opened: &Opened, now: Timestamp) -> Self {
        let (asked, length) = (opened.asked.clone(), opened.length);
        if let Some(phone) = opened.phone {
            recorder.happened(phone, now, What::Opened { asked: asked.clone(), length });
        }
        Self {
            recorder,
            phone: opened.phone,
            asked,
            length,
            etag: opened.etag.clone(),
            source: opened.source.clone(),
            abort_is_normal: opened.abort_is_normal,
            bytes: 0,
            told: Instant::now(),
            outcome: Outcome::Aborted { text: String::new() },
        }
    }

    /// How many bytes arrived for certain so far. Reports firmware progress at most once a second.
    pub fn advance(&mut self, bytes: u64) {
        self.bytes = bytes;
        let Some(phone) = self.phone.filter(|_| self.asked.role == Role::Firmware) else { return };
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            let (name, length) = (self.asked.name.clone(), self.length);
            self.recorder.happened(phone, Timestamp::now(), What::Progress { name, bytes, length });
        }
    }

    /// Sets how it ended and reports it. A delivery that is dropped without this was aborted by the phone.
    pub fn finish(mut self, outcome: Outcome) {
        if outcome == Outcome::Complete {
            self.bytes = self.length;
        }
        self.outcome = outcome;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Outcome::Complete);
        tracing::debug!(name = %self.asked.name, bytes = self.bytes, %outcome, "transfer ended");
        self.recorder.counters.count("transfer", outcome.as_str());
        let Some(phone) = self.phone else { return };
        let normal = self.abort_is_normal && matches!(outcome, Outcome::Aborted { .. });
        let what = What::Ended {
            asked: self.asked.clone(),
            bytes: self.bytes,
            length: self.length,
            outcome,
            etag: std::mem::take(&mut self.etag),
            normal,
            source: std::mem::take(&mut self.source),
        };
        self.recorder.happened(phone, Timestamp::now(), what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recorder whose commits land in a list of batch sizes and a list of changes.
    type Committed = Arc<Mutex<Vec<Vec<Change>>>>;

    fn recorder(
        counters: &Counters,
    ) -> (Recorder, impl Future<Output = ()> + Send + use<>, Committed) {
        let committed = Committed::default();
        let into = Arc::clone(&committed);
        let commit = move |batch: Batch| {
            into.lock().unwrap().push(batch.changes);
            async { Ok::<(), CommitError>(()) }
        };
        let (recorder, task) = Recorder::with(commit, counters.clone());
        (recorder, task, committed)
    }

    fn mac(number: u16) -> Mac {
        let [a, b] = number.to_be_bytes();
        Mac::new([0, 0x15, 0x65, 0, a, b]).unwrap()
    }

    fn opened(role: Role) -> Opened {
        Opened {
            body: super::super::Body::Bytes(Arc::from(&b"0123456789"[..])),
            length: 10,
            etag: "tag".to_owned(),
            phone: Some(mac(1)),
            asked: Asked {
                name: "a.cfg".to_owned(),
                carrier: crate::domain::Carrier::Tftp,
                role,
                required: None,
                first: false,
            },
            abort_is_normal: true,
            tftp: crate::profile::TransferRule::default(),
            source: String::new(),
            seals: None,
            grounds: Vec::new(),
            seat: None,
            there: None,
            admit: None,
        }
    }

    #[tokio::test]
    async fn reports_travel_in_order_and_in_batches() {
        let (recorder, task, committed) = recorder(&Counters::default());
        tokio::spawn(task);
        for number in 0..600 {
            recorder.record(Change::Unlisted(mac(number)));
        }
        recorder.drain().await;
        let committed = committed.lock().unwrap();
        assert_eq!(committed.iter().map(Vec::len).collect::<Vec<_>>(), [256, 256, 88]);
        let order: Vec<_> = committed.iter().flatten().filter_map(Change::phone).collect();
        assert_eq!(order, (0..600).map(mac).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_waits_can_be_sent_ahead() {
        let (recorder, task, committed) = recorder(&Counters::default());
        tokio::spawn(task);
        (0..300).for_each(|number| recorder.record(Change::Unlisted(mac(number))));
        let sizes: Vec<_> = recorder.take().iter().map(|batch| batch.changes.len()).collect();
        recorder.drain().await;
        assert_eq!((sizes, committed.lock().unwrap().len()), (vec![256, 44], 0));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_dropped_and_counted() {
        let counters = Counters::default();
        let (recorder, _task_that_never_runs, _) = recorder(&counters);
        for number in 0..16_384 + 7 {
            recorder.record(Change::Unlisted(mac(number)));
        }
        assert_eq!(counters.value("recorder", "dropped"), 7);
    }

    #[tokio::test]
    async fn a_transfer_ends_exactly_once() {
        let (recorder, task, committed) = recorder(&Counters::default());
        tokio::spawn(task);
        let begin = || Delivery::begin(recorder.clone(), &opened(Role::Own), Timestamp::UNIX_EPOCH);
        drop(begin());
        begin().finish(Outcome::Complete);
        let mut stalled = begin();
        stalled.advance(4);
        stalled.finish(Outcome::TimedOut);
        recorder.drain().await;
        let committed = committed.lock().unwrap();
        let told: Vec<_> = committed
            .iter()
            .flatten()
            .map(|change| match change {
                Change::Happened(_, Event { what: What::Ended { normal, .. }, .. }) if *normal => {
                    "normal abort".to_owned()
                }
                Change::Happened(_, event) => event.what.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        let asked = "asked for a.cfg by TFTP";
        let timed_out = "a.cfg: timed out after 4 of 10 bytes";
        assert_eq!(told, [asked, "normal abort", asked, "has a.cfg (10 bytes)", asked, timed_out]);
    }
}
