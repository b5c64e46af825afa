//! One call instead of a form: a dead phone's place taken by another, and a proposed repair accepted.

use crate::{
    domain::{Batch, Change, Claim, Entry, Finding, FindingKind, Mac, Repair, Secret, Timestamp},
    profile::Seen,
    store::State,
};

use super::Provisioner;

/// What it takes to put another phone in the place of one, and what there is to know before.
#[derive(Debug)]
pub struct Swap {
    /// What is to be committed: one batch, which `undo` takes back.
    pub batch: Batch,
    /// In what the new phone differs from what is listed: to be said before anything is done.
    pub differences: Vec<String>,
    /// What the operator has to know afterwards.
    pub notes: Vec<String>,
    /// How many lines have a new SIP password.
    pub renewed: usize,
}

/// Why a phone can't take the place of another.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SwapError {
    /// There is nothing to hand over.
    #[error("{0} is not listed: there is nothing to hand over")]
    NotListed(Mac),
    /// The new phone has a place of its own.
    #[error("{phone} is listed itself{}: forget it first, or name another", as_number(.number))]
    Listed {
        /// The new phone.
        phone: Mac,
        /// Its number.
        number: String,
    },
    /// A phone is no replacement of itself.
    #[error("{0} can't replace itself")]
    Same(Mac),
}

fn as_number(number: &str) -> String {
    if number.is_empty() { String::new() } else { format!(" as {number}") }
}

/// A repair of an entry, accepted.
#[derive(Debug)]
pub struct Accepted {
    /// What is to be committed; `undo` takes it back.
    pub batch: Batch,
    /// The finding that goes away.
    pub finding: Finding,
    /// Under which MAC the entry is listed then.
    pub phone: Mac,
}

impl Provisioner {
    /// Works out how `new` takes the place of `old`: entry, lines, reservation and number move; `old` stays on record as
    /// a phone that is not listed. Commits nothing.
    ///
    /// SIP passwords are made anew with `password`, so that the old phone can't register with what it still knows; an
    /// account that a third phone has too keeps its password, or that one would go silent. Numbers that
    /// auto-registration gave away for ever go with their lines.
    ///
    /// # Errors
    ///
    /// [`SwapError`].
    pub fn replace(
        &self,
        state: &State,
        (old, new): (Mac, Mac),
        now: Timestamp,
        password: impl FnMut() -> Secret,
    ) -> Result<Swap, SwapError> {
        if old == new {
            return Err(SwapError::Same(old));
        }
        let listed = |mac: Mac| state.phones.get(&mac).and_then(|phone| phone.entry.as_deref());
        let mut entry = listed(old).cloned().ok_or(SwapError::NotListed(old))?;
        if let Some(own) = listed(new) {
            return Err(SwapError::Listed { phone: new, number: own.number().to_owned() });
        }
        // Whatever made it: an operator vouches for it now.
        entry.auto_registered = false;
        let differences = self.differences(state, new, &mut entry, now);
        let (renewed, notes) = renew(state, old, &mut entry, password);
        let mut changes = vec![Change::Unlisted(old)];
        changes.extend(given(state, old, &entry).map(|number| Change::Numbered(new, number)));
        // The reserved address must not wait for the end of a lease that nobody uses any more.
        let held = entry.address.and_then(|address| state.holder(address, now));
        changes.extend(
            held.filter(|lease| lease.mac == old)
                .map(|lease| Change::Released { address: lease.address, at: now }),
        );
        changes.push(Change::Listed(new, Box::new(entry)));
        let claims = vec![Claim::Unlisted(new)];
        Ok(Swap { batch: Batch { claims, changes, undoable: true }, differences, notes, renewed })
    }

    /// In what a phone differs from an entry that is to be its own. A model that it shows itself is written into it.
    fn differences(
        &self,
        state: &State,
        phone: Mac,
        entry: &mut Entry,
        now: Timestamp,
    ) -> Vec<String> {
        let mut seen = state.phones.get(&phone).cloned().unwrap_or_default();
        let known = seen.boot.is_seen();
        seen.entry = Some(entry.clone().into());
        let about = [FindingKind::WrongModel, FindingKind::WrongFamily];
        let findings = self.report(phone, &seen, state, now).findings;
        let mut differences = Vec::new();
        for finding in findings.into_iter().filter(|finding| about.contains(&finding.kind)) {
            let mut text = format!("{phone} is another phone: {}", finding.text);
            if let Some(model) = finding.repair.and_then(|repair| repair.model) {
                text = format!("{text}; it becomes listed as {model}");
                entry.model = model;
            }
            differences.push(text);
        }
        let catalog = self.catalog();
        let model = catalog.model(&entry.model);
        if !known
            && let Some((family, model)) = model
            && let Some(maker) =
                catalog.recognize(&Seen::Prefix(phone), now).and_then(|ground| ground.vendor)
            && !maker.eq_ignore_ascii_case(&family.vendor)
        {
            let text = format!(
                "{phone} was never seen, and by its prefix it is made by {maker}; listed is a {} {}",
                family.vendor, model.name
            );
            differences.push(text);
        }
        let (lines, has) = (entry.lines.len(), model.map_or(0, |(_, model)| model.lines));
        if has > 0 && usize::from(has) < lines {
            differences.push(format!("{lines} lines are listed, and a {} has {has}", entry.model));
        }
        differences
    }

