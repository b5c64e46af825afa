//! Batches on the bench: what may be done with one, and what there is to say about its phones.

mod light;
mod watch;

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    config::ReadyWhen,
    domain::{
        Batch, Change, Claim, Kept, MAX_OPEN_STAGINGS, MAX_STAGED, Mac, Purpose, Role, Staged,
        Staging, StagingChange, StagingId, Standing, Timestamp, clip, conclude,
    },
    profile::{FileRule, Seen},
    store::{Phone, State},
};

use super::{
    Provisioner,
    inventory::{self, Fault},
    resolve::spoken,
};

pub use light::{Colour, Light};
pub use watch::Watch;

/// The most characters of a name that an operator gives.
const MAX_NAME: usize = 80;

/// The most findings of a phone that a report names.
const MOST_KEPT: usize = 8;

/// Why something can't be done with a batch.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StagingError {
    /// There is none of that number.
    #[error("there is no batch {0}")]
    NoSuch(StagingId),
    /// It is over.
    #[error("batch {0} is closed, and stays as it was reported")]
    Closed(StagingId),
    /// It takes no more phones.
    #[error("batch {0} is handed over: take the hand-over back first, or open another batch")]
    HandedOver(StagingId),
    /// It is not handed over.
    #[error("batch {0} is not handed over, so its phones have staging values")]
    NotHandedOver(StagingId),
    /// Another open batch has the phone.
    #[error("{phone} is in batch {batch} ({name}): remove it there first")]
    Elsewhere {
        /// The phone.
        phone: Mac,
        /// That batch.
        batch: StagingId,
        /// Its name.
        name: String,
    },
    /// The batch does not have the phone.
    #[error("{phone} is not in batch {batch}")]
    NotThere {
        /// The phone.
        phone: Mac,
        /// The batch.
        batch: StagingId,
    },
    /// One more phone does not fit.
    #[error("a batch has {MAX_STAGED} phones at most: open another one")]
    Full,
    /// One more batch does not fit.
    #[error("{MAX_OPEN_STAGINGS} batches are open: close one first")]
    TooMany,
    /// Something is left to be done, and the operator did not say that it does not matter.
    #[error("{0}; `confirm` does it all the same")]
    Unfinished(String),
    /// What was said about it can't be.
    #[error("{0}")]
    Bad(String),
    /// What was said about a phone's entry can't be.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults(Vec<Fault>),
}

/// A phone that is scanned into a batch.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// Who scans.
    pub by: String,
    /// Its place on the bench; the next free one unless said.
    pub slot: Option<u16>,
    /// Fields to list it with, named like columns; none leaves its entry alone.
    pub fields: Vec<(String, String)>,
}

