//! The state as rows and back: the same rows on disk and in a backup.

use std::sync::Arc;

use crate::{
    domain::{
        Entry, Lease, Mac, Quarantine, Staging, StagingId, Window,
        wave::{Brake, Place},
    },
    store::{
        Phone, State,
        state::{Patch, Replaced, SetWindow, Touched, Unindexed},
    },
};

use super::{As, BadValue, Kind, Listed, Meta, read, write};

/// A key with its value; without one it is to be removed.
pub(in crate::store) type Row = (Vec<u8>, Option<Vec<u8>>);

impl Meta {
    /// The figures of a state with a patch over it.
    pub(in crate::store) fn of(state: &State, patch: &Patch) -> Self {
        let (phones, listed) = patch.phones_after(state);
        let gone =
            patch.leases.iter().filter(|(at, l)| l.is_none() && state.leases.contains_key(*at));
        let held =
            patch.leases.iter().filter(|(at, l)| l.is_some() && !state.leases.contains_key(*at));
        let aside = patch.quarantine.keys().filter(|at| !state.quarantine.contains_key(*at));
        let given = patch.numbers.keys().filter(|number| !state.numbers.contains_key(*number));
        Self {
            commit: state.commit.max(patch.commit),
            phones,
            listed,
            leases: state.leases.len() + held.count() - gone.count(),
            quarantine: state.quarantine.len() + aside.count(),
            numbers: state.numbers.len() + given.count(),
            batches: patch.stagings_after(state),
            places: patch.places_after(state).count(),
        }
    }
}

/// What a patch puts on disk, with the figures that there are after it.
pub(in crate::store) fn rows(meta: &Meta, patch: &Patch) -> Result<Vec<Row>, BadValue> {
    let mut rows = vec![put(Kind::Meta, &[], meta)?];
    for (mac, touched) in &patch.phones {
        phone_rows(&mut rows, *mac, touched)?;
    }
    for (address, lease) in &patch.leases {
        rows.push(row(Kind::Lease, &address.octets(), lease.as_ref().map(As).as_ref())?);
    }
    for (address, quarantine) in &patch.quarantine {
        rows.push(put(Kind::Quarantine, &address.octets(), &As(quarantine))?);
    }
    for (number, mac) in &patch.numbers {
        rows.push(put(Kind::Number, number.as_bytes(), &mac.to_string())?);
    }
    if let Some(SetWindow(window)) = &patch.window {
        rows.push(row(Kind::Window, &[], window.as_ref().map(As).as_ref())?);
    }
    for (mac, place) in &patch.places {
        rows.push(row(Kind::Place, &mac.octets(), place.as_ref().map(As).as_ref())?);
    }
    if let Some(brake) = &patch.brake {
        rows.push(put(Kind::Brake, &[], &As(brake))?);
    }
    for (id, staging) in &patch.stagings {
        rows.push(row(Kind::Batch, &id.to_be_bytes(), staging.as_ref().map(As).as_ref())?);
    }
    Ok(rows)
}

/// The rows from which undo works.
pub(in crate::store) fn undo_rows(undo: &Replaced) -> Result<Vec<Row>, BadValue> {
    let row = |(mac, entry): &(Mac, Option<Arc<Entry>>)| {
        let replaced = super::Replaced { entry: entry.as_deref().cloned() };
        put(Kind::Undo, &mac.octets(), &replaced)
    };
    undo.iter().map(row).collect()
}

fn phone_rows(rows: &mut Vec<Row>, mac: Mac, touched: &Touched) -> Result<(), BadValue> {
    if touched.entry {
        let phone = touched.phone.as_ref();
        let listed = phone.and_then(|phone| {
            let entry = phone.entry.clone()?;
            Some(Listed { changed: phone.changed, entry })
        });
        rows.push(row(Kind::Entry, &mac.octets(), listed.as_ref())?);
    }
    if touched.record {
        let phone = touched.phone.as_ref().filter(|phone| phone.is_recorded());
        rows.push(row(Kind::Phone, &mac.octets(), phone.map(As).as_ref())?);
    }
    Ok(())
}

fn put(kind: Kind, key: &[u8], value: &impl serde::Serialize) -> Result<Row, BadValue> {
    row(kind, key, Some(value))
}

fn row(kind: Kind, key: &[u8], value: Option<&impl serde::Serialize>) -> Result<Row, BadValue> {
    Ok((kind.key(key), value.map(write).transpose()?))
}

