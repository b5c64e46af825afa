//! Flagged contradictions and faults, and why a phone makes no progress.

use super::{Mac, SiteName};

/// The kinds of finding, in the spelling that scripts filter by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FindingKind {
    /// The list says one model, the phone another.
    WrongModel,
    /// The list says one family, the phone another.
    WrongFamily,
    /// What was read off a label can't be right, or another phone than the listed one is here.
    BadLabel,
    /// Seen, is a phone, has no entry.
    NotListed,
    /// Auto-registration is open and its range is used up.
    NoNumbersLeft,
    /// No address was free.
    PoolExhausted,
    /// An address was declined or answered by somebody else.
    AddressConflict,
    /// A configuration was asked for by somebody who may not have it.
    SecretWithheld,
    /// A name carries another MAC than its sender has.
    MacMismatch,
    /// A load that a phone asked for is not there.
    FirmwareMissing,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::WrongModel,
        Self::WrongFamily,
        Self::BadLabel,
        Self::NotListed,
        Self::NoNumbersLeft,
        Self::PoolExhausted,
        Self::AddressConflict,
        Self::SecretWithheld,
        Self::MacMismatch,
        Self::FirmwareMissing,
    ];

    /// The name in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongModel => "wrong-model",
            Self::WrongFamily => "wrong-family",
            Self::BadLabel => "bad-label",
            Self::NotListed => "not-listed",
            Self::NoNumbersLeft => "no-numbers-left",
            Self::PoolExhausted => "pool-exhausted",
            Self::AddressConflict => "address-conflict",
            Self::SecretWithheld => "secret-withheld",
            Self::MacMismatch => "mac-mismatch",
            Self::FirmwareMissing => "firmware-missing",
        }
    }
}

/// A flagged contradiction or fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Which.
    pub kind: FindingKind,
    /// What is so, in plain words.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
    /// What one call changes in the entry so that the finding goes away, where that is possible.
    pub repair: Option<Repair>,
}

/// A change to an entry that an operator accepts with one call: what is set is changed, the rest stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Repair {
    /// The model to list.
    pub model: Option<String>,
    /// The site to list it at.
    pub site: Option<SiteName>,
    /// The MAC to list it under.
    pub mac: Option<Mac>,
}

/// Why a phone is not making progress.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnosis {
    /// Stable kebab-case name of the cause.
    pub cause: &'static str,
    /// The cause in plain words.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
    /// What the phone is expected to do next, where known.
    pub expected: Option<String>,
}
