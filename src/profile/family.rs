//! What a profile says about its family.

use std::collections::BTreeMap;

use crate::domain::{FamilyName, Mac, Required, Role};

use super::{Advice, Block, Encoding, Patience, Releases, TransferRule};

/// The container format of a family's files: decides how values are escaped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// XML 1.0.
    Xml,
    /// `key = value` lines: no CR, LF or NUL in a value.
    Ini,
    /// `key: "value"` and other plain text: as ini, and no double quote in a value.
    Text,
}

/// Which protocol a file belongs to, where the family can load either.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speaks {
    /// Read by SIP loads only.
    Sip,
    /// Read by SCCP loads only.
    Sccp,
}

impl Speaks {
    /// Reads `sip` or `sccp`, as settings and templates name them.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sip" => Some(Self::Sip),
            "sccp" => Some(Self::Sccp),
            _ => None,
        }
    }
}

/// How a family is told its time zone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ZoneForm {
    /// By a name or number of its own: what the profile's table lacks can't be said.
    #[default]
    Names,
    /// By offset and rule of summer: every zone can be said whose changes fall on a day of a week.
    Rule,
    /// By offset alone: a zone with summer time can't be said.
    Offset,
}

/// What the family does that looks like a fault and is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Normal {
    /// File Not Found is no fault.
    pub miss: bool,
    /// Closing the port in the middle is no fault.
    pub abort: bool,
}

/// How a value that is merged last (`extra`, `set.KEY`) is written into a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ExtraForm {
    /// A line `key = value`.
    Line,
    /// A line `key: "value"`.
    Quoted,
    /// A line `KEY="value"`, without blanks.
    Assigned,
    /// A line `key: value` whose key may hold blanks; quoted where the value holds a `#`, which begins a comment.
    Colon,
    /// A line `SET key "value"`.
    Set,
    /// An attribute on the element that is called like the first part of its name (`reg.1.label` on `<reg>`).
    Attribute,
    /// An element with the value as its content. A key such as `/device/userLocale` is a path from the top.
    Element {
        /// Names from the top of the document to what holds such elements: `device`, `vendorConfig`.
        at: Vec<String>,
        /// Attributes of a new element (snom's `perm`).
        attributes: Vec<(String, String)>,
        /// The attribute that a key's index stands for: `user_name[2]` is `<user_name idx="2">`.
        index: Option<String>,
    },
    /// An element that holds its key in one attribute and its value in `value`: `<param name="SIP.Port" value="5060"/>`.
    Param {
        /// Names from the top of the document to such an element, itself included: `provisioning`, `nvm`, `param`.
        at: Vec<String>,
        /// The attribute that holds the key.
        key: String,
    },
    /// A name and a value inside an object that holds the first part of the key (`<ParameterList>` of an Obihai).
    Object,
}

/// A file that phones of a family ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRule {
    /// Name with placeholders as on the wire: `SEP{MAC}.cnf.xml`, `{mac}.cfg`, `{part}.sip.ld`, `y{code}.cfg`.
    pub name: String,
    /// What it is to its phone.
    pub role: Role,
    /// Template in the family's folder; `None` is served from the operator's files or the firmware directory only.
    pub template: Option<String>,
    /// Format, where it differs from the family's.
    pub format: Format,
    /// The phone is configured once this one and the other required ones were delivered.
    pub required: bool,
    /// Required files of one such name stand for each other: any of them will do. Empty: it stands alone.
    pub either: String,
    /// Values without which the file does not exist (an `OS79XX.TXT` without a load): asking for it is a miss.
    pub needs: Vec<String>,
    /// The family's boot begins with this file.
    pub first: bool,
    /// Only for this protocol; `None` for both.
    pub speaks: Option<Speaks>,
    /// What is no fault.
    pub normal: Normal,
    /// The model that asking for this very name gives away.
    pub model: Option<String>,
    /// How values that are merged last are written; `None` for a file that takes none.
    pub extra: Option<ExtraForm>,
    /// The name on the box of the phones that ask for it, where it is not the family's vendor.
    pub brand: Option<String>,
    /// What the models that ask for this very name have in common (7941 for 7941G and 7941G-GE), where several do.
    pub series: Option<String>,
    /// How the finished text becomes the bytes on the wire, where that takes more than UTF-8.
    pub encode: Option<Encoding>,
    /// The file of the same family whose MD5 digest this one holds; nothing else is in it.
    pub digest_of: Option<String>,
    /// The most octets that its phones are known to take; `None` where no limit is known.
    pub longest: Option<u64>,
    /// True for the site's phonebook: its name is what the family's other templates see as `phonebook`.
    pub phonebook: bool,
    /// One plain sentence for the page.
    pub note: String,
}

