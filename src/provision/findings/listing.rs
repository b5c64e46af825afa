//! Whether it is on the list, and for this place: strangers, strangers for whom no number is left, phones elsewhere.

use crate::{
    domain::{Finding, FindingKind, Origin, Repair, Role},
    profile::Seen,
};

use super::{
    super::{diagnosis::Reason, report::Look},
    finding,
};

pub(super) fn not_listed(look: &Look<'_>) -> Option<Finding> {
    let is_phone = look.family.is_some()
        || look.identity.vendor.is_some()
        || look.boot.transfers.iter().any(|one| one.role != Role::Extra);
    let stranger = look.entry.is_none() && look.boot.is_seen() && is_phone && !is_no_phone(look);
    let mac = look.mac;
    stranger.then(|| {
        let what = look.identity.model.as_deref().map(|model| format!(", a {model},"));
        let refused = look.refused().map(|(reason, _)| reason);
        let open = look.is_open();
        let why = match (refused, open) {
            (Some(Reason::NotListed), false) => {
                ": it got no file, because auto-registration is closed"
            }
            (Some(Reason::NotListed), true) => {
                ": it got no file, because auto-registration was closed"
            }
            _ => "",
        };
        let text = format!("{mac}{} is here and not listed{why}", what.unwrap_or_default());
        let or = match (refused, open) {
            (_, false) => " or open auto-registration",
            (Some(Reason::NoNumbersLeft), true) => ", or widen `numbers`: none is left",
            (Some(Reason::NotListed), true) => {
                ", or restart it: auto-registration is open now and lists it"
            }
            (_, true) => {
                ": auto-registration is open, and lists it only if it asks for a file that a family's template makes"
            }
        };
        let remedy = format!("list it (`ringup phones set {mac} number=…`){or}");
        finding(FindingKind::NotListed, text, remedy)
    })
}

fn is_no_phone(look: &Look<'_>) -> bool {
    look.identity.grounds.iter().any(|ground| {
        let value = ground.value.as_bytes();
        let seen = match ground.from {
            Origin::Option60 => Seen::Option60(value),
            Origin::Option12 => Seen::Option12(value),
            Origin::UserAgent => Seen::UserAgent(&ground.value),
            _ => return false,
        };
        look.provisioner.catalog().not_a_phone(&seen).is_some()
    })
}

pub(super) fn no_numbers_left(look: &Look<'_>) -> Option<Finding> {
    let (reason, text) = look.refused()?;
    let out = look.entry.is_none() && reason == Reason::NoNumbersLeft;
    (out && look.is_open()).then(|| {
        let remedy = "give `numbers` a wider range, or list the phone with a number of its own";
        finding(FindingKind::NoNumbersLeft, text, remedy)
    })
}

/// It is listed at one site and started at another. Values and servers are those of the listed one.
pub(super) fn wrong_site(look: &Look<'_>) -> Option<Finding> {
    let listed = look.entry?.site.as_ref()?;
    let sites = &look.provisioner.settings().sites;
    let here = &look.subnet()?.site;
    let known = sites.contains_key(listed) && sites.contains_key(here);
    (known && listed != here && look.boot.is_seen()).then(|| {
        let address = look.boot.address.map(|address| format!(" with {address}"));
        let text = format!("listed for {listed}, started at {here}{}", address.unwrap_or_default());
        let remedy = format!("bring it to {listed}, or list it for {here}");
        let repair = Some(Repair { site: Some(here.clone()), ..Repair::default() });
        Finding { repair, ..finding(FindingKind::WrongSite, text, remedy) }
    })
}