/// Makes a state of rows, in whatever order they come.
#[derive(Debug, Default)]
pub(in crate::store) struct Loader {
    state: State,
    meta: Option<Meta>,
}

impl Loader {
    /// Takes in one row of the state.
    pub(in crate::store) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), BadValue> {
        let kind = Kind::of(key).ok_or_else(|| BadValue::broken("a key of no known kind"))?;
        match kind {
            Kind::Meta => self.meta = Some(read(value)?),
            Kind::Entry => {
                let Listed { changed, entry } = read(value)?;
                let phone = self.phone(key)?;
                phone.changed = phone.changed.max(changed);
                phone.entry = Some(entry);
            }
            Kind::Phone => {
                let As(recorded) = read::<As<Phone>>(value)?;
                let phone = self.phone(key)?;
                let changed = phone.changed.max(recorded.changed);
                *phone = Phone { entry: phone.entry.take(), changed, ..recorded };
            }
            Kind::Lease => {
                let As(lease) = read::<As<Lease>>(value)?;
                self.hold(lease)?;
            }
            Kind::Quarantine => {
                let As(quarantine) = read::<As<Quarantine>>(value)?;
                self.state.quarantine.insert(quarantine.address, quarantine);
            }
            Kind::Number => {
                let number = String::from_utf8(key[1..].to_vec()).map_err(BadValue::broken)?;
                let mac: String = read(value)?;
                self.state.numbers.insert(number, mac.parse().map_err(BadValue::broken)?);
            }
            Kind::Window => {
                let As(window) = read::<As<Window>>(value)?;
                self.state.window = Some(window);
            }
            Kind::Batch => {
                let octets = key[1..].try_into().map_err(|_| super::bad_key())?;
                let As(staging) = read::<As<Staging>>(value)?;
                self.state.stagings.insert(StagingId::from_be_bytes(octets), staging);
            }
            Kind::Place => {
                let octets = key[1..].try_into().map_err(|_| super::bad_key())?;
                let mac = Mac::new(octets).map_err(BadValue::broken)?;
                let As(place) = read::<As<Place>>(value)?;
                self.state.places.insert(mac, place);
            }
            Kind::Brake => {
                let As(brake) = read::<As<Brake>>(value)?;
                self.state.brake = brake;
            }
            Kind::Event | Kind::Undo => return Err(BadValue::broken("not a row of the state")),
        }
        Ok(())
    }

    fn phone(&mut self, key: &[u8]) -> Result<&mut Phone, BadValue> {
        let octets = key[1..].try_into().map_err(|_| super::bad_key())?;
        let mac = Mac::new(octets).map_err(BadValue::broken)?;
        Ok(self.state.phones.entry(mac).or_default())
    }

    fn hold(&mut self, lease: Lease) -> Result<(), BadValue> {
        if self.state.clients.insert(lease.client.clone(), lease.address).is_some() {
            return Err(BadValue::broken(format!("{:?} holds two addresses", lease.client)));
        }
        self.state.leases.insert(lease.address, lease);
        Ok(())
    }

    /// Takes in what another one read: the rows of other kinds.
    pub(in crate::store) fn join(&mut self, other: Self) {
        let mut from = other.state;
        self.meta = self.meta.or(other.meta);
        self.state.phones.append(&mut from.phones);
        self.state.leases.append(&mut from.leases);
        if self.state.clients.is_empty() {
            self.state.clients = from.clients;
        } else {
            self.state.clients.extend(from.clients);
        }
        self.state.quarantine.append(&mut from.quarantine);
        self.state.numbers.append(&mut from.numbers);
        self.state.places.append(&mut from.places);
        self.state.stagings.append(&mut from.stagings);
        self.state.window = self.state.window.or(from.window);
        if from.brake != Brake::default() {
            self.state.brake = from.brake;
        }
    }

    /// The state, once every row is in.
    ///
    /// # Errors
    ///
    /// [`BadValue::Broken`] if there is less or more than the store says it has.
    pub(in crate::store) fn finish(mut self) -> Result<Unindexed, BadValue> {
        let said = self.meta.unwrap_or_default();
        self.state.commit = said.commit;
        let state = Unindexed::new(self.state);
        let found = Meta::of(state.state(), &Patch::default());
        if found != said {
            return Err(BadValue::broken(format!(
                "the store should hold {said:?}, and holds {found:?}"
            )));
        }
        Ok(state)
    }
}
