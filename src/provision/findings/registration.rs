//! What registrars say of user and password.

use crate::domain::{Finding, FindingKind, Line, Origin, Registration, Rejection, Step};

use super::{super::report::Look, finding, grounds::ground};

/// A registrar that refused its credentials in this round, and has not accepted them since. Another server's word does
/// not count against it: each has its own users.
pub(super) fn bad_credentials(look: &Look<'_>) -> Option<Finding> {
    let answers = look.boot.registrations.iter().rev();
    let mut answers = answers.filter(|one| one.at >= look.boot.round && one.step != Step::Asked);
    let mut heard: Vec<&str> = Vec::new();
    let refused = answers.find(|one| {
        let last = !heard.contains(&one.by.as_str());
        heard.push(&one.by);
        last && is_refusal(one)
    })?;
    let user = look.entry.and_then(|entry| entry.lines.first()).map(Line::user);
    let user = user.filter(|user| !user.is_empty()).map(|user| format!(" (user {user})"));
    let what = match &refused.step {
        Step::Rejected { why: Rejection::Forbidden, .. } => "forbids it to register",
        _ => "is shown its credentials and challenges it again",
    };
    let text = format!("{} {what}{}", refused.by, user.unwrap_or_default());
    let remedy = format!(
        "compare SIP user and password with those of {}, correct the entry with `ringup phones set {} sip-password=NEW` \
         and restart the phone",
        refused.by, look.mac
    );
    let value = format!("{}: {}", refused.by, refused.step);
    let grounds = vec![ground(Origin::Registrar, value, None, refused.at)];
    Some(Finding { grounds, ..finding(FindingKind::BadCredentials, text, remedy) })
}

/// True for an answer that is about user or password.
fn is_refusal(one: &Registration) -> bool {
    let why = match &one.step {
        Step::Rejected { why, .. } => *why,
        Step::Asked | Step::Accepted | Step::Ended { .. } => return false,
    };
    matches!(why, Rejection::Challenged | Rejection::Forbidden)
}