impl FileRule {
    /// True for files that a phone speaking `protocol` reads; an unknown protocol reads all.
    #[must_use]
    pub fn read_by(&self, protocol: Option<Speaks>) -> bool {
        self.speaks.is_none() || protocol.is_none() || self.speaks == protocol
    }

    /// The name that a phone of this MAC and model asks for, case as on the wire.
    ///
    /// `None` where the name needs something that is not known here (a load, a part number of an unknown model).
    #[must_use]
    pub fn expand(&self, mac: Mac, model: Option<&Model>) -> Option<String> {
        let part = model.and_then(|model| model.part.as_deref());
        let second = format!("{}01", &mac.upper()[2..]);
        let mut name = self.name.replace("{MAC}", &mac.upper()).replace("{mac}", &mac.lower());
        name = name.replace("{second}", &second);
        if let Some(part) = part {
            name = name.replace("{part}", part).replace("{code}", &format!("{part:0>12}"));
        }
        if let Some(model) = model {
            // `KX-{model}.cfg` is asked for by a KX-TGP600, whose name holds what the pattern writes itself.
            let front = name.split("{model}").next().unwrap_or_default();
            let bare = model.name.strip_prefix(front).unwrap_or(&model.name);
            name = name.replace("{model}", bare);
        }
        (!name.contains('{')).then_some(name)
    }
}

/// How an option that names the server is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// IPv4 addresses, 4 octets each, all servers.
    Addresses,
    /// The first server as bare address text.
    Bare,
    /// A text in which `{server}` stands for the first server's address and `{http}` for the base of its URLs,
    /// `http://ADDRESS` with the port only if it is not 80. `{registrars}` are the call servers of the site and `{vlan}`
    /// the voice VLAN; what stands between two `;` or `,` is left out where it names one that is not set.
    Text,
}

/// One DHCP option that tells the family where its files are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerOption {
    /// Option code.
    pub code: u8,
    /// Sub-option code where the text goes inside an encapsulated option 43 or 125.
    pub sub: Option<u8>,
    /// Whose sub-options those of option 125 are (RFC 3925 §4).
    pub enterprise: Option<u32>,
    /// How it is written.
    pub form: Form,
    /// The text for [`Form::Text`], such as `{http}/`.
    pub text: String,
}

/// What a family wants from DHCP.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DhcpRule {
    /// In the order in which the family honours them.
    pub servers: Vec<ServerOption>,
    /// Options that carry the voice VLAN, as (code, text with `{vlan}`).
    pub vlan: Vec<(u8, String)>,
}

/// A model of a family.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The catalog's name for it, without `CP-`.
    pub name: String,
    /// Other spellings of the same product (7961G for 7961).
    pub aliases: Vec<String>,
    /// How many lines it has; 0 if unknown.
    pub lines: u8,
    /// Poly's part number, Cisco's product-type id or the number of Yealink's y-file, where one is known.
    pub part: Option<String>,
    /// The load family of its firmware (`41` of `SCCP41.9-4-2`, `66` of `66.86.0.15`), where one is known.
    pub load: Option<String>,
    /// The spelling to list it by, where a call manager knows the product by another one than its name.
    pub list_as: Option<String>,
    /// The keys that reset it, where they differ from its family's.
    pub reset: Option<String>,
    /// The number on its case, where the catalog's name says more: an 8841-3PCC is an 8841 with other firmware.
    pub number: Option<String>,
}

/// Firmware below which something that a site wants does not work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Floor {
    /// The lowest version that is good enough.
    pub firmware: String,
    /// Only where the site's phones encrypt media (`srtp` other than `off`); false for all sites.
    pub srtp: bool,
    /// What goes wrong below it, in plain words.
    pub why: String,
}

