//! What a phone answered when it was asked to come again.

use std::fmt;

use super::Timestamp;

/// The last time that a phone was asked to come again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recalled {
    /// When it answered, or was given up.
    pub at: Timestamp,
    /// The event of the NOTIFY (`check-sync`).
    pub event: String,
    /// What it answered.
    pub reply: Reply,
}

/// What came of a NOTIFY that asked a phone to read its files again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reply {
    /// It will (a 2xx answer).
    Accepted {
        /// The status code.
        code: u16,
    },
    /// It will not.
    Refused {
        /// The status code, 300 to 699.
        code: u16,
        /// Its own words, printable and cut; may be empty.
        text: String,
        /// True if it had the credentials of its first line.
        signed: bool,
    },
    /// No answer within 32 s (RFC 3261 §17.1.2.2, timer F).
    Silent,
    /// It never left this machine.
    Unsent {
        /// What the system says.
        text: String,
    },
}

impl Reply {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::Silent => "silent",
            Self::Unsent { .. } => "unsent",
        }
    }

    /// The status code, where there was one.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Accepted { code } | Self::Refused { code, .. } => Some(*code),
            Self::Silent | Self::Unsent { .. } => None,
        }
    }
}

impl fmt::Display for Reply {
    /// What follows "was asked to come again: ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { code } => write!(f, "it accepted ({code})"),
            Self::Refused { code, text, signed } => {
                write!(f, "it refused ({code}")?;
                // A phone's own words where no better ones are known.
                let why = match (code, signed) {
                    (401 | 407, true) => "it does not take the password of its first line",
                    (401 | 407, false) => "it wants credentials that are not here",
                    (403, _) => "it listens to its registrar alone",
                    (405 | 501, _) => "it knows no NOTIFY",
                    (481, _) => "it listens only to whom it subscribed to",
                    (489, _) => "it does not know this event",
                    _ if text.is_empty() => return f.write_str(")"),
                    _ => text,
                };
                write!(f, "): {why}")
            }
            Self::Silent => f.write_str("it did not answer within 32 s"),
            Self::Unsent { text } => write!(f, "that could not be sent: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_plain_words() {
        let check = |reply: Reply, text: &str| assert_eq!(reply.to_string(), text);
        let refused = |code, text: &str, signed| Reply::Refused { code, text: text.into(), signed };
        check(Reply::Accepted { code: 202 }, "it accepted (202)");
        check(
            refused(401, "Unauthorized", false),
            "it refused (401): it wants credentials that are not here",
        );
        check(
            refused(407, "", true),
            "it refused (407): it does not take the password of its first line",
        );
        check(refused(403, "No", true), "it refused (403): it listens to its registrar alone");
        check(refused(480, "Busy now", false), "it refused (480): Busy now");
        check(refused(603, "", false), "it refused (603)");
        check(Reply::Silent, "it did not answer within 32 s");
    }
}
