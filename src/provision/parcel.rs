//! What vendors ship, unpacked into the firmware directory: all of it or nothing.
//!
//! An archive comes from anywhere, so nothing in it is believed: only plain files are taken, only by the last part of
//! their names, only under names that some phone asks for, and never more than fits the bounds.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{domain::Role, profile::Catalog};

use super::{library, loads, name};

mod kind;
#[cfg(test)]
mod tests;

use kind::Kind;

/// Endings of names that all releases share: they lie in folders of their own.
const RELEASES: [&str; 2] = [".ld", "sip.ver"];

/// What one archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Entries, taken or not, those of archives inside it included.
    pub entries: usize,
    /// Octets of all that is unpacked, taken or not.
    pub octets: u64,
    /// How many archives lie inside each other.
    pub depth: usize,
}

impl Default for Bounds {
    /// The largest that vendors ship are about 1 GiB (Poly's for video phones), with a few hundred entries.
    fn default() -> Self {
        Self { entries: 10_000, octets: 4 << 30, depth: 3 }
    }
}

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file system says so.
    #[error("{0}: {1}")]
    Disk(PathBuf, io::Error),
    /// It is no archive of a known kind, and no firmware by its name.
    #[error(
        "{0} is neither a .zip, a tar (.cop.sgn, .cop.sha512, .tgz) nor a file that a phone asks for"
    )]
    Strange(String),
    /// It can't be read to its end.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// It holds more than the bounds allow.
    #[error("the archive holds too much: {0}")]
    Large(String),
    /// It names a place outside of the directory, or holds what is no plain file under a name of firmware.
    #[error("the archive is not to be trusted: {0}")]
    Hostile(String),
    /// There is no firmware in it.
    #[error("there is no firmware in it: none of its {0} files has a name that a phone asks for")]
    Nothing(usize),
    /// A load would not be whole.
    #[error("{0} would not be whole: {1}")]
    Incomplete(String, String),
    /// A file of that name is here and has other content.
    #[error("{0} is here already, with other content")]
    Taken(String),
}

/// What was added.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Added {
    /// The folder or file, below the firmware directory; empty if all of it was here already.
    pub place: String,
    /// Names of what is new.
    pub files: Vec<String>,
    /// Names of what was here already, with the same content.
    pub known: Vec<String>,
    /// How many entries are no firmware.
    pub left: usize,
}

/// Adds what `from` is or holds to `firmware`, in a folder called like the archive, or under its own name.
///
/// The folder shows up under its name in one step, when all of it is on disk; what a crash leaves begins with a dot and
/// is not read.
///
/// # Errors
///
/// [`Refused`]; nothing was added then.
pub fn add(
    from: &Path,
    firmware: &Path,
    catalog: &Catalog,
    bounds: Bounds,
) -> Result<Added, Refused> {
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |error| Refused::Disk(path, error)
    };
    let title = from.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let mut file = File::open(from).map_err(disk(from))?;
    let kind = kind::of(&mut file).map_err(disk(from))?;
    let single = wanted(catalog, &title);
    // A .loads or .sbn may hold what looks like an archive further in: its name goes first.
    let kind = if single && !kind::is_archive(&title) { Kind::Plain } else { kind };
    if kind == Kind::Plain && !single {
        return Err(Refused::Strange(title));
    }
    fs::create_dir_all(firmware).map_err(disk(firmware))?;
    let stage = Stage::make(firmware)?;
    let mut unpacking =
        Unpacking { catalog, bounds, stage: &stage.path, files: BTreeMap::new(), entries: 0 };
    match kind {
        Kind::Plain => unpacking.take(&title, &mut file)?,
        kind => unpacking.archive(kind, file, 1)?,
    }
    let Unpacking { mut files, entries, .. } = unpacking;
    if files.is_empty() {
        return Err(Refused::Nothing(entries));
    }
    let left = entries.saturating_sub(files.len());
    complete(&stage.path, firmware)?;
    let known = drop_known(&stage.path, firmware, &mut files)?;
    let files: Vec<String> = files.into_keys().collect();
    if files.is_empty() {
        return Ok(Added { known, left, ..Added::default() });
    }
    let place = if kind == Kind::Plain { title } else { folder(&title) };
    let (made, target) = match kind {
        Kind::Plain => (stage.path.join(&place), firmware.join(&place)),
        _ => (stage.path.clone(), firmware.join(&place)),
    };
    if target.symlink_metadata().is_ok() {
        return Err(Refused::Taken(place));
    }
    sync(&stage.path).map_err(disk(&stage.path))?;
    fs::rename(&made, &target).map_err(disk(&target))?;
    sync(firmware).map_err(disk(firmware))?;
    Ok(Added { place, files, known, left })
}

