//! Columns: how the fields of an entry are called in a file and on the command line.

use std::fmt;

use crate::domain::MAX_LINES;

use super::cell::is_carried;

/// The names of columns that have no number or name of their own.
const PLAIN: [(&str, Column); 11] = [
    ("mac", Column::Mac),
    ("model", Column::Model),
    ("number", Column::Own(Part::Number)),
    ("name", Column::Own(Part::Name)),
    ("sip-user", Column::Own(Part::SipUser)),
    ("sip-password", Column::Own(Part::SipPassword)),
    ("site", Column::Site),
    ("location", Column::Location),
    ("address", Column::Address),
    ("note", Column::Note),
    ("line", Column::LineIndex),
];

/// A field of an entry.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Column {
    Mac,
    Model,
    /// Of the line that the row is about.
    Own(Part),
    Site,
    Location,
    Address,
    Note,
    /// Which line the row is about.
    LineIndex,
    /// Of the line of that index, from 1.
    Line(usize, Part),
    Key(u16),
    ModuleKey(u8, u16),
    Set(String),
    Var(String),
}

/// A field of a line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Part {
    Number,
    Name,
    SipUser,
    SipPassword,
}

impl Part {
    pub(super) const ALL: [Self; 4] = [Self::Number, Self::Name, Self::SipUser, Self::SipPassword];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Name => "name",
            Self::SipUser => "sip-user",
            Self::SipPassword => "sip-password",
        }
    }
}

impl Column {
    /// A column by its name. Case, blanks and underscores do not count, but in what follows `set.` and `var.` they do.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        let name = name.trim();
        let folded = name.to_lowercase().replace([' ', '_'], "-");
        if let Some((_, column)) = PLAIN.iter().find(|(known, _)| *known == folded) {
            return Ok(column.clone());
        }
        let rest = |prefix: &str| folded.starts_with(prefix).then(|| name[prefix.len()..].trim());
        if let Some(key) = rest("set.") {
            return set_key(key).map(Self::Set);
        }
        if let Some(name) = rest("var.") {
            return var_name(name).map(Self::Var);
        }
        let parts: Vec<&str> = folded.split('.').collect();
        match parts[..] {
            ["line", index, part] => line(index, part),
            ["key", position] => position_of(position).map(Self::Key),
            ["module", module, "key", position] => {
                let module = module.parse().ok().filter(|module| *module > 0);
                let module = module.ok_or("a module has a number from 1 to 255")?;
                Ok(Self::ModuleKey(module, position_of(position)?))
            }
            _ => Err(match Self::nearest(name) {
                Some(near) => format!("nobody knows `{name}`; did you mean `{near}`?"),
                None => format!("nobody knows `{name}`"),
            }),
        }
    }

    /// The name that was probably meant.
    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        let name = name.trim().to_lowercase().replace([' ', '_'], "-");
        let templates =
            ["key.1", "line.2.number", "line.2.name", "module.1.key.1", "set.KEY", "var.NAME"];
        let known = PLAIN.iter().map(|(known, _)| *known).chain(templates);
        let rated = known.map(|known| (likeness(known, &name), known));
        let near = rated.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (near.0 > 0.7).then_some(near.1)
    }

    /// True if the column is about lines after the first.
    pub(super) const fn lists_lines(&self) -> bool {
        matches!(self, Self::LineIndex | Self::Line(2.., _))
    }

    /// True for passwords.
    pub(super) const fn is_secret(&self) -> bool {
        matches!(self, Self::Own(Part::SipPassword) | Self::Line(_, Part::SipPassword))
    }

    /// True for numbers that are dialled.
    pub(super) const fn is_dialled(&self) -> bool {
        matches!(self, Self::Own(Part::Number) | Self::Line(_, Part::Number))
    }

    /// True where only digits or an identifier make sense, so that what looks like a float was made by a spreadsheet.
    pub(super) const fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Own(Part::Number | Part::SipUser) | Self::Line(_, Part::Number | Part::SipUser)
        )
    }
}

fn line(index: &str, part: &str) -> Result<Column, String> {
    let index = index.parse().ok().filter(|index| (1..=MAX_LINES).contains(index));
    let index = index.ok_or_else(|| format!("a line has a number from 1 to {MAX_LINES}"))?;
    let part = Part::ALL.into_iter().find(|known| known.as_str() == part);
    let part = part.ok_or("a line has `number`, `name`, `sip-user` and `sip-password`")?;
    Ok(Column::Line(index, part))
}

fn position_of(text: &str) -> Result<u16, String> {
    let position = text.parse().ok().filter(|position| *position > 0);
    position.ok_or_else(|| "a key has a position from 1 to 65535".to_owned())
}

/// A key of the family's own form ends up as the name of an ini key, an attribute or an element.
fn set_key(key: &str) -> Result<String, String> {
    let odd = |c: char| !is_carried(c) || c.is_whitespace() || "=\"'<>&".contains(c);
    if key.is_empty() || key.contains(odd) {
        return Err("what follows `set.` is a key of the phone's own configuration".to_owned());
    }
    Ok(key.to_owned())
}

fn var_name(name: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        return Err("what follows `var.` is a name of letters, digits, `_` and `-`".to_owned());
    }
    Ok(name.to_owned())
}

/// How alike two names are, from 0 to 1. `mac-address` is `mac` with something behind it, and means that.
fn likeness(known: &str, name: &str) -> f64 {
    let mut words = name.split('-');
    if words.next() == Some(known) {
        return 0.95;
    }
    if words.any(|word| word == known) { 0.9 } else { strsim::jaro_winkler(known, name) }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac => f.write_str("mac"),
            Self::Model => f.write_str("model"),
            Self::Own(part) | Self::Line(1, part) => f.write_str(part.as_str()),
            Self::Site => f.write_str("site"),
            Self::Location => f.write_str("location"),
            Self::Address => f.write_str("address"),
            Self::Note => f.write_str("note"),
            Self::LineIndex => f.write_str("line"),
            Self::Line(index, part) => write!(f, "line.{index}.{}", part.as_str()),
            Self::Key(position) => write!(f, "key.{position}"),
            Self::ModuleKey(module, position) => write!(f, "module.{module}.key.{position}"),
            Self::Set(key) => write!(f, "set.{key}"),
            Self::Var(name) => write!(f, "var.{name}"),
        }
    }
}
