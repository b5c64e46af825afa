//! What the journal has becomes rows, so that its files can go.
//!
//! The order makes it safe to be killed anywhere: the events, each under its key, so that they may come twice; then all
//! that the state is made of in one batch, with the number of the last commit; then the barrier; only then the files.
//! A journal that is still there is skipped up to that number.

use std::sync::Arc;

use crate::{
    domain::Mac,
    store::{
        State, StoreError,
        disk::{Disk, fault},
        encode::{BadValue, Kind, Meta, Row, rows, undo_rows},
        log,
        open::PAGE,
        pending::Pending,
        state::{Patch, Replaced},
    },
};

/// A compaction: all of one moment, so that commits go on meanwhile.
pub(super) struct Compaction {
    pending: Arc<Pending>,
    patch: Patch,
    meta: Meta,
    /// Whose undo rows go, and what they are now.
    undo: Option<(Vec<Mac>, Replaced)>,
}

impl Compaction {
    /// Takes what a state has of its last commit, which is that of `pending`.
    pub(super) fn new(
        pending: Arc<Pending>,
        state: &State,
        undo: Option<(Vec<Mac>, Replaced)>,
    ) -> Self {
        let patch = pending.patch(state);
        let meta = Meta::of(state, &patch);
        Self { pending, patch, meta, undo }
    }

    /// Runs it. Takes seconds where there is much.
    pub(super) fn run(&self, disk: &Disk) -> Result<(), StoreError> {
        for phone in self.pending.wiped() {
            let keys = disk.event_keys(phone)?;
            disk.put(keys.into_iter().map(|key| (key, None)).collect())?;
        }
        let mut events = self.pending.rows();
        loop {
            let page: Vec<Row> =
                events.by_ref().take(PAGE).collect::<Result<_, _>>().map_err(bad)?;
            if page.is_empty() {
                break;
            }
            disk.put(page)?;
        }
        disk.put(self.state_rows().map_err(bad)?)?;
        disk.barrier()?;
        log::remove(disk.path(), self.pending.file)
    }

    fn state_rows(&self) -> Result<Vec<Row>, BadValue> {
        let mut rows = rows(&self.meta, &self.patch)?;
        if let Some((before, now)) = &self.undo {
            rows.extend(before.iter().map(|mac| (Kind::Undo.key(&mac.octets()), None)));
            rows.extend(undo_rows(now)?);
        }
        Ok(rows)
    }
}

fn bad(value: BadValue) -> StoreError {
    fault("journal".as_ref(), value)
}
