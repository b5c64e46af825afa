//! Addresses: none left, one that two use, a file asked for from the wrong one.

use crate::domain::{Finding, FindingKind, Unserved, What};

use super::{
    super::{diagnosis::Reason, report::Look},
    finding,
};

pub(super) fn pool_exhausted(look: &Look<'_>) -> Option<Finding> {
    let last = What::Unserved(Unserved::PoolExhausted).to_string();
    (look.boot.last == last).then(|| {
        let remedy = "widen `pool` of that subnet, or shorten its `lease-time`";
        finding(FindingKind::PoolExhausted, last, remedy)
    })
}

pub(super) fn address_conflict(look: &Look<'_>) -> Option<Finding> {
    let address = look.conflict()?;
    let text = format!("{address} was offered to it and is used by somebody else");
    let remedy = "find who has that address by hand, or take it out of the pool with `exclude`";
    Some(finding(FindingKind::AddressConflict, text, remedy))
}

pub(super) fn secret_withheld(look: &Look<'_>) -> Option<Finding> {
    let (reason, text) = look.refused()?;
    (reason == Reason::Withheld).then(|| {
        let remedy = "let the phone take its address by DHCP, or set `secrets.peer = \"any\"`";
        finding(FindingKind::SecretWithheld, text, remedy)
    })
}
