//! What a profile says about its family.

use std::collections::BTreeMap;

use crate::domain::{FamilyName, Role};

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

/// What the family does that looks like a fault and is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Normal {
    /// File Not Found is no fault.
    pub miss: bool,
    /// Closing the port in the middle is no fault.
    pub abort: bool,
}

/// A file that phones of a family ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRule {
    /// Name with placeholders as on the wire: `SEP{MAC}.cnf.xml`, `{mac}.cfg`, `{part}.sip.ld`, `y0000000000{code}.cfg`.
    pub name: String,
    /// What it is to its phone.
    pub role: Role,
    /// Template in the family's folder; `None` is served from the operator's files or the firmware directory only.
    pub template: Option<String>,
    /// Format, where it differs from the family's.
    pub format: Format,
    /// The phone is configured once this one and the other required ones were delivered.
    pub required: bool,
    /// The family's boot begins with this file.
    pub first: bool,
    /// Only for this protocol; `None` for both.
    pub speaks: Option<Speaks>,
    /// What is no fault.
    pub normal: Normal,
    /// The model that asking for this very name gives away.
    pub model: Option<String>,
    /// One plain sentence for the page.
    pub note: String,
}

/// How an option that names the server is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// IPv4 addresses, 4 octets each, all servers.
    Addresses,
    /// The first server as bare address text.
    Bare,
    /// A text in which `{server}` stands for the first server.
    Text,
}

/// One DHCP option that tells the family where its files are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerOption {
    /// Option code.
    pub code: u8,
    /// Sub-option code where the text goes inside an encapsulated option 43.
    pub sub: Option<u8>,
    /// How it is written.
    pub form: Form,
    /// The text for [`Form::Text`], such as `http://{server}/`.
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
    /// The manufacturer's part number or product-type id, where one is known.
    pub part: Option<String>,
    /// The load family of its firmware (`SCCP41`, `66`), where one is known.
    pub load: Option<String>,
}

/// A phone family: one folder under `profiles/`.
#[derive(Clone, Debug)]
pub struct Family {
    /// Folder name.
    pub name: FamilyName,
    /// Vendor as findings and the page show it.
    pub vendor: String,
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
    /// Registered prefixes, six lower-case digits each: one weak vote.
    pub prefixes: Vec<String>,
    /// The event that makes it read its files again.
    pub resync: String,
    /// Facts that no source confirms, for `profiles show`.
    pub unverified: Vec<String>,
    /// Where the facts come from.
    pub sources: Vec<String>,
}
