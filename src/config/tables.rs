//! Settings as typed: tables that mirror the text. Nothing is checked here but the kind of each value.
//!
//! Numbers are `i64` and choices are text, so that a value out of range is answered in our words and not serde's.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A value with its place. Places count through all files: see [`super::source::Sources`].
pub type At<T> = toml::Spanned<T>;

type List = Option<Vec<At<String>>>;
type Text = Option<At<String>>;
type Number = Option<At<i64>>;

/// A whole file, or several merged.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileTable {
    pub include: Vec<At<String>>,
    pub appliance: ApplianceTable,
    pub dhcp: DhcpTable,
    pub tftp: TftpTable,
    pub http: HttpTable,
    pub secrets: SecretsTable,
    pub auto_registration: AutoRegistrationTable,
    pub firmware: FirmwareTable,
    pub site: BTreeMap<At<String>, SiteTable>,
}

/// `[appliance]`: directories, and how long the timeline is kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApplianceTable {
    pub state: Text,
    pub profiles: Text,
    pub files: Text,
    pub firmware: Text,
    pub history: Text,
}

/// `[firmware]`: how many phones take a new load at a time.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FirmwareTable {
    pub wave: Number,
    pub canary: Number,
    pub allow_downgrade: Option<bool>,
}

/// `[dhcp]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DhcpTable {
    pub mode: Text,
    pub interfaces: List,
    pub authoritative: Option<bool>,
    pub probe: Option<bool>,
    pub subnet: Vec<At<SubnetTable>>,
}

/// `[[dhcp.subnet]]`. Lists are lists of texts, so that one bad address leaves the others checked.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SubnetTable {
    pub subnet: Text,
    pub site: Text,
    pub pool: List,
    pub exclude: List,
    pub router: List,
    pub dns: List,
    pub ntp: List,
    pub domain: Text,
    pub search: List,
    pub routes: List,
    pub lease_time: Text,
    pub servers: List,
    pub voice_vlan: Number,
    #[serde(rename = "option-82")]
    pub option_82: Text,
    pub admit: Text,
    pub options: Vec<At<OptionTable>>,
    #[serde(rename = "for")]
    pub for_family: BTreeMap<At<String>, ForTable>,
}

/// One of `options`: a code and exactly one value, which stage two counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OptionTable {
    pub code: Number,
    pub text: Text,
    pub ip: Option<At<OneOrMany>>,
    pub hex: Text,
    pub u8: Number,
    pub u16: Number,
    pub u32: Number,
}

/// `ip = "…"` or `ip = ["…", "…"]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// `for.FAMILY`: a table of its own, because more than servers may follow.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForTable {
    pub servers: List,
}

/// `[tftp]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TftpTable {
    pub listen: List,
}

/// `[http]`. Every secret stands here or in a file of its own (`…-file`), never in both.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpTable {
    pub phones: List,
    pub operators: List,
    pub password_hash: Text,
    pub password_hash_file: Text,
    pub token: Text,
    pub token_file: Text,
    pub hosts: List,
}

/// `[secrets]`: who gets them, not what they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretsTable {
    pub peer: Text,
}

/// `[auto-registration]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AutoRegistrationTable {
    pub enabled: Option<At<bool>>,
    /// RFC 3339 as text, or TOML's own date and time, which looks the same without quotes.
    pub until: Option<At<toml::Value>>,
    pub numbers: Text,
}

/// `[site.NAME]`. A key that is absent is inherited; that is why nothing has a default here.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SiteTable {
    pub sip_transport: Text,
    pub srtp: Text,
    pub protocol: Text,
    pub time_zone: Text,
    pub ntp: List,
    pub admin_password: Text,
    pub admin_password_file: Text,
    pub ready_when: Text,
    pub numbers: Text,
    pub server: Option<Vec<At<RegistrarTable>>>,
    pub outbound_proxy: Option<Vec<At<RegistrarTable>>>,
    pub failover: Option<FailoverTable>,
    pub firmware: BTreeMap<At<String>, At<String>>,
    pub firmware_floor: BTreeMap<At<String>, At<String>>,
    /// Values of any single kind: `1` and `"1"` are the same to a phone.
    pub extra: BTreeMap<At<String>, BTreeMap<At<String>, At<toml::Value>>>,
    pub var: BTreeMap<At<String>, At<toml::Value>>,
    /// What differs while a phone's batch is open. Has no staging of its own.
    pub staging: Option<Box<At<SiteTable>>>,
}

/// `[[site.NAME.server]]` and `[[site.NAME.outbound-proxy]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegistrarTable {
    pub address: Text,
    pub port: Number,
}

/// Poly's own names in this file's spelling (Engineering Advisory 66546).
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FailoverTable {
    pub re_register_on: Option<bool>,
    pub fail_registration_on: Option<bool>,
    pub only_signal_with_registered: Option<bool>,
    pub fail_back_mode: Text,
    pub fail_back_timeout: Number,
}
