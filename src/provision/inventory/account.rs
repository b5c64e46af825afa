//! The SIP accounts of a list: what its lines register as, which a registrar has to know.

use std::collections::BTreeMap;

use crate::{
    config::{Settings, Site},
    domain::{Entry, Line, Mac, Secret},
    store::State,
};

use super::Fault;

/// One SIP account.
#[derive(Debug)]
pub(super) struct Account<'a> {
    /// What it registers as.
    pub(super) user: &'a str,
    pub(super) number: &'a str,
    pub(super) name: &'a str,
    pub(super) password: &'a Secret,
    /// The phones that have a line of it, and how their entries call their models.
    pub(super) phones: Vec<(Mac, &'a str)>,
    /// The site of the first of them.
    pub(super) site: Option<&'a Site>,
}

/// A line that has no account: nobody could tell its phone from anybody else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) phone: Mac,
    /// From 1.
    pub(super) line: usize,
}

/// The accounts by what they register as, and the lines that have none because there is no password.
///
/// # Errors
///
/// Lines of several phones that register as the same with different passwords: no registrar takes both.
pub(super) fn accounts<'a>(
    state: &'a State,
    settings: &'a Settings,
    filter: &dyn Fn(Mac, &Entry) -> bool,
) -> Result<(Vec<Account<'a>>, Vec<Open>), Vec<Fault>> {
    let (mut accounts, mut open, mut faults) =
        (BTreeMap::<&str, Account<'a>>::new(), Vec::new(), Vec::new());
    for (mac, phone) in &state.phones {
        let Some(entry) = phone.entry.as_deref().filter(|entry| filter(*mac, entry)) else {
            continue;
        };
        for (index, line) in (1..).zip(&entry.lines) {
            if line.number.is_empty() {
                continue;
            }
            if line.sip_password.is_empty() {
                open.push(Open { phone: *mac, line: index });
                continue;
            }
            let account = accounts.entry(line.user()).or_insert_with(|| new(entry, line, settings));
            if account.password != &line.sip_password {
                faults.extend(
                    account.phones.first().map(|(other, _)| contradiction(*mac, *other, line)),
                );
            }
            if account.phones.last().is_none_or(|(last, _)| last != mac) {
                account.phones.push((*mac, &entry.model));
            }
        }
    }
    if faults.is_empty() { Ok((accounts.into_values().collect(), open)) } else { Err(faults) }
}

fn new<'a>(entry: &'a Entry, line: &'a Line, settings: &'a Settings) -> Account<'a> {
    let site = entry.site.as_deref().unwrap_or("default");
    Account {
        user: line.user(),
        number: &line.number,
        name: &line.name,
        password: &line.sip_password,
        phones: Vec::new(),
        site: settings.sites.get(site),
    }
}

fn contradiction(one: Mac, other: Mac, line: &Line) -> Fault {
    let reason =
        format!("{one} and {other} register as `{}` with different passwords", line.user());
    Fault::new("sip-password", reason).repair("give both the same, or each a sip-user of its own")
}
