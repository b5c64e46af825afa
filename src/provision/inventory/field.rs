//! Fields of an entry by column: setting one, and reading it back as text.

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::domain::{Entry, Key, KeyTarget, Line, MAX_LINES, Secret};

use super::{
    Fault, MASK,
    column::{Column, Part},
};

/// Sets a field to a clean value. `own` is the index of the line that a row is about.
pub(super) fn assign(
    entry: &mut Entry,
    column: &Column,
    own: usize,
    value: &str,
) -> Result<(), Fault> {
    let fault = |reason: &str| Fault::new(column, reason);
    match column {
        Column::Mac => {
            return Err(fault("a phone keeps its address; `phones replace` swaps phones"));
        }
        Column::LineIndex => return Err(fault("name a field of the line, such as line.2.number")),
        Column::Model => model(value).clone_into(&mut entry.model),
        Column::Own(part) => assign_part(entry, own, *part, value),
        Column::Line(index, part) => assign_part(entry, *index, *part, value),
        Column::Site => entry.site = (!value.is_empty()).then(|| value.to_owned()),
        Column::Location => value.clone_into(&mut entry.location),
        Column::Address => entry.address = address(value).map_err(fault)?,
        Column::Note => value.clone_into(&mut entry.note),
        Column::Key(position) => put(&mut entry.keys, *position, key(value).map_err(fault)?),
        Column::ModuleKey(module, position) => {
            put(&mut entry.module_keys, (*module, *position), key(value).map_err(fault)?);
        }
        Column::Set(name) => put(&mut entry.set, name.clone(), text(value)),
        Column::Var(name) => put(&mut entry.var, name.clone(), text(value)),
    }
    Ok(())
}

fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// A model without the `CP-` that Cisco prints before it, so that a name which was taken once is taken as it is.
fn model(mut value: &str) -> &str {
    while let Some((prefix, rest)) = value.split_at_checked(3)
        && prefix.eq_ignore_ascii_case("cp-")
        && !rest.is_empty()
    {
        value = rest;
    }
    value
}

fn address(value: &str) -> Result<Option<Ipv4Addr>, &'static str> {
    if value.is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| "not an IPv4 address such as 10.20.0.51")
}

fn assign_part(entry: &mut Entry, index: usize, part: Part, value: &str) {
    if entry.lines.len() < index {
        entry.lines.resize_with(index, Line::default);
    }
    let line = &mut entry.lines[index - 1];
    match part {
        Part::Number => value.clone_into(&mut line.number),
        Part::Name => value.clone_into(&mut line.name),
        Part::SipUser => value.clone_into(&mut line.sip_user),
        Part::SipPassword if value == MASK => {}
        Part::SipPassword => line.sip_password = Secret::new(value.to_owned()),
    }
}

/// Reads `line:2`, `blf:4013:Anna` or `speed:0123:Taxi`; nothing is no key.
fn key(value: &str) -> Result<Option<Key>, &'static str> {
    let hint = "a key is `line:2`, `blf:4013:Anna` or `speed:0123:Taxi`";
    if value.is_empty() {
        return Ok(None);
    }
    let (kind, rest) = value.split_once(':').ok_or(hint)?;
    let (number, label) = rest.split_once(':').unwrap_or((rest, ""));
    let (number, label) = (number.trim(), label.trim().to_owned());
    let target = match kind.trim().to_ascii_lowercase().as_str() {
        "line" => {
            let index = number.parse().ok().filter(|i| (1..=MAX_LINES).contains(&usize::from(*i)));
            KeyTarget::Line(index.ok_or("no phone has a line of that number")?)
        }
        "blf" | "speed" if number.is_empty() => return Err("there is no number in it"),
        "blf" => KeyTarget::Blf(number.to_owned()),
        "speed" => KeyTarget::Speed(number.to_owned()),
        _ => return Err(hint),
    };
    Ok(Some(Key { target, label }))
}

fn show_key(key: &Key) -> String {
    let text = match &key.target {
        KeyTarget::Line(index) => format!("line:{index}"),
        KeyTarget::Blf(number) => format!("blf:{number}"),
        KeyTarget::Speed(number) => format!("speed:{number}"),
    };
    if key.label.is_empty() { text } else { format!("{text}:{}", key.label) }
}

/// A field as text; empty where there is nothing. Passwords are masked unless asked for.
pub(super) fn show(entry: &Entry, column: &Column, secrets: bool) -> String {
    let part = |index: usize, part: Part| -> String {
        let Some(line) = entry.lines.get(index - 1) else { return String::new() };
        match part {
            Part::Number => line.number.clone(),
            Part::Name => line.name.clone(),
            Part::SipUser => line.sip_user.clone(),
            Part::SipPassword if line.sip_password.is_empty() => String::new(),
            Part::SipPassword if secrets => line.sip_password.reveal().to_owned(),
            Part::SipPassword => MASK.to_owned(),
        }
    };
    match column {
        Column::Mac | Column::LineIndex => String::new(),
        Column::Model => entry.model.clone(),
        Column::Own(own) => part(1, *own),
        Column::Line(index, of) => part(*index, *of),
        Column::Site => entry.site.clone().unwrap_or_default(),
        Column::Location => entry.location.clone(),
        Column::Address => entry.address.map(|address| address.to_string()).unwrap_or_default(),
        Column::Note => entry.note.clone(),
        Column::Key(position) => entry.keys.get(position).map(show_key).unwrap_or_default(),
        Column::ModuleKey(module, position) => {
            entry.module_keys.get(&(*module, *position)).map(show_key).unwrap_or_default()
        }
        Column::Set(name) => entry.set.get(name).cloned().unwrap_or_default(),
        Column::Var(name) => entry.var.get(name).cloned().unwrap_or_default(),
    }
}

/// The columns that it takes to write an entry out, in the order of a file.
pub(super) fn columns(entry: &Entry) -> Vec<Column> {
    let own = Part::ALL.into_iter().map(Column::Own);
    let lines = (2..=entry.lines.len()).flat_map(|i| Part::ALL.map(|part| Column::Line(i, part)));
    [Column::Model]
        .into_iter()
        .chain(own)
        .chain([Column::Site, Column::Location, Column::Address, Column::Note])
        .chain(lines)
        .chain(entry.keys.keys().map(|position| Column::Key(*position)))
        .chain(entry.module_keys.keys().map(|(module, at)| Column::ModuleKey(*module, *at)))
        .chain(entry.set.keys().map(|key| Column::Set(key.clone())))
        .chain(entry.var.keys().map(|name| Column::Var(name.clone())))
        .collect()
}

/// Makes an entry whole: lines with nothing in them at the end go, and every other has a number.
pub(super) fn settle(entry: &mut Entry) -> Result<(), Fault> {
    while entry.lines.last().is_some_and(|line| *line == Line::default()) {
        entry.lines.pop();
    }
    if entry.lines.len() > MAX_LINES {
        return Err(Fault::new("line", format!("more than {MAX_LINES} lines")));
    }
    // A phone with one line may wait for its number; of several, one without would be a hole among the line keys.
    let hole = entry.lines.iter().position(|line| line.number.is_empty());
    match hole {
        Some(hole) if entry.lines.len() > 1 => {
            let column = Column::Line(hole + 1, Part::Number);
            Err(Fault::new(column, format!("line {} has no number", hole + 1)))
        }
        _ => Ok(()),
    }
}
