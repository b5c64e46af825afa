//! What a phone is, concluded from all that it showed.

use super::{FamilyName, Mac, Timestamp};

/// What one packet or request revealed about its sender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ground {
    /// Where it was seen.
    pub from: Origin,
    /// The text as received, printable and cut.
    pub value: String,
    /// Vendor that it points to.
    pub vendor: Option<String>,
    /// Family that it points to.
    pub family: Option<FamilyName>,
    /// Model that it points to, in the catalog's spelling.
    pub model: Option<String>,
    /// Firmware that it says it runs.
    pub firmware: Option<String>,
    /// MAC that it carries.
    pub mac: Option<Mac>,
    /// When it was last seen.
    pub at: Timestamp,
}

/// Where a ground was seen, strongest first: the order is the rank in which grounds decide.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Origin {
    /// A firmware or part file, or a name that only one model asks for.
    FileName,
    /// DHCP option 60, vendor class.
    Option60,
    /// What it says of itself when it asks all the network for a profile (SIP plug and play).
    SipPnp,
    /// HTTP User-Agent.
    UserAgent,
    /// User-Agent of a SIP REGISTER.
    Register,
    /// HTTP User-Agent of its boot loader, whose version is not that of the firmware.
    Updater,
    /// DHCP options 124 and 125.
    Option125,
    /// DHCP option 12, host name.
    Option12,
    /// DHCP option 61, client identifier.
    Option61,
    /// DHCP option 55, the options asked for.
    Option55,
    /// DHCP option 82: where it is plugged in, as the switch or the relay says. It tells nothing about what it is.
    Option82,
    /// The MAC's registered prefix: one weak vote, for the vendor only.
    Prefix,
    /// What passed between it and DHCP servers: relays, addresses, servers. Says nothing about what it is.
    Dhcp,
    /// What a registrar, a call manager or a PBX told of it. Says nothing about what it is.
    Registrar,
    /// What the operator listed or set for it. Says nothing about what it is.
    List,
}

impl Origin {
    /// The name in JSON and the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FileName => "file-name",
            Self::Option60 => "option-60",
            Self::SipPnp => "sip-pnp",
            Self::UserAgent => "user-agent",
            Self::Register => "register",
            Self::Updater => "updater",
            Self::Option125 => "option-125",
            Self::Option12 => "option-12",
            Self::Option61 => "option-61",
            Self::Option55 => "option-55",
            Self::Option82 => "option-82",
            Self::Prefix => "prefix",
            Self::Dhcp => "dhcp",
            Self::Registrar => "registrar",
            Self::List => "list",
        }
    }
}

/// What we conclude that a phone is, with its grounds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// Vendor.
    pub vendor: Option<String>,
    /// Family.
    pub family: Option<FamilyName>,
    /// Model.
    pub model: Option<String>,
    /// Firmware.
    pub firmware: Option<String>,
    /// What it rests on, strongest first. A contradiction stays in here.
    pub grounds: Vec<Ground>,
}

/// Concludes an identity: for each part the strongest ground that says anything about it wins.
///
/// A ground of another vendor than the winning one contributes nothing further, so that a prefix that was resold does
/// not lend a model to somebody else's phone; it stays among the grounds. Two names of one family are no contradiction:
/// Mitel's phones said Aastra for years.
#[must_use]
pub fn conclude<'a>(grounds: impl IntoIterator<Item = &'a Ground>) -> Identity {
    let mut sorted: Vec<&Ground> = grounds.into_iter().collect();
    sorted.sort_by_key(|ground| ground.from);
    let (vendor, family) = first_told(&sorted);
    let (vendor, family) = (vendor.map(str::to_owned), family.cloned());
    let grounds: Vec<Ground> = sorted.into_iter().cloned().collect();
    let same = |ground: &&Ground| ground.vendor.is_none() || ground.vendor == vendor;
    let agrees = |ground: &&Ground| same(ground) || family.is_some() && ground.family == family;
    let model = grounds.iter().filter(agrees).find_map(|ground| ground.model.clone());
    let firmware = grounds.iter().filter(agrees).find_map(|ground| ground.firmware.clone());
    Identity { vendor, family, model, firmware, grounds }
}

/// The vendor and the family of what [`conclude`] makes of these.
#[must_use]
pub fn vendor_and_family(grounds: &[Ground]) -> (Option<&str>, Option<&FamilyName>) {
    let mut sorted: Vec<&Ground> = grounds.iter().collect();
    sorted.sort_by_key(|ground| ground.from);
    first_told(&sorted)
}

/// Of grounds in the order of their origins: the first vendor, and the first family that is of it.
fn first_told<'a>(sorted: &[&'a Ground]) -> (Option<&'a str>, Option<&'a FamilyName>) {
    let vendor = sorted.iter().find_map(|ground| ground.vendor.as_deref());
    let same = |ground: &&&Ground| ground.vendor.is_none() || ground.vendor.as_deref() == vendor;
    (vendor, sorted.iter().filter(same).find_map(|ground| ground.family.as_ref()))
}
