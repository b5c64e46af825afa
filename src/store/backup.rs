//! All that is fact in one file, and back; what lies in a state directory.
//!
//! A backup is lines of JSON: a header, the rows as they lie on disk (encode.rs has their forms), and a last line with
//! the SHA-256 of all before it. It is the way out of a damaged store, and of sled.

mod inspect;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::hex;

use super::{
    Journal, State, StoreError, View,
    disk::{event, fault},
    encode::{BadValue, Kind, Loader, Meta, OLDEST, Row, SCHEMA, json, rows, unhex},
    open::{PAGE, create, is_used, lock, rows_of},
    state::Patch,
};

pub use inspect::{Checked, Size, check, size};

/// What the header calls the format.
const FORMAT: &str = "ringup backup";

/// A line of a backup longer than this is damage: no row gets near it.
const MAX_LINE: u64 = 64 << 20;

#[derive(Debug, Deserialize, Serialize)]
struct Header {
    format: String,
    schema: u8,
    meta: Meta,
}

#[derive(Debug, Deserialize, Serialize)]
struct Line {
    key: String,
    value: Value,
}

#[derive(Debug, Deserialize, Serialize)]
struct Closing {
    rows: u64,
    sha256: String,
}

/// What was restored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Restored {
    /// The number of its last commit.
    pub commit: u64,
    /// Phones, listed or seen.
    pub phones: usize,
    /// Leases, ended ones included.
    pub leases: usize,
    /// Events of all timelines.
    pub events: usize,
}

/// Passes lines on and keeps their checksum.
struct Sealed<'a> {
    to: &'a mut dyn Write,
    sum: Sha256,
    rows: u64,
}

impl Sealed<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        let io = |error: &dyn std::fmt::Display| fault("backup".as_ref(), error);
        let mut text = serde_json::to_vec(line).map_err(|error| io(&error))?;
        text.push(b'\n');
        self.sum.update(&text);
        self.to.write_all(&text).map_err(|error| io(&error))
    }

    fn rows(&mut self, rows: impl IntoIterator<Item = Row>) -> Result<(), StoreError> {
        for (key, value) in rows {
            let Some(value) = value else { continue };
            let value = json(&value)
                .and_then(|text| serde_json::from_slice(text).map_err(BadValue::broken));
            let value = value.map_err(|bad| fault("backup".as_ref(), bad))?;
            self.line(&Line { key: hex(&key), value })?;
            self.rows += 1;
        }
        Ok(())
    }
}

