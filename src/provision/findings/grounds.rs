//! What a finding rests on, where its check names nothing more exact: the request, the answer or the list entry behind it.

use crate::domain::{FindingKind, Ground, Mac, Origin, Role, Timestamp, Transfer};

use super::super::report::Look;

/// A ground that says nothing about what its phone is.
pub(super) fn ground(
    from: Origin,
    value: impl Into<String>,
    mac: Option<Mac>,
    at: Timestamp,
) -> Ground {
    let (vendor, family, model, firmware) = (None, None, None, None);
    Ground { from, value: value.into(), vendor, family, model, firmware, mac, at }
}

/// The grounds of a finding of this kind.
pub(super) fn usual(kind: FindingKind, look: &Look<'_>) -> Vec<Ground> {
    let one = match kind {
        FindingKind::WrongModel
        | FindingKind::WrongFamily
        | FindingKind::NotListed
        | FindingKind::FirmwareBelowFloor => look.identity.grounds.first().cloned(),
        FindingKind::BadLabel => Some(listed(look)),
        FindingKind::FirmwareIncomplete => {
            Some(asked(look, |one| one.role == Role::Firmware).unwrap_or_else(|| listed(look)))
        }
        FindingKind::NoNumbersLeft | FindingKind::SecretWithheld | FindingKind::MacMismatch => {
            asked(look, |one| matches!(one.role, Role::Own | Role::Fallback))
        }
        FindingKind::TrustList | FindingKind::UnexpandedMacro | FindingKind::UsedPhone => {
            asked(look, |one| one.refused.is_some())
        }
        FindingKind::FirmwareMissing => asked(look, |one| one.role == Role::Firmware),
        FindingKind::Looping => asked(look, |_| true),
        FindingKind::WrongSite
        | FindingKind::DuplicateMac
        | FindingKind::PoolExhausted
        | FindingKind::ForeignDhcpServer
        | FindingKind::AddressConflict
        | FindingKind::BadCredentials => None,
    };
    // What is left came by DHCP: the last that happened to it, and the address that it has of it.
    let last = || {
        let address = look.boot.address.map(|address| format!(" ({address})"));
        let value = format!("{}{}", look.boot.last, address.unwrap_or_default());
        ground(Origin::Dhcp, value, None, look.boot.last_at)
    };
    vec![one.unwrap_or_else(last)]
}

/// The last request that is such a one.
fn asked(look: &Look<'_>, such: impl Fn(&Transfer) -> bool) -> Option<Ground> {
    let last = look.boot.transfers.iter().rev().find(|one| such(one))?;
    Some(ground(Origin::FileName, last.name.clone(), None, last.at))
}

/// What the operator listed. An entry bears no time: it counts as of when its phone was last heard.
fn listed(look: &Look<'_>) -> Ground {
    let model = look.entry.map_or("", |entry| entry.model.as_str());
    let value = format!("{} {model}", look.mac).trim_end().to_owned();
    ground(Origin::List, value, Some(look.mac), look.boot.last_at)
}
