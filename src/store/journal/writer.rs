//! The writer: one thread that makes facts, a group of batches at a time, and sees to it that they become rows.

use std::{
    fs::File,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    thread::JoinHandle,
    time::Duration,
};

use crate::{
    domain::{Batch, Change, Commit, Mac},
    store::{
        Feed, State, StoreError, View,
        disk::{Disk, fault},
        encode::{BadValue, Spots, Undoes, write_commit},
        log::Log,
        pending::Shelf,
        state::{Patch, Replaced},
    },
};

use super::{
    Agreement, Answer, CommitError, Compacted, Group, Reply, Request, compact::Compaction,
};

/// The most batches in a group, but for those that came together.
const MAX_GROUP: usize = 1024;

/// When the journal is compacted.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Limits {
    /// At this many octets, whatever else goes on. Memory and the time to start go with it.
    pub(in crate::store) most: usize,
    /// From this many octets on when nothing goes on. What is less is not worth rewriting sled's pages for: each flush
    /// writes 150 KB at least, so a phone that renews now and then would cost a thousand times what it says.
    pub(in crate::store) worth: usize,
    /// For so long.
    pub(in crate::store) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most: 64 << 20, worth: 1 << 20, idle: Duration::from_secs(1) }
    }
}

/// One appliance: its own disk is enough.
#[derive(Debug)]
pub(in crate::store) struct Alone {
    disk: Disk,
    log: Log,
}

impl Alone {
    pub(in crate::store) fn new(disk: Disk) -> Self {
        let log = Log::new(disk.path());
        Self { disk, log }
    }
}

impl Agreement for Alone {
    fn agree(&mut self, group: &Group) -> Result<(), StoreError> {
        self.log.append(group.file, &group.record)?;
        group.commits.last().map_or(Ok(()), |last| self.disk.acknowledge(last.number))
    }
}

/// The writer and all that it owns.
pub(in crate::store) struct Writer {
    pub(in crate::store) view: View,
    pub(in crate::store) feed: Feed,
    pub(in crate::store) agreement: Box<dyn Agreement>,
    pub(in crate::store) shelf: Arc<Shelf>,
    pub(in crate::store) limits: Limits,
    pub(in crate::store) undo: Replaced,
    /// Whose undo is among the rows.
    pub(in crate::store) undo_rows: Vec<Mac>,
    /// The commit that undo would take back; `None` where it was made before the last start.
    pub(in crate::store) undoes: Option<u64>,
    /// Held as long as the rows are open.
    pub(in crate::store) lock: File,
    pub(in crate::store) queued: Arc<AtomicUsize>,
    /// Why the store takes nothing more.
    pub(in crate::store) fault: Arc<OnceLock<String>>,
    pub(in crate::store) compactor: Compactor,
}

/// The compaction that runs, and who waits for the next.
#[derive(Default)]
pub(in crate::store) struct Compactor {
    /// The last file of the journal that it takes, and its thread.
    running: Option<(u64, JoinHandle<()>)>,
    waiting: Vec<Compacted>,
    /// The way back to the writer.
    pub(super) done: Option<Sender<Request>>,
}

/// What callers wish.
enum Wanted {
    /// A batch to be fact.
    Fact(Batch),
    /// The last undoable one taken back, if it is still this one.
    Undo(Option<u64>),
}

type Wish = (Vec<Wanted>, Reply);

/// A group in the making.
#[derive(Default)]
struct Draft {
    patch: Patch,
    commits: Vec<Arc<Commit>>,
    answers: Vec<(Reply, Vec<Answer>)>,
    record: Vec<u8>,
    spots: Spots,
    /// True if undo would take back something else than before.
    undo: bool,
}

impl Writer {
    /// Serves requests until told to stop, or until nobody is left to make any.
    pub(super) fn run(mut self, inbox: &Receiver<Request>) {
        let mut next = self.wait(inbox);
        while let Some(request) = next.take() {
            match request {
                Request::Close => break,
                Request::Compact(done) => {
                    self.compactor.waiting.push(done);
                    if self.compactor.running.is_none() {
                        self.compact();
                    }
                }
                Request::Compacted(file) => {
                    if self.compactor.running.as_ref().is_some_and(|(of, _)| *of == file) {
                        self.finish();
                        if !self.compactor.waiting.is_empty() {
                            self.compact();
                        }
                    }
                }
                wish => next = self.serve(wish, inbox),
            }
            if next.is_none() {
                next = self.wait(inbox);
            }
        }
        self.finish();
        self.compact();
        self.finish();
        self.close();
    }

