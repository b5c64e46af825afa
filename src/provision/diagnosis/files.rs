//! Trust lists and configuration files: rows 5 and 7 to 12.

use crate::domain::{Outcome, Role, Stage, Transfer};

use super::{super::report::Look, Facts, Reason, expected};
use crate::profile::Speaks;

/// Octets of the first block of a TFTP transfer without options (RFC 1350 §2).
const FIRST_BLOCK: u64 = 512;

fn refusal(look: &Look<'_>, reason: Reason) -> Option<Facts> {
    let (_, text) = look.refused().filter(|(is, _)| *is == reason)?;
    Some(vec![("why", text.to_owned())])
}

pub(super) fn withheld(look: &Look<'_>) -> Option<Facts> {
    refusal(look, Reason::Withheld)
}

pub(super) fn no_numbers_left(look: &Look<'_>) -> Option<Facts> {
    refusal(look, Reason::NoNumbersLeft).filter(|_| look.entry.is_none())
}

pub(super) fn not_listed(look: &Look<'_>) -> Option<Facts> {
    let mut facts = refusal(look, Reason::NotListed).filter(|_| look.entry.is_none())?;
    let open = look.is_open();
    let (was, or) = if open {
        ("was", "restart it: auto-registration is open by now and lists it")
    } else {
        ("is", "open auto-registration")
    };
    facts.extend([("was", was.to_owned()), ("or", or.to_owned())]);
    Some(facts)
}

pub(super) fn broken(look: &Look<'_>) -> Option<Facts> {
    refusal(look, Reason::Broken)
}

pub(super) fn missing(look: &Look<'_>) -> Option<Facts> {
    let such = |one: &Transfer| one.role == Role::Own && !one.normal;
    let last = look.last(such).filter(|_| look.entry.is_some())?;
    let text = last.refused.as_deref().filter(|text| Reason::of(text) == Reason::Missing)?;
    Some(vec![("why", text.to_owned())])
}

/// A file with how far it came.
fn facts(one: &Transfer) -> Facts {
    vec![
        ("file", one.name.clone()),
        ("bytes", one.bytes.to_string()),
        ("length", one.length.to_string()),
    ]
}

/// The last file that was not refused, if it ended as `such` says.
fn ended<'a>(look: &Look<'a>, such: impl Fn(&Outcome) -> bool) -> Option<&'a Transfer> {
    let last = look.last(|one| one.refused.is_none())?;
    last.outcome.as_ref().is_some_and(such).then_some(last)
}

pub(super) fn times_out(look: &Look<'_>) -> Option<Facts> {
    let last = ended(look, |outcome| *outcome == Outcome::TimedOut)?;
    let remedy = if last.bytes < FIRST_BLOCK {
        "let UDP through both ways between phone and server, any port: each transfer uses a port of its own, and no \
         acknowledgement of the first block came back"
    } else {
        "look for loss and for a smaller MTU between phone and server: the first blocks arrived"
    };
    Some([facts(last), vec![("remedy", remedy.to_owned())]].concat())
}

pub(super) fn failed(look: &Look<'_>) -> Option<Facts> {
    let last = ended(look, |outcome| matches!(outcome, Outcome::Failed { .. }))?;
    let Some(Outcome::Failed { text }) = &last.outcome else { return None };
    let source = if last.source.is_empty() { "unknown" } else { &last.source };
    let more = vec![("why", text.clone()), ("source", source.to_owned())];
    Some([facts(last), more].concat())
}

/// The last of its own files, if the phone itself broke it off, with its words.
fn broken_off<'a>(look: &Look<'a>) -> Option<(&'a Transfer, &'a str)> {
    let last = look.last(|one| one.role == Role::Own && one.refused.is_none())?;
    match last.outcome.as_ref().filter(|_| !last.normal) {
        Some(Outcome::Aborted { text }) => Some((last, text)),
        _ => None,
    }
}

pub(super) fn refused(look: &Look<'_>) -> Option<Facts> {
    let (last, text) = broken_off(look).filter(|(_, text)| !text.is_empty())?;
    Some([facts(last), vec![("why", text.to_owned())]].concat())
}

pub(super) fn partly_read(look: &Look<'_>) -> Option<Facts> {
    broken_off(look).map(|(last, _)| facts(last))
}

/// The last of its own files that it took whole, and how often it did lately.
fn taken<'a>(look: &Look<'a>) -> Option<(&'a Transfer, usize)> {
    let whole = |one: &Transfer| one.outcome == Some(Outcome::Complete);
    let last = look.last(|one| one.role == Role::Own && whole(one))?;
    Some((last, look.times(|one| one.name == last.name && whole(one))))
}

