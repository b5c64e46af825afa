//! The files that a phone would ask for, in its family's order, and what would answer each.

use std::net::IpAddr;

use crate::{
    domain::{Mac, Role, Timestamp, conclude},
    profile::Family,
};

use super::{Provisioner, Why, identify::staging, resolve::spoken};

/// A file that a phone would ask for.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its name, as the phone spells it.
    pub name: String,
    /// What it is to the phone.
    pub role: Role,
    /// The phone is configured only with it.
    pub required: bool,
    /// What the profile says about it, one plain sentence or none.
    pub note: String,
    /// The source that answers and its length in bytes; else why there is nothing.
    pub answer: Result<(String, u64), Why>,
    /// True if getting nothing is no fault.
    pub normal: bool,
}

impl Provisioner {
    /// What a phone would ask for and get. `local` is our address as it sees us. Renders each file; writes nothing. Empty
    /// where its family is not known. Names that only a firmware of this or that version gives are left out.
    #[must_use]
    pub fn files_of(&self, phone: Mac, local: IpAddr, now: Timestamp) -> Vec<Due> {
        self.due(phone, local, false, now)
    }

    /// The same; with `reveal` its secrets are in what is rendered, and a file that can't carry one of them is told.
    pub(super) fn due(&self, phone: Mac, local: IpAddr, reveal: bool, now: Timestamp) -> Vec<Due> {
        let Some((family, model, site)) = self.family_of(phone, local) else { return Vec::new() };
        let staged = matches!(staging(&self.view().read(), Some(phone)), Some((_, false)));
        let speaks = Some(spoken(family, self.speaks(&site, staged)));
        let model = model.and_then(|model| self.catalog().member(family, &model));
        let mut due: Vec<Due> = Vec::new();
        for file in family.files.iter().filter(|file| file.read_by(speaks)) {
            let others = file.model.as_deref().is_some_and(|its| {
                model.is_none_or(|model| !self.catalog().same_product(its, &model.name))
            });
            let series = file
                .series
                .as_deref()
                .is_some_and(|series| model.is_none_or(|model| !model.name.starts_with(series)));
            let Some(name) = file.expand(phone, model).filter(|_| !others && !series) else {
                continue;
            };
            if due.iter().any(|due| due.name == name) {
                continue;
            }
            let shown = self.preview(phone, &name, local, reveal, now);
            let normal = file.normal.miss || shown.as_ref().is_err_and(|refusal| refusal.normal);
            due.push(Due {
                name,
                role: file.role,
                required: file.required,
                note: file.note.clone(),
                answer: shown.map(|it| (it.source, it.length)).map_err(|refusal| refusal.why),
                normal,
            });
        }
        due
    }

    /// The family of a phone with its model and its site: as it shows itself, else as it is listed.
    fn family_of(&self, phone: Mac, local: IpAddr) -> Option<(&Family, Option<String>, String)> {
        let (grounds, entry, address) = {
            let state = self.view().read();
            let record = state.phones.get(&phone)?;
            (record.grounds.clone(), record.entry.clone(), record.boot.address)
        };
        let identity = conclude(&grounds);
        let listed = entry.as_deref().and_then(|entry| self.catalog().model(&entry.model));
        let seen = identity.family.as_ref().and_then(|name| self.catalog().family(name.as_str()));
        let family = seen.or(listed.map(|(family, _)| family))?;
        let model = identity.model.or_else(|| listed.map(|(_, model)| model.name.clone()));
        let site = self.site_of(entry.as_deref(), address.map_or(local, IpAddr::V4));
        Some((family, model, site))
    }
}
