//! Registrations, as registrars, call managers and PBXs tell of them: rows 8, 15, 17 to 22, 24 and 25.

use std::time::Duration;

use crate::{
    config::{ReadyWhen, Srtp},
    domain::{Registration, Rejection, Stage, Step},
};

use super::{super::report::Look, Facts, files::trust_advice};

/// How often a registration has to end …
const LAPSES: usize = 2;

/// … within this time, to be more than a restart of the server.
const LAPSE_TIME: Duration = Duration::from_hours(1);

/// How often a REGISTER goes out unanswered before that is no start-up any more.
const UNANSWERED: usize = 3;

/// What was told last, if it was told in this round.
fn last<'a>(look: &Look<'a>) -> Option<&'a Registration> {
    look.boot.registrations.last().filter(|one| one.at >= look.boot.round)
}

/// The server and its words, behind a colon.
fn facts(one: &Registration) -> Facts {
    let words = match &one.step {
        Step::Rejected { text, .. } | Step::Ended { text } if !text.is_empty() => {
            format!(" ({text})")
        }
        Step::Rejected { .. } | Step::Ended { .. } | Step::Asked | Step::Accepted => String::new(),
    };
    vec![("by", one.by.clone()), ("words", words)]
}

/// The last rejection, unless it was accepted since: it asks anew all the time.
fn rejected(look: &Look<'_>, wanted: Rejection) -> Option<Facts> {
    let this_round = |one: &&Registration| one.at >= look.boot.round && one.step != Step::Asked;
    let last = look.boot.registrations.iter().rev().find(this_round)?;
    match last.step {
        Step::Rejected { why, .. } if why == wanted => Some(facts(last)),
        Step::Rejected { .. } | Step::Ended { .. } | Step::Asked | Step::Accepted => None,
    }
}

pub(super) fn forbidden(look: &Look<'_>) -> Option<Facts> {
    rejected(look, Rejection::Forbidden)
}

pub(super) fn challenged(look: &Look<'_>) -> Option<Facts> {
    rejected(look, Rejection::Challenged)
}

pub(super) fn version(look: &Look<'_>) -> Option<Facts> {
    rejected(look, Rejection::Version)
}

pub(super) fn insecure(look: &Look<'_>) -> Option<Facts> {
    let trust = vec![("trust", trust_advice(look))];
    rejected(look, Rejection::Security).map(|facts| [facts, trust].concat())
}

pub(super) fn unknown(look: &Look<'_>) -> Option<Facts> {
    let facts = rejected(look, Rejection::Unknown)?;
    let catalog = look.provisioner.catalog();
    let model = look.identity.model.as_deref().or(look.entry.map(|entry| entry.model.as_str()));
    let model = model.filter(|model| !model.is_empty());
    let listed = model.map(|model| {
        let known = catalog.model(model).and_then(|(_, known)| known.list_as.as_deref());
        known.unwrap_or(model)
    });
    Some([facts, vec![("model", listed.unwrap_or("what it is").to_owned())]].concat())
}

pub(super) fn toggles(look: &Look<'_>) -> Option<Facts> {
    let (one, other, times, since) = look.toggles()?;
    let minutes = look.reads.minutes_begun(since).to_string();
    let (one, other, times) = (one.to_owned(), other.to_owned(), times.to_string());
    Some(vec![("one", one), ("other", other), ("times", times), ("minutes", minutes)])
}

/// What ended lately, if that was more than once and it is over now.
fn lapsed(look: &Look<'_>) -> Option<Facts> {
    look.lapsed()?;
    let ended = |one: &&Registration| {
        matches!(one.step, Step::Ended { .. }) && !look.is_past(one.at, LAPSE_TIME)
    };
    let all: Vec<_> = look.boot.registrations.iter().filter(ended).collect();
    let last = all.last().filter(|_| all.len() >= LAPSES)?;
    Some([facts(last), vec![("times", all.len().to_string())]].concat())
}

pub(super) fn lapses(look: &Look<'_>) -> Option<Facts> {
    lapsed(look)
}

pub(super) fn lapses_under_srtp(look: &Look<'_>) -> Option<Facts> {
    let secured = look.site.is_some_and(|site| site.srtp != Srtp::Off);
    lapsed(look).filter(|_| secured)
}

pub(super) fn unanswered(look: &Look<'_>) -> Option<Facts> {
    let last = last(look).filter(|one| one.step == Step::Asked)?;
    let same = |one: &&Registration| one.step == Step::Asked && one.by == last.by;
    let times = look.boot.registrations.iter().rev().take_while(same).count();
    (times >= UNANSWERED).then(|| [facts(last), vec![("times", times.to_string())]].concat())
}

/// The first server of its site.
fn server(look: &Look<'_>) -> Option<String> {
    look.site?.servers.first().map(|server| server.address.clone())
}

pub(super) fn elsewhere(look: &Look<'_>) -> Option<Facts> {
    let last = last(look).filter(|one| one.step == Step::Asked)?;
    let site = look.site?;
    let mut known = site.servers.iter().chain(&site.outbound_proxies);
    // A name and its address can't be told from each other here.
    let same_kind = |address: &str| {
        let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
        is_address(address) == is_address(&last.by)
    };
    let strange = known.clone().all(|server| same_kind(&server.address))
        && !known.any(|server| server.address == last.by);
    let server = server(look).filter(|_| strange)?;
    Some([facts(last), vec![("server", server)]].concat())
}

pub(super) fn never(look: &Look<'_>) -> Option<Facts> {
    let due = look.ready_when() == ReadyWhen::Registered;
    (due && look.boot.risen == Stage::Configured).then_some(())?;
    let server = server(look).unwrap_or_else(|| "a server of its site".to_owned());
    Some(vec![("server", server)])
}
