//! Flagged contradictions and faults, and why a phone makes no progress.

use super::{Ground, Mac, SiteName};

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
    /// The list says one site, the subnet that it starts in another.
    WrongSite,
    /// Two phones show one and the same MAC.
    DuplicateMac,
    /// A packet or a name carries another MAC than its sender has.
    MacMismatch,
    /// It was somebody else's before, and still follows them.
    UsedPhone,
    /// It trusts another cluster and asks for its lists over and over.
    TrustList,
    /// It asks for a placeholder instead of what it stands for.
    UnexpandedMacro,
    /// Auto-registration is open and its range is used up.
    NoNumbersLeft,
    /// No address was free.
    PoolExhausted,
    /// A DHCP server answers that should not.
    ForeignDhcpServer,
    /// An address was declined or answered by somebody else.
    AddressConflict,
    /// A configuration was asked for by somebody who may not have it.
    SecretWithheld,
    /// A registrar refuses its user or password.
    BadCredentials,
    /// A load that a phone asked for is not there.
    FirmwareMissing,
    /// A list of a load names parts that are not there.
    FirmwareIncomplete,
    /// It runs older firmware than the site or its family allows.
    FirmwareBelowFloor,
    /// The same early steps again and again.
    Looping,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::WrongModel,
        Self::WrongFamily,
        Self::BadLabel,
        Self::NotListed,
        Self::WrongSite,
        Self::DuplicateMac,
        Self::MacMismatch,
        Self::UsedPhone,
        Self::TrustList,
        Self::UnexpandedMacro,
        Self::NoNumbersLeft,
        Self::PoolExhausted,
        Self::ForeignDhcpServer,
        Self::AddressConflict,
        Self::SecretWithheld,
        Self::BadCredentials,
        Self::FirmwareMissing,
        Self::FirmwareIncomplete,
        Self::FirmwareBelowFloor,
        Self::Looping,
    ];

    /// The name in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongModel => "wrong-model",
            Self::WrongFamily => "wrong-family",
            Self::BadLabel => "bad-label",
            Self::NotListed => "not-listed",
            Self::WrongSite => "wrong-site",
            Self::DuplicateMac => "duplicate-mac",
            Self::MacMismatch => "mac-mismatch",
            Self::UsedPhone => "used-phone",
            Self::TrustList => "trust-list",
            Self::UnexpandedMacro => "unexpanded-macro",
            Self::NoNumbersLeft => "no-numbers-left",
            Self::PoolExhausted => "pool-exhausted",
            Self::ForeignDhcpServer => "foreign-dhcp-server",
            Self::AddressConflict => "address-conflict",
            Self::SecretWithheld => "secret-withheld",
            Self::BadCredentials => "bad-credentials",
            Self::FirmwareMissing => "firmware-missing",
            Self::FirmwareIncomplete => "firmware-incomplete",
            Self::FirmwareBelowFloor => "firmware-below-floor",
            Self::Looping => "looping",
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
    /// What it rests on: what the phone showed, or what servers and lists say of it.
    pub grounds: Vec<Ground>,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts filter by these: a name that changes breaks them.
    #[test]
    fn the_closed_list() {
        let mut names = FindingKind::ALL.map(FindingKind::as_str);
        names.sort_unstable();
        let promised = "address-conflict bad-credentials bad-label duplicate-mac firmware-below-floor firmware-incomplete \
            firmware-missing foreign-dhcp-server looping mac-mismatch no-numbers-left not-listed pool-exhausted \
            secret-withheld trust-list unexpanded-macro used-phone wrong-family wrong-model wrong-site";
        assert_eq!(names.join(" "), promised);
    }
}
