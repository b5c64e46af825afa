//! An entry as JSON, both ways.

use std::{collections::BTreeMap, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{Entry, Key, KeyTarget, Line, Secret},
    provision::inventory::MASK,
};

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

    /// What has to be set, field by field as lists call them, so that an entry becomes this one and nothing else.
    ///
    /// What is right and wrong in a field is the inventory's knowledge; here is only how JSON calls it.
    #[must_use]
    pub fn assignments(&self, before: Option<&Entry>) -> Vec<(String, String)> {
        let mut wanted = self.fields();
        // What is listed and not mentioned goes.
        if let Some(before) = before {
            for field in Self::new(before, false).fields().into_keys() {
                wanted.entry(field).or_default();
            }
        }
        wanted.into_iter().collect()
    }

    /// All fields by the names of their columns.
    fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        let mut put = |name: String, value: &str| drop(fields.insert(name, value.to_owned()));
        put("model".to_owned(), &self.model);
        put("site".to_owned(), self.site.as_deref().unwrap_or_default());
        put("location".to_owned(), &self.location);
        put("address".to_owned(), &self.address.map(|a| a.to_string()).unwrap_or_default());
        put("note".to_owned(), &self.note);
        for (index, line) in (1..).zip(self.all_lines()) {
            put(format!("line.{index}.number"), &line.number);
            put(format!("line.{index}.name"), &line.name);
            put(format!("line.{index}.sip-user"), &line.sip_user);
            put(format!("line.{index}.sip-password"), &line.sip_password);
        }
        for (position, key) in &self.keys {
            put(format!("key.{position}"), key);
        }
        for (position, key) in &self.module_keys {
            let (module, position) = position.split_once('.').unwrap_or((position, ""));
            put(format!("module.{module}.key.{position}"), key);
        }
        for (name, value) in &self.set {
            put(format!("set.{name}"), value);
        }
        for (name, value) in &self.var {
            put(format!("var.{name}"), value);
        }
        fields
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> EntryView {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn fields_by_the_names_of_columns() {
        let check = |json: &str, expected: &str| {
            let said = read(json).fields();
            let said: Vec<_> = said
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(said.join(" "), expected, "{json}");
        };
        check(r#"{"model":"7961"}"#, "model=7961");
        check(r#"{"number":"4012","sip-user":"u"}"#, "line.1.number=4012 line.1.sip-user=u");
        check(r#"{"lines":[{"number":"1"},{"number":"2"}]}"#, "line.1.number=1 line.2.number=2");
        check(r#"{"number":"9","lines":[{"number":"1"}]}"#, "line.1.number=9");
        check(r#"{"keys":{"2":"blf:4013:Anna"}}"#, "key.2=blf:4013:Anna");
        check(r#"{"module-keys":{"1.3":"line:2"}}"#, "module.1.key.3=line:2");
        check(r#"{"set":{"a.b":"c"},"var":{"d":"e"}}"#, "set.a.b=c var.d=e");
    }

    #[test]
    fn what_is_not_mentioned_goes() {
        let before = Entry {
            location: "Hall".to_owned(),
            lines: vec![Line::default(), Line { number: "2".to_owned(), ..Line::default() }],
            var: [("d".to_owned(), "e".to_owned())].into(),
            ..Entry::default()
        };
        let set = read(r#"{"model":"7961","number":"1"}"#).assignments(Some(&before));
        let value =
            |name: &str| set.iter().find(|(field, _)| field == name).map(|(_, value)| &**value);
        assert_eq!(value("line.1.number"), Some("1"));
        for gone in ["location", "line.2.number", "var.d"] {
            assert_eq!(value(gone), Some(""), "{gone}");
        }
    }

    #[test]
    fn passwords_are_masked() {
        let line = Line { sip_password: Secret::new("s3cret".to_owned()), ..Line::default() };
        let entry = Entry { lines: vec![line.clone(), line], ..Entry::default() };
        let json = |reveal| serde_json::to_string(&EntryView::new(&entry, reveal)).unwrap();
        assert!(!json(false).contains("s3cret") && json(false).contains(MASK), "{}", json(false));
        assert_eq!(json(true).matches("s3cret").count(), 3);
    }
}