impl Provisioner {
    /// Works out the batch that opens a batch on the bench. Slots of switch ports come from the one opened last.
    ///
    /// # Errors
    ///
    /// [`StagingError::TooMany`] and [`StagingError::Bad`].
    pub fn open_staging(
        &self,
        state: &State,
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<(StagingId, Batch), StagingError> {
        let open = state.stagings.values().filter(|one| one.end.is_none()).count();
        if open >= MAX_OPEN_STAGINGS {
            return Err(StagingError::TooMany);
        }
        let last = state.stagings.last_key_value();
        let id = last.map_or(1, |(id, _)| id.saturating_add(1));
        let ports = last.map_or_else(BTreeMap::new, |(_, last)| last.ports.clone());
        let purpose = self.sound(purpose)?;
        Ok((id, change(id, StagingChange::Opened { purpose, ports, at })))
    }

    /// Works out the batch that changes what is said about a batch on the bench.
    ///
    /// # Errors
    ///
    /// [`StagingError`].
    pub fn describe_staging(
        &self,
        state: &State,
        id: StagingId,
        purpose: Purpose,
    ) -> Result<Batch, StagingError> {
        going_on(state, id)?;
        Ok(change(id, StagingChange::Described(self.sound(purpose)?)))
    }

    /// What an operator says about a batch, made fit to keep.
    fn sound(&self, purpose: Purpose) -> Result<Purpose, StagingError> {
        let fit = |text: &str, what: &str| {
            let text = text.trim();
            let plain = !text.chars().any(char::is_control) && text.chars().count() <= MAX_NAME;
            let bad = || {
                StagingError::Bad(format!("`{what}` has at most {MAX_NAME} characters on one line"))
            };
            plain.then(|| text.to_owned()).ok_or_else(bad)
        };
        let (name, operator) = (fit(&purpose.name, "name")?, fit(&purpose.operator, "operator")?);
        if name.is_empty() {
            return Err(StagingError::Bad("a batch needs a `name`".to_owned()));
        }
        let site = purpose.site.filter(|site| !site.is_empty());
        let sites = &self.settings().sites;
        if let Some(site) = site.as_ref().filter(|site| !sites.contains_key(*site)) {
            let known = sites.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let site = clip(site, 40);
            return Err(StagingError::Bad(format!(
                "there is no site `{site}`; the sites are {known}"
            )));
        }
        Ok(Purpose { name, operator, site, ..purpose })
    }

    /// Works out the batch that scans a phone into a batch on the bench, and lists it if fields are given.
    ///
    /// Scanned once more it stays where it is, unless it gets another slot.
    ///
    /// # Errors
    ///
    /// [`StagingError`].
    pub fn stage_phone(
        &self,
        state: &State,
        (id, phone): (StagingId, Mac),
        arrival: Arrival,
        at: Timestamp,
    ) -> Result<Batch, StagingError> {
        let staging = going_on(state, id)?;
        let is_new = !staging.phones.contains_key(&phone);
        if is_new && staging.standing() != Standing::Open {
            return Err(StagingError::HandedOver(id));
        }
        if is_new && staging.phones.len() >= MAX_STAGED {
            return Err(StagingError::Full);
        }
        if let Some((batch, other)) = state.staging_of(phone).filter(|(other, _)| *other != id) {
            let name = other.purpose.name.clone();
            return Err(StagingError::Elsewhere { phone, batch, name });
        }
        let by = clip(arrival.by.trim(), MAX_NAME);
        if by.chars().any(char::is_control) {
            return Err(StagingError::Bad("`by` is a name on one line".to_owned()));
        }
        let next = || (is_new && !staging.purpose.by_plugging).then(|| staging.free_slot());
        let slot = arrival.slot.or_else(next);
        let scanned = StagingChange::Scanned { phone, by, at, slot };
        let mut batch = change(id, scanned);
        batch.claims.push(Claim::Unstaged(phone, id));
        if !arrival.fields.is_empty() {
            batch.changes.extend(self.listed_on_bench(state, (id, phone), arrival.fields)?);
        }
        Ok(batch)
    }

    /// The entry that a phone gets on the bench, and what that solves. It belongs to the batch's site unless said.
    fn listed_on_bench(
        &self,
        state: &State,
        (id, phone): (StagingId, Mac),
        mut fields: Vec<(String, String)>,
    ) -> Result<Vec<Change>, StagingError> {
        let record = state.phones.get(&phone);
        let known = record.and_then(|phone| phone.entry.as_deref());
        let site = state.stagings.get(&id).and_then(|one| one.purpose.site.clone());
        let says = |name: &str| fields.iter().any(|(field, _)| field == name);
        if let Some(site) = site.filter(|_| known.is_none() && !says("site")) {
            fields.push(("site".to_owned(), site));
        }
        let edit = inventory::edit(state, self.settings(), phone, &fields);
        let mut changes = edit.map_err(StagingError::Faults)?.changes;
        // A phone that was never seen had nothing that could be solved.
        if known.is_none() && record.is_some_and(|phone| phone.boot.is_seen()) {
            let text = "was not listed: listed on the bench".to_owned();
            changes.push(staging(id, StagingChange::Solved(phone, text)));
        }
        Ok(changes)
    }

    /// Works out what one change does to a batch that is not closed; if it is about a phone, the batch has to have it.
    ///
    /// # Errors
    ///
    /// [`StagingError`].
    pub fn restage(
        &self,
        state: &State,
        id: StagingId,
        wanted: StagingChange,
    ) -> Result<Batch, StagingError> {
        let known = going_on(state, id)?;
        let about = match &wanted {
            StagingChange::Placed(phone, _)
            | StagingChange::Removed(phone)
            | StagingChange::Failed(phone, _)
            | StagingChange::Solved(phone, _) => Some(*phone),
            _ => None,
        };
        if let Some(phone) = about.filter(|phone| !known.phones.contains_key(phone)) {
            return Err(StagingError::NotThere { phone, batch: id });
        }
        if matches!(wanted, StagingChange::TakenBack) && known.handed_over.is_none() {
            return Err(StagingError::NotHandedOver(id));
        }
        if let StagingChange::Placed(_, Some(0)) = wanted {
            return Err(StagingError::Bad("slots count from 1".to_owned()));
        }
        Ok(change(id, wanted))
    }

    /// The files of a batch's phones that can't be made in production form, each with the reason. Takes the state's lock
    /// by itself, again and again.
    #[must_use]
    pub fn rehearse_hand_over(&self, id: StagingId, now: Timestamp) -> Vec<(Mac, String)> {
        let phones: Vec<Mac> = {
            let state = self.view().read();
            let Some(staging) = state.stagings.get(&id) else { return Vec::new() };
            let sound = staging.phones.iter().filter(|(_, one)| one.failed.is_none());
            sound.map(|(phone, _)| *phone).collect()
        };
        let broken = |phone: Mac| {
            let names = self.own_files(phone);
            let refused = names.iter().find_map(|name| self.rehearse(phone, name, now).err());
            refused.map(|refusal| (phone, refusal.why.to_string()))
        };
        phones.into_iter().filter_map(broken).collect()
    }

    /// The names of a listed phone's own required files, as its family asks for them at its site.
    fn own_files(&self, phone: Mac) -> Vec<String> {
        let state = self.view().read();
        let Some(known) = state.phones.get(&phone) else { return Vec::new() };
        let Some(entry) = known.entry.as_deref() else { return Vec::new() };
        let seen = conclude(&known.grounds);
        let family = seen.family.and_then(|family| self.catalog().family(family.as_str()));
        let listed = || self.catalog().model(&entry.model).map(|(family, _)| family);
        let Some(family) = family.or_else(listed) else { return Vec::new() };
        let model = seen.model.unwrap_or_else(|| entry.model.clone());
        let model = self.catalog().member(family, &model);
        let address = known.boot.address.map_or(IpAddr::from([0; 4]), IpAddr::from);
        let speaks = spoken(family, self.speaks(&self.site_of(Some(entry), address), false));
        let due = |file: &&FileRule| {
            file.required && file.role == Role::Own && file.read_by(Some(speaks))
        };
        let files = family.files.iter().filter(due);
        files.filter_map(|file| file.expand(phone, model)).collect()
    }

    /// Works out the hand-over of a batch: from then on its phones get production values.
    ///
    /// # Errors
    ///
    /// [`StagingError::Unfinished`] where phones are not ready for it, unless `sure`.
    pub fn hand_over(
        &self,
        state: &State,
        id: StagingId,
        sure: bool,
        at: Timestamp,
    ) -> Result<Batch, StagingError> {
        let staging = going_on(state, id)?;
        if staging.handed_over.is_some() {
            return Err(StagingError::HandedOver(id));
        }
        let unlisted = |phone: &&Mac| state.phones.get(phone).is_none_or(|one| one.entry.is_none());
        let sound = staging.phones.iter().filter(|(_, one)| one.failed.is_none());
        let unlisted = sound.map(|(phone, _)| phone).filter(unlisted).count();
        if !sure && unlisted > 0 {
            let text =
                format!("{unlisted} of its phones have no entry, so they have no production file");
            return Err(StagingError::Unfinished(text));
        }
        Ok(change(id, StagingChange::HandedOver(at)))
    }

    /// Works out the end of a batch: what is known of its phones goes into its report.
    ///
    /// # Errors
    ///
    /// [`StagingError::Unfinished`] where phones are not sealed, unless `sure`.
    pub fn close_staging(
        &self,
        state: &State,
        id: StagingId,
        sure: bool,
        at: Timestamp,
    ) -> Result<Batch, StagingError> {
        let staging = going_on(state, id)?;
        let phones = || staging.phones.iter().filter(|(_, one)| one.failed.is_none());
        let unsealed = phones().filter(|(_, one)| one.sealed.is_none()).count();
        if !sure && unsealed > 0 {
            let left = if unsealed == 1 { "1 phone is" } else { &format!("{unsealed} phones are") };
            return Err(StagingError::Unfinished(match staging.standing() {
                Standing::Open => format!("{left} not handed over yet"),
                Standing::HandedOver | Standing::Closed => format!("{left} not sealed yet"),
            }));
        }
        let kept = staging.phones.keys().map(|phone| (*phone, self.kept(state, *phone, at)));
        Ok(change(id, StagingChange::Closed { at, kept: kept.collect() }))
    }

    /// What a report says of a phone now.
    #[must_use]
    pub fn kept(&self, state: &State, phone: Mac, now: Timestamp) -> Kept {
        let nobody = Phone::default();
        let known = state.phones.get(&phone).unwrap_or(&nobody);
        let report = self.report(phone, known, state, now);
        let open = report.findings.iter().take(MOST_KEPT);
        let open = open.map(|one| clip(&format!("{}: {}", one.kind.as_str(), one.text), 240));
        let identity = report.identity;
        let entry = known.entry.as_deref();
        let listed = entry.map(|entry| entry.model.clone()).unwrap_or_default();
        // A phone that has not shown itself is of the maker of what it is listed as.
        let maker = || self.catalog().model(&listed).map(|(family, _)| family.vendor.clone());
        let vendor = identity.vendor.or_else(maker).unwrap_or_default();
        let named = |model: &str| {
            self.catalog().model(model).map_or_else(|| model.to_owned(), |(_, it)| it.name.clone())
        };
        let differs = identity.model.as_deref().is_some_and(|seen| named(seen) != named(&listed));
        let model = identity.model.unwrap_or_else(|| listed.clone());
        Kept {
            listed: Some(listed).filter(|_| differs).unwrap_or_default(),
            open: open.collect(),
            model: format!("{vendor} {model}").trim().to_owned(),
            firmware: identity.firmware.unwrap_or_default(),
            number: entry.map(|entry| entry.number().to_owned()).unwrap_or_default(),
            name: entry.map(|entry| entry.name().to_owned()).unwrap_or_default(),
            ready: state
                .staging_of(phone)
                .and_then(|(_, staging)| self.ready_at(state, phone, staging.phones.get(&phone)?)),
        }
    }

    /// When a phone of a batch first had what its site's `ready-when` asks for. Of a batch that is closed, what was so then.
    #[must_use]
    pub fn ready_at(&self, state: &State, phone: Mac, one: &Staged) -> Option<Timestamp> {
        if let Some(kept) = &one.kept {
            return kept.ready;
        }
        let known = state.phones.get(&phone);
        let address = known.and_then(|known| known.boot.address);
        let address = address.map_or(IpAddr::from([0; 4]), IpAddr::from);
        let site = self.site_of(known.and_then(|known| known.entry.as_deref()), address);
        match self.settings().sites.get(&site).map(|site| site.ready_when) {
            Some(ReadyWhen::Registered) => {
                one.ready.max(one.registered).filter(|_| one.registered.is_some())
            }
            Some(ReadyWhen::Configured) | None => one.ready,
        }
    }

    /// Who made a phone, by its prefix.
    fn maker(&self, phone: Mac, now: Timestamp) -> Option<String> {
        self.catalog().recognize(&Seen::Prefix(phone), now)?.vendor
    }
}

/// A batch that is not closed.
fn going_on(state: &State, id: StagingId) -> Result<&Staging, StagingError> {
    let staging = state.stagings.get(&id).ok_or(StagingError::NoSuch(id))?;
    if staging.end.is_some() { Err(StagingError::Closed(id)) } else { Ok(staging) }
}

fn staging(id: StagingId, change: StagingChange) -> Change {
    Change::Staging(id, Box::new(change))
}

fn change(id: StagingId, change: StagingChange) -> Batch {
    staging(id, change).into()
}
