//! The files that settings come from: read, parsed, merged in order, every value with a place that survives the merge.

use std::{fs, path::Path};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use crate::domain::Problem;

/// All files read so far. Their texts lie one behind the other in one space of offsets, so that a span alone tells
/// both file and line, also after tables of several files became one.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

#[derive(Debug)]
struct Source {
    name: String,
    /// Blank up to `base`: the parser counts from the start of what it is given.
    text: String,
    base: usize,
}

impl Sources {
    /// Takes in one text.
    pub fn add(&mut self, name: &str, text: &str) {
        // One apart, so that the end of one file is not the start of the next.
        let base = self.0.last().map_or(0, |last| last.text.len() + 1);
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = " ".repeat(base) + text;
        self.0.push(Source { name: name.to_owned(), text, base });
    }

    /// Reads `path` and takes it in under the name `name`.
    ///
    /// # Errors
    ///
    /// A problem where it can't be read or is no UTF-8.
    pub fn read(&mut self, path: &Path, name: &str) -> Result<(), Problem> {
        let bytes = fs::read(path).map_err(|error| Problem::error(name, None, why(&error)))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let line = lines(&error.as_bytes()[..good]);
            let problem = Problem::error(name, Some(line), "this is not UTF-8 text");
            problem.help("store the file as UTF-8")
        })?;
        self.add(name, &text);
        Ok(())
    }

    /// File name and line, from 1, of an offset.
    pub fn place(&self, offset: usize) -> (String, usize) {
        let Some(source) = self.0.iter().rev().find(|source| source.base <= offset) else {
            return (String::new(), 1);
        };
        let text = source.text.as_bytes();
        (source.name.clone(), lines(&text[..offset.min(text.len())]))
    }

    /// `file:line` of an offset, for a text that names a second place.
    pub fn spot(&self, offset: usize) -> String {
        let (file, line) = self.place(offset);
        format!("{file}:{line}")
    }

    /// An error at an offset.
    pub fn error(&self, offset: usize, text: impl Into<String>) -> Problem {
        let (file, line) = self.place(offset);
        Problem::error(file, Some(line), text)
    }

    /// Parses one file; its syntax errors, all of them, go to `problems`.
    pub fn parse(&self, file: usize, problems: &mut Vec<Problem>) -> Spanned<DeTable<'_>> {
        let Some(source) = self.0.get(file) else { return Spanned::new(0..0, DeTable::new()) };
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            let at = error.span().map_or(source.base, |span| span.start);
            problems.push(self.error(at, one_line(error.message())));
        }
        table
    }

    /// All files as one table, in the order in which they were taken in.
    pub fn merged(&self, problems: &mut Vec<Problem>) -> Spanned<DeTable<'_>> {
        let mut whole = self.parse(0, problems);
        for file in 1..self.0.len() {
            let mut more = self.parse(file, problems).into_inner();
            if let Some((key, _)) = more.remove_entry("include") {
                let problem = self.error(key.span().start, "an included file includes no others");
                problems.push(problem.help("put this `include` into the first file"));
            }
            self.merge(whole.get_mut(), more, "", problems);
        }
        whole
    }

    /// Merges `more` into `table`: tables into tables, lists of tables one behind the other. Any other key that is
    /// there already is an error that names both places.
    fn merge<'s>(
        &'s self,
        table: &mut DeTable<'s>,
        more: DeTable<'s>,
        path: &str,
        problems: &mut Vec<Problem>,
    ) {
        for (key, value) in more {
            let name = join(path, key.get_ref());
            let first = table.get_key_value(key.get_ref().as_ref()).map(|(key, _)| key.span());
            let (Some(first), Some(there)) = (first, table.get_mut(key.get_ref().as_ref())) else {
                table.insert(key, value);
                continue;
            };
            match (there.get_mut(), value.into_inner()) {
                (DeValue::Table(there), DeValue::Table(more)) => {
                    self.merge(there, more, &name, problems);
                }
                (DeValue::Array(there), DeValue::Array(more))
                    if are_tables(there) && are_tables(&more) =>
                {
                    more.into_iter().for_each(|value| there.push(value));
                }
                _ => problems.push(
                    self.error(key.span().start, format!("`{name}` is set a second time"))
                        .help(format!("it is set at {} too; keep one", self.spot(first.start))),
                ),
            }
        }
    }
}

/// The number, from 1, of the line that begins or goes on behind `before`.
fn lines(before: &[u8]) -> usize {
    1 + before.split(|byte| *byte == b'\n').count().saturating_sub(1)
}

/// What the system said about a file, without its error number.
pub fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// What a parser said, in one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A dotted path.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn are_tables(array: &DeArray<'_>) -> bool {
    array.iter().all(|value| matches!(value.get_ref(), DeValue::Table(_)))
}
