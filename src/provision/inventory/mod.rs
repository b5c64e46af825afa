//! The operator's lists: what a file means, row by row, and the same lists written out again.
//!
//! A file says what it has columns for: a column that it lacks leaves its field alone, an empty cell empties it. A file
//! that speaks of more than one line (`line`, `line.2.number` …) lists all lines of its phones. Every row gets a
//! verdict, and a file with a refused row changes nothing unless the operator says so.

mod account;
mod cell;
mod column;
mod damage;
mod export;
mod field;
mod foreign;
mod mend;
mod pbx;
mod plan;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{
    config::Settings,
    domain::{Batch, Change, Entry, Mac, Problem},
    profile::Catalog,
    store::State,
};

pub use cell::mac;
pub use export::{export_csv, export_json, plain_csv};
pub use foreign::Foreign;
pub use pbx::{Pbx, export_pbx};

/// What a masked password looks like in an export. Read back, it means "as it is".
pub const MASK: &str = "••••";

/// The most rows that one file may have. A longer one is refused whole.
pub const MAX_ROWS: usize = 100_000;

/// The most columns that a file may have: a phone with 48 lines and all its keys has some hundreds. A wider one is
/// refused whole.
pub const MAX_COLUMNS: usize = 4096;

/// The most characters of a cell. A longer one is refused.
pub const MAX_CELL: usize = 1000;

/// How to read a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ImportOptions {
    /// Tell, and change nothing.
    pub dry_run: bool,
    /// Take the good rows of a file that has refused ones.
    pub partial: bool,
    /// Remove the entries of this site that the file lacks.
    pub prune_site: Option<String>,
    /// Leave columns out that nobody knows.
    pub ignore_unknown: bool,
    /// Columns by other names: (as in the file, as here); here nothing leaves the column out.
    pub map: Vec<(String, String)>,
    /// Whose export it is; `None` tells by the header, unless `map` names columns.
    pub from: Option<Foreign>,
    /// Values to take in place of cells.
    pub instead: Vec<Instead>,
}

/// A value that an operator puts in the place of a cell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Instead {
    /// The line of the file where its row starts, from 1.
    pub line: usize,
    /// The column, as it is called here.
    pub column: String,
    /// What the cell is to say.
    pub value: String,
}

/// A repair that ringup proposes for a cell; [`ImportOptions::instead`] takes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Offer {
    /// The column, as it is called here.
    pub column: String,
    /// What the cell probably meant.
    pub value: String,
    /// What is wrong with it as it is.
    pub why: String,
}

/// A column of a file and what it is taken for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heading {
    /// As the file calls it, cut.
    pub name: String,
    /// As it is called here; `None` for one that is unknown or left out.
    pub field: Option<String>,
    /// What it probably is, where that is not known.
    pub near: Option<&'static str>,
}

/// What is wrong with one cell, or with what an operator typed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The column, as it is called here.
    pub column: String,
    /// What is wrong.
    pub reason: String,
    /// The value that was probably meant, or what to do; empty where the reason says it.
    pub repair: String,
    /// The MAC that was probably meant, to put in the cell's place.
    pub meant: Option<Mac>,
    /// The value that was probably meant, to put in the cell's place.
    pub instead: Option<String>,
}

impl Fault {
    fn new(column: impl fmt::Display, reason: impl Into<String>) -> Self {
        Self {
            column: column.to_string(),
            reason: reason.into(),
            repair: String::new(),
            meant: None,
            instead: None,
        }
    }

    fn meaning(mut self, mac: Mac) -> Self {
        self.meant = Some(mac);
        self.instead = Some(mac.to_string());
        self.repair(format!("is it {mac}?"))
    }

    fn instead(mut self, value: impl Into<String>) -> Self {
        self.instead = Some(value.into());
        self
    }

    fn repair(mut self, repair: impl Into<String>) -> Self {
        self.repair = repair.into();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.reason)?;
        if !self.repair.is_empty() {
            write!(f, " ({})", self.repair)?;
        }
        Ok(())
    }
}

/// What becomes of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Its phone is listed anew.
    Added,
    /// Its phone's entry changes.
    Changed {
        /// The fields that do.
        fields: Vec<String>,
    },
    /// Its phone is listed like that already.
    Same,
    /// It can't be taken.
    Refused {
        /// Everything that is wrong with it.
        faults: Vec<Fault>,
    },
}

impl Verdict {
    /// The name in JSON and lists.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed { .. } => "changed",
            Self::Same => "same",
            Self::Refused { .. } => "refused",
        }
    }
}