    /// Works out the change that a finding of a phone proposes. Commits nothing.
    ///
    /// # Errors
    ///
    /// In words: not listed, or no finding (of that kind) proposes a repair.
    pub fn accept(
        &self,
        state: &State,
        phone: Mac,
        kind: Option<&str>,
        now: Timestamp,
    ) -> Result<Accepted, String> {
        let record = state.phones.get(&phone);
        let entry = record.and_then(|record| record.entry.as_deref());
        let (Some(record), Some(entry)) = (record, entry) else {
            return Err(format!("{phone} is not listed: there is nothing to repair"));
        };
        let findings = self.report(phone, record, state, now).findings;
        let wanted = |finding: &&Finding| kind.is_none_or(|kind| finding.kind.as_str() == kind);
        let mut proposed = findings.iter().filter(wanted).filter(|one| one.repair.is_some());
        let Some(finding) = proposed.next() else {
            let kinds: Vec<_> = findings.iter().map(|finding| finding.kind.as_str()).collect();
            let has = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
            let which = kind.map_or(String::new(), |kind| format!(" `{kind}`"));
            return Err(format!("no finding{which} of {phone} proposes a repair; it has {has}"));
        };
        let repair = finding.repair.clone().unwrap_or_default();
        let (batch, phone) = repaired(state, phone, entry.clone(), repair)?;
        Ok(Accepted { batch, finding: finding.clone(), phone })
    }
}

/// The batch that makes a repair fact, and the MAC under which the entry is listed then. An operator vouches for the
/// entry from then on, whatever made it.
fn repaired(
    state: &State,
    phone: Mac,
    mut entry: Entry,
    repair: Repair,
) -> Result<(Batch, Mac), String> {
    let Repair { model, site, mac } = repair;
    entry.auto_registered = false;
    entry.model = model.unwrap_or(entry.model);
    entry.site = site.or(entry.site);
    let moves = mac.filter(|mac| *mac != phone);
    let Some(to) = moves else {
        let changes = vec![Change::Listed(phone, Box::new(entry))];
        return Ok((Batch { undoable: true, ..Batch::from(changes) }, phone));
    };
    if state.phones.get(&to).is_some_and(|other| other.entry.is_some()) {
        return Err(format!("{to} is listed by now: two entries can't be one phone's"));
    }
    let mut changes = vec![Change::Unlisted(phone)];
    changes.extend(given(state, phone, &entry).map(|number| Change::Numbered(to, number)));
    changes.push(Change::Listed(to, Box::new(entry)));
    Ok((Batch { claims: vec![Claim::Unlisted(to)], changes, undoable: true }, to))
}

/// Gives each line a new password, and tells how many and which lines kept theirs.
fn renew(
    state: &State,
    old: Mac,
    entry: &mut Entry,
    mut password: impl FnMut() -> Secret,
) -> (usize, Vec<String>) {
    let (mut renewed, mut notes) = (0, Vec::new());
    for (index, line) in (1..).zip(&mut entry.lines) {
        if line.sip_password.is_empty() {
            continue;
        }
        let mut others = state.phones.iter().filter(|(mac, _)| **mac != old);
        let shared = others.find(|(_, phone)| {
            let lines = phone.entry.iter().flat_map(|entry| &entry.lines);
            let mut same = lines.filter(|other| other.user() == line.user());
            same.any(|other| other.sip_password == line.sip_password)
        });
        if let Some((other, _)) = shared {
            notes.push(format!(
                "line {index} is one account with {other}: its SIP password stays as it is"
            ));
        } else {
            line.sip_password = password();
            renewed += 1;
        }
    }
    (renewed, notes)
}

/// Numbers of an entry that a phone has for ever.
fn given(state: &State, phone: Mac, entry: &Entry) -> impl Iterator<Item = String> {
    let numbers = entry.lines.iter().map(|line| &line.number);
    numbers.filter(move |number| state.numbers.get(*number) == Some(&phone)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Commit, Line};

    #[test]
    fn a_repaired_mac_takes_entry_and_number_along() {
        let mac = |text: &str| text.parse::<Mac>().unwrap();
        let (typed, real) = (mac("001e7ac41022"), mac("001e7ac41023"));
        let line = Line { number: "4012".to_owned(), ..Line::default() };
        let entry = Entry { lines: vec![line], auto_registered: true, ..Entry::default() };
        let changes = vec![
            Change::Listed(typed, Box::new(entry.clone())),
            Change::Numbered(typed, "4012".to_owned()),
        ];
        let mut state = State::default();
        state.apply(&Commit { number: 1, changes });
        let repair = Repair { mac: Some(real), site: Some("paris".to_owned()), model: None };
        let made = repaired(&state, typed, entry.clone(), repair.clone());
        let (batch, phone) = made.unwrap();
        assert_eq!((phone, batch.undoable, state.admits(&batch)), (real, true, Ok(())));
        state.apply(&Commit { number: 2, changes: batch.changes });
        let now = state.phones[&real].entry.as_deref().unwrap();
        assert_eq!((now.number(), now.site.as_deref()), ("4012", Some("paris")));
        assert!(!now.auto_registered && !state.phones.contains_key(&typed));
        assert_eq!(state.number_of("4012"), Some(real));
        let taken = repaired(&state, typed, entry, repair).unwrap_err();
        assert!(taken.starts_with("00:1e:7a:c4:10:23 is listed by now"), "{taken}");
    }
}
