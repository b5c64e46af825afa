//! An entry as JSON, both ways.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Entry, Key, KeyTarget, Line, MAX_LINES, Secret};

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

    /// The entry that this stands for. A masked password keeps the one that the same line has in `before`.
    ///
    /// # Errors
    ///
    /// What is wrong, with the name of the field.
    pub fn entry(self, before: Option<&Entry>) -> Result<Entry, String> {
        self.check()?;
        let kept = |index: usize| {
            before.and_then(|entry| entry.lines.get(index)).map(|line| &line.sip_password)
        };
        let lines = self.all_lines();
        if lines.len() > MAX_LINES {
            return Err(format!(
                "lines: {} lines where a phone has at most {MAX_LINES}",
                lines.len()
            ));
        }
        let lines: Result<_, _> =
            lines.into_iter().enumerate().map(|(index, line)| line.line(kept(index))).collect();
        let keys = self.keys.iter().map(|(position, text)| {
            let place = || format!("keys.{position}");
            Ok((
                at(position).ok_or_else(|| format!("{}: positions count from 1", place()))?,
                key(text, place)?,
            ))
        });
        let module_keys = self.module_keys.iter().map(|(position, text)| {
            let place = || format!("module-keys.{position}");
            let at =
                position.split_once('.').and_then(|(module, key)| Some((at(module)?, at(key)?)));
            let at = at.ok_or_else(|| {
                format!("{}: positions are MODULE.POSITION, both from 1", place())
            })?;
            Ok((at, key(text, place)?))
        });
        Ok(Entry {
            model: self.model.trim().trim_start_matches("CP-").to_owned(),
            lines: lines?,
            keys: keys.collect::<Result<_, String>>()?,
            module_keys: module_keys.collect::<Result<_, String>>()?,
            site: self.site,
            location: self.location,
            address: self.address,
            note: self.note,
            set: self.set,
            var: self.var,
            auto_registered: self.auto_registered,
        })
    }

    /// The lines as given: `lines`, whose first is overruled by what stands beside the model.
    fn all_lines(&self) -> Vec<LineView> {
        let mut lines = self.lines.clone();
        let beside = [&self.number, &self.name, &self.sip_user, &self.sip_password];
        if lines.is_empty() && beside.iter().any(|text| !text.is_empty()) {
            lines.push(LineView::default());
        }
        if let Some(first) = lines.first_mut() {
            let fields =
                [&mut first.number, &mut first.name, &mut first.sip_user, &mut first.sip_password];
            for (field, given) in fields.into_iter().zip(beside) {
                if !given.is_empty() {
                    field.clone_from(given);
                }
            }
        }
        lines
    }

    /// Refuses what no configuration file can carry, wherever it stands.
    fn check(&self) -> Result<(), String> {
        let value = serde_json::to_value(self).map_err(|error| error.to_string())?;
        uncarriable(&value, "").map_or(Ok(()), |place| {
            Err(format!(
                "{place}: control characters and noncharacters can't go into a phone's files"
            ))
        })
    }
}

/// The place of the first text with a character that XML 1.0 can't carry, or that ends a line.
fn uncarriable(value: &serde_json::Value, place: &str) -> Option<String> {
    let bad = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    match value {
        serde_json::Value::String(text) => text.contains(bad).then(|| place.to_owned()),
        serde_json::Value::Array(items) => items.iter().find_map(|item| uncarriable(item, place)),
        serde_json::Value::Object(fields) => fields.iter().find_map(|(name, item)| {
            let within = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            if name.contains(bad) { Some(place.to_owned()) } else { uncarriable(item, &within) }
        }),
        _ => None,
    }
}

/// A position from 1.
fn at<N: std::str::FromStr + PartialOrd + From<u8>>(text: &str) -> Option<N> {
    text.parse().ok().filter(|position| *position >= N::from(1))
}

/// Reads a key as lists spell it.
fn key(text: &str, place: impl Fn() -> String) -> Result<Key, String> {
    let wrong = || {
        format!("{}: `{text}` is no key; write line:2, blf:4013:Anna or speed:0123:Taxi", place())
    };
    let (what, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (value, label) = rest.split_once(':').unwrap_or((rest, ""));
    let target = match what {
        "line" => KeyTarget::Line(at(value).ok_or_else(wrong)?),
        "blf" if !value.is_empty() => KeyTarget::Blf(value.to_owned()),
        "speed" if !value.is_empty() => KeyTarget::Speed(value.to_owned()),
        _ => return Err(wrong()),
    };
    Ok(Key { target, label: label.to_owned() })
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

    fn line(self, kept: Option<&Secret>) -> Result<Line, String> {
        let sip_password = match self.sip_password.as_str() {
            MASK => {
                kept.cloned().ok_or("sip-password: there is none yet that could stay as it is")?
            }
            _ => Secret::new(self.sip_password),
        };
        Ok(Line { number: self.number, name: self.name, sip_user: self.sip_user, sip_password })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, before: Option<&Entry>) -> Result<Entry, String> {
        serde_json::from_str::<EntryView>(json).map_err(|error| error.to_string())?.entry(before)
    }

    #[test]
    fn what_is_shown_can_be_put_back() {
        let json = r#"{"model":"7961","number":"4012","name":"Front desk","sip-password":"s3cret","site":"paris",
            "address":"10.20.0.51","lines":[{"number":"4012"},{"number":"4013","sip-user":"b"}],
            "keys":{"2":"blf:4013:Anna: desk"},"module-keys":{"1.3":"speed:0123"},"set":{"a":"b"},"var":{"c":"d"}}"#;
        let entry = read(json, None).unwrap();
        assert_eq!((entry.number(), entry.name(), entry.lines.len()), ("4012", "Front desk", 2));
        assert_eq!(entry.keys[&2].label, "Anna: desk");
        let masked = serde_json::to_string(&EntryView::new(&entry, false)).unwrap();
        assert!(!masked.contains("s3cret") && masked.contains(MASK), "{masked}");
        assert_eq!(read(&masked, Some(&entry)).unwrap(), entry, "a masked password stays");
        let revealed = serde_json::to_string(&EntryView::new(&entry, true)).unwrap();
        assert_eq!(read(&revealed, None).unwrap(), entry);
    }

    #[test]
    fn what_is_refused() {
        let check = |json: &str, place: &str| {
            let text = read(json, None).unwrap_err();
            assert!(text.starts_with(place), "{json}: {text}");
        };
        check(r#"{"name":"a\u0001"}"#, "name: control");
        check(r#"{"var":{"x":"a\nb"}}"#, "var.x: control");
        check(r#"{"location":"\ufffe"}"#, "location: control");
        check(r#"{"keys":{"0":"line:1"}}"#, "keys.0: positions");
        check(r#"{"keys":{"1":"dial:1"}}"#, "keys.1: `dial:1`");
        check(r#"{"module-keys":{"1":"line:1"}}"#, "module-keys.1: positions");
        check(r#"{"sip-password":"••••"}"#, "sip-password: there is none");
        check(r#"{"modell":"7961"}"#, "unknown field `modell`");
        check(r#"{"address":"10.20.0.999"}"#, "invalid IPv4");
    }
}