    /// The next request. A journal that is worth it is compacted when none comes.
    fn wait(&mut self, inbox: &Receiver<Request>) -> Option<Request> {
        let worth = self.shelf.lacking().since.size() >= self.limits.worth;
        if worth && self.compactor.running.is_none() && self.fault.get().is_none() {
            match inbox.recv_timeout(self.limits.idle) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.compact(),
            }
        }
        inbox.recv().ok()
    }

    /// The rows are closed before the lock goes.
    fn close(self) {
        let Self { agreement, shelf: rows, lock, fault, .. } = self;
        let disk = rows.close();
        if fault.get().is_some() {
            // sled's last flush would wait for ever for what it could not write. What it has written is on the disk.
            mem::forget((agreement, disk));
        } else {
            drop((agreement, disk));
        }
        drop(lock);
    }

    /// Makes a group of what waits already: while one group is synced the next one gathers. Returns the request that
    /// ended the group, if one did.
    fn serve(&mut self, first: Request, inbox: &Receiver<Request>) -> Option<Request> {
        let (mut group, mut count) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(request) = next.take() {
            let (wanted, reply) = match request {
                Request::Commit(batches, reply) => {
                    (batches.into_iter().map(Wanted::Fact).collect::<Vec<_>>(), reply)
                }
                Request::Undo(of, reply) => (vec![Wanted::Undo(of)], reply),
                other => {
                    next = Some(other);
                    break;
                }
            };
            count += wanted.len();
            group.push((wanted, reply));
            if count < MAX_GROUP {
                next = inbox.try_recv().ok();
            }
        }
        self.queued.fetch_sub(count, Ordering::Relaxed);
        self.settle(group);
        if self.shelf.lacking().since.size() >= self.limits.most {
            // Two journals at most: what comes faster than it can become rows waits here.
            self.finish();
            self.compact();
        }
        next
    }

    /// Makes a group fact, or nothing of it.
    fn settle(&mut self, wishes: Vec<Wish>) {
        if let Some(fault) = self.fault.get() {
            let replies = wishes.into_iter().map(|(wanted, reply)| (reply, wanted.len()));
            return refuse(replies, fault);
        }
        let view = self.view.clone();
        let mut draft = Draft::default();
        let drafted = {
            // Readers go on while the group is worked out. The only writer is this thread.
            let state = view.read();
            wishes.into_iter().try_for_each(|(wanted, reply)| {
                draft.answers.push((reply, Vec::with_capacity(wanted.len())));
                let mut undo = (&mut self.undo, &mut self.undoes);
                wanted.into_iter().try_for_each(|one| draft.take_in(&state, one, &mut undo))
            })
        };
        let made = drafted.map_err(|bad| bad.to_string()).and_then(|()| self.agree(&mut draft));
        if let Err(fault) = made {
            tracing::error!(%fault, "the store can't write and takes nothing more");
            // Set first: whoever is refused may look at once why.
            let fault = self.fault.get_or_init(|| fault);
            let replies = draft.answers.into_iter().map(|(reply, answers)| (reply, answers.len()));
            return refuse(replies, fault);
        }
        if !draft.commits.is_empty() {
            let mut lacking = self.shelf.lacking();
            lacking.since.add(&draft.record, &draft.spots, &draft.patch);
            lacking.since.undo |= draft.undo;
            drop(lacking);
            view.install(draft.patch);
        }
        draft.commits.into_iter().for_each(|commit| self.feed.announce(commit));
        draft.answers.into_iter().for_each(|(reply, answers)| reply(answers));
    }

    fn agree(&mut self, draft: &mut Draft) -> Result<(), String> {
        if draft.commits.is_empty() {
            return Ok(());
        }
        let file = self.shelf.lacking().since.file;
        let (commits, record) = (draft.commits.clone(), mem::take(&mut draft.record));
        let group = Group { commits, file, record };
        // A panic below would leave every caller waiting and nobody told.
        let agreed = match catch_unwind(AssertUnwindSafe(|| self.agreement.agree(&group))) {
            Ok(agreed) => agreed.map_err(|error| error.to_string()),
            Err(_) => Err("the disk layer panicked".to_owned()),
        };
        draft.record = group.record;
        agreed
    }

    /// Starts to make rows of all that the journal has. None may be running.
    fn compact(&mut self) {
        let waiting = mem::take(&mut self.compactor.waiting);
        if let Some(text) = self.fault.get() {
            return waiting.into_iter().for_each(|done| done(Err(text.clone())));
        }
        let mut lacking = self.shelf.lacking();
        if lacking.since.is_empty() {
            drop(lacking);
            return waiting.into_iter().for_each(|done| done(Ok(())));
        }
        let frozen = lacking.freeze();
        drop(lacking);
        let file = frozen.file;
        let undo = frozen.undo.then(|| {
            let now = self.undo.iter().map(|(mac, _)| *mac).collect();
            (mem::replace(&mut self.undo_rows, now), self.undo.clone())
        });
        let compaction = Compaction::new(frozen, &self.view.read(), undo);
        let (rows, broken) = (Arc::clone(&self.shelf), Arc::clone(&self.fault));
        let done = self.compactor.done.clone();
        let work = move || {
            let outcome = run(&compaction, &rows, &broken);
            for done in waiting {
                done(outcome.clone());
            }
            // Whoever is not there any more has joined this thread.
            let _ = done.map(|done| done.send(Request::Compacted(file)));
        };
        match std::thread::Builder::new().name("ringup-compact".to_owned()).spawn(work) {
            Ok(thread) => self.compactor.running = Some((file, thread)),
            Err(error) => {
                let _ = self.fault.set(format!("no thread for the compaction: {error}"));
            }
        }
    }

    /// Waits for the compaction that runs, if one does.
    fn finish(&mut self) {
        if let Some((_, thread)) = self.compactor.running.take() {
            // It catches its panics.
            let _ = thread.join();
        }
    }
}

