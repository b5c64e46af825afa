//! Where families come from: the shipped folders, overlaid file by file by the operator's.

use std::{collections::BTreeMap, fs, io, path::Path};

use include_dir::{Dir, include_dir};

use crate::domain::Problem;

/// The shipped families, inside the binary.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/profiles");

/// The file that makes a folder a family.
pub(super) const PROFILE: &str = "profile.toml";

/// The clients that are known not to be phones, beside the families' folders.
pub(super) const NOT_A_PHONE: &str = "not-a-phone.toml";

/// A text and how its author knows it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Path as the operator gave it, or `profiles/…` for a shipped file.
    pub(super) path: String,
    pub(super) text: String,
    /// True if it came with the binary: our tests have looked it through, so that a start need not.
    pub(super) shipped: bool,
}

/// A family's folder: texts by file name.
pub(super) type Folder = BTreeMap<String, Source>;

/// All folders by family name, and the files beside them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) folders: BTreeMap<String, Folder>,
    pub(super) files: Folder,
}

/// The shipped tree.
pub(super) fn shipped() -> Tree {
    let mut tree = Tree { files: embedded(&SHIPPED), ..Tree::default() };
    for folder in SHIPPED.dirs() {
        tree.folders.insert(file_name(folder.path()), embedded(folder));
    }
    tree
}

/// The files of a shipped family by name, to be copied and changed; empty for a family that is not shipped.
#[must_use]
pub fn shipped_files(family: &str) -> Vec<(String, String)> {
    let folder = shipped().folders.remove(family).unwrap_or_default();
    folder.into_iter().map(|(name, source)| (name, source.text)).collect()
}

/// What the operator's directory holds. An absent directory holds nothing; anything else that can't be read is told.
pub(super) fn overrides(directory: &Path, problems: &mut Vec<Problem>) -> Tree {
    let mut tree = Tree::default();
    for path in entries(directory, problems) {
        if path.is_dir() {
            let mut folder = Folder::new();
            for file in entries(&path, problems).into_iter().filter(|file| file.is_file()) {
                read(&file, &mut folder, problems);
            }
            tree.folders.insert(file_name(&path), folder);
        } else if file_name(&path) == NOT_A_PHONE {
            read(&path, &mut tree.files, problems);
        }
    }
    tree
}

/// `over` laid over `under`: a file of the same name wins.
pub(super) fn overlay(under: &Folder, over: &Folder) -> Folder {
    let mut folder = under.clone();
    folder.extend(over.clone());
    folder
}

fn embedded(directory: &Dir<'_>) -> Folder {
    let text = |file: &include_dir::File<'_>| {
        let path = format!("profiles/{}", file.path().display());
        let text = file.contents_utf8()?.to_owned();
        Some((file_name(file.path()), Source { path, text, shipped: true }))
    };
    directory.files().filter_map(text).collect()
}

fn entries(directory: &Path, problems: &mut Vec<Problem>) -> Vec<std::path::PathBuf> {
    let listed = fs::read_dir(directory).and_then(|entries| {
        entries.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()
    });
    let mut paths: Vec<_> = match listed {
        Ok(paths) => paths,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let text = format!("can't be listed: {error}");
            problems.push(Problem::error(directory.display().to_string(), None, text));
            Vec::new()
        }
    };
    // Editors leave hidden files and backups; they are nobody's templates.
    paths.retain(|path| !file_name(path).starts_with('.') && !file_name(path).ends_with('~'));
    paths.sort();
    paths
}

fn read(path: &Path, folder: &mut Folder, problems: &mut Vec<Problem>) {
    let shown = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => {
            folder.insert(file_name(path), Source { path: shown, text, shipped: false });
        }
        Err(error) => {
            let problem = Problem::error(shown, None, format!("can't be read: {error}"));
            problems.push(problem.help("a text file in UTF-8 that the service may read"));
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
