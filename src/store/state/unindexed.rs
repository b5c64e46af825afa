//! A state that is being read, whose indexes come last.
//!
//! When a store is opened, tens of thousands of rows and commits come in before anybody looks anything up. So a patch
//! only puts values in place here, and the indexes are made once, of whole maps, instead of key by key.

use std::{collections::BTreeMap, mem};

use crate::domain::Mac;

use super::{Index, Phone, State, index::ByValue, patch::Patch, put};

/// A state without most of its indexes. Those that replaying commits reads are in step: strangers and open batches.
#[derive(Debug, Default)]
pub(in crate::store) struct Unindexed(State);

impl Unindexed {
    /// Takes maps as they were read.
    pub(in crate::store) fn new(mut state: State) -> Self {
        let index = Index { limit: state.index.limit, ..Index::default() };
        state.index = index;
        state.index.strangers = strangers(&state.phones).collect();
        for (id, staging) in &state.stagings {
            if staging.end.is_none() {
                state.index.staged.extend(staging.phones.keys().map(|phone| (*phone, *id)));
            }
        }
        Self(state)
    }

    /// What was read so far. Its look-ups find little.
    pub(in crate::store) const fn state(&self) -> &State {
        &self.0
    }

    /// Puts the values of a patch in place, as [`State::install`] does, without the indexes.
    pub(in crate::store) fn install(&mut self, patch: Patch) {
        let state = &mut self.0;
        for (mac, touched) in patch.phones {
            let now = touched.phone.as_ref().filter(|phone| phone.entry.is_none());
            let now = now.map(|phone| phone.changed);
            let before = match touched.phone {
                Some(phone) => state.phones.insert(mac, phone),
                None => state.phones.remove(&mac),
            };
            let before = before.filter(|before| before.entry.is_none());
            let before = before.map(|before| before.changed).filter(|it| now != Some(*it));
            if let Some(before) = before {
                state.index.strangers.remove(&(before, mac));
            }
            state.index.strangers.extend(now.map(|now| (now, mac)));
        }
        put(&mut state.leases, patch.leases);
        for (client, address) in patch.clients {
            match address {
                Some(address) => state.clients.insert(client, address),
                None => state.clients.remove(&client),
            };
        }
        state.quarantine.extend(patch.quarantine);
        state.numbers.extend(patch.numbers);
        state.window = patch.window.map_or(state.window, Into::into);
        for (id, staging) in &patch.stagings {
            state.index.restage(*id, staging.as_ref());
        }
        put(&mut state.stagings, patch.stagings);
        put(&mut state.places, patch.places);
        if let Some(brake) = patch.brake {
            state.brake = brake;
        }
        state.commit = state.commit.max(patch.commit);
    }

    /// The state with all its indexes. What changed since when is not known of it: whoever follows a state begins with a
    /// look at everything.
    pub(in crate::store) fn indexed(self) -> State {
        let Self(mut state) = self;
        let Index { strangers, staged, limit, .. } = mem::take(&mut state.index);
        state.index = Index { strangers, staged, limit, ..made(&state) };
        state
    }
}

fn strangers(phones: &BTreeMap<Mac, Phone>) -> impl Iterator<Item = (u64, Mac)> {
    let unlisted = phones.iter().filter(|(_, phone)| phone.entry.is_none());
    unlisted.map(|(mac, phone)| (phone.changed, *mac))
}

/// All indexes but those that are in step already.
fn made(state: &State) -> Index {
    let listed =
        || state.phones.iter().filter_map(|(mac, phone)| Some((mac, phone.entry.as_ref()?)));
    let reserved = listed().filter_map(|(mac, entry)| Some((entry.address?, Some(*mac))));
    let lines =
        || listed().flat_map(|(mac, entry)| entry.lines.iter().map(move |line| (mac, line)));
    let numbered = || lines().filter(|(_, line)| !line.number.is_empty());
    let numbers = numbered().map(|(mac, line)| (line.number.clone(), Some(*mac)));
    let silent = state.phones.iter();
    let silent = silent.filter(|(_, phone)| phone.entry.is_some() && !phone.boot.is_seen());
    let mut index = Index {
        reserved: ByValue(reserved.collect()),
        numbers: ByValue(numbers.collect()),
        silent: silent.map(|(mac, _)| *mac).collect(),
        order: state.phones.iter().map(|(mac, phone)| (phone.changed, *mac)).collect(),
        conflicts: state.quarantine.values().map(|one| (one.by, one.address)).collect(),
        ..Index::default()
    };
    index.addresses.fill(&state.leases, &state.quarantine);
    numbered().for_each(|(_, line)| index.given.take(&line.number));
    state.numbers.iter().for_each(|(number, phone)| index.given.give(number, None, *phone));
    index
}
