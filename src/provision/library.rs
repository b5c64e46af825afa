//! The operator's own files and the firmware, opened once and served from open handles.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::domain::Problem;

use super::{
    loads::{self, Load},
    name,
    phonebook::{self, Contact},
};

/// The most files that are kept open; the rest are left out with a problem. A third of what the process may open is the
/// other bound: during a reload two libraries are open, and sockets need descriptors too.
const MAX_FILES: usize = 65_536;

/// How deep directories are read. Vendors nest two or three levels.
const MAX_DEPTH: usize = 8;

/// How the folder begins in which firmware is unpacked before it is moved to its place: not read before that.
pub(super) const ADDING: &[u8] = b".adding-";

/// What the name of a template ends in, behind the name that it answers.
const TEMPLATE: &str = ".j2";

/// A file that is open for as long as the library lives.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its path below the root, in its own spelling.
    pub name: String,
    /// The handle; read with positions, so that any number of transfers share it.
    pub file: Arc<File>,
}

impl Held {
    /// Length and entity tag as of now, so that an edit in place shows at once. A file that was replaced by another of
    /// the same name keeps its old content until the next reload.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn measure(&self) -> io::Result<(u64, String)> {
        let data = self.file.metadata()?;
        let stamp = i128::from(data.mtime()) * 1_000_000_000 + i128::from(data.mtime_nsec());
        Ok((data.len(), format!("{:x}-{stamp:x}-{:x}", data.len(), data.ino())))
    }
}

/// The operator's own files and the firmware, looked up without regard to case.
#[derive(Debug, Default)]
pub struct Library {
    files: BTreeMap<String, Held>,
    /// Templates among the files by the name that they answer, with their own name and text.
    templates: BTreeMap<String, (String, String)>,
    /// Firmware by its path in lower case.
    firmware: BTreeMap<String, Held>,
    /// The path of the firmware that goes by a name without a folder, in lower case both.
    bases: BTreeMap<String, String>,
    /// What the firmware is.
    loads: Vec<Load>,
    /// What is wrong with loads and their parts, by path and name in lower case; sound ones are not in here.
    lacking: BTreeMap<String, Vec<String>>,
    /// The operator's additions to phonebooks, by the lower-case path of their file.
    contacts: BTreeMap<String, Vec<Contact>>,
}

impl Library {
    /// Opens every regular file of both directories; either may be absent.
    ///
    /// Firmware is known by its base name, however deep it lies, and by its path: releases of one name lie in folders of
    /// their own, whose names begin with a digit. What a manifest gives the SHA-256 of is read whole. What can't be served is told as a problem and left
    /// out: links that lead out of their root, names that differ in case only, files beyond the bound.
    #[must_use]
    pub fn load(files: &Path, firmware: &Path) -> (Self, Vec<Problem>) {
        let mut shelf = Shelf { room: MAX_FILES.min(descriptors() / 3), problems: Vec::new() };
        let mut library = Self::default();
        shelf.fill(files, &mut library.files, str::to_owned);
        shelf.fill(firmware, &mut library.firmware, str::to_owned);
        library.bases = shelf.bases(firmware, &library.firmware);
        let books = library.files.iter().filter(|(key, _)| {
            let site = key.strip_suffix(phonebook::FILE);
            site.is_some_and(|site| site.is_empty() || site.find('/') == Some(site.len() - 1))
        });
        for (key, held) in books {
            let path = files.join(&held.name).display().to_string();
            let contacts = phonebook::read(held, &path, &mut shelf.problems);
            library.contacts.insert(key.clone(), contacts);
        }
        let templates: Vec<_> =
            library.files.extract_if(.., |name, _| name.ends_with(TEMPLATE)).collect();
        for (key, held) in templates {
            match io::read_to_string(&*held.file) {
                Ok(text) => {
                    let key = key.trim_end_matches(TEMPLATE).to_owned();
                    library.templates.insert(key, (held.name, text));
                }
                Err(error) => {
                    shelf.tell(&files.join(&held.name), &error.to_string(), "write it in UTF-8");
                }
            }
        }
        library.loads = loads::all(&library.firmware);
        library.lacking = loads::lacking(&library.loads);
        (library, shelf.problems)
    }

    /// Parts of the load with this list, or this very file, that are not here, empty or not what their SHA-256 says: what
    /// lacks something is given to nobody. As of the last load of the library.
    #[must_use]
    pub fn lacking(&self, list: &str) -> &[String] {
        let said = self.lacking.get(&list.to_lowercase());
        said.or_else(|| self.lacking.get(&self.path(list))).map_or(&[], Vec::as_slice)
    }

