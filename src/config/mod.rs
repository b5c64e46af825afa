//! Settings: `ringup.toml`, read, checked as a whole and made ready to use.
//!
//! Two stages. `tables` mirror the text and `keys` fills them; `check` makes of them the [`Settings`] that hold
//! together. All problems of both stages are told at once.

mod check;
mod keys;
mod names;
mod places;
mod settings;
mod source;
mod tables;
#[cfg(test)]
mod tests;
mod written;

pub use keys::nearest;
pub use names::Names;
pub use places::Places;
pub use settings::{
    Admit, Appliance, AutoRegistration, Dhcp, DhcpMode, Failover, Firmware, ForFamily, Http,
    NumberRange, Option82, PeerRule, Protocol, RawOption, ReadyWhen, Registrar, Secrets, Settings,
    Site, Srtp, Subnet, Tftp, Transport,
};
pub use written::{Difference, Written};

use std::{
    fs,
    path::{Path, PathBuf},
};

use toml::Spanned;

use crate::domain::{Problem, Severity, Timestamp};

use source::Sources;

/// Where settings are looked for when nobody says where.
const PLACES: [&str; 2] = ["ringup.toml", "/etc/ringup/ringup.toml"];

/// The most files that one settings file may include; the rest is told and left out.
const MAX_INCLUDED: usize = 256;

/// Settings as read, with what is legal but probably not meant.
#[derive(Debug)]
pub struct Loaded {
    /// Ready to use.
    pub settings: Settings,
    /// Warnings only.
    pub warnings: Vec<Problem>,
    /// Where they came from; `None` for the defaults.
    pub path: Option<PathBuf>,
    /// Every key as written, to tell what a reload changes.
    pub written: Written,
    /// Names of families, vendors and models in them, for [`Loaded::expand`].
    names: Vec<names::Use>,
}

/// Reads the settings: `path` if given, else `./ringup.toml`, else `/etc/ringup/ringup.toml`, else the defaults.
///
/// Names of families are taken as they are: see [`Loaded::expand`].
///
/// # Errors
///
/// Every problem of every file at once, each with line and remedy.
pub fn load(path: Option<&Path>) -> Result<Loaded, Vec<Problem>> {
    let found = || PLACES.iter().map(PathBuf::from).find(|place| place.exists());
    match path.map(Path::to_owned).or_else(found) {
        Some(path) => load_at(&path, Timestamp::now()),
        None => Ok(Loaded {
            settings: Settings::default(),
            warnings: Vec::new(),
            path: None,
            written: Written::default(),
            names: Vec::new(),
        }),
    }
}

/// [`load`] for one file at one time: whether a window has passed depends on it.
fn load_at(path: &Path, now: Timestamp) -> Result<Loaded, Vec<Problem>> {
    let mut sources = Sources::default();
    let mut problems = Vec::new();
    let base = path.parent().unwrap_or(Path::new(""));
    sources.read(path, &path.display().to_string()).map_err(|problem| vec![problem])?;
    include(&mut sources, path, &mut problems);
    let merged = sources.merged(&mut problems);
    if !problems.is_empty() {
        // A text that does not parse would give a page of follow-up problems.
        return Err(problems);
    }
    let written = Written::of(merged.get_ref(), base);
    let tables = keys::read(&sources, merged, &mut problems);
    let (settings, names) = check::settings(&sources, base, &tables, now, &mut problems);
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    Ok(Loaded { settings, warnings: problems, path: Some(path.to_owned()), written, names })
}

/// Takes in the files that the first one includes, in order, each pattern's by name.
fn include(sources: &mut Sources, main: &Path, problems: &mut Vec<Problem>) {
    let base = main.parent().unwrap_or(Path::new(""));
    // Its syntax errors are told when all files are parsed.
    let first = sources.parse(0, &mut Vec::new());
    let patterns: Vec<Spanned<String>> = match first.get_ref().get("include").map(Spanned::get_ref)
    {
        Some(toml::de::DeValue::Array(list)) => list
            .iter()
            .filter_map(|v| Some(Spanned::new(v.span(), v.get_ref().as_str()?.to_owned())))
            .collect(),
        // Of another kind: told when the tables are read.
        _ => Vec::new(),
    };
    drop(first);
    let mut count = 0;
    // A pattern may match what another matched, or the first file itself: once is what is meant.
    let mut taken: Vec<PathBuf> = fs::canonicalize(main).into_iter().collect();
    for pattern in patterns {
        let at = pattern.span().start;
        let files = match matching(&base.join(pattern.get_ref())) {
            Ok(files) => files,
            Err(text) => {
                problems.push(
                    sources.error(at, format!("can't include {}: {text}", pattern.get_ref())),
                );
                continue;
            }
        };
        count += files.len();
        if count > MAX_INCLUDED {
            problems
                .push(sources.error(at, format!("more than {MAX_INCLUDED} files are included")));
            return;
        }
        for file in files {
            let real = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
            if taken.contains(&real) {
                continue;
            }
            taken.push(real);
            if let Err(problem) = sources.read(&file, &file.display().to_string()) {
                problems.push(problem);
            }
        }
    }
}

/// The files that a pattern stands for, by name; `*` counts in its last part only.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let name = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((before, after)) = name.split_once('*') else {
        let there = pattern.is_file();
        return if there {
            Ok(vec![pattern.to_owned()])
        } else {
            Err("there is no such file".into())
        };
    };
    let folder = pattern.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A pattern may stand for nothing: a package ships it before anybody wrote a file.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(source::why(&error)),
    };
    let fits = |name: &str| {
        name.len() >= before.len() + after.len()
            && name.starts_with(before)
            && name.ends_with(after)
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(fits))
        .map(|entry| pattern.with_file_name(entry.file_name()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Ok(files)
}
