//! Which keys each table knows, and stage one: from text to tables, every unknown key and wrong kind at once.

use serde::{Deserialize, de};
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use crate::domain::Problem;

use super::{
    source::{Sources, join, one_line},
    tables::{
        ApplianceTable, AutoRegistrationTable, DhcpTable, FailoverTable, FileTable, FirmwareTable,
        ForTable, HttpTable, OptionTable, RegistrarTable, SecretsTable, SiteTable, SubnetTable,
        TftpTable,
    },
};

type Keys = &'static [&'static str];
type Table = (&'static str, fn() -> Keys);

/// Every table with fixed keys: its path, in which `*` is a name that the operator chooses, and what it knows.
pub const TABLES: [Table; 19] = [
    ("", keys::<FileTable>),
    ("appliance", keys::<ApplianceTable>),
    ("dhcp", keys::<DhcpTable>),
    ("dhcp.subnet", keys::<SubnetTable>),
    ("dhcp.subnet.options", keys::<OptionTable>),
    ("dhcp.subnet.for.*", keys::<ForTable>),
    ("tftp", keys::<TftpTable>),
    ("http", keys::<HttpTable>),
    ("secrets", keys::<SecretsTable>),
    ("auto-registration", keys::<AutoRegistrationTable>),
    ("firmware", keys::<FirmwareTable>),
    ("site.*", keys::<SiteTable>),
    ("site.*.server", keys::<RegistrarTable>),
    ("site.*.outbound-proxy", keys::<RegistrarTable>),
    ("site.*.failover", keys::<FailoverTable>),
    ("site.*.staging", keys::<SiteTable>),
    ("site.*.staging.server", keys::<RegistrarTable>),
    ("site.*.staging.outbound-proxy", keys::<RegistrarTable>),
    ("site.*.staging.failover", keys::<FailoverTable>),
];

/// How often a file is read again without the value that did not fit. What is wrong beyond it shows the next time.
const MAX_MISFITS: usize = 64;

/// Makes tables of the text. What they can't hold is told and left out, so that the rest is still checked.
pub fn read(
    sources: &Sources,
    mut table: Spanned<DeTable<'_>>,
    problems: &mut Vec<Problem>,
) -> FileTable {
    Walk { sources, problems }.table(&mut Vec::new(), false, table.get_mut());
    for _ in 0..MAX_MISFITS {
        let error = match FileTable::deserialize(Deserializer::from(table.clone())) {
            Ok(tables) => return tables,
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let found = prune(table.get_mut(), &span, "");
        let text = one_line(error.message());
        let key = found.as_deref().unwrap_or_default();
        let problem = match misfit(key, &text) {
            Some((text, help)) => sources.error(span.start, text).help(help),
            None if key.is_empty() => sources.error(span.start, text),
            None => sources.error(span.start, format!("`{key}`: {text}")),
        };
        problems.push(problem);
        if found.is_none() {
            break;
        }
    }
    FileTable::default()
}

/// What serde says of a value of the wrong kind, in the words of who typed it, and how it is written.
fn misfit(key: &str, text: &str) -> Option<(String, String)> {
    let (found, expected) = text.strip_prefix("invalid type: ")?.split_once(", expected ")?;
    let last = key.rsplit('.').next().filter(|last| !last.is_empty())?;
    let value = found.split_once(' ').map_or("", |(_, value)| value.trim_matches(['`', '"']));
    let scalar = found.starts_with("string") || found.starts_with("integer");
    let (kind, written) = match expected {
        "a sequence" if scalar => ("a list", format!("{last} = [\"{value}\"]")),
        "a sequence" => ("a list", format!("{last} = [\"…\"]")),
        "a string" if scalar => ("text", format!("\"{value}\"")),
        "a string" => ("text", format!("{last} = \"…\"")),
        "a boolean" => ("true or false", format!("{last} = true")),
        "i64" => ("a number", format!("{last} = 1, without quotes")),
        _ => return None,
    };
    Some((format!("`{key}` takes {kind}, and this is {found}"), written))
}

/// Removes the value that `span` lies in and tells its path.
fn prune(table: &mut DeTable<'_>, span: &std::ops::Range<usize>, path: &str) -> Option<String> {
    let inside = |there: std::ops::Range<usize>| there.start <= span.start && span.end <= there.end;
    let mut gone = None;
    for (key, value) in table.iter_mut() {
        let name = join(path, key.get_ref());
        let whole = inside(value.span()) || inside(key.span());
        let deeper = match value.get_mut() {
            DeValue::Table(table) => prune(table, span, &name),
            DeValue::Array(array) => array.iter_mut().find_map(|value| match value.get_mut() {
                DeValue::Table(table) => prune(table, span, &name),
                _ => None,
            }),
            _ => None,
        };
        if deeper.is_some() {
            return deeper;
        }
        if whole {
            gone = Some((key.get_ref().to_string(), name));
        }
    }
    let (key, name) = gone?;
    table.remove(key.as_str());
    Some(name)
}

/// Goes through the parsed text, because serde stops at the first unknown key and does not say where it is.
struct Walk<'a> {
    sources: &'a Sources,
    problems: &'a mut Vec<Problem>,
}

impl Walk<'_> {
    /// Reports what this table and those in it do not know, and takes it out.
    fn table(&mut self, path: &mut Vec<String>, listed: bool, table: &mut DeTable<'_>) {
        if let Some(known) = known(path) {
            let label = label(path, listed);
            let mut unknown = Vec::new();
            for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
                let text = format!("unknown key `{}` {label}", key.get_ref());
                let problem = self.sources.error(key.span().start, text);
                self.problems.push(problem.help(remedy(key.get_ref(), known)));
                unknown.push(key.get_ref().to_string());
            }
            for key in &unknown {
                table.remove(key.as_str());
            }
        }
        for (key, value) in table.iter_mut() {
            path.push(key.get_ref().to_string());
            match value.get_mut() {
                DeValue::Table(table) => self.table(path, false, table),
                DeValue::Array(array) => {
                    for value in array.iter_mut() {
                        if let DeValue::Table(table) = value.get_mut() {
                            self.table(path, true, table);
                        }
                    }
                }
                _ => {}
            }
            path.pop();
        }
    }
}

