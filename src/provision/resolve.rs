//! What a name means: the family's file, or the operator's own, or a load.

use crate::{
    domain::{Asked, Carrier, FamilyName, Identity, Mac, Role, clip},
    profile::{Family, FileMatch, Normal, Speaks},
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
    /// Whose phone asks, where only other makers' phones have a file of that name: it gets none of theirs.
    pub foreign: Option<String>,
}

/// What speaks for one family or another, strongest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Clues<'a> {
    /// What this request shows, then what earlier ones showed.
    pub identities: Vec<&'a Identity>,
    /// The family of the model in the phone's entry.
    pub listed: Option<FamilyName>,
    /// Its maker, as it shows itself, else as it is listed; a prefix alone is no proof.
    pub vendor: Option<String>,
    /// The phone.
    pub mac: Option<Mac>,
}

/// Chooses among the families that have such a file: `{mac}.cfg` is asked for by several vendors' phones.
pub(super) fn target<'a>(
    name: String,
    mut found: Vec<FileMatch<'a>>,
    clues: &Clues<'_>,
    speaks: Speaks,
    (library, site): (&Library, &str),
) -> Option<Target<'a>> {
    // A name that holds another MAC than the phone's is that of its second port.
    let is_its = |one: &FileMatch<'_>| one.mac.is_none() || one.mac == clues.mac;
    if found.iter().any(is_its) {
        found.retain(is_its);
    }
    // Stable, so that within a protocol the catalog's order holds.
    found.sort_by_key(|one| !one.file.read_by(Some(spoken(one.family, speaks))));
    if let Some(first) = found.first().copied() {
        let clue = by_clues(&found, clues);
        let ours =
            |one: &FileMatch<'_>| clues.vendor.as_ref().is_none_or(|it| one.family.is_by(it));
        let told = matches!(first.file.role, Role::Own | Role::Common | Role::Fallback);
        if clue.is_none() && told && !found.iter().any(ours) {
            let (role, foreign) = (first.file.role, clues.vendor.clone());
            return Some(Target { name, found: None, certain: false, role, foreign });
        }
        let alone = found.iter().all(|one| one.family.vendor == first.family.vendor);
        let chosen = clue.unwrap_or(first);
        let certain = clue.is_some() || alone;
        return Some(Target {
            name,
            found: Some(chosen),
            certain,
            role: chosen.file.role,
            foreign: None,
        });
    }
    let role = if library.has(site, &name) {
        if name::mac_in(&name).is_some() { Role::Own } else { Role::Extra }
    } else if library.firmware(&name).is_some() {
        Role::Firmware
    } else {
        return None;
    };
    Some(Target { name, found: None, certain: false, role, foreign: None })
}

/// A family that anything speaks for, else one of the phone's maker; where nothing tells that, one with the MAC's prefix.
fn by_clues<'a>(found: &[FileMatch<'a>], clues: &Clues<'_>) -> Option<FileMatch<'a>> {
    let pick = |fits: &dyn Fn(&Family) -> bool| found.iter().find(|it| fits(it.family)).copied();
    let families = clues.identities.iter().filter_map(|identity| identity.family.as_ref());
    let by_family = families.chain(&clues.listed).find_map(|name| pick(&|it| it.name == *name));
    let by_vendor = || pick(&|it| clues.vendor.as_ref().is_some_and(|vendor| it.is_by(vendor)));
    // Of two blocks that hold the address, the smaller one says more; of equal ones, the better file.
    let prefix = || {
        let mac = clues.mac.filter(|_| clues.vendor.is_none())?;
        let holders = found.iter().filter_map(|it| Some((it.family.block(mac)?.size(), *it)));
        holders.min_by_key(|(size, _)| *size).map(|(_, it)| it)
    };
    by_family.or_else(by_vendor).or_else(prefix)
}

impl Target<'_> {
    /// What the record keeps of the request.
    pub fn asked(&self, carrier: Carrier, speaks: Speaks) -> Asked {
        let rule = self.found.map(|found| found.file);
        Asked {
            name: clip(&self.name, 128),
            carrier,
            role: self.role,
            required: self
                .found
                .and_then(|it| it.family.required(it.file, Some(spoken(it.family, speaks)))),
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

/// What a family's phones speak at a site: what its files are for, else the site's choice.
///
/// A family whose files are marked for neither speaks SIP, unless it is of the one vendor whose phones load either.
pub(super) fn spoken(family: &Family, site: Speaks) -> Speaks {
    let marked = |speaks| family.files.iter().any(|file| file.speaks == Some(speaks));
    match (marked(Speaks::Sip), marked(Speaks::Sccp)) {
        (true, true) => site,
        (false, true) => Speaks::Sccp,
        (false, false) if family.vendor == "Cisco" => site,
        (_, false) => Speaks::Sip,
    }
}