/// Writes a backup of one moment: the state as it is now, and the events up to then.
pub(super) fn write(view: &View, journal: &Journal, to: &mut dyn Write) -> Result<(), StoreError> {
    let state: State = view.read().clone();
    let patch = Patch::of(&state);
    // In one order, whatever became a row when. A store that takes nothing more is backed up all the same.
    let compacted = journal.compact().is_ok();
    let mut sealed = Sealed { to, sum: Sha256::new(), rows: 0 };
    let meta = Meta::of(&State::default(), &patch);
    sealed.line(&Header { format: FORMAT.to_owned(), schema: SCHEMA, meta })?;
    sealed.rows(rows(&meta, &patch).map_err(|bad| fault("backup".as_ref(), bad))?)?;
    let mut after = Vec::new();
    let lacking = if compacted { Vec::new() } else { journal.lacking()? };
    loop {
        let page = journal.read(|disk| disk.events(&after, PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        sealed.rows(page.into_iter().filter(|(key, _)| belongs(&state, key)))?;
    }
    sealed.rows(lacking.into_iter().filter(|(key, _)| belongs(&state, key)))?;
    let sha256 = hex(&sealed.sum.clone().finalize());
    let closing = Closing { rows: sealed.rows, sha256 };
    sealed.line(&closing)?;
    sealed.to.flush().map_err(|error| fault("backup".as_ref(), error))
}

/// True for an event of the moment of the backup: later ones, and those of later strangers, are left out.
fn belongs(state: &State, key: &[u8]) -> bool {
    super::encode::read_event_key(key)
        .is_ok_and(|(mac, commit)| commit <= state.commit && state.phones.contains_key(&mac))
}

/// Writes a backup into a new file, for its owner only, and syncs it.
pub(super) fn write_file(view: &View, journal: &Journal, path: &Path) -> Result<(), StoreError> {
    let io = |error| fault(path, error);
    let file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
    let mut to = std::io::BufWriter::new(file);
    write(view, journal, &mut to)?;
    to.into_inner().map_err(|error| fault(path, error))?.sync_all().map_err(io)
}

/// A backup that was read whole and holds together.
struct Whole {
    state: State,
    events: Vec<Row>,
}

/// Restores a backup into a state directory that is absent or holds no store.
///
/// The file is read and checked to its last line before anything is written, and the new store is there whole or not
/// at all.
///
/// # Errors
///
/// [`StoreError::NotEmpty`], [`StoreError::BadBackup`], [`StoreError::Newer`], [`StoreError::Locked`] and
/// [`StoreError::Io`].
pub fn restore(file: &Path, directory: &Path) -> Result<Restored, StoreError> {
    // The file first: one that is no backup is no backup wherever it should go.
    let Whole { state, events } = read(file)?;
    let _lock = lock(directory)?;
    let path = rows_of(directory);
    if is_used(directory) {
        return Err(StoreError::NotEmpty { path: directory.display().to_string() });
    }
    let restored = Restored {
        commit: state.commit,
        phones: state.phones.len(),
        leases: state.leases.len(),
        events: events.len(),
    };
    let mut events = events.into_iter();
    create(&path, &state, || Ok(events.by_ref().take(PAGE).collect()))?;
    Ok(restored)
}

fn read(file: &Path) -> Result<Whole, StoreError> {
    let path = file.display().to_string();
    let length = fs::metadata(file).map_err(|error| fault(file, error))?.len();
    let from = File::open(file).map_err(|error| fault(file, error))?;
    read_lines(BufReader::new(from), length).map_err(|bad| match bad {
        BadValue::Newer(found) => StoreError::Newer { path, found, known: SCHEMA },
        BadValue::Broken(text) => StoreError::BadBackup { path, text },
    })
}

/// Reads a backup of `length` octets. Needs memory for all of it: what is not proven whole is not used.
fn read_lines(mut from: impl BufRead, length: u64) -> Result<Whole, BadValue> {
    let (mut sum, mut rows, mut read) = (Sha256::new(), 0, 0);
    let mut loader = Loader::default();
    let mut events = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = std::io::Read::take(&mut from, MAX_LINE);
        let octets = limited.read_until(b'\n', &mut line).map_err(BadValue::broken)?;
        read += octets as u64;
        if octets == 0 || line.last() != Some(&b'\n') {
            return Err(BadValue::broken("it ends before its last line"));
        }
        if read == octets as u64 {
            check_header(&line)?;
        } else if read == length {
            check_closing(&line, rows, &hex(&sum.finalize()))?;
            return Ok(Whole { state: loader.finish()?.indexed(), events });
        } else {
            take_in(&line, &mut loader, &mut events)?;
            rows += 1;
        }
        sum.update(&line);
    }
}

fn check_header(line: &[u8]) -> Result<(), BadValue> {
    let header: Value = serde_json::from_slice(line).map_err(|_| not_one())?;
    if header["format"] != FORMAT {
        return Err(not_one());
    }
    match header["schema"].as_u64().and_then(|schema| u8::try_from(schema).ok()) {
        Some(OLDEST..=SCHEMA) => Ok(()),
        Some(newer) if newer > SCHEMA => Err(BadValue::Newer(newer)),
        _ => Err(BadValue::broken("its header names no schema")),
    }
}

fn not_one() -> BadValue {
    BadValue::broken("its first line is not the header of a backup")
}

fn check_closing(line: &[u8], rows: u64, sha256: &str) -> Result<(), BadValue> {
    let closing: Closing = serde_json::from_slice(line)
        .map_err(|_| BadValue::broken("it ends before its last line"))?;
    if closing.rows != rows || closing.sha256 != sha256 {
        return Err(BadValue::broken("its checksum does not fit: it was changed or damaged"));
    }
    Ok(())
}

fn take_in(line: &[u8], loader: &mut Loader, events: &mut Vec<Row>) -> Result<(), BadValue> {
    let Line { key, value } = serde_json::from_slice(line)
        .map_err(|_| BadValue::broken("it has a line that is no row"))?;
    let key = unhex(&key)?;
    let value = super::encode::write(&value)?;
    if Kind::of(&key) == Some(Kind::Event) {
        event(&key, &value)?;
        events.push((key, Some(value)));
        return Ok(());
    }
    loader.add(&key, &value)
}
