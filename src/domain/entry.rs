//! What the operator listed for a phone.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::Secret;

/// The name of a site, as the settings spell it.
pub type SiteName = String;

/// The most lines that one entry may have.
pub const MAX_LINES: usize = 48;

/// What the operator listed for one phone, keyed by its MAC.
///
/// Every text in it has passed the importer's checks: no control characters, nothing that XML 1.0 can't carry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// Model as listed, in the operator's spelling without `CP-`; empty if not said.
    pub model: String,
    /// Site by name; `None` leaves it to the subnet.
    pub site: Option<SiteName>,
    /// Where it stands, free text.
    pub location: String,
    /// Address reserved for it.
    pub address: Option<Ipv4Addr>,
    /// Free text that no template reads.
    pub note: String,
    /// Its lines; the first is the phone's own. Never more than [`MAX_LINES`].
    pub lines: Vec<Line>,
    /// Programmable keys by position, from 1.
    pub keys: BTreeMap<u16, Key>,
    /// Keys of side cars by (module, position), both from 1.
    pub module_keys: BTreeMap<(u8, u16), Key>,
    /// Values merged last in the family's own form (`set.KEY`).
    pub set: BTreeMap<String, String>,
    /// Values for templates (`var.NAME`).
    pub var: BTreeMap<String, String>,
    /// True if auto-registration made this entry, not an operator.
    pub auto_registered: bool,
}

impl Entry {
    /// The number of the first line; empty if it has none.
    #[must_use]
    pub fn number(&self) -> &str {
        self.lines.first().map_or("", |line| &line.number)
    }

    /// The display name of the first line; empty if it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.lines.first().map_or("", |line| &line.name)
    }
}

/// The start of FNV-1a with 64 bits, and what each octet multiplies by (draft-eastlake-fnv §5).
const FNV: (u64, u64) = (0xcbf2_9ce4_8422_2325, 0x0000_0100_0000_01b3);

impl Entry {
    /// Tells whether a file made from this entry and one made from another would be the same, as far as the entry goes;
    /// never 0. What no shipped template reads (place, note, reserved address) does not count.
    ///
    /// The same in every release, because records keep it: a hash of the standard library is not.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        let Self { model, site, lines, keys, module_keys, set, var, .. } = self;
        let mut texts = vec![model.clone(), site.clone().unwrap_or_default()];
        for Line { number, name, sip_user, sip_password } in lines {
            let line = [number, name, sip_user, sip_password.reveal()];
            texts.extend(line.map(ToOwned::to_owned));
        }
        texts.extend(keys.iter().map(|(place, key)| format!("{place} {key:?}")));
        texts.extend(module_keys.iter().map(|(place, key)| format!("{place:?} {key:?}")));
        texts.extend(set.iter().chain(var).map(|(name, value)| format!("{name}={value}")));
        // How many of each, so that none flows into the next.
        let counts = [lines.len(), keys.len(), module_keys.len(), set.len(), var.len()];
        texts.push(format!("{counts:?}"));
        let octets = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
        octets.fold(FNV.0, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(FNV.1)).max(1)
    }
}

/// One line of a phone: what it registers as.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// Directory number.
    pub number: String,
    /// Display name.
    pub name: String,
    /// SIP user; empty means the number.
    pub sip_user: String,
    /// SIP password.
    pub sip_password: Secret,
}

impl Line {
    /// The user that this line registers as: `sip_user`, else the number.
    #[must_use]
    pub fn user(&self) -> &str {
        if self.sip_user.is_empty() { &self.number } else { &self.sip_user }
    }
}

/// A programmable key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    /// What it does.
    pub target: KeyTarget,
    /// Text beside it; empty leaves it to the phone.
    pub label: String,
}

/// What a programmable key does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyTarget {
    /// Shows the line of that index, from 1 (`line:2`).
    Line(u8),
    /// Watches and calls a number (`blf:4013:Anna`).
    Blf(String),
    /// Dials a number (`speed:0123:Taxi`).
    Speed(String),
}
