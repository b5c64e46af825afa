//! The journal read back over the rows, when a store is opened.

use std::{
    io, mem,
    path::Path,
    sync::mpsc,
    thread::{self, Scope},
};

use crate::domain::Commit;

use super::{
    disk::{Unreadable, fault, newer},
    encode::{BadValue, Spot, Spots, Undoes, VERSION, read_commits},
    log,
    pending::Pending,
    state::{Patch, Replaced, Unindexed},
};

/// How many octets of the journal are worked out before the state takes them in.
const STEP: usize = 256 << 10;

/// How many records are read ahead of those that are worked out.
const AHEAD: usize = 64;

/// A record, what it says, and where its events lie in it.
type Said = (Vec<u8>, Result<(Vec<(Commit, Undoes)>, Spots), BadValue>);

/// A state on which the journal is replayed.
pub(super) struct Replay {
    pub(super) state: Unindexed,
    /// What undo would take back.
    pub(super) undo: Replaced,
    pub(super) pending: Pending,
    /// What is damaged or missing in the journal.
    pub(super) damage: Option<String>,
    patch: Patch,
    octets: Vec<u8>,
    spots: Spots,
}

impl Replay {
    /// Starts with what the rows say.
    pub(super) fn new(state: Unindexed, undo: Replaced) -> Self {
        Self {
            state,
            undo,
            pending: Pending::default(),
            damage: None,
            patch: Patch::default(),
            octets: Vec::new(),
            spots: Spots::new(),
        }
    }

    /// Takes in all that the journal beside the rows has and they lack.
    pub(super) fn run(mut self, rows: &Path) -> Result<Self, Unreadable> {
        let files = log::read(rows).map_err(|unread| match unread {
            log::Unread::Newer(found) => Unreadable::Refused(newer(rows, found, VERSION)),
            log::Unread::Io(error) => Unreadable::Refused(fault(rows, error)),
        })?;
        for file in files {
            self.pending.file = file.number;
            self.note(file.damage);
            thread::scope(|scope| {
                let said = read_ahead(scope, file.records);
                for (record, said) in
                    said.map_err(|error| Unreadable::Refused(fault(rows, error)))?
                {
                    match said {
                        Ok((commits, spots)) => self.take_in(&record, commits, spots),
                        Err(BadValue::Newer(found)) => {
                            let known = super::encode::SCHEMA;
                            return Err(Unreadable::Refused(newer(rows, found, known)));
                        }
                        Err(BadValue::Broken(text)) => self.note(Some(text)),
                    }
                }
                Ok(())
            })?;
        }
        self.install();
        Ok(self)
    }

    fn note(&mut self, damage: Option<String>) {
        self.damage = self.damage.take().or(damage);
    }

    /// The last commit that was taken in.
    fn reached(&self) -> u64 {
        self.state.state().commit.max(self.patch.commit)
    }

    fn take_in(&mut self, record: &[u8], commits: Vec<(Commit, Undoes)>, spots: Spots) {
        // A compaction takes whole records: either all of it is among the rows, or nothing.
        if commits.last().is_none_or(|(commit, _)| commit.number <= self.reached()) {
            return;
        }
        // Steps are far from what a u32 counts.
        let base = u32::try_from(self.octets.len()).unwrap_or(u32::MAX);
        let placed = |spot: Spot| Spot { at: base.saturating_add(spot.at), ..spot };
        self.spots.extend(spots.into_iter().map(|(mac, spot)| (mac, placed(spot))));
        self.octets.extend_from_slice(record);
        for (commit, undoes) in commits {
            if commit.number != self.reached() + 1 {
                let (after, before) = (self.reached(), commit.number);
                self.note(Some(format!("there is nothing between commits {after} and {before}")));
            }
            if undoes != Undoes::Nothing {
                self.undo = match undoes {
                    Undoes::This => self.patch.replaced_by(self.state.state(), &commit.changes),
                    Undoes::Nothing | Undoes::Done => Replaced::new(),
                };
                self.pending.undo = true;
            }
            self.patch.apply(self.state.state(), &commit);
        }
        if self.octets.len() >= STEP {
            self.install();
        }
    }

    fn install(&mut self) {
        if self.octets.is_empty() {
            return;
        }
        let patch = mem::take(&mut self.patch);
        self.pending.add(&self.octets, &self.spots, &patch);
        self.state.install(patch);
        self.octets.clear();
        self.spots.clear();
    }
}

/// Reads records on a thread of their own: what they say is there by the time that what came before is worked out.
fn read_ahead<'scope>(
    scope: &'scope Scope<'scope, '_>,
    records: Vec<Vec<u8>>,
) -> io::Result<mpsc::Receiver<Said>> {
    let (to, from) = mpsc::sync_channel(AHEAD);
    let read = move || {
        for record in records {
            let mut spots = Spots::new();
            let said = read_commits(&record, 0, &mut spots).map(|commits| (commits, spots));
            if to.send((record, said)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().spawn_scoped(scope, read)?;
    Ok(from)
}
