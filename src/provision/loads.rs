//! What lies in the firmware directory, as loads: their parts, and what is wrong with these.
//!
//! A load is whole or it is not offered: a phone that takes half of one stops there, time and again.

use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt};

use super::{library::Held, name};

mod sums;

pub(super) use sums::is_manifest;

/// Lists are a few hundred bytes; what is longer is none.
const MAX_LIST: usize = 64 * 1024;

/// The most parts that are read out of one list. The longest known have about ten.
const MAX_PARTS: usize = 64;

/// What parts of loads end in.
const PARTS: [&str; 4] = [".sbn", ".sb2", ".sebn", ".bin"];

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A list names it, and it is not here.
    Absent,
    /// It is here and has no content.
    Empty,
    /// Its SHA-256 is another than the one beside it, or it can't be read.
    Altered,
}

impl Fault {
    /// In words that follow the name of the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "not here",
            Self::Empty => "empty",
            Self::Altered => "not what its SHA-256 says",
        }
    }
}

/// How a load is laid out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// A list that names its parts (`SIP41.9-4-2SR3-1S.loads`).
    List,
    /// A file for each part number in one folder (`3111-48400-001.sip.ld`).
    Split,
    /// One file for all models of its release (`sip.ld`).
    Combined,
    /// One file for a platform (`T46S(T48S,T42S,T41S)-66.86.0.15.rom`).
    Platform,
    /// One file of which no more is known.
    Single,
}

impl Layout {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Split => "split",
            Self::Combined => "combined",
            Self::Platform => "platform",
            Self::Single => "single",
        }
    }
}

/// A file of a load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// Its path below the firmware directory; only its name where it is not here.
    pub name: String,
    /// Its length; `None` where it is not here.
    pub bytes: Option<u64>,
    /// True if a manifest beside it gives its SHA-256, and that was compared.
    pub summed: bool,
    /// What is wrong with it.
    pub fault: Option<Fault>,
}

/// A load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Load {
    /// The path of its list or of its one file; of a split one its folder with `sip.ld` behind it, as its phones name it.
    pub name: String,
    /// How it is laid out.
    pub layout: Layout,
    /// Its files: the list first where it has one.
    pub parts: Vec<Part>,
}

impl Load {
    /// True if nothing is wrong with any part.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults().next().is_none()
    }

    /// The parts that something is wrong with.
    pub fn faults(&self) -> impl Iterator<Item = (&Part, Fault)> {
        self.parts.iter().filter_map(|part| Some((part, part.fault?)))
    }

    /// How long all its parts are together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().filter_map(|part| part.bytes).sum()
    }
}

/// The loads that these files make, by the names of their first files. `files` are by path in lower case.
///
/// Reads every file that a manifest gives the SHA-256 of; no others.
pub(super) fn all(files: &BTreeMap<String, Held>) -> Vec<Load> {
    let sums = sums::all(files);
    let mut bases: BTreeMap<&str, &Held> = BTreeMap::new();
    for (path, held) in files {
        bases.entry(name::base(path)).or_insert(held);
    }
    let part = |held: &Held| {
        let bytes = held.file.metadata().ok().map(|data| data.len());
        let sum = sums.get(&held.name.to_lowercase());
        let altered = sum.is_some_and(|sum| !sums::is(&held.file, sum));
        let fault = match bytes {
            Some(0) => Some(Fault::Empty),
            None => Some(Fault::Altered),
            Some(_) => altered.then_some(Fault::Altered),
        };
        Part { name: held.name.clone(), bytes, summed: sum.is_some(), fault }
    };
    let mut loads = Vec::new();
    let mut taken = std::collections::BTreeSet::new();
    for (path, list) in files.iter().filter(|(path, _)| ends(path, ".loads")) {
        let mut parts = vec![part(list)];
        let folder = path.len() - name::base(path).len();
        for named in names(&read(&list.file).unwrap_or_default()) {
            // Beside its list first: two releases may have a part of one name.
            let lower = named.to_lowercase();
            let beside = files.get(&format!("{}{lower}", &path[..folder]));
            parts.push(match beside.or_else(|| bases.get(lower.as_str()).copied()) {
                Some(held) => {
                    taken.insert(held.name.to_lowercase());
                    part(held)
                }
                None => {
                    Part { name: named, bytes: None, summed: false, fault: Some(Fault::Absent) }
                }
            });
        }
        loads.push(Load { name: list.name.clone(), layout: Layout::List, parts });
    }
    let mut split: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for (path, held) in files {
        if taken.contains(path) || ends(path, ".loads") || is_manifest(path) {
            continue;
        }
        let layout = layout(name::base(path));
        if layout == Layout::Split {
            let folder = &held.name[..held.name.len() - name::base(path).len()];
            split.entry(format!("{folder}sip.ld")).or_default().push(part(held));
        } else {
            loads.push(Load { name: held.name.clone(), layout, parts: vec![part(held)] });
        }
    }
    let split = split.into_iter();
    loads.extend(split.map(|(name, parts)| Load { name, layout: Layout::Split, parts }));
    loads.sort_by(|one, other| one.name.cmp(&other.name));
    loads
}

/// What is wrong with each file and list, in words, by its path and by its name in lower case; sound ones are left out.
pub(super) fn lacking(loads: &[Load]) -> BTreeMap<String, Vec<String>> {
    let mut lacking: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for load in loads.iter().filter(|load| !load.is_whole()) {
        let wrong: Vec<String> = load.faults().map(|(part, _)| part.name.clone()).collect();
        if matches!(load.layout, Layout::List | Layout::Split) {
            let path = load.name.to_lowercase();
            if load.layout == Layout::List {
                lacking.insert(name::base(&path).to_owned(), wrong.clone());
            }
            lacking.insert(path, wrong);
        }
        // An altered part is itself nothing to be given away, whoever asks for it.
        let altered = load.faults().filter(|(_, fault)| *fault == Fault::Altered);
        for (part, _) in altered {
            lacking.entry(part.name.to_lowercase()).or_insert_with(|| vec![part.name.clone()]);
        }
    }
    lacking
}

fn ends(name: &str, with: &str) -> bool {
    name.len() > with.len() && name.to_ascii_lowercase().ends_with(with)
}

fn layout(base: &str) -> Layout {
    if ends(base, ".sip.ld") {
        Layout::Split
    } else if base.eq_ignore_ascii_case("sip.ld") {
        Layout::Combined
    } else if ends(base, ".rom") {
        Layout::Platform
    } else {
        Layout::Single
    }
}

/// All of a short file.
fn read(file: &File) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    if length > MAX_LIST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The names of parts in a list, in its order, each once.
///
/// A list names its parts as plain text; with a signature in front and behind it is a binary file, and phones take it
/// with or without one (firmware research on 7941 and 7961, virtualab.ru). No source documents the form of the
/// signature or that sizes are told, so names are found by their endings.
pub(super) fn names(list: &[u8]) -> Vec<String> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let mut parts: Vec<String> = Vec::new();
    for word in list.split(|byte| !in_name(byte)) {
        let word = String::from_utf8_lossy(word);
        let lower = word.to_ascii_lowercase();
        let is_part = PARTS.iter().any(|end| lower.len() > end.len() && lower.ends_with(end));
        if is_part && parts.len() < MAX_PARTS && !parts.iter().any(|part| *part == word) {
            parts.push(word.into_owned());
        }
    }
    parts
}

#[cfg(test)]
mod tests;
