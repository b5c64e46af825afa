//! Settings as they were written, key by key, so that two readings can be compared in the operator's own words.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use toml::de::{DeTable, DeValue};

use super::source::join;

/// How a secret shows.
const MASK: &str = "••••";

/// Parts of names whose values are nobody's business, wherever the operator put them.
const SECRET: [&str; 8] = ["passw", "pwd", "secret", "token", "hash", "pin", "psk", "key"];

/// A settings file as written: every key with its value. Secrets are masked; that one changed shows all the same.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Written(BTreeMap<String, Value>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Value {
    shown: String,
    /// Of what is shown and of what is not.
    stamp: u64,
}

/// A key that two readings of the settings do not agree on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The key with its tables, or a file.
    pub key: String,
    /// What it was; `None` if it was not there.
    pub old: Option<String>,
    /// What it is; `None` if it is gone.
    pub new: Option<String>,
}

impl Written {
    /// Takes down every key of `table`; files that hold secrets are looked for below `base`.
    pub(super) fn of(table: &DeTable<'_>, base: &Path) -> Self {
        let mut written = Self::default();
        written.table(table, "", base);
        written
    }

    /// What changed from here to `new`, by key.
    #[must_use]
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let mut keys: Vec<&String> = self.0.keys().chain(new.0.keys()).collect();
        keys.sort();
        keys.dedup();
        let shown = |value: Option<&Value>| value.map(|value| value.shown.clone());
        let differ = |key: &&String| self.0.get(*key) != new.0.get(*key);
        let difference = |key: &String| {
            let (old, mut now) = (shown(self.0.get(key)), shown(new.0.get(key)));
            if old == now {
                now = now.map(|text| format!("{text} (another one)"));
            }
            Difference { key: key.clone(), old, new: now }
        };
        keys.into_iter().filter(differ).map(difference).collect()
    }

    fn table(&mut self, table: &DeTable<'_>, path: &str, base: &Path) {
        for (key, value) in table {
            self.value(key.get_ref(), value.get_ref(), &join(path, key.get_ref()), base);
        }
    }

    fn value(&mut self, key: &str, value: &DeValue<'_>, path: &str, base: &Path) {
        match value {
            DeValue::Table(table) => self.table(table, path, base),
            DeValue::Array(array) if array.iter().any(|one| as_table(one.get_ref()).is_some()) => {
                for (index, one) in array.iter().enumerate() {
                    let name = one_of(one.get_ref(), index);
                    self.value(key, one.get_ref(), &format!("{path}[{name}]"), base);
                }
            }
            _ => {
                let text = text(value);
                let file = key.ends_with("-file").then(|| value.as_str()).flatten();
                // A file that can't be read is the check's to tell.
                let content = file.and_then(|file| fs::read(base.join(file)).ok());
                let mut stamp = DefaultHasher::new();
                (&text, content).hash(&mut stamp);
                let shown = if is_secret(key, path) { MASK.to_owned() } else { text };
                self.0.insert(path.to_owned(), Value { shown, stamp: stamp.finish() });
            }
        }
    }
}

/// What tells one table of a list from the others: what it is about, else its place.
fn one_of(value: &DeValue<'_>, index: usize) -> String {
    let about = |key: &str| as_table(value)?.get(key).map(|value| text(value.get_ref()));
    let name = about("subnet").or_else(|| about("code"));
    name.map_or_else(|| (index + 1).to_string(), |name| name.trim_matches('"').to_owned())
}

const fn as_table<'a, 'b>(value: &'a DeValue<'b>) -> Option<&'a DeTable<'b>> {
    match value {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// A value as an operator would write it.
fn text(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(list) => {
            let list: Vec<String> = list.iter().map(|one| text(one.get_ref())).collect();
            format!("[{}]", list.join(", "))
        }
        DeValue::Table(table) => {
            let pair = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                format!("{key} = {}", text(value.get_ref()))
            };
            format!("{{ {} }}", table.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

/// True for what may be a secret by its name. A P-value's name (`P34`) tells nothing, so all of them count.
fn is_secret(key: &str, path: &str) -> bool {
    let lower = key.to_lowercase();
    let number = key.strip_prefix('P').unwrap_or_default();
    let opaque = path.contains(".extra.")
        && !number.is_empty()
        && number.bytes().all(|digit| digit.is_ascii_digit());
    // The name of a file is no secret; what it holds is not shown.
    let named = SECRET.iter().any(|word| lower.contains(word)) && !lower.ends_with("-file");
    opaque || named
}
