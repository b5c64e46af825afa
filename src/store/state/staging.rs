//! What a group of commits does to batches on the bench.

use crate::{
    domain::{Boot, Ground, MAX_STAGINGS, Mac, Staging, StagingChange, StagingId},
    store::state::State,
};

use super::patch::Patch;

/// The name of the evidence that tells where a phone is plugged in (RFC 3046).
const PLUGGED: &str = "option-82";

/// The switch port that a ground tells, if it tells one.
pub(super) fn port(ground: &Ground) -> Option<&str> {
    (ground.from.as_str() == PLUGGED).then_some(ground.value.as_str())
}

impl Patch {
    /// The batch that is not closed and has this phone, after the patch.
    pub(super) fn staging_of<'a>(
        &'a self,
        state: &'a State,
        phone: Mac,
    ) -> Option<(StagingId, &'a Staging)> {
        let touched = self.stagings.iter().filter_map(|(id, one)| Some((*id, one.as_ref()?)));
        let mut touched = touched.filter(|(_, one)| one.end.is_none());
        touched
            .find(|(_, one)| one.phones.contains_key(&phone))
            .or_else(|| state.staging_of(phone).filter(|(id, _)| !self.stagings.contains_key(id)))
    }

    /// A batch as it is after the patch.
    fn staging<'a>(&'a self, state: &'a State, id: StagingId) -> Option<&'a Staging> {
        match self.stagings.get(&id) {
            Some(touched) => touched.as_ref(),
            None => state.stagings.get(&id),
        }
    }

    /// Lets the batch of a phone take in what became of it.
    pub(super) fn stage(
        &mut self,
        state: &State,
        phone: Mac,
        number: u64,
        change: impl FnOnce(&mut Staging, &Boot),
    ) {
        let Some((id, before)) = self.staging_of(state, phone) else { return };
        let unseen = Boot::default();
        let boot = self.phone(state, phone).map_or(&unseen, |phone| &phone.boot);
        let mut after = before.clone();
        change(&mut after, boot);
        // Most of what happens to a phone is nothing to its batch.
        if after != *before {
            after.changed = number;
            self.stagings.insert(id, Some(after));
        }
    }

    /// Takes in a change of a batch. A phone that another open batch has stays there.
    pub(super) fn restage(
        &mut self,
        state: &State,
        number: u64,
        id: StagingId,
        change: &StagingChange,
    ) {
        let opens = matches!(change, StagingChange::Opened { .. });
        let before = self.staging(state, id);
        if before.is_some() == opens {
            return;
        }
        let mut after = before.cloned().unwrap_or_default();
        if let StagingChange::Scanned { phone, .. } = change
            && self.staging_of(state, *phone).is_some_and(|(other, _)| other != id)
        {
            return;
        }
        after.apply(change);
        if let StagingChange::Scanned { phone, .. } = change
            && let Some(known) = self.phone(state, *phone)
        {
            after.arrived(*phone, &known.boot, known.grounds.iter().find_map(port));
        }
        after.changed = number;
        self.stagings.insert(id, Some(after));
        if opens {
            self.drop_excess_stagings(state);
        }
    }

    /// Drops the batch that ended longest ago, where there are too many.
    fn drop_excess_stagings(&mut self, state: &State) {
        let kept = self.stagings_after(state);
        if kept <= MAX_STAGINGS {
            return;
        }
        let known = state.stagings.keys().chain(self.stagings.keys());
        let ended = known.filter_map(|id| Some((self.staging(state, *id)?.end?, *id))).min();
        if let Some((_, oldest)) = ended {
            self.stagings.insert(oldest, None);
        }
    }

    /// How many batches there are after the patch.
    pub(in crate::store) fn stagings_after(&self, state: &State) -> usize {
        let before = state.stagings.keys().filter(|id| !self.stagings.contains_key(id)).count();
        before + self.stagings.values().flatten().count()
    }
}
