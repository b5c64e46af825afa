//! A dress rehearsal: the phones of a list, and which of its rows would end wrong.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    cli::{exit::Failure, input, settings},
    domain::Severity,
    provision::inventory::{self, ImportOptions, RowVerdict, Verdict},
    sim::storm::{Cause, Outcome, Phone, Record, like},
    store::State,
};

/// A row of the list and who plays it.
pub struct Row {
    line: usize,
    mac: String,
    model: String,
    number: String,
    part: Part,
}

enum Part {
    /// The row itself is wrong.
    Refused(String),
    /// Nobody can play it: its family's boot can't be simulated.
    Nobody,
    /// The phone of this number.
    Phone(usize),
}

/// A row that would end wrong.
pub struct Wrong<'r> {
    /// The line of the file.
    pub line: usize,
    /// Its MAC.
    pub mac: &'r str,
    /// Its model.
    pub model: &'r str,
    /// Its number.
    pub number: &'r str,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl Wrong<'_> {
    pub fn json(&self) -> Value {
        let Self { line, mac, model, number, why, remedy } = self;
        json!({ "line": line, "mac": mac, "model": model, "number": number, "why": why, "remedy": remedy })
    }
}

/// The phones of a list, and its rows.
///
/// # Errors
///
/// The file can't be read, or it is no list; the settings have errors.
pub fn read(file: &Path, config: Option<&Path>) -> Result<(Vec<Row>, Vec<Phone>), Failure> {
    let bytes = input::read(file)?;
    let ready = settings::read(config)?;
    let (catalog, settings) = (&ready.catalog, &ready.loaded.settings);
    let options = ImportOptions { dry_run: true, ignore_unknown: true, ..ImportOptions::default() };
    let name = file.display().to_string();
    let told = inventory::plan(
        &bytes,
        &name,
        &State::default(),
        (catalog, settings),
        &options,
        &|_, _| Vec::new(),
    );
    if told.problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Failure {
            exit: crate::cli::exit::Exit::Data,
            ..Failure::problems(&told.problems)
        });
    }
    let mut phones: Vec<Phone> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for RowVerdict { line, mac, verdict, about, .. } in told.rows {
        let [number, _, model] = about;
        // A further line of a phone that is there already.
        if rows.iter().any(|row| row.mac == mac && matches!(row.part, Part::Phone(_))) {
            continue;
        }
        let part = match (verdict, inventory::mac(&mac)) {
            (Verdict::Refused { faults }, _) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Part::Refused(faults.join("; "))
            }
            (_, Err(fault)) => Part::Refused(fault.to_string()),
            (_, Ok(address)) => match like(catalog, address, &model, &number) {
                Some(phone) => {
                    phones.push(phone);
                    Part::Phone(phones.len() - 1)
                }
                None => Part::Nobody,
            },
        };
        rows.push(Row { line, mac, model, number, part });
    }
    Ok((rows, phones))
}

/// The rows that would end wrong, in the order of the file.
pub fn wrong<'r>(rows: &'r [Row], outcome: &Outcome) -> Vec<Wrong<'r>> {
    let ends = rows.iter().filter_map(|row| {
        let (why, remedy) = match &row.part {
            Part::Refused(faults) => {
                (faults.clone(), "mend the row: nobody would be listed by it".to_owned())
            }
            Part::Nobody => return None,
            Part::Phone(at) => why(outcome.records.get(*at)?, &row.number)?,
        };
        let Row { line, mac, model, number, .. } = row;
        Some(Wrong { line: *line, mac, model, number, why, remedy })
    });
    ends.collect()
}

/// How many rows nobody played.
pub fn not_played(rows: &[Row]) -> usize {
    rows.iter().filter(|row| matches!(row.part, Part::Nobody)).count()
}

fn why(record: &Record, number: &str) -> Option<(String, String)> {
    let Some(cause) = record.cause else {
        return (record.numbered == Some(false)).then(|| {
            let why = format!("its own files came, and none of them holds its number {number}");
            (why, "see which number the server has for this MAC".to_owned())
        });
    };
    let (text, remedy) = cause.advice();
    let missed = Some(&record.missed).filter(|missed| {
        !missed.is_empty() && matches!(cause, Cause::NoFile | Cause::DefaultOnly | Cause::NoAnswer)
    });
    let missed = missed.map(|missed| format!(" (last: {missed})")).unwrap_or_default();
    Some((format!("{text}{missed}"), remedy.to_owned()))
}
