//! Addresses: none left, one that two use, a file asked for from the wrong one.

use crate::domain::{Finding, FindingKind, Origin, Unserved, What};

use super::{
    super::{conflicts::CAUSE_OF_CONFLICTS, diagnosis::Reason, report::Look},
    finding,
    grounds::ground,
};

pub(super) fn pool_exhausted(look: &Look<'_>) -> Option<Finding> {
    let last = What::Unserved(Unserved::PoolExhausted).to_string();
    (look.boot.last == last).then(|| {
        let remedy = "widen `pool` of that subnet, or shorten its `lease-time`";
        finding(FindingKind::PoolExhausted, last, remedy)
    })
}

/// A DHCP server answers it that is not to: its offer was taken and not ours, or it says something else than the one that
/// we only observe. Gone with the next start in which that does not happen.
pub(super) fn foreign_server(look: &Look<'_>) -> Option<Finding> {
    let rival = look.boot.rival.as_ref()?;
    let server = rival.server;
    let hardware = rival.hardware.map(|mac| format!(" ({mac})")).unwrap_or_default();
    let text = match rival.beside {
        None => {
            format!("it took the offer of {server}{hardware}, another DHCP server on its network")
        }
        Some(beside) => format!(
            "{beside} and {server}{hardware} both answer it, and say different things: one of them is not for phones"
        ),
    };
    let find =
        "turn it off, or turn on DHCP snooping: the switch's table of addresses tells its port";
    let remedy = match rival.beside {
        None => {
            format!("find {server} and {find}; if it is right there, let ringup only `observe`")
        }
        Some(_) => format!("find {server} and {find}; if both are right, let both say the same"),
    };
    let value = format!("option 54 {server}");
    let grounds = vec![ground(Origin::Dhcp, value, rival.hardware, rival.at)];
    Some(Finding { grounds, ..finding(FindingKind::ForeignDhcpServer, text, remedy) })
}

pub(super) fn address_conflict(look: &Look<'_>) -> Option<Finding> {
    let address = look.conflict()?;
    if look.is_widespread() {
        let text =
            format!("{address} was offered to it and is in use, and so it goes with many phones");
        return Some(finding(FindingKind::AddressConflict, text, CAUSE_OF_CONFLICTS));
    }
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