    /// The loads.
    #[must_use]
    pub fn loads(&self) -> &[Load] {
        &self.loads
    }

    /// The path, in lower case, of the firmware that a wire name means: what lies there, else what has that last part.
    fn path(&self, name: &str) -> String {
        let lower = name.trim_start_matches('/').to_lowercase();
        if self.firmware.contains_key(&lower) {
            return lower;
        }
        let base = name::base(&lower);
        self.bases.get(base).cloned().unwrap_or_else(|| base.to_owned())
    }

    /// The operator's file for a wire name: the site's before the common one.
    #[must_use]
    pub fn file(&self, site: &str, name: &str) -> Option<&Held> {
        of_site(&self.files, site, name)
    }

    /// The operator's template for a wire name, as (its own name, its text): the site's before the common one.
    #[must_use]
    pub fn template(&self, site: &str, name: &str) -> Option<(&str, &str)> {
        of_site(&self.templates, site, name).map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// What the operator adds to the phonebook of a site.
    pub(super) fn contacts(&self, site: &str) -> &[Contact] {
        of_site(&self.contacts, site, phonebook::FILE).map_or(&[], Vec::as_slice)
    }

    /// True if the operator has a file or a template of that very name.
    #[must_use]
    pub fn has(&self, site: &str, name: &str) -> bool {
        self.file(site, name).is_some() || self.template(site, name).is_some()
    }

    /// A load or a part of one, by its wire name, else by the last component of that.
    #[must_use]
    pub fn firmware(&self, name: &str) -> Option<&Held> {
        self.firmware.get(&self.path(name))
    }

    /// Firmware in its own spelling, with lengths in bytes: by base name where phones need no more to ask for it, else
    /// by path.
    pub fn firmware_files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.firmware.iter().map(|(path, held)| {
            let length = held.file.metadata().map_or(0, |data| data.len());
            let base = name::base(&held.name);
            let plain = self.bases.get(name::base(path)) == Some(path);
            (if plain { base } else { held.name.as_str() }, length)
        })
    }
}

fn of_site<'a, V>(map: &'a BTreeMap<String, V>, site: &str, name: &str) -> Option<&'a V> {
    let name = name.to_lowercase();
    map.get(&format!("{}/{name}", site.to_lowercase())).or_else(|| map.get(&name))
}

/// What a load has left and has to tell.
struct Shelf {
    room: usize,
    problems: Vec<Problem>,
}

impl Shelf {
    fn fill(
        &mut self,
        root: &Path,
        into: &mut BTreeMap<String, Held>,
        key: impl Fn(&str) -> String,
    ) {
        let real = match root.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.tell(root, &error.to_string(), "make it readable"),
        };
        let mut found = Vec::new();
        self.walk(&real, &real, 0, &mut found);
        for (path, name) in found {
            if self.room == 0 {
                let text = format!("is left out, as all after it: {} files are open", into.len());
                let help = "serve fewer files, or raise the limit of open files (LimitNOFILE)";
                return self.tell(&path, &text, help);
            }
            let key = key(&name).to_lowercase();
            if let Some(other) = into.get(&key) {
                let text = format!("is left out: phones can't tell it from {}", other.name);
                self.tell(&path, &text, "rename or remove one of the two");
                continue;
            }
            match File::open(&path) {
                Ok(file) => {
                    self.room -= 1;
                    into.insert(key, Held { name, file: Arc::new(file) });
                }
                Err(error) => self.tell(&path, &error.to_string(), "make it readable for ringup"),
            }
        }
    }

    /// Which path each name without a folder means: the first in order.
    fn bases(&mut self, root: &Path, all: &BTreeMap<String, Held>) -> BTreeMap<String, String> {
        let mut bases: BTreeMap<String, String> = BTreeMap::new();
        // What lies at the top goes before what lies in folders.
        let mut paths: Vec<&String> = all.keys().collect();
        paths.sort_by_key(|path| path.contains('/'));
        for path in paths {
            let base = name::base(path).to_owned();
            let Some(other) = bases.get(&base) else {
                bases.insert(base, path.clone());
                continue;
            };
            let (name, other) = (&all[path].name, &all[other].name);
            if !name.starts_with(|c: char| c.is_ascii_digit()) && !loads::is_manifest(path) {
                let text =
                    format!("is not found without its folder: phones can't tell it from {other}");
                let help = "rename or remove one of the two, or call its folder by its version";
                self.tell(&root.join(name), &text, help);
            }
        }
        bases
    }

    /// Collects regular files below `directory`, sorted, so that the same tree always loads the same way.
    fn walk(
        &mut self,
        root: &Path,
        directory: &Path,
        depth: usize,
        found: &mut Vec<(PathBuf, String)>,
    ) {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => {
                return self.tell(directory, &error.to_string(), "make it readable for ringup");
            }
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(ADDING)) {
                continue;
            }
            let Ok(real) = path.canonicalize() else {
                self.tell(&path, "leads nowhere", "remove the link");
                continue;
            };
            if !real.starts_with(root) {
                let text = format!("leads out of {}", root.display());
                self.tell(&path, &text, "copy the file instead of linking to it");
            } else if real.is_dir() {
                if directory.canonicalize().is_ok_and(|directory| directory.starts_with(&real)) {
                    self.tell(&path, "leads in a circle", "remove the link");
                } else if depth == MAX_DEPTH {
                    self.tell(&path, "lies too deep", "nest fewer directories");
                } else {
                    self.walk(root, &path, depth + 1, found);
                }
            } else if real.is_file() && found.len() <= MAX_FILES {
                // Names that are not UTF-8 can't be asked for by any carrier.
                if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                    found.push((path.clone(), name.to_owned()));
                }
            }
        }
    }

    /// Tells a problem. All are warnings: one bad file is no reason to serve none.
    fn tell(&mut self, path: &Path, text: &str, help: &str) {
        self.problems.push(Problem::warning(path.display().to_string(), None, text).help(help));
    }
}