pub(super) fn too_long(look: &Look<'_>) -> Option<Facts> {
    let (last, times) = taken(look)?;
    let family = look.family?;
    let rules = look.provisioner.catalog().resolve(&last.name);
    let rule = rules.iter().find(|one| one.family.name == family.name)?.file;
    let longest = rule.longest.filter(|longest| last.length > *longest)?;
    // Once is a phone that is at work with it.
    (times > 1).then(|| [facts(last), vec![("longest", longest.to_string())]].concat())
}

pub(super) fn asked_again(look: &Look<'_>) -> Option<Facts> {
    let (last, times) = taken(look).filter(|(_, times)| *times > 3)?;
    let remedy = if last.source.starts_with("file ") {
        format!(
            "see that {} is well-formed, and that a MAC in it (`<mac>`) is {} or left out: it is your own, from {}",
            last.name,
            look.mac,
            last.source.trim_start_matches("file ")
        )
    } else {
        "look at that file with `ringup render`, above all at its own files and `set.` values"
            .to_owned()
    };
    Some([facts(last), vec![("times", times.to_string()), ("remedy", remedy)]].concat())
}

pub(super) fn default_only(look: &Look<'_>) -> Option<Facts> {
    (look.boot.risen == Stage::Defaulted).then(Vec::new)
}

pub(super) fn incomplete(look: &Look<'_>) -> Option<Facts> {
    let (last, _) = taken(look).filter(|_| look.boot.risen == Stage::Asking)?;
    Some([facts(last), vec![("missing", expected(look)?)]].concat())
}

/// It asks for what only a load of the protocol that its site does not speak reads.
pub(super) fn other_protocol(look: &Look<'_>) -> Option<Facts> {
    let (file, other, ours) = look.other_protocol()?;
    let (other, ours) = (in_words(other).to_owned(), in_words(ours).to_owned());
    Some(vec![("file", file.to_owned()), ("other", other), ("ours", ours)])
}

/// A protocol as the settings spell it.
pub(in crate::provision) const fn in_words(speaks: Speaks) -> &'static str {
    match speaks {
        Speaks::Sip => "sip",
        Speaks::Sccp => "sccp",
    }
}

/// It has a configuration whole that was made from another entry than the one of now.
pub(super) fn entry_changed(look: &Look<'_>) -> Option<Facts> {
    let entry = look.entry.filter(|_| look.given != 0 && look.boot.risen >= Stage::Configured)?;
    (look.given != entry.stamp()).then(|| vec![("remedy", again(look))])
}

/// How a phone of this family is made to read its files once more.
fn again(look: &Look<'_>) -> String {
    if look.called().is_ok() {
        return format!(
            "press Make it come again on its page, or run `ringup phones resync {}`; or restart it by its power",
            look.mac
        );
    }
    match look.family.map_or("", |family| family.resync.as_str()) {
        "" => "restart it, by its power or at its keys: its family follows no NOTIFY".to_owned(),
        "service-control" => {
            "reset it from its call manager (NOTIFY `service-control` with action=reset; a load for SCCP takes a Reset), or \
             press **#** under Settings"
                .to_owned()
        }
        _ => "let its call manager reset it (a load for SCCP follows no NOTIFY), or restart it by its power".to_owned(),
    }
}

/// Trust lists refused in round after round: loads that go on only with one.
pub(super) fn trust_restarts(look: &Look<'_>) -> Option<Facts> {
    let missed = look.last(|one| one.role == Role::Trust && one.refused.is_some())?;
    let only = look.last(|one| one.role != Role::Trust).is_none();
    let times = look.restarts_with_dhcp();
    (only && times > 3).then(|| [facts(missed), vec![("times", times.to_string())]].concat())
}

pub(super) fn trust_loop(look: &Look<'_>) -> Option<Facts> {
    let of_own = look.last(|one| one.role == Role::Own);
    (look.times(|one| one.role == Role::Trust) > 3 && of_own.is_none()).then_some(())?;
    Some(vec![("trust", trust_advice(look))])
}

/// How to erase what an old cluster left on such a phone.
pub(super) fn trust_advice(look: &Look<'_>) -> String {
    let own = look.family.map(|family| family.advice.trust.as_str());
    let how = own.filter(|how| !how.is_empty());
    let erase =
        "erase the trust list (CTL, ITL) on the phone or reset it: it comes from a secured cluster";
    how.map_or_else(|| erase.to_owned(), |how| format!("{erase}; {how}"))
}

pub(super) fn never_its_own(look: &Look<'_>) -> Option<Facts> {
    let own = look.last(|one| one.role == Role::Own);
    (look.boot.risen == Stage::Asking && own.is_none()).then(Vec::new)
}
