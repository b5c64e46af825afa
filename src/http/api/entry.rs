//! An entry as JSON, both ways.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Entry, Key, KeyTarget, Line, Secret};

/// What a secret looks like to whoever may not see it. Sent back in a PUT it means: leave it as it is.
pub const MASK: &str = "••••";

/// What the operator listed for a phone. The number, name and SIP account of the first line stand beside the model; what
/// is empty is left out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EntryView {
    /// Model, without `CP-`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Number of the first line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// Display name of the first line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// SIP user of the first line, where it is not the number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sip_user: String,
    /// SIP password of the first line; masked unless asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sip_password: String,
    /// Site by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// Address reserved for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "10.20.0.51")]
    pub address: Option<Ipv4Addr>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// All lines in order, where there is more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineView>,
    /// Programmable keys by position from 1: `line:2`, `blf:4013:Anna`, `speed:0123:Taxi`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, String>,
    /// Keys of side cars by `MODULE.POSITION`, both from 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub module_keys: BTreeMap<String, String>,
    /// Values merged last in the family's own form.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Values for templates.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub var: BTreeMap<String, String>,
    /// True if auto-registration made this entry.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auto_registered: bool,
}

/// One line.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LineView {
    /// Directory number.
    pub number: String,
    /// Display name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// SIP user, where it is not the number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sip_user: String,
    /// SIP password; masked unless asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sip_password: String,
}

impl EntryView {
    /// An entry as shown. Secrets are masked unless `reveal`.
    #[must_use]
    pub fn new(entry: &Entry, reveal: bool) -> Self {
        let first = entry.lines.first().map(|line| LineView::new(line, reveal)).unwrap_or_default();
        let shown = |(position, key): (&u16, &Key)| (position.to_string(), spelt(key));
        Self {
            model: entry.model.clone(),
            number: first.number,
            name: first.name,
            sip_user: first.sip_user,
            sip_password: first.sip_password,
            site: entry.site.clone(),
            location: entry.location.clone(),
            address: entry.address,
            note: entry.note.clone(),
            lines: match entry.lines.as_slice() {
                [] | [_] => Vec::new(),
                lines => lines.iter().map(|line| LineView::new(line, reveal)).collect(),
            },
            keys: entry.keys.iter().map(shown).collect(),
            module_keys: entry
                .module_keys
                .iter()
                .map(|((module, position), key)| (format!("{module}.{position}"), spelt(key)))
                .collect(),
            set: entry.set.clone(),
            var: entry.var.clone(),
            auto_registered: entry.auto_registered,
        }
    }

}

impl LineView {
    fn new(line: &Line, reveal: bool) -> Self {
        Self {
            number: line.number.clone(),
            name: line.name.clone(),
            sip_user: line.sip_user.clone(),
            sip_password: shown(&line.sip_password, reveal),
        }
    }
}

fn shown(secret: &Secret, reveal: bool) -> String {
    match (secret.is_empty(), reveal) {
        (true, _) => String::new(),
        (false, true) => secret.reveal().to_owned(),
        (false, false) => MASK.to_owned(),
    }
}

/// A key as lists spell it.
fn spelt(key: &Key) -> String {
    let (what, value) = match &key.target {
        KeyTarget::Line(index) => ("line", index.to_string()),
        KeyTarget::Blf(number) => ("blf", number.clone()),
        KeyTarget::Speed(number) => ("speed", number.clone()),
    };
    match key.label.as_str() {
        "" => format!("{what}:{value}"),
        label => format!("{what}:{value}:{label}"),
    }
}
