//! The journal's files: what became fact since the rows were written, one record a group, one sync a record.
//!
//! They lie beside the rows, as `journal.1`, `journal.2` and so on: a compaction takes the older ones away while the last
//! one grows. A record is a head of twelve octets (`RJL`, the version, length of what follows, CRC-32 of head, place and
//! that, little-endian) and its commits (`encode::commit`). Commits are numbered without gaps, so what is missing is noticed.
//!
//! A pulled plug leaves a record torn, always the last one of its file, and nobody was told of it: reading ends there in
//! silence. A damaged record with a whole one behind it is damage. It is told, and what lies behind it is still read: a
//! lease there that went unread would be given to two phones.

#[cfg(test)]
mod tests;

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{
    StoreError,
    disk::{fault, sync_directory},
    encode::VERSION,
};

/// What a record begins with, before its version.
const MAGIC: &[u8; 3] = b"RJL";

/// The octets of a record before its commits.
const HEAD: usize = 12;

/// What files of the journal are called, before their number.
const PREFIX: &str = "journal.";

/// The place counts: what a client wrote into its identifier is never taken for a record.
pub(super) fn crc(head: &[u8], at: u64, commits: &[u8]) -> [u8; 4] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(head);
    crc.update(&at.to_le_bytes());
    crc.update(commits);
    crc.finalize().to_le_bytes()
}

/// The end of the journal, to which records are appended.
#[derive(Debug)]
pub(super) struct Log {
    directory: PathBuf,
    open: Option<Growing>,
    /// The record that is being written: a head and commits in one write.
    record: Vec<u8>,
}

/// The file that grows.
#[derive(Debug)]
struct Growing {
    number: u64,
    file: File,
    length: u64,
}

impl Log {
    /// The journal in the directory of the rows. Its files are made when they are written to.
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), open: None, record: Vec::new() }
    }

    /// Appends a record to the file of this number, and returns once it survives a pulled plug. After an error nothing
    /// may be believed durable: the page cache may have dropped what it could not write.
    pub(super) fn append(&mut self, number: u64, commits: &[u8]) -> Result<(), StoreError> {
        let io = |error: &dyn std::fmt::Display| fault(&self.directory, error);
        let length = u32::try_from(commits.len()).map_err(|error| io(&error))?;
        let grown = match self.open.take().filter(|open| open.number == number) {
            Some(open) => open,
            None => Growing { number, file: create(&self.directory, number)?, length: 0 },
        };
        let open = self.open.insert(grown);
        self.record.clear();
        self.record.extend_from_slice(MAGIC);
        self.record.push(VERSION);
        self.record.extend_from_slice(&length.to_le_bytes());
        let crc = crc(&self.record, open.length, commits);
        self.record.extend_from_slice(&crc);
        self.record.extend_from_slice(commits);
        open.length += self.record.len() as u64;
        open.file
            .write_all(&self.record)
            .and_then(|()| open.file.sync_data())
            .map_err(|error| io(&error))
    }
}

fn create(directory: &Path, number: u64) -> Result<File, StoreError> {
    let mut options = File::options();
    options.append(true).create_new(true).mode(0o600);
    let file = options.open(path(directory, number)).map_err(|error| fault(directory, error))?;
    sync_directory(directory)?;
    Ok(file)
}

/// What one file of the journal holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The file.
    pub(super) number: u64,
    /// The commits of each record, in order.
    pub(super) records: Vec<Vec<u8>>,
    /// What is damaged.
    pub(super) damage: Option<String>,
}

/// Why a journal can't be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// A record is of a later version.
    Newer(u8),
    /// The system said no.
    Io(io::Error),
}

/// Reads all files, the oldest first.
pub(super) fn read(directory: &Path) -> Result<Vec<Found>, Unread> {
    let numbers = numbers(directory).map_err(Unread::Io)?;
    numbers.into_iter().map(|number| read_file(directory, number)).collect()
}

fn read_file(directory: &Path, number: u64) -> Result<Found, Unread> {
    let octets = fs::read(path(directory, number)).map_err(Unread::Io)?;
    let mut found = Found { number, ..Found::default() };
    let mut at = 0;
    while at < octets.len() {
        let (start, commits) = match whole(&octets, at)? {
            Some(commits) => (at, commits),
            None => match next_whole(&octets, at + 1)? {
                Some(next) => next,
                // Torn: the rest was never told to anybody.
                None => break,
            },
        };
        if start > at {
            let text = format!("octets {at} to {start} of {PREFIX}{number} are damaged");
            found.damage.get_or_insert(text);
        }
        at = start + HEAD + commits.len();
        found.records.push(commits.to_vec());
    }
    Ok(found)
}

/// The commits of the record that begins there, if it is whole.
fn whole(octets: &[u8], at: usize) -> Result<Option<&[u8]>, Unread> {
    let head = octets.get(at..).and_then(|rest| rest.split_first_chunk::<HEAD>());
    let Some(([a, b, c, version, l0, l1, l2, l3, sum @ ..], rest)) = head else { return Ok(None) };
    let length = usize::try_from(u32::from_le_bytes([*l0, *l1, *l2, *l3]));
    let commits = length.ok().and_then(|length| rest.get(..length));
    let Some(commits) = commits.filter(|_| [*a, *b, *c] == *MAGIC) else { return Ok(None) };
    if crc(&octets[at..at + 8], at as u64, commits) != *sum {
        return Ok(None);
    }
    if *version > VERSION { Err(Unread::Newer(*version)) } else { Ok(Some(commits)) }
}

/// The first whole record from there on, and where it begins.
fn next_whole(octets: &[u8], from: usize) -> Result<Option<(usize, &[u8])>, Unread> {
    for at in from..octets.len() {
        if octets[at..].starts_with(MAGIC)
            && let Some(commits) = whole(octets, at)?
        {
            return Ok(Some((at, commits)));
        }
    }
    Ok(None)
}

/// Removes the files up to this number, whose commits are all among the rows by now.
pub(super) fn remove(directory: &Path, through: u64) -> Result<(), StoreError> {
    let io = |error| fault(directory, error);
    for number in numbers(directory).map_err(io)? {
        if number <= through {
            fs::remove_file(path(directory, number)).map_err(io)?;
        }
    }
    Ok(())
}

/// The numbers of the files that are there, in order.
pub(super) fn numbers(directory: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{PREFIX}{number}"))
}