/// A phone family: one folder under `profiles/`.
#[derive(Clone, Debug)]
pub struct Family {
    /// Folder name.
    pub name: FamilyName,
    /// Vendor as findings and the page show it.
    pub vendor: String,
    /// Other names that settings may use for this family together with others: `Poly`, `cisco-enterprise`.
    pub also: Vec<String>,
    /// One line for lists.
    pub title: String,
    /// Container format of most of its files.
    pub format: Format,
    /// False for a profile that only recognizes.
    pub provisions: bool,
    /// Files in the order in which a phone asks for them.
    pub files: Vec<FileRule>,
    /// Models by catalog name.
    pub models: BTreeMap<String, Model>,
    /// What it wants from DHCP.
    pub dhcp: DhcpRule,
    /// Blocks of addresses that its phones have: one weak vote.
    pub blocks: Vec<Block>,
    /// The event that makes it read its files again.
    pub resync: String,
    /// What to press to give it back its factory settings, in plain words; empty if no source says.
    pub reset: String,
    /// How an address that phones of this family expand writes their MAC (`$MA`); empty if no source says that they do.
    pub mac_macro: String,
    /// Firmware that is known to be too old.
    pub floors: Vec<Floor>,
    /// The family's own names of time zones, by IANA name or by standard offset (`+01:00`).
    pub time_zones: BTreeMap<String, String>,
    /// How it numbers its releases, and which it can go to from where.
    pub releases: Releases,
    /// How long it may take.
    pub patience: Patience,
    /// How it takes files over TFTP.
    pub tftp: TransferRule,
    /// What helps.
    pub advice: Advice,
    /// Values that turn SRTP off behind the site's back, by the family's own key; `{n}` in it is any number.
    pub srtp_off: BTreeMap<String, String>,
    /// How it is told its time zone.
    pub zone_form: ZoneForm,
    /// Facts that no source confirms, for `profiles show`.
    pub unverified: Vec<String>,
    /// Where the facts come from.
    pub sources: Vec<String>,
}

impl Family {
    /// What to press to give a phone back its factory settings; `None` if no source says.
    #[must_use]
    pub fn reset_keys<'a>(&'a self, model: Option<&'a Model>) -> Option<&'a str> {
        let own = model.and_then(|model| model.reset.as_deref());
        own.or_else(|| Some(self.reset.as_str()).filter(|keys| !keys.is_empty()))
    }

    /// The smallest of its blocks that an address lies in.
    #[must_use]
    pub fn block(&self, mac: Mac) -> Option<&Block> {
        self.blocks.iter().filter(|block| block.holds(mac)).min_by_key(|block| block.size())
    }

    /// True if its phones are this vendor's, or carry that name on the box.
    #[must_use]
    pub fn is_by(&self, vendor: &str) -> bool {
        self.vendor == vendor || self.also.iter().any(|brand| brand == vendor)
    }

    /// The rule with this exact name, placeholders included.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&FileRule> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The name of the family's phonebook, if it has one.
    #[must_use]
    pub fn phonebook(&self) -> Option<&str> {
        self.files.iter().find(|file| file.phonebook).map(|file| file.name.as_str())
    }

    /// Which of the files that a phone must have `file` is; `None` for one that it can do without.
    ///
    /// Files of the other protocol do not count, and files that stand for each other share a slot.
    #[must_use]
    pub fn required(&self, file: &FileRule, protocol: Option<Speaks>) -> Option<Required> {
        let mut slots: Vec<&str> = Vec::new();
        for rule in self.files.iter().filter(|rule| rule.required && rule.read_by(protocol)) {
            let slot = rule.slot();
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        let wanted = file.required && file.read_by(protocol);
        let slot = slots.iter().position(|slot| wanted && *slot == file.slot())?;
        Some(Required { slot: u8::try_from(slot).ok()?, of: u8::try_from(slots.len()).ok()? })
    }

    /// True if this value of this key of its own turns SRTP off.
    #[must_use]
    pub fn turns_srtp_off(&self, key: &str, value: &str) -> bool {
        let is = |known: &str| match known.split_once("{n}") {
            None => known == key,
            Some((before, behind)) => {
                let number = key.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
                number.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()))
            }
        };
        self.srtp_off.iter().any(|(known, off)| is(known) && off == value)
    }

    /// The family's own name for a time zone: by IANA name, else by its standard offset in seconds; `None` if it has none.
    #[must_use]
    pub fn time_zone(&self, iana: &str, offset: i64) -> Option<&str> {
        let by_offset = || {
            let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
            self.time_zones.get(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60))
        };
        // Without a name the offset is a default of zero, not somebody's wish.
        let known = !iana.is_empty();
        self.time_zones.get(iana).or_else(|| known.then(by_offset).flatten()).map(String::as_str)
    }
}

impl FileRule {
    fn slot(&self) -> &str {
        if self.either.is_empty() { &self.name } else { &self.either }
    }
}
