//! `profile.toml` as its author writes it; [`super::parse`] makes a family of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::domain::Role;

use super::{
    Advice, Encoding, Floor, Form, Format, Model, Patience, Releases, Speaks, TransferRule,
    ZoneForm,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Table {
    pub(super) vendor: String,
    #[serde(default)]
    pub(super) also: Vec<String>,
    /// The family that a phone is taken for first where the files of both have the same names.
    pub(super) after: Option<String>,
    pub(super) title: String,
    pub(super) format: FormatWord,
    #[serde(default = "yes")]
    pub(super) provisions: bool,
    #[serde(default)]
    pub(super) sources: Vec<String>,
    #[serde(default)]
    pub(super) unverified: Vec<String>,
    #[serde(default)]
    pub(super) resync: String,
    #[serde(default)]
    pub(super) reset: String,
    #[serde(default)]
    pub(super) mac_macro: String,
    #[serde(default, rename = "floor")]
    pub(super) floors: Vec<FloorTable>,
    #[serde(default)]
    pub(super) recognize: Recognize,
    #[serde(default)]
    pub(super) dhcp: Dhcp,
    #[serde(default)]
    pub(super) time_zones: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) patience: Patience,
    #[serde(default)]
    pub(super) releases: Releases,
    #[serde(default)]
    pub(super) tftp: TransferRule,
    #[serde(default)]
    pub(super) advice: Advice,
    #[serde(default)]
    pub(super) srtp_off: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) time_zone_form: ZoneWord,
    #[serde(default, rename = "model")]
    pub(super) models: Vec<ModelTable>,
    #[serde(default, rename = "file")]
    pub(super) files: Vec<FileTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Recognize {
    #[serde(default)]
    pub(super) option_60: Vec<Spanned<PatternTable>>,
    #[serde(default)]
    pub(super) option_12: Vec<Spanned<PatternTable>>,
    #[serde(default)]
    pub(super) user_agent: Vec<Spanned<PatternTable>>,
    #[serde(default)]
    pub(super) option_55: Vec<Vec<u8>>,
    pub(super) enterprise: Option<u32>,
    #[serde(default)]
    /// The first number of a firmware's version is that of its models' `load`.
    pub(super) firmware_tells: bool,
    #[serde(default)]
    pub(super) oui: Vec<Spanned<BlockTable>>,
}

/// An expression, or one for phones with another vendor's name on the box, which must be one of `also`:
/// `{ pattern = '^AastraIPPhone(?P<model>\d+i)$', brand = "Aastra" }`.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum PatternTable {
    Text(String),
    Branded { pattern: String, brand: String },
}

