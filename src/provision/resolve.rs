//! What a name means: the family's file, or the operator's own, or a load.

use crate::{
    domain::{Asked, Carrier, FamilyName, Identity, Mac, Required, Role, clip},
    profile::{Catalog, Family, FileMatch, FileRule, Normal, Speaks},
};

use super::{Library, name};

/// What a name means to the phone that asks for it.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    /// The name, normalized, in the phone's own case.
    pub name: String,
    /// The family's file; `None` for a name that only the operator's directories know.
    pub found: Option<FileMatch<'a>>,
    /// True if the family is known and not just the first of several that fit.
    pub certain: bool,
    /// What the file is to its phone.
    pub role: Role,
}

/// What speaks for one family or another, strongest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Clues<'a> {
    /// What this request shows, then what earlier ones showed.
    pub identities: Vec<&'a Identity>,
    /// The family of the model in the phone's entry.
    pub listed: Option<FamilyName>,
    /// The phone.
    pub mac: Option<Mac>,
}

/// Every file that a name fits; a name with directories in front is tried without them too, because many phones
/// prefix whatever path their option 66 had.
pub(super) fn matches<'a>(catalog: &'a Catalog, name: &str) -> Vec<FileMatch<'a>> {
    let found = catalog.resolve(name);
    let base = name::base(name);
    if found.is_empty() && base != name { catalog.resolve(base) } else { found }
}

/// Chooses among the families that have such a file: `{mac}.cfg` is asked for by several vendors' phones.
pub(super) fn target<'a>(
    name: String,
    mut found: Vec<FileMatch<'a>>,
    clues: &Clues<'_>,
    speaks: Speaks,
    (library, site): (&Library, &str),
) -> Option<Target<'a>> {
    // Stable, so that within a protocol the catalog's order holds.
    found.sort_by_key(|one| one.file.speaks.is_some_and(|its| its != speaks));
    if let Some(first) = found.first().copied() {
        let clue = by_clues(&found, clues);
        let alone = found.iter().all(|one| one.family.vendor == first.family.vendor);
        let chosen = clue.unwrap_or(first);
        let certain = clue.is_some() || alone;
        return Some(Target { name, found: Some(chosen), certain, role: chosen.file.role });
    }
    let role = if library.file(site, &name).is_some() {
        if name::mac_in(&name).is_some() { Role::Own } else { Role::Extra }
    } else if library.firmware(&name).is_some() {
        Role::Firmware
    } else {
        return None;
    };
    Some(Target { name, found: None, certain: false, role })
}

fn by_clues<'a>(found: &[FileMatch<'a>], clues: &Clues<'_>) -> Option<FileMatch<'a>> {
    let pick = |fits: &dyn Fn(&Family) -> bool| found.iter().find(|one| fits(one.family)).copied();
    let by_identity = clues.identities.iter().find_map(|identity| {
        let family = identity.family.as_ref();
        let vendor = identity.vendor.as_deref();
        pick(&|one| Some(&one.name) == family).or_else(|| {
            pick(&|one| vendor.is_some_and(|vendor| one.vendor.eq_ignore_ascii_case(vendor)))
        })
    });
    let listed = || clues.listed.as_ref().and_then(|listed| pick(&|one| one.name == *listed));
    let prefix = || {
        clues.mac.map(Mac::prefix).and_then(|prefix| pick(&|one| one.prefixes.contains(&prefix)))
    };
    by_identity.or_else(listed).or_else(prefix)
}

impl Target<'_> {
    /// What the record keeps of the request.
    pub fn asked(&self, carrier: Carrier, speaks: Speaks) -> Asked {
        let rule = self.found.map(|found| found.file);
        Asked {
            name: clip(&self.name, 128),
            carrier,
            role: self.role,
            required: self.found.and_then(|found| required(found.family, found.file, speaks)),
            first: rule.is_some_and(|rule| rule.first),
        }
    }

    /// What the family's profile calls normal about this file.
    pub fn normal(&self) -> Normal {
        self.found.map_or_else(Normal::default, |found| found.file.normal)
    }
}

/// A request for a name that nobody knows.
pub(super) fn unknown(name: &str, carrier: Carrier) -> Asked {
    Asked { name: clip(name, 128), carrier, role: Role::Extra, required: None, first: false }
}

/// Which of the family's required files `rule` is, counted among those that a phone of this protocol asks for.
fn required(family: &Family, rule: &FileRule, speaks: Speaks) -> Option<Required> {
    let mut names: Vec<&str> = Vec::new();
    for file in &family.files {
        let due = file.required && file.speaks.is_none_or(|its| its == speaks);
        if due && !names.contains(&file.name.as_str()) {
            names.push(&file.name);
        }
    }
    let slot = names.iter().position(|name| *name == rule.name)?;
    let count = |number: usize| u8::try_from(number).ok().filter(|number| *number <= 16);
    Some(Required { slot: count(slot)?, of: count(names.len())? })
}
