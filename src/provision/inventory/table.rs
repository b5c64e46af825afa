//! Files as tables: whatever encoding and separator a spreadsheet chose.

use csv::ReaderBuilder;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::domain::Problem;

use super::{Heading, ImportOptions, MAX_COLUMNS, MAX_ROWS, column::Column, foreign};

/// The most characters of a column's name that are shown. Longer ones are not names.
const MAX_NAME: usize = 80;

/// A file as rows of cells.
#[derive(Debug)]
pub(super) struct Table {
    /// What each column is; `None` for one that is left out.
    pub(super) columns: Vec<Option<Column>>,
    pub(super) rows: Vec<Row>,
    pub(super) warnings: Vec<Problem>,
    /// True if the file names phones by the numbers of their lines only; [`foreign::join`] finds their MACs.
    pub(super) by_number: bool,
}

/// A row of cells.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The line of the file where it starts, from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

impl Table {
    /// True if the file says which lines there are after the first: then it lists all of them.
    pub(super) fn lists_lines(&self) -> bool {
        !self.by_number && self.columns.iter().flatten().any(Column::lists_lines)
    }
}

/// Reads a file as a table. `headings` becomes what its columns are called, also where there is no table.
///
/// # Errors
///
/// Everything that is wrong with it as a whole: no header, unknown columns, no `mac`, too many rows.
pub(super) fn read(
    bytes: &[u8],
    file: &str,
    options: &ImportOptions,
    headings: &mut Vec<Heading>,
) -> Result<Table, Vec<Problem>> {
    let mut rows = rows(bytes, file)?;
    if let Some(form) = foreign::recognize(&rows, options) {
        return foreign::table(form, rows, file);
    }
    let header = rows.remove(0);
    *headings = header.cells.iter().take(MAX_COLUMNS).map(|name| heading(name, options)).collect();
    let (columns, warnings) = header_columns(&header, file, options)?;
    Ok(Table { columns, rows, warnings, by_number: false })
}

fn heading(name: &str, options: &ImportOptions) -> Heading {
    let field = Column::parse(meaning(name, options)).ok().map(|column| column.to_string());
    let near = if field.is_none() { Column::nearest(name) } else { None };
    Heading { name: crate::domain::clip(name.trim(), MAX_NAME), field, near }
}

/// What an operator says that a column is, else its own name.
fn meaning<'a>(name: &'a str, options: &'a ImportOptions) -> &'a str {
    let mapped = options.map.iter().find(|(from, _)| alike(from, name));
    mapped.map_or(name, |(_, to)| to.as_str())
}

/// Reads a file as rows that hold anything, the header among them; there is at least that one.
///
/// # Errors
///
/// A file without rows, with too many of them, or that is no CSV.
pub(super) fn rows(bytes: &[u8], file: &str) -> Result<Vec<Row>, Vec<Problem>> {
    let text = decode(bytes);
    let (text, skipped, separator) = separator(&text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let (mut rows, mut lines) = (Vec::new(), Lines::of(text, skipped));
    for record in reader.records() {
        let record = record.map_err(|error| vec![Problem::error(file, None, error.to_string())])?;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if rows.len() > MAX_ROWS {
            let text = format!("there are more than {MAX_ROWS} rows");
            return Err(vec![Problem::error(file, None, text).help("import it in parts")]);
        }
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        rows.push(Row { line, cells: record.iter().map(str::to_owned).collect() });
    }
    if rows.is_empty() {
        let problem = Problem::error(file, None, "there is nothing in it");
        return Err(vec![
            problem.help("the first row names the columns, such as mac,model,number,name"),
        ]);
    }
    Ok(rows)
}

/// Counts lines as an editor does. The reader's own count is one behind where lines end with `\r\n`, as Excel ends them,
/// and stands still where they end with `\r`.
struct Lines<'a> {
    octets: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    const fn of(text: &'a str, skipped: usize) -> Self {
        Self { octets: text.as_bytes(), at: 0, line: skipped + 1 }
    }

    /// The line of the record that begins at this octet, or behind line ends there. Never asked for one before the last.
    fn at(&mut self, record: u64) -> usize {
        let record = usize::try_from(record).unwrap_or(usize::MAX);
        while let Some(octet) = self.octets.get(self.at) {
            let ends = match octet {
                b'\n' => true,
                b'\r' => self.octets.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            if self.at >= record && !matches!(octet, b'\n' | b'\r') {
                break;
            }
            self.line += usize::from(ends);
            self.at += 1;
        }
        self.line
    }
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
        let meaning = meaning(name, options);
        match Column::parse(meaning) {
            Ok(column) if columns.contains(&Some(column.clone())) => {
                errors.push(Problem::error(
                    file,
                    at,
                    format!("the column `{column}` is there twice"),
                ));
            }
            Ok(column) => columns.push(Some(column)),
            // Left out by the operator; and a column without a name is what spreadsheets leave at the right edge.
            Err(_) if meaning.trim().is_empty() => columns.push(None),
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
    let guessed = match bytes {
        // A header starts with a letter, so a NUL beside it tells the order without a mark.
        [first, 0, ..] if *first != 0 => UTF_16LE,
        [0, first, ..] if *first != 0 => UTF_16BE,
        bytes if std::str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    };
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((guessed, 0));
    // What claims to be UTF-8 and is not was glued together from files: the mark is the one thing that is wrong.
    let broken = encoding == UTF_8 && std::str::from_utf8(&bytes[mark..]).is_err();
    let encoding = if broken { WINDOWS_1252 } else { encoding };
    encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned()
}