/// A folder that is gone when it is not moved away.
struct Stage {
    path: PathBuf,
}

impl Stage {
    fn make(firmware: &Path) -> Result<Self, Refused> {
        let prefix = String::from_utf8_lossy(library::ADDING);
        let path = firmware.join(format!("{prefix}{}", std::process::id()));
        // What a process of that number left behind when it was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(|error| Refused::Disk(path.clone(), error))?;
        Ok(Self { path })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// One archive on its way, with those inside it.
struct Unpacking<'a> {
    catalog: &'a Catalog,
    bounds: Bounds,
    stage: &'a Path,
    /// Lengths of what was taken, by name.
    files: BTreeMap<String, u64>,
    entries: usize,
}

impl Unpacking<'_> {
    fn archive(&mut self, kind: Kind, mut file: File, depth: usize) -> Result<(), Refused> {
        let damaged = |error: io::Error| Refused::Damaged(error.to_string());
        if depth > self.bounds.depth {
            return Err(Refused::Large(format!("archives {depth} deep in each other")));
        }
        match kind {
            Kind::Zip => self.zip(file, depth),
            Kind::Tar(at) => {
                file.seek(SeekFrom::Start(at)).map_err(damaged)?;
                self.tar(BufReader::new(file), depth)
            }
            Kind::Gzip(at) => {
                file.seek(SeekFrom::Start(at)).map_err(damaged)?;
                self.tar(flate2::read::MultiGzDecoder::new(BufReader::new(file)), depth)
            }
            Kind::Plain => Ok(()),
        }
    }

    fn zip(&mut self, file: File, depth: usize) -> Result<(), Refused> {
        let damaged = |error: zip::result::ZipError| Refused::Damaged(error.to_string());
        let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(damaged)?;
            let plain = entry.is_file() && !entry.is_symlink();
            let name = entry.name().map_err(damaged)?.into_owned();
            if !entry.is_dir() {
                self.entry(&name, plain, &mut entry, depth)?;
            }
        }
        Ok(())
    }

    fn tar(&mut self, from: impl Read, depth: usize) -> Result<(), Refused> {
        let damaged = |error: io::Error| Refused::Damaged(error.to_string());
        // What a compressed archive holds between its entries counts too: it is unpacked all the same.
        let room = self.bounds.octets.saturating_add(64 << 20);
        let mut archive = tar::Archive::new(from.take(room));
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let kind = entry.header().entry_type();
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if !kind.is_dir() {
                self.entry(&name, kind.is_file(), &mut entry, depth)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &str,
        plain: bool,
        content: &mut impl Read,
        depth: usize,
    ) -> Result<(), Refused> {
        self.entries += 1;
        if self.entries > self.bounds.entries {
            return Err(Refused::Large(format!("more than {} files", self.bounds.entries)));
        }
        let shown = crate::domain::printable(path.as_bytes());
        let path = path.replace('\\', "/");
        if path.starts_with('/') || path.contains('\0') || path.split('/').any(|part| part == "..")
        {
            return Err(Refused::Hostile(format!("{shown} leads out of the directory")));
        }
        let base = name::base(&path).to_owned();
        let inner = kind::is_archive(&base);
        if !inner && !wanted(self.catalog, &base) {
            return Ok(());
        }
        if !plain {
            return Err(Refused::Hostile(format!("{shown} is a link or a device")));
        }
        if !inner {
            return self.take(&base, content);
        }
        let nested = self.stage.join(format!(".nested-{depth}"));
        self.write(&nested, content)?;
        let disk = |error| Refused::Disk(nested.clone(), error);
        let mut file = File::open(&nested).map_err(disk)?;
        let kind = kind::of(&mut file).map_err(disk)?;
        fs::remove_file(&nested).map_err(disk)?;
        self.archive(kind, file, depth + 1)
    }

    /// Takes one file of firmware.
    fn take(&mut self, base: &str, content: &mut impl Read) -> Result<(), Refused> {
        let path = self.stage.join(base);
        let again = self.files.keys().any(|known| known.eq_ignore_ascii_case(base));
        if again {
            return Err(Refused::Hostile(format!("{base} is in it twice")));
        }
        let length = self.write(&path, content)?;
        self.files.insert(base.to_owned(), length);
        Ok(())
    }

    /// Writes what fits the bounds; every octet counts, whatever it is for.
    fn write(&mut self, path: &Path, content: &mut impl Read) -> Result<u64, Refused> {
        let disk = |error| Refused::Disk(path.to_owned(), error);
        let mut file = File::create_new(path).map_err(disk)?;
        let mut buffer = vec![0; 256 * 1024];
        let mut length = 0_u64;
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) => return Err(Refused::Damaged(error.to_string())),
            };
            length += read as u64;
            let Some(left) = self.bounds.octets.checked_sub(read as u64) else {
                return Err(Refused::Large("more octets than any vendor ships".to_owned()));
            };
            self.bounds.octets = left;
            file.write_all(&buffer[..read]).map_err(disk)?;
        }
        file.sync_all().map_err(disk)?;
        Ok(length)
    }
}

