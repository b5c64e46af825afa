//! Printing: tables, JSON and times, fit for a terminal whatever a phone put into them.

use std::io::{self, Write};

use comfy_table::{Cell, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::domain::Timestamp;

/// Writes `text` and a line break to standard output.
///
/// # Errors
///
/// As writing: [`super::exit::Failure`] makes a success of a closed pipe.
pub fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes bytes as they are.
///
/// # Errors
///
/// As [`line()`].
pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes a value as one line of JSON.
///
/// # Errors
///
/// As [`line()`].
pub fn json(value: &Value) -> io::Result<()> {
    line(&value.to_string())
}

/// Tells something on standard error. Where even that is closed there is nobody left to tell.
pub fn note(text: &str) {
    if !text.is_empty() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// A table without lines; rows wrap at the terminal's width, and not at all into a pipe.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.map(Cell::new));
    table
}

/// A row of cleaned cells.
pub fn row<const N: usize>(table: &mut Table, cells: [String; N]) {
    table.add_row(cells.map(|cell| Cell::new(clean(&cell))));
}

/// Prints a table, or a sentence where it has no rows.
///
/// # Errors
///
/// As [`line()`].
pub fn print(mut table: Table, none: &str) -> io::Result<()> {
    if table.is_empty() {
        return line(none);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    line(&table.trim_fmt())
}

/// Text without anything that moves a cursor.
pub fn clean(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = c.is_control().then(|| c.escape_default());
            let plain = (!c.is_control()).then_some(c);
            escape.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// The text at a JSON pointer; empty for what is not there or null.
pub fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The list at a JSON pointer; empty for what is not there.
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// How long ago, in the one unit that says most: `40 s`, `3 min`, `5 h`, `12 d`. As it is where it is no time.
pub fn ago(moment: &str, now: Timestamp) -> String {
    let Ok(then) = moment.parse::<Timestamp>() else { return moment.to_owned() };
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=5399 => format!("{} min", seconds / 60),
        5400..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Octets in the unit that says most: `512 B`, `4.0 kB`, `40.0 MB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..=999 => format!("{bytes} B"),
        1000..=999_999 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..=999_999_999 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let now = "2026-11-20T09:00:00Z".parse().unwrap();
        let check = |moment: &str, text: &str| assert_eq!(ago(moment, now), text);
        check("2026-11-20T08:59:20Z", "40 s");
        check("2026-11-20T08:57:00Z", "3 min");
        check("2026-11-20T04:00:00Z", "5 h");
        check("2026-11-08T09:00:00Z", "12 d");
        // A clock that runs ahead is no reason for a negative time.
        check("2026-11-20T09:00:05Z", "0 s");
        check("", "");
    }

    #[test]
    fn what_a_terminal_must_not_see() {
        assert_eq!(clean("a\u{1b}[2J\nb"), "a\\u{1b}[2J\\nb");
    }

    #[test]
    fn sizes() {
        assert_eq!([size(0), size(4096), size(41_943_040)], ["0 B", "4.1 kB", "41.9 MB"]);
    }
}
