//! Files as tables: whatever encoding and separator a spreadsheet chose.

use csv::{ReaderBuilder, StringRecord};

use crate::domain::Problem;

use super::{ImportOptions, MAX_COLUMNS, MAX_ROWS, column::Column};

/// A file as rows of cells.
#[derive(Debug)]
pub(super) struct Table {
    /// What each column is; `None` for one that is left out.
    pub(super) columns: Vec<Option<Column>>,
    pub(super) rows: Vec<Row>,
    pub(super) warnings: Vec<Problem>,
}

/// A row of cells.
#[derive(Debug)]
pub(super) struct Row {
    /// The line of the file where it starts, from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

impl Table {
    pub(super) fn has(&self, is: impl Fn(&Column) -> bool) -> bool {
        self.columns.iter().flatten().any(is)
    }
}

/// Reads a file as a table.
///
/// # Errors
///
/// Everything that is wrong with it as a whole: no header, unknown columns, no `mac`, too many rows.
pub(super) fn read(
    bytes: &[u8],
    file: &str,
    options: &ImportOptions,
) -> Result<Table, Vec<Problem>> {
    let text = decode(bytes);
    let (text, skipped, separator) = separator(&text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| vec![Problem::error(file, None, error.to_string())])?;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() > MAX_ROWS {
            let text = format!("there are more than {MAX_ROWS} rows");
            return Err(vec![Problem::error(file, None, text).help("import it in parts")]);
        }
        rows.push(row(&record, skipped));
    }
    if rows.is_empty() {
        let problem = Problem::error(file, None, "there is nothing in it");
        return Err(vec![
            problem.help("the first row names the columns, such as mac,model,number,name"),
        ]);
    }
    let header = rows.remove(0);
    let (columns, warnings) = header_columns(&header, file, options)?;
    Ok(Table { columns, rows, warnings })
}

fn row(record: &StringRecord, skipped: usize) -> Row {
    let line = record.position().map_or(0, csv::Position::line);
    let line = usize::try_from(line).unwrap_or(usize::MAX).saturating_add(skipped);
    Row { line, cells: record.iter().map(str::to_owned).collect() }
}

type Columns = Vec<Option<Column>>;

fn header_columns(
    header: &Row,
    file: &str,
    options: &ImportOptions,
) -> Result<(Columns, Vec<Problem>), Vec<Problem>> {
    let at = Some(header.line);
    if header.cells.len() > MAX_COLUMNS {
        let text = format!("there are more than {MAX_COLUMNS} columns");
        return Err(vec![Problem::error(file, at, text).help("is it a list of phones?")]);
    }
    let (mut columns, mut errors, mut warnings) = (Columns::new(), Vec::new(), Vec::new());
    for name in &header.cells {
        let mapped = options.map.iter().find(|(from, _)| alike(from, name));
        let column = Column::parse(mapped.map_or(name.as_str(), |(_, to)| to.as_str()));
        match column {
            Ok(column) if columns.contains(&Some(column.clone())) => {
                errors.push(Problem::error(
                    file,
                    at,
                    format!("the column `{column}` is there twice"),
                ));
            }
            Ok(column) => columns.push(Some(column)),
            // A column without a name and without a meaning is what spreadsheets leave at the right edge.
            Err(_) if name.trim().is_empty() => columns.push(None),
            Err(reason) if options.ignore_unknown => {
                warnings.push(Problem::warning(file, at, format!("{reason}: left out")));
                columns.push(None);
            }
            Err(reason) => {
                let near = Column::nearest(name).unwrap_or("COLUMN");
                let help = format!(
                    "--map '{}={near}' names it, --ignore-unknown leaves it out",
                    name.trim()
                );
                errors.push(Problem::error(file, at, reason).help(help));
            }
        }
    }
    if errors.is_empty() && !columns.contains(&Some(Column::Mac)) {
        let problem = Problem::error(file, at, "no column is called `mac`");
        errors.push(problem.help("the first row names the columns, such as mac,model,number,name"));
    }
    if errors.is_empty() { Ok((columns, warnings)) } else { Err(errors) }
}

fn alike(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

/// The text, how many lines were taken off, and what separates its cells: what the first line has most of.
///
/// Some spreadsheets say it themselves, in a first line `sep=;`.
fn separator(text: &str) -> (&str, usize, u8) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(&[separator]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (rest, 1, separator);
    }
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for octet in first.bytes() {
        quoted ^= octet == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == octet && !quoted) {
            *count += 1;
        }
    }
    // The last of equals wins, so the usual one stands last.
    counts.reverse();
    let (separator, _) = counts.into_iter().max_by_key(|(_, count)| *count).unwrap_or((b',', 0));
    (text, 0, separator)
}

/// The text of a file in UTF-8, UTF-16 or Windows-1252, without a byte order mark.
fn decode(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units = bytes.chunks(2).map(|pair| read([pair[0], pair.get(1).copied().unwrap_or(0)]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // A header starts with a letter, so a NUL beside it tells the order without a mark.
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, first, ..] if *first != 0 => utf16(bytes, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
            let text = std::str::from_utf8(bytes).map(str::to_owned);
            text.unwrap_or_else(|_| bytes.iter().map(|octet| windows_1252(*octet)).collect())
        }
    }
}

/// Windows-1252: Latin-1, but for the octets 80 to 9F. The five that it leaves open stay control characters.
fn windows_1252(octet: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match octet {
        0x80..=0x9f => HIGH[usize::from(octet - 0x80)],
        octet => char::from(octet),
    }
}
