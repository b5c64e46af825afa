//! The writer: one thread that owns the disk and makes facts, a group of batches at a time.

use std::{
    collections::BTreeSet,
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use crate::{
    domain::{Batch, Change, Commit, Entry, Mac},
    store::{
        Feed, State, StoreError, View,
        disk::{Disk, Undo, event_row},
        encode::{BadValue, Kind, Replaced, Row, rows, write},
        state::Patch,
    },
};

use super::{Agreement, Answer, CommitError, Group, Reply, Request};

/// How long a group waits for more batches. A sync costs as much, and a phone that waits for its ACK does not notice.
const LINGER: Duration = Duration::from_millis(2);

/// The most batches in a group.
const MAX_GROUP: usize = 256;

/// One appliance: its own disk is enough.
#[derive(Debug)]
pub(in crate::store) struct Alone(pub(in crate::store) Disk);

impl Agreement for Alone {
    fn agree(&mut self, group: &Group) -> Result<(), StoreError> {
        let Self(disk) = self;
        let mut rows: Vec<Row> = Vec::with_capacity(group.rows.len());
        for phone in &group.wiped {
            rows.extend(disk.event_keys(*phone)?.into_iter().map(|key| (key, None)));
        }
        rows.extend(group.rows.iter().cloned());
        disk.put(rows)?;
        disk.barrier()?;
        group.commits.last().map_or(Ok(()), |last| disk.acknowledge(last.number))
    }
}

/// The writer and all that it owns.
pub(in crate::store) struct Writer {
    pub(in crate::store) view: View,
    pub(in crate::store) feed: Feed,
    pub(in crate::store) agreement: Box<dyn Agreement>,
    /// For reading timelines; only the agreement writes.
    pub(in crate::store) disk: Disk,
    pub(in crate::store) undo: Undo,
    /// The commit that undo would take back; `None` where it was made before the last start.
    pub(in crate::store) undoes: Option<u64>,
    /// Held as long as the rows are open.
    pub(in crate::store) lock: File,
    pub(in crate::store) queued: Arc<AtomicUsize>,
    /// Why the store takes nothing more.
    pub(in crate::store) fault: Arc<OnceLock<String>>,
}

/// What callers wish.
enum Wanted {
    /// A batch to be fact.
    Fact(Batch),
    /// The last undoable one taken back, if it is still this one.
    Undo(Option<u64>),
}

type Wish = (Wanted, Reply);

/// A group in the making.
#[derive(Default)]
struct Draft {
    patch: Patch,
    commits: Vec<Arc<Commit>>,
    answers: Vec<(Reply, Answer)>,
    /// What undo would have restored, where this group changes that.
    undo_before: Option<Undo>,
}

impl Writer {
    /// Serves requests until told to stop, or until nobody is left to make any.
    pub(super) fn run(mut self, inbox: &Receiver<Request>) {
        let mut next = inbox.recv().ok();
        while let Some(request) = next.take() {
            match request {
                Request::Close => break,
                Request::Disk(work) => work(&self.disk),
                Request::Commit(batch, reply) => {
                    next = self.serve((Wanted::Fact(batch), reply), inbox);
                }
                Request::Undo(of, reply) => {
                    next = self.serve((Wanted::Undo(of), reply), inbox);
                }
            }
            if next.is_none() {
                next = inbox.recv().ok();
            }
        }
        // The rows are closed before the lock goes.
        let Self { agreement, disk, lock, fault, .. } = self;
        if fault.get().is_some() {
            // sled's last flush would wait for ever for what it could not write. What it has written is on the disk.
            std::mem::forget((agreement, disk));
        } else {
            drop((agreement, disk));
        }
        drop(lock);
    }

    /// Makes a group of what follows the first wish. Returns the request that ended the group, if one did.
    fn serve(&mut self, first: Wish, inbox: &Receiver<Request>) -> Option<Request> {
        let mut group = vec![first];
        let deadline = Instant::now() + LINGER;
        let mut after = None;
        while group.len() < MAX_GROUP && after.is_none() {
            match inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Request::Commit(batch, reply)) => group.push((Wanted::Fact(batch), reply)),
                Ok(Request::Undo(of, reply)) => group.push((Wanted::Undo(of), reply)),
                Ok(other) => after = Some(other),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        self.queued.fetch_sub(group.len(), Ordering::Relaxed);
        self.settle(group);
        after
    }

    /// Makes a group fact, or nothing of it.
    fn settle(&mut self, wishes: Vec<Wish>) {
        if let Some(fault) = self.fault.get() {
            return refuse(wishes.into_iter().map(|(_, reply)| reply), fault);
        }
        let view = self.view.clone();
        let mut draft = Draft::default();
        let group = {
            // Readers go on while the group is worked out. The only writer is this thread.
            let state = view.read();
            for wish in wishes {
                draft.take_in(&state, wish, (&mut self.undo, &mut self.undoes));
            }
            draft.group(&state, &self.undo)
        };
        let made = group.map_err(|bad| bad.to_string()).and_then(|group| self.agree(&group));
        if let Err(fault) = made {
            tracing::error!(%fault, "the store can't write and takes nothing more");
            // Set first: whoever is refused may look at once why.
            let fault = self.fault.get_or_init(|| fault);
            return refuse(draft.answers.into_iter().map(|(reply, _)| reply), fault);
        }
        view.install(draft.patch);
        draft.commits.into_iter().for_each(|commit| self.feed.announce(commit));
        draft.answers.into_iter().for_each(|(reply, answer)| reply(answer));
    }

    fn agree(&mut self, group: &Group) -> Result<(), String> {
        if group.commits.is_empty() {
            return Ok(());
        }
        // A panic below would leave every caller waiting and nobody told.
        match catch_unwind(AssertUnwindSafe(|| self.agreement.agree(group))) {
            Ok(agreed) => agreed.map_err(|error| error.to_string()),
            Err(_) => Err("the disk layer panicked".to_owned()),
        }
    }
}

fn refuse(replies: impl Iterator<Item = Reply>, fault: &str) {
    replies.for_each(|reply| reply(Err(CommitError::Store(fault.to_owned()))));
}

impl Draft {
    /// Takes a wish in, if what it claims is free after those before it.
    fn take_in(
        &mut self,
        state: &State,
        (wanted, reply): Wish,
        (undo, undoes): (&mut Undo, &mut Option<u64>),
    ) {
        let (batch, next_undo) = match wanted {
            Wanted::Fact(batch) => {
                let next = batch.undoable.then(|| self.replaced_by(state, &batch));
                (batch, next.filter(|next| !next.is_empty()))
            }
            Wanted::Undo(Some(of)) if *undoes != Some(of) => {
                return self.answers.push((reply, Err(CommitError::NotTheLast)));
            }
            Wanted::Undo(_) if undo.is_empty() => return self.answers.push((reply, Ok(None))),
            Wanted::Undo(_) => (self.undoing(state, undo), Some(Undo::new())),
        };
        if let Err(claim) = self.patch.admits(state, &batch) {
            return self.answers.push((reply, Err(CommitError::Taken(claim))));
        }
        let number = state.commit.max(self.patch.commit) + 1;
        if let Some(next) = next_undo {
            *undoes = (!next.is_empty()).then_some(number);
            // What lies on disk is what there was before the group.
            let before = std::mem::replace(undo, next);
            self.undo_before.get_or_insert(before);
        }
        let commit = Arc::new(Commit { number, changes: batch.changes });
        self.patch.apply(state, &commit);
        self.commits.push(Arc::clone(&commit));
        self.answers.push((reply, Ok(Some(commit))));
    }

    /// The entries that a batch is about to replace.
    fn replaced_by(&self, state: &State, batch: &Batch) -> Undo {
        let phones: BTreeSet<_> = batch.changes.iter().filter_map(listed).collect();
        phones.into_iter().map(|mac| (mac, self.patch.entry(state, mac).cloned())).collect()
    }

    /// The batch that restores what undo remembers. A number that went for ever from one of its phones to another comes
    /// back with the entry that has it, or two phones would have a right to it.
    fn undoing(&self, state: &State, undo: &Undo) -> Batch {
        let given = |number: &String| {
            self.patch.numbers.get(number).or_else(|| state.numbers.get(number)).copied()
        };
        let restored = |(mac, entry): &(Mac, Option<Arc<Entry>>)| match entry {
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

    /// All that the group puts on disk.
    fn group(&self, state: &State, undo: &Undo) -> Result<Group, BadValue> {
        let mut rows = rows(state, &self.patch)?;
        for commit in &self.commits {
            self.event_rows(commit, &mut rows)?;
        }
        if let Some(before) = &self.undo_before {
            rows.extend(before.iter().map(|(mac, _)| (Kind::Undo.key(&mac.octets()), None)));
            for (mac, entry) in undo {
                let replaced = Replaced { entry: entry.as_deref().cloned() };
                rows.push((Kind::Undo.key(&mac.octets()), Some(write(&replaced)?)));
            }
        }
        let wiped = self.patch.wiped.keys().copied().collect();
        Ok(Group { commits: self.commits.clone(), rows, wiped })
    }

    fn event_rows(&self, commit: &Commit, rows: &mut Vec<Row>) -> Result<(), BadValue> {
        for (index, change) in commit.changes.iter().enumerate() {
            let Change::Happened(mac, event) = change else { continue };
            let at = (commit.number, index);
            if self.patch.wiped.get(mac).is_none_or(|wiped| *wiped < at) {
                rows.push(event_row(*mac, at, event)?);
            }
        }
        Ok(())
    }
}

/// The phone whose entry a change replaces.
fn listed(change: &Change) -> Option<Mac> {
    match change {
        Change::Listed(mac, _) | Change::Unlisted(mac) | Change::Forgotten(mac) => Some(*mac),
        Change::Happened(..)
        | Change::Showed(..)
        | Change::Leased(_)
        | Change::Released { .. }
        | Change::Quarantined(_)
        | Change::Numbered(..)
        | Change::Window(_)
        | Change::Placed(..)
        | Change::Braked(_)
        | Change::Staging(..) => None,
    }
}