/// Runs a compaction. One that failed is final: what sled could not write may be lost, and what it has may be torn.
fn run(compaction: &Compaction, shelf: &Shelf, broken: &OnceLock<String>) -> Result<(), String> {
    let work = || shelf.with(|disk| compaction.run(disk));
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(fault("store".as_ref(), "the disk layer panicked")));
    match outcome {
        Ok(()) => {
            shelf.lacking().leaving = None;
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "the store can't write and takes nothing more");
            Err(broken.get_or_init(|| error.to_string()).clone())
        }
    }
}

fn refuse(replies: impl Iterator<Item = (Reply, usize)>, fault: &str) {
    replies.for_each(|(reply, count)| {
        reply(vec![Err(CommitError::Store(fault.to_owned())); count]);
    });
}

impl Draft {
    /// Takes a wish in, if what it claims is free after those before it. The last of the answers takes its answer.
    fn take_in(
        &mut self,
        state: &State,
        wanted: Wanted,
        undo: &mut (&mut Replaced, &mut Option<u64>),
    ) -> Result<(), BadValue> {
        let answer = self.decide(state, wanted, undo)?;
        if let Some((_, answers)) = self.answers.last_mut() {
            answers.push(answer);
        }
        Ok(())
    }

    fn decide(
        &mut self,
        state: &State,
        wanted: Wanted,
        (undo, undoes): &mut (&mut Replaced, &mut Option<u64>),
    ) -> Result<Answer, BadValue> {
        let (batch, next_undo) = match wanted {
            Wanted::Fact(batch) => {
                let next = batch.undoable.then(|| self.patch.replaced_by(state, &batch.changes));
                (batch, next.filter(|next| !next.is_empty()))
            }
            Wanted::Undo(Some(of)) if **undoes != Some(of) => {
                return Ok(Err(CommitError::NotTheLast));
            }
            Wanted::Undo(_) if undo.is_empty() => return Ok(Ok(None)),
            Wanted::Undo(_) => (self.undoing(state, undo), Some(Replaced::new())),
        };
        if let Err(claim) = self.patch.admits(state, &batch) {
            return Ok(Err(CommitError::Taken(claim)));
        }
        let number = state.commit.max(self.patch.commit) + 1;
        let commit = Arc::new(Commit { number, changes: batch.changes });
        let undo_is = match &next_undo {
            None => Undoes::Nothing,
            Some(next) if next.is_empty() => Undoes::Done,
            Some(_) => Undoes::This,
        };
        write_commit(&commit, undo_is, &mut self.record, &mut self.spots)?;
        if let Some(next) = next_undo {
            **undoes = (!next.is_empty()).then_some(number);
            **undo = next;
            self.undo = true;
        }
        self.patch.apply(state, &commit);
        self.commits.push(Arc::clone(&commit));
        Ok(Ok(Some(commit)))
    }

    /// The batch that restores what undo remembers. A number that went for ever from one of its phones to another comes
    /// back with the entry that has it, or two phones would have a right to it.
    fn undoing(&self, state: &State, undo: &Replaced) -> Batch {
        let given = |number: &String| {
            self.patch.numbers.get(number).or_else(|| state.numbers.get(number)).copied()
        };
        let restored = |(mac, entry): &(Mac, Option<Arc<crate::domain::Entry>>)| match entry {
            Some(entry) => Change::Listed(*mac, Box::new((**entry).clone())),
            None => Change::Unlisted(*mac),
        };
        let mut changes: Vec<_> = undo.iter().map(restored).collect();
        for (mac, entry) in undo {
            let lines = entry.iter().flat_map(|entry| &entry.lines);
            let moved = lines.filter(|line| {
                given(&line.number).is_some_and(|holder| {
                    holder != *mac
                        && undo.iter().any(|(other, entry)| *other == holder && entry.is_none())
                })
            });
            changes.extend(moved.map(|line| Change::Numbered(*mac, line.number.clone())));
        }
        changes.into()
    }
}