/// A row with its verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RowVerdict {
    /// The line of the file where it starts, from 1.
    pub line: usize,
    /// The MAC as written; as `00:15:65:aa:bb:cc` where it could be read.
    pub mac: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// What is odd about it and taken all the same.
    pub warnings: Vec<String>,
    /// Number, name and model as the row has them, to know it again; cut.
    pub about: [String; 3],
    /// What would mend it, cell by cell.
    pub offers: Vec<Offer>,
}

/// What a file would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// Every row with its verdict, in the order of the file.
    pub rows: Vec<RowVerdict>,
    /// What is wrong with the file as a whole. After an error there are no rows.
    pub problems: Vec<Problem>,
    /// The file's columns; none where its form is another system's.
    pub headings: Vec<Heading>,
    /// Phones that pruning takes off the list.
    pub removed: Vec<Mac>,
    /// What is to be committed; `None` if nothing is: refused, a dry run, or nothing new.
    pub batch: Option<Batch>,
}

impl Import {
    /// True if a row was refused, or the whole file.
    #[must_use]
    pub fn has_refusals(&self) -> bool {
        let error = |problem: &Problem| problem.severity == crate::domain::Severity::Error;
        self.problems.iter().any(error) || self.count("refused") > 0
    }

    /// How many rows have the verdict of that name.
    #[must_use]
    pub fn count(&self, verdict: &str) -> usize {
        self.rows.iter().filter(|row| row.verdict.as_str() == verdict).count()
    }
}

/// The rows of a list that is none of phones, each with its line from 1; the first one names the columns.
pub(super) fn rows(bytes: &[u8], file: &str) -> Result<Vec<(usize, Vec<String>)>, Vec<Problem>> {
    let rows = table::rows(bytes, file)?;
    Ok(rows.into_iter().map(|row| (row.line, row.cells)).collect())
}

/// Works out what a file would do. Commits nothing.
///
/// `file` is its name for messages; `odd` says what is odd about an entry that is new or changed, and taken all the same. The batch is one undoable commit with the entries that are new or changed.
#[must_use]
pub fn plan(
    bytes: &[u8],
    file: &str,
    state: &State,
    (catalog, settings): (&Catalog, &Settings),
    options: &ImportOptions,
    odd: &dyn Fn(Mac, &Entry) -> Vec<String>,
) -> Import {
    let known = |model: &str| catalog.model(model).map(|(_, model)| model.lines);
    let help = |model: &str| unknown_model(catalog, model);
    plan::plan(
        bytes,
        file,
        state,
        &plan::Rules { settings, known: &known, help: &help, odd },
        options,
    )
}

/// What to do about a model that no family knows.
#[must_use]
pub fn unknown_model(catalog: &Catalog, model: &str) -> String {
    let near = catalog.near(model);
    let meant = if near.is_empty() {
        String::new()
    } else {
        format!("did you mean `{}`? ", near.join("`, `"))
    };
    format!("{meant}`ringup profiles list --models` lists all")
}

/// An entry with one field set, checked by itself. `field` is named like a column; an empty value empties it.
///
/// # Errors
///
/// A [`Fault`]: no such field, or a value that it can't have.
pub fn set(entry: &Entry, field: &str, value: &str) -> Result<Entry, Fault> {
    let mut entry = entry.clone();
    assign(&mut entry, field, value)?;
    field::settle(&mut entry)?;
    Ok(entry)
}

fn assign(entry: &mut Entry, field: &str, value: &str) -> Result<(), Fault> {
    let column = column::Column::parse(field).map_err(|reason| Fault::new(field, reason))?;
    let value = cell::clean(&column, value)?;
    field::assign(entry, &column, 1, &value)
}

/// The batch that sets fields of a phone's entry, listing it if it is not. Checked against everything else that is fact.
///
/// # Errors
///
/// Every [`Fault`] of it.
pub fn edit(
    state: &State,
    settings: &Settings,
    phone: Mac,
    assignments: &[(String, String)],
) -> Result<Batch, Vec<Fault>> {
    let listed = state.phones.get(&phone).and_then(|phone| phone.entry.as_deref());
    let mut entry = listed.cloned().unwrap_or_default();
    let assigned = assignments.iter().map(|(field, value)| assign(&mut entry, field, value));
    let mut faults: Vec<Fault> = assigned.filter_map(Result::err).collect();
    faults.extend(field::settle(&mut entry).err());
    // Whatever made it: an operator vouches for it now.
    entry.auto_registered = false;
    faults.extend(plan::place_faults(&entry, settings));
    if let Some(address) = entry.address
        && let Some(holder) = plan::reserved_by_another(state, phone, address)
    {
        faults.push(Fault::new("address", format!("{address} is reserved for {holder}")));
    }
    if faults.is_empty() { Ok(Change::Listed(phone, Box::new(entry)).into()) } else { Err(faults) }
}