/// The keys of the table at `path`; `None` where the operator may write any.
fn known(path: &[String]) -> Option<Keys> {
    let fits = |pattern: &str| {
        let parts: Vec<&str> = pattern.split('.').filter(|part| !part.is_empty()).collect();
        parts.len() == path.len() && parts.iter().zip(path).all(|(p, key)| *p == "*" || p == key)
    };
    TABLES.iter().find(|(pattern, _)| fits(pattern)).map(|(_, keys)| keys())
}

/// A table as its header spells it.
fn label(path: &[String], listed: bool) -> String {
    match (path.is_empty(), listed) {
        (true, _) => "outside any table".to_owned(),
        (false, false) => format!("in [{}]", path.join(".")),
        (false, true) => format!("in [[{}]]", path.join(".")),
    }
}

/// The nearest known key, else the table where this key is known, else all that may stand here.
fn remedy(key: &str, known: Keys) -> String {
    if let Some(near) = nearest(key, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let elsewhere = TABLES.iter().find(|(_, keys)| keys().contains(&key));
    match elsewhere {
        Some(("", _)) => format!("`{key}` stands above all tables"),
        Some((path, _)) => format!("`{key}` belongs in [{}]", path.replace('*', "NAME")),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// The known name that `word` is most likely a misspelling of.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase().replace('_', "-");
    let far = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let best = known.map(|name| (far(name), name)).min()?;
    // A third of the letters may be wrong: more is another word.
    (best.0 <= (lower.chars().count() / 3).max(1)).then_some(best.1)
}

/// The keys that serde knows for a table: the one definition of them.
pub fn keys<T: for<'de> Deserialize<'de>>() -> Keys {
    T::deserialize(Probe).err().map_or(&[], |fields| fields.0)
}

/// Answers a struct's first question, which fields it wants, by returning them as the error.
struct Probe;

#[derive(Debug, thiserror::Error)]
#[error("the fields are {0:?}")]
struct Fields(Keys);

impl de::Error for Fields {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl<'de> de::Deserializer<'de> for Probe {
    type Error = Fields;

    fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Fields> {
        Err(Fields(&[]))
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: Keys,
        _: V,
    ) -> Result<V::Value, Fields> {
        Err(Fields(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
