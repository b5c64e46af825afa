//! What becomes of a phone's registrations, as its registrar, its call manager or a PBX tells.

use std::fmt;

use super::Timestamp;

/// The most changes of its registrations that a boot remembers; the oldest go first. Enough to tell a phone that
/// toggles between two servers from one that moved once.
pub const MAX_REGISTRATIONS: usize = 16;

/// Why a registration was turned down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rejection {
    /// It sent credentials and was challenged again (a second 401 or 407).
    Challenged,
    /// The registrar will not have it (403).
    Forbidden,
    /// The call manager does not know it, or has no number for it (SCCP `RegisterReject`).
    Unknown,
    /// Its load is newer than its call manager ("version error").
    Version,
    /// It presents or expects certificates that the call manager does not ("security error").
    Security,
}

impl Rejection {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Challenged, Self::Forbidden, Self::Unknown, Self::Version, Self::Security];

    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Challenged => "challenged",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
            Self::Version => "version",
            Self::Security => "security",
        }
    }
}

/// How a registration came on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// A REGISTER was seen; no answer yet.
    Asked,
    /// It is registered.
    Accepted,
    /// It was turned down.
    Rejected {
        /// Why.
        why: Rejection,
        /// The server's own words; may be empty.
        text: String,
    },
    /// It was registered and is not any more.
    Ended {
        /// The server's own words; may be empty.
        text: String,
    },
}

impl Step {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Ended { .. } => "ended",
        }
    }
}

impl fmt::Display for Step {
    /// What follows "… at SERVER" in the timeline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, text) = match self {
            Self::Asked => ("asks to register", ""),
            Self::Accepted => ("is registered", ""),
            Self::Rejected { why, text } => (
                match why {
                    Rejection::Challenged => "shows credentials and is challenged again",
                    Rejection::Forbidden => "is forbidden to register",
                    Rejection::Unknown => "is unknown",
                    Rejection::Version => "is refused for its version",
                    Rejection::Security => "is refused for its security settings",
                },
                text.as_str(),
            ),
            Self::Ended { text } => ("is not registered any more", text.as_str()),
        };
        f.write_str(words)?;
        if text.is_empty() { Ok(()) } else { write!(f, " ({text})") }
    }
}

/// One change of a phone's registrations, as its boot remembers it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registration {
    /// When.
    pub at: Timestamp,
    /// The server, printable and cut.
    pub by: String,
    /// What came of it.
    pub step: Step,
}

/// Adds what happened. An acceptance that only confirms the last one says nothing new: registrations are refreshed all
/// day long, and what is remembered here are changes.
pub(super) fn remember(known: &mut Vec<Registration>, at: Timestamp, by: &str, step: &Step) {
    let confirms = |last: &Registration| {
        last.step == Step::Accepted && *step == Step::Accepted && last.by == by
    };
    if known.last().is_some_and(confirms) {
        return;
    }
    known.push(Registration { at, by: by.to_owned(), step: step.clone() });
    let excess = known.len().saturating_sub(MAX_REGISTRATIONS);
    known.drain(..excess);
}
