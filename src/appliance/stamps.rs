//! What the operator's directories held when they were read, so that a reload can tell which files it takes anew.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

use crate::{
    config::{Appliance, Difference},
    domain::Timestamp,
};

/// The most files that are looked at; changes of more are taken all the same, and not told.
const MAX_FILES: usize = 65_536;

/// How deep directories are looked into; as deep as they are read.
const MAX_DEPTH: usize = 8;

/// Files by directory and name.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps(BTreeMap<String, Stamp>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp {
    length: u64,
    /// Nanoseconds since 1970.
    modified: i128,
    inode: u64,
}

impl Stamps {
    /// Looks at all three directories.
    pub fn of(directories: &Appliance) -> Self {
        let mut stamps = Self::default();
        let Appliance { profiles, files, firmware, .. } = directories;
        for (name, path) in [("profiles", profiles), ("files", files), ("firmware", firmware)] {
            stamps.look(path, name, 0);
        }
        stamps
    }

    fn look(&mut self, directory: &Path, name: &str, depth: usize) {
        // What can't be read is told where it is loaded.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            let Ok(data) = fs::metadata(entry.path()) else { continue };
            if data.is_dir() && depth < MAX_DEPTH {
                self.look(&entry.path(), &name, depth + 1);
            } else if data.is_file() && self.0.len() < MAX_FILES {
                let modified =
                    i128::from(data.mtime()) * 1_000_000_000 + i128::from(data.mtime_nsec());
                let (length, inode) = (data.len(), data.ino());
                self.0.insert(name, Stamp { length, modified, inode });
            }
        }
    }

    /// What changed from here to `new`.
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let mut names: Vec<&String> = self.0.keys().chain(new.0.keys()).collect();
        names.sort();
        names.dedup();
        let names = names.into_iter().filter(|name| self.0.get(*name) != new.0.get(*name));
        names
            .map(|name| Difference {
                key: name.clone(),
                old: self.0.get(name).map(Stamp::text),
                new: new.0.get(name).map(Stamp::text),
            })
            .collect()
    }
}

impl Stamp {
    fn text(&self) -> String {
        let at = Timestamp::from_nanosecond(self.modified).unwrap_or_default();
        format!("{} bytes of {at:.0}", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_came_went_and_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let directories = Appliance {
            profiles: path("p"),
            files: path("f"),
            firmware: path("absent"),
            ..Appliance::default()
        };
        fs::create_dir_all(path("f/paris")).unwrap();
        fs::create_dir(path("p")).unwrap();
        for name in ["f/same", "f/paris/gone", "p/changed"] {
            fs::write(path(name), "12345").unwrap();
        }
        let before = Stamps::of(&directories);
        fs::remove_file(path("f/paris/gone")).unwrap();
        fs::write(path("f/new"), "1").unwrap();
        fs::write(path("p/changed"), "123").unwrap();
        let told = before.differences(&Stamps::of(&directories));
        let told: Vec<_> = told
            .iter()
            .map(|one| (one.key.as_str(), one.old.is_some(), one.new.is_some()))
            .collect();
        let expected = [
            ("files/new", false, true),
            ("files/paris/gone", true, false),
            ("profiles/changed", true, true),
        ];
        assert_eq!(told, expected);
    }
}