/// A block of addresses, or one that tells more than the vendor: `{ block = "000413e5", model = "P710" }`.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum BlockTable {
    Text(String),
    Telling { block: String, brand: Option<String>, model: Option<String> },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dhcp {
    #[serde(default)]
    pub(super) servers: Vec<ServerTable>,
    #[serde(default)]
    pub(super) vlan: Vec<VlanTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ServerTable {
    pub(super) option: Spanned<u8>,
    pub(super) sub: Option<u8>,
    pub(super) enterprise: Option<u32>,
    pub(super) form: FormWord,
    #[serde(default)]
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct VlanTable {
    pub(super) option: u8,
    pub(super) text: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ModelTable {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) also: Vec<String>,
    #[serde(default)]
    pub(super) lines: u8,
    pub(super) part: Option<String>,
    pub(super) load: Option<String>,
    pub(super) list_as: Option<String>,
    pub(super) reset: Option<String>,
    pub(super) number: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FloorTable {
    pub(super) firmware: String,
    pub(super) when: Option<WhenWord>,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileTable {
    pub(super) name: Spanned<String>,
    pub(super) role: RoleWord,
    pub(super) template: Option<Spanned<String>>,
    pub(super) format: Option<FormatWord>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) either: String,
    #[serde(default)]
    pub(super) needs: Vec<String>,
    #[serde(default)]
    pub(super) first: bool,
    pub(super) speaks: Option<SpeaksWord>,
    pub(super) miss: Option<NormalWord>,
    pub(super) abort: Option<NormalWord>,
    pub(super) model: Option<Spanned<String>>,
    pub(super) extra: Option<Spanned<ExtraTable>>,
    pub(super) brand: Option<String>,
    pub(super) series: Option<String>,
    pub(super) encode: Option<Encoding>,
    pub(super) digest_of: Option<Spanned<String>>,
    pub(super) longest: Option<u64>,
    #[serde(default)]
    pub(super) phonebook: bool,
    #[serde(default)]
    pub(super) note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ExtraTable {
    pub(super) form: ExtraWord,
    #[serde(default)]
    pub(super) at: String,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) index: Option<String>,
}

/// Clients that are known not to be phones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Clients {
    #[serde(default, rename = "client")]
    pub(super) clients: Vec<Client>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) option_60: Vec<Spanned<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FormatWord {
    Xml,
    Ini,
    Text,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ZoneWord {
    #[default]
    Names,
    Rule,
    Offset,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FormWord {
    Addresses,
    Bare,
    Text,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ExtraWord {
    Line,
    Quoted,
    Assigned,
    Colon,
    Set,
    Attribute,
    Element,
    Param,
    Object,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RoleWord {
    Own,
    Common,
    Fallback,
    Trust,
    Firmware,
    Extra,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SpeaksWord {
    Sip,
    Sccp,
}

/// The only thing that a floor can depend on.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WhenWord {
    Srtp,
}

/// The only thing that a miss or an abort can be said to be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NormalWord {
    Normal,
}

const fn yes() -> bool {
    true
}

impl PatternTable {
    pub(super) fn parts(&self) -> (&str, Option<&String>) {
        match self {
            Self::Text(pattern) => (pattern, None),
            Self::Branded { pattern, brand } => (pattern, Some(brand)),
        }
    }
}

impl BlockTable {
    pub(super) fn parts(&self) -> (&str, Option<&String>, Option<&String>) {
        match self {
            Self::Text(block) => (block, None, None),
            Self::Telling { block, brand, model } => (block, brand.as_ref(), model.as_ref()),
        }
    }
}

impl From<FormatWord> for Format {
    fn from(word: FormatWord) -> Self {
        match word {
            FormatWord::Xml => Self::Xml,
            FormatWord::Ini => Self::Ini,
            FormatWord::Text => Self::Text,
        }
    }
}

impl From<ZoneWord> for ZoneForm {
    fn from(word: ZoneWord) -> Self {
        match word {
            ZoneWord::Names => Self::Names,
            ZoneWord::Rule => Self::Rule,
            ZoneWord::Offset => Self::Offset,
        }
    }
}

impl From<FormWord> for Form {
    fn from(word: FormWord) -> Self {
        match word {
            FormWord::Addresses => Self::Addresses,
            FormWord::Bare => Self::Bare,
            FormWord::Text => Self::Text,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Own => Self::Own,
            RoleWord::Common => Self::Common,
            RoleWord::Fallback => Self::Fallback,
            RoleWord::Trust => Self::Trust,
            RoleWord::Firmware => Self::Firmware,
            RoleWord::Extra => Self::Extra,
        }
    }
}

impl From<SpeaksWord> for Speaks {
    fn from(word: SpeaksWord) -> Self {
        match word {
            SpeaksWord::Sip => Self::Sip,
            SpeaksWord::Sccp => Self::Sccp,
        }
    }
}

impl From<FloorTable> for Floor {
    fn from(table: FloorTable) -> Self {
        Self { firmware: table.firmware, srtp: table.when.is_some(), why: table.why }
    }
}

impl From<&ModelTable> for Model {
    fn from(table: &ModelTable) -> Self {
        let name = table.name.get_ref().clone();
        let (aliases, lines) = (table.also.clone(), table.lines);
        Self {
            name,
            aliases,
            lines,
            part: table.part.clone(),
            load: table.load.clone(),
            list_as: table.list_as.clone(),
            reset: table.reset.clone(),
            number: table.number.clone(),
        }
    }
}
