//! Printing: tables, JSON and times, fit for a terminal whatever a phone put into them.

use std::io::{self, Write};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde_json::Value;

use crate::domain::Timestamp;

/// Blanks between two columns.
const GAP: usize = 2;

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

/// The terminal's columns; `None` into a pipe.
pub fn columns() -> Option<usize> {
    Table::new().width().map(usize::from)
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

/// A column of a table that fits a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What stands above it.
    pub name: &'static str,
    /// Characters that it needs at least to be read; a longer text wraps.
    pub least: usize,
    /// Where the terminal is too narrow for all, columns leave in this order, the lowest first; `None` never leaves.
    pub leaves: Option<u8>,
}

/// Prints a table whose columns fit `width`; a pipe has none, and gets every column on one line a row.
///
/// On a terminal a column without any text is left out, and so are those that find no room: they are named below.
///
/// # Errors
///
/// As [`line`].
pub fn fitted<const N: usize>(
    columns: &[Column; N],
    rows: &[[String; N]],
    none: &str,
) -> io::Result<()> {
    let mut table = table([""; 0]);
    let (kept, gone) = match table.width() {
        Some(width) => fit(columns, rows, width.into()),
        None => ((0..N).collect(), Vec::new()),
    };
    let name = |column: &usize| columns.get(*column).map_or("", |column| column.name);
    table.set_header(kept.iter().map(|column| Cell::new(name(column))));
    for row in rows {
        table.add_row(kept.iter().filter_map(|column| row.get(*column)).map(|cell| clean(cell)));
    }
    for (column, shown) in kept.iter().zip(table.column_iter_mut()) {
        let least = columns.get(*column).map_or(0, |column| column.least);
        let width = least.min(widest(rows, *column)).max(name(column).len()) + GAP;
        let width = Width::Fixed(u16::try_from(width).unwrap_or(u16::MAX));
        shown.set_constraint(ColumnConstraint::LowerBoundary(width));
    }
    print(table, none)?;
    if !gone.is_empty() && !rows.is_empty() {
        let names = gone.iter().map(name).collect::<Vec<_>>().join(", ");
        note(&format!("no room for {names}: widen the terminal, or use --json"));
    }
    Ok(())
}

/// Which columns are shown, and which are not though they say something.
fn fit<const N: usize>(
    columns: &[Column; N],
    rows: &[[String; N]],
    width: usize,
) -> (Vec<usize>, Vec<usize>) {
    let need = |at: &usize| {
        columns
            .get(*at)
            .map_or(0, |column| column.least.min(widest(rows, *at)).max(column.name.len()) + GAP)
    };
    let leaves = |at: &usize| columns.get(*at).and_then(|column| column.leaves);
    let mut kept: Vec<usize> =
        (0..N).filter(|at| leaves(at).is_none() || widest(rows, *at) > 0).collect();
    let mut gone = Vec::new();
    // The gap behind the last column needs no room.
    while kept.iter().map(need).sum::<usize>() > width + GAP {
        let first = kept.iter().copied().filter(|at| leaves(at).is_some()).min_by_key(leaves);
        let Some(first) = first else { break };
        kept.retain(|at| *at != first);
        gone.push(first);
    }
    gone.sort_unstable();
    (kept, gone)
}

/// Characters of a column's longest text.
fn widest<const N: usize>(rows: &[[String; N]], column: usize) -> usize {
    rows.iter()
        .filter_map(|row| row.get(column))
        .map(|cell| cell.chars().count())
        .max()
        .unwrap_or(0)
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
    fn a_narrow_terminal_keeps_what_matters_most() {
        let columns = [("MAC", None), ("SITE", Some(1)), ("NAME", Some(3)), ("LAST", Some(2))]
            .map(|(name, leaves)| Column { name, least: 12, leaves });
        let rows = [["12345678", "", "Anna", "has a file of its own"].map(str::to_owned)];
        let check = |width, kept: &[usize], gone: &[usize]| {
            assert_eq!(fit(&columns, &rows, width), (kept.to_vec(), gone.to_vec()), "{width}");
        };
        // Nobody has a site, so nobody misses the column. 8 + 2 + 4 + 2 + 12 = 28.
        check(200, &[0, 2, 3], &[]);
        check(28, &[0, 2, 3], &[]);
        check(27, &[0, 2], &[3]);
        check(10, &[0], &[2, 3]);
        check(1, &[0], &[2, 3]);
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
