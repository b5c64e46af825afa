//! Contradictions and faults of one phone: the list of checks. Each is a pure function of facts and the time.

mod address;
mod firmware;
mod grounds;
mod listing;
mod mac;
mod model;
mod registration;
mod server;
#[cfg(test)]
mod tests;

use crate::domain::{Finding, FindingKind};

use super::{labels, report::Look};

pub(super) use model::{Contradiction, contradiction, of_look};

/// One check: what it finds, if it finds anything.
type Check = fn(&Look<'_>) -> Option<Finding>;

/// All checks, in the order in which their findings are shown: who it is, where it is, what it gets.
const CHECKS: &[Check] = &[
    listing::not_listed,
    listing::no_numbers_left,
    listing::wrong_site,
    model::wrong_model,
    model::wrong_family,
    labels::bad_label,
    mac::mac_mismatch,
    mac::duplicate_mac,
    address::pool_exhausted,
    address::foreign_server,
    address::address_conflict,
    address::secret_withheld,
    registration::bad_credentials,
    server::used_phone,
    server::trust_list,
    server::unexpanded_macro,
    firmware::missing,
    firmware::incomplete,
    firmware::below_floor,
    server::looping,
];

/// What can be said where another server provisions the phone: addresses are still ours, files are not.
const ELSEWHERE: &[Check] = &[
    mac::duplicate_mac,
    address::pool_exhausted,
    address::foreign_server,
    address::address_conflict,
];

/// All findings of a phone.
pub(super) fn all(look: &Look<'_>) -> Vec<Finding> {
    found(CHECKS, look)
}

/// The findings of a phone that another server provisions.
pub(super) fn elsewhere(look: &Look<'_>) -> Vec<Finding> {
    found(ELSEWHERE, look)
}

/// What the checks find, none of it without grounds.
fn found(checks: &[Check], look: &Look<'_>) -> Vec<Finding> {
    let grounded = |mut finding: Finding| {
        if finding.grounds.is_empty() {
            finding.grounds = grounds::usual(finding.kind, look);
        }
        finding
    };
    checks.iter().filter_map(|check| check(look)).map(grounded).collect()
}

/// A finding without a repair, on the usual grounds of its kind.
fn finding(kind: FindingKind, text: impl Into<String>, remedy: impl Into<String>) -> Finding {
    let (text, remedy) = (text.into(), remedy.into());
    Finding { kind, text, remedy, grounds: Vec::new(), repair: None }
}