/// True for names that phones ask for, parts of loads and manifests.
fn wanted(catalog: &Catalog, base: &str) -> bool {
    let is_firmware = || catalog.resolve(base).iter().any(|one| one.file.role == Role::Firmware);
    let is_part = || !loads::names(base.as_bytes()).is_empty();
    let hidden = base.is_empty() || base.starts_with('.');
    !hidden && (loads::is_manifest(base) || is_part() || is_firmware())
}

/// The folder of an archive: its name without what says how it is packed.
fn folder(title: &str) -> String {
    let mut rest = title;
    while let Some(shorter) = kind::bare(rest) {
        rest = shorter;
    }
    rest.trim_start_matches('.').to_owned()
}

/// Checks that every load in `stage` is whole, with what is in `firmware` already.
fn complete(stage: &Path, firmware: &Path) -> Result<(), Refused> {
    let nowhere = Path::new("/nonexistent");
    let (fresh, _) = super::Library::load(nowhere, stage);
    let (here, _) = super::Library::load(nowhere, firmware);
    for load in fresh.loads() {
        let wrong = |(part, fault): &(&loads::Part, loads::Fault)| {
            *fault != loads::Fault::Absent || here.firmware(&part.name).is_none()
        };
        if let Some((part, fault)) = load.faults().find(wrong) {
            let text = format!("{} is {}", part.name, fault.as_str());
            return Err(Refused::Incomplete(load.name.clone(), text));
        }
    }
    Ok(())
}

/// Drops from the stage what is in the directory with the same content. Names that all releases share may differ.
fn drop_known(
    stage: &Path,
    firmware: &Path,
    files: &mut BTreeMap<String, u64>,
) -> Result<Vec<String>, Refused> {
    let (here, _) = super::Library::load(Path::new("/nonexistent"), firmware);
    let mut known = Vec::new();
    for base in files.keys().cloned().collect::<Vec<_>>() {
        let Some(held) = here.firmware(&base) else { continue };
        let path = stage.join(&base);
        let same = equal(&path, &firmware.join(&held.name))
            .map_err(|error| Refused::Disk(path.clone(), error))?;
        let shared = loads::is_manifest(&base)
            || RELEASES.iter().any(|end| base.to_ascii_lowercase().ends_with(end));
        if same {
            fs::remove_file(&path).map_err(|error| Refused::Disk(path.clone(), error))?;
            files.remove(&base);
            known.push(base);
        } else if !shared {
            return Err(Refused::Taken(base));
        }
    }
    Ok(known)
}

fn equal(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) =
        (BufReader::new(File::open(one)?), BufReader::new(File::open(other)?));
    let (mut a, mut b) = ([0; 16384], [0; 16384]);
    loop {
        let read = one.read(&mut a)?;
        if read == 0 {
            return Ok(other.read(&mut b)? == 0);
        }
        if other.read_exact(&mut b[..read]).is_err() || a[..read] != b[..read] {
            return Ok(false);
        }
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
