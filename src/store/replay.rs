//! The journal read back over the rows, when a store is opened.

use std::{mem, path::Path};

use super::{
    State,
    disk::{Unreadable, fault, newer},
    encode::{BadValue, Spots, Undoes, VERSION, read_commits},
    log,
    pending::Pending,
    state::{Patch, Replaced},
};

/// How many octets of the journal are worked out before the state takes them in.
const STEP: usize = 256 << 10;

/// A state on which the journal is replayed.
pub(super) struct Replay {
    pub(super) state: State,
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
    pub(super) fn new(state: State, undo: Replaced) -> Self {
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
            for record in file.records {
                match self.take_in(&record) {
                    Ok(()) => {}
                    Err(BadValue::Newer(found)) => {
                        let known = super::encode::SCHEMA;
                        return Err(Unreadable::Refused(newer(rows, found, known)));
                    }
                    Err(BadValue::Broken(text)) => self.note(Some(text)),
                }
            }
        }
        self.install();
        Ok(self)
    }

    fn note(&mut self, damage: Option<String>) {
        self.damage = self.damage.take().or(damage);
    }

    /// The last commit that was taken in.
    fn reached(&self) -> u64 {
        self.state.commit.max(self.patch.commit)
    }

    fn take_in(&mut self, record: &[u8]) -> Result<(), BadValue> {
        let mut spots = Spots::new();
        let commits = read_commits(record, self.octets.len(), &mut spots)?;
        // A compaction takes whole records: either all of it is among the rows, or nothing.
        if commits.last().is_none_or(|(commit, _)| commit.number <= self.reached()) {
            return Ok(());
        }
        self.octets.extend_from_slice(record);
        self.spots.append(&mut spots);
        for (commit, undoes) in commits {
            if commit.number != self.reached() + 1 {
                let (after, before) = (self.reached(), commit.number);
                self.note(Some(format!("there is nothing between commits {after} and {before}")));
            }
            if undoes != Undoes::Nothing {
                self.undo = match undoes {
                    Undoes::This => self.patch.replaced_by(&self.state, &commit.changes),
                    Undoes::Nothing | Undoes::Done => Replaced::new(),
                };
                self.pending.undo = true;
            }
            self.patch.apply(&self.state, &commit);
        }
        if self.octets.len() >= STEP {
            self.install();
        }
        Ok(())
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