/// How many files this process may have open (the soft limit); the customary 1024 if the system does not say.
fn descriptors() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|rest| rest.split_whitespace().next());
    soft.map_or(1024, |soft| soft.parse().unwrap_or(usize::MAX))
}

/// The entity tag of rendered bytes: the first sixteen digits of their SHA-256.
pub(super) fn etag(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |mut text, octet| {
        // Writing to a string can't fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Makes a tree of empty files and loads it as both directories.
    fn load(names: &[&str], prepare: impl Fn(&Path)) -> (tempfile::TempDir, Library, String) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir(&root).unwrap();
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
        }
        prepare(&root);
        let (library, problems) = Library::load(&root, &root);
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        (directory, library, told.join("\n"))
    }

    #[test]
    fn the_sites_file_wins_and_case_does_not_count() {
        let names = ["Paris/Ring.xml", "ring.xml", "other.xml", "cisco/SIP41.9-4-2SR3-1S.loads"];
        let (_kept, library, told) = load(&names, |_| ());
        let file = |site, name| library.file(site, name).map(|held| held.name.as_str());
        assert_eq!(file("paris", "RING.xml"), Some("Paris/Ring.xml"));
        assert_eq!(file("rome", "ring.xml"), Some("ring.xml"));
        assert_eq!(file("rome", "absent.xml"), None);
        assert!(library.firmware("sip41.9-4-2sr3-1s.LOADS").is_some());
        assert!(
            told.contains("can't tell it from"),
            "two of one base name in the firmware: {told}"
        );
    }

    #[test]
    fn links_out_are_refused_and_links_within_are_not() {
        let (_kept, library, told) = load(&["a.cfg", "d/b.cfg"], |root| {
            symlink("/etc/passwd", root.join("passwd")).unwrap();
            symlink("/etc", root.join("etc")).unwrap();
            symlink("a.cfg", root.join("same.cfg")).unwrap();
            symlink(root.join("d"), root.join("d/loop")).unwrap();
            symlink("absent", root.join("nowhere")).unwrap();
        });
        assert!(library.file("", "passwd").is_none() && library.file("", "etc/passwd").is_none());
        assert!(library.file("", "same.cfg").is_some());
        assert_eq!(told.matches("leads out of").count(), 4, "{told}");
        assert!(told.contains("leads nowhere") && told.contains("leads in a circle"), "{told}");
    }

    #[test]
    fn absent_directories_are_fine_and_templates_are_kept_apart() {
        let (library, problems) =
            Library::load(Path::new("/nonexistent/a"), Path::new("/nonexistent/b"));
        assert!(library.files.is_empty() && problems.is_empty());
        let (_kept, library, told) = load(&["x.cfg.j2"], |_| ());
        assert!(library.file("", "x.cfg.j2").is_none() && told.is_empty(), "{told}");
        assert_eq!(library.template("", "X.cfg"), Some(("x.cfg.j2", "x.cfg.j2")));
    }

    #[test]
    fn an_edit_in_place_shows() {
        let (kept, library, _) = load(&["a.cfg"], |_| ());
        let held = library.file("", "a.cfg").unwrap();
        let before = held.measure().unwrap();
        fs::write(kept.path().join("root/a.cfg"), "longer than before").unwrap();
        let after = held.measure().unwrap();
        assert_eq!((before.0, after.0), (5, 18));
        assert_ne!(before.1, after.1);
    }
}
