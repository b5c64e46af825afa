//! Lists written out: as a file that an import takes back, and as JSON.

use std::collections::BTreeSet;

use csv::{QuoteStyle, WriterBuilder};
use serde_json::{Map, Value};

use crate::{
    domain::{Entry, Mac},
    store::State,
};

use super::{cell, column::Column, field};

/// The listed phones that a filter lets through.
fn listed<'a>(
    state: &'a State,
    filter: &'a dyn Fn(Mac, &Entry) -> bool,
) -> impl Iterator<Item = (Mac, &'a Entry)> {
    let entries = state.phones.iter();
    let entries = entries.filter_map(|(mac, phone)| Some((*mac, phone.entry.as_deref()?)));
    entries.filter(move |(mac, entry)| filter(*mac, entry))
}

/// Entries as CSV, one row a phone, every cell quoted. Imported again, it changes nothing.
///
/// Passwords are masked unless `secrets` is set; an import leaves a masked one as it is. What a spreadsheet would take
/// for a formula gets an apostrophe in front, which an import takes off.
#[must_use]
pub fn export_csv(state: &State, filter: &dyn Fn(Mac, &Entry) -> bool, secrets: bool) -> String {
    let mut columns: BTreeSet<Column> = field::columns(&Entry::default()).into_iter().collect();
    columns.extend(listed(state, filter).flat_map(|(_, entry)| field::columns(entry)));
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(Vec::new());
    let header = columns.iter().map(ToString::to_string);
    // Writing to memory can't fail, and every row has as many cells as the header.
    let _ = writer.write_record(["mac".to_owned()].into_iter().chain(header));
    for (mac, entry) in listed(state, filter) {
        let cells =
            columns.iter().map(|column| cell::neutral(&field::show(entry, column, secrets)));
        let _ = writer.write_record([mac.to_string()].into_iter().chain(cells));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// A table as CSV, for reading and not for an import. What a spreadsheet would take for a formula gets an apostrophe.
#[must_use]
pub fn plain_csv(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(Vec::new());
    // Writing to memory can't fail, and every row has as many cells as the header.
    let _ = writer.write_record(heads);
    for row in rows {
        let _ = writer.write_record(row.iter().map(|value| cell::neutral(value)));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Entries as a JSON array of objects, named as the columns are, without what is empty.
///
/// Passwords are masked unless `secrets` is set.
#[must_use]
pub fn export_json(state: &State, filter: &dyn Fn(Mac, &Entry) -> bool, secrets: bool) -> String {
    let object = |(mac, entry): (Mac, &Entry)| {
        let mut object = Map::new();
        object.insert("mac".to_owned(), Value::String(mac.to_string()));
        for column in field::columns(entry) {
            let value = field::show(entry, &column, secrets);
            if !value.is_empty() {
                object.insert(column.to_string(), Value::String(value));
            }
        }
        Value::Object(object)
    };
    Value::Array(listed(state, filter).map(object).collect()).to_string()
}
