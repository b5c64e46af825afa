//! Why a phone makes no progress: one table of causes, the first that fits wins.
//!
//! `table` is the closed list with its words, by theme; `network`, `files`, `firmware` and `registration` say whether a cause is
//! so; `flags` says who is ready, stuck, looping or away. All of it is a function of what is on record, the family's
//! profile, the settings and the time.

mod files;
mod firmware;
mod flags;
mod network;
mod protocol;
mod reason;
mod registration;
mod table;
#[cfg(test)]
mod tests;

pub(super) use files::in_words;
pub(super) use flags::{LOOP_TIME, LOOP_TIMES, Memo, SETTLED};
pub(super) use reason::Reason;
pub use reason::asked_from;

use crate::{
    domain::{Diagnosis, Role, Stage},
    profile::FileRule,
};

use super::{report::Look, resolve::spoken};

use table::{Cause, Next, causes};

/// The names of all causes.
pub fn cause_names() -> impl Iterator<Item = &'static str> {
    causes().map(|cause| cause.name)
}

/// What fills the braces of a cause's words.
type Facts = Vec<(&'static str, String)>;

/// How a phone stands: which causes come into question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It is ready: only that it goes by what is not listed any more.
    Ready,
    /// Its stage's patience is not over: only what is certain as soon as it is seen.
    Waiting,
    /// Patience is over: guesses too.
    Stuck,
    /// It was ready and its registration ended: only causes of that.
    Lapsed,
}

/// The first cause that fits.
pub(super) fn diagnose(look: &Look<'_>, standing: Standing) -> Option<Diagnosis> {
    let fits = |cause: &&'static Cause| match standing {
        Standing::Ready => cause.name == table::ENTRY_CHANGED,
        Standing::Waiting => cause.certain,
        Standing::Stuck => true,
        Standing::Lapsed => cause.certain && table::REGISTRATION.contains(&cause.row),
    };
    let (cause, facts) =
        causes().filter(fits).find_map(|cause| Some((cause, (cause.fits)(look)?)))?;
    let facts = [facts, common(look)].concat();
    let expected = match cause.next {
        Next::File => expected(look),
        Next::Says(words) => Some(filled(words, &facts)),
    };
    let (text, remedy) = (filled(cause.text, &facts), filled(cause.remedy, &facts));
    Some(Diagnosis { cause: cause.name, text, remedy, expected })
}

/// What any cause may speak of.
fn common(look: &Look<'_>) -> Facts {
    let directories = &look.provisioner.settings().appliance;
    vec![
        ("mac", look.mac.to_string()),
        ("site", look.site_name.clone()),
        ("files", directories.files.display().to_string()),
        ("firmware", directories.firmware.display().to_string()),
    ]
}

/// Words with each `{name}` replaced, in one pass: what a phone sent may have braces of its own.
fn filled(words: &str, facts: &Facts) -> String {
    let mut text = String::new();
    let mut rest = words;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = behind.split_once('}') else { break };
        let fact = facts.iter().find(|(known, _)| *known == name);
        text.push_str(fact.map_or("…", |(_, value)| value));
        rest = after;
    }
    text + rest
}

/// The name that the phone should ask for next: before it has asked for anything the family's first file, then the
/// first of its own that it does not have.
pub(super) fn expected(look: &Look<'_>) -> Option<String> {
    let family = look.family?;
    let speaks = Some(spoken(family, look.provisioner.speaks(&look.site_name, look.staged)));
    let model = look.identity.model.as_deref();
    let model = model.and_then(|model| look.provisioner.catalog().member(family, model));
    let asked = look.boot.risen >= Stage::Asking;
    let due = |file: &&FileRule| {
        file.read_by(speaks) && (!asked || file.required && file.role == Role::Own)
    };
    let has = |file: &&FileRule| {
        let slot = family.required(file, speaks).map(|required| u32::from(required.slot));
        slot.and_then(|slot| look.boot.delivered.checked_shr(slot))
            .is_some_and(|bits| bits & 1 == 1)
    };
    let mut files = family.files.iter().filter(due).filter(|file| !has(file));
    files.find_map(|file| file.expand(look.mac, model))
}
