//! `ringup profiles diff`: copies whose shipped original changed since they were made.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use similar::TextDiff;

use crate::profile::shipped_files;

use super::super::{
    exit::{Done, Exit, Failure},
    output,
};

/// Options of `ringup profiles diff`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows what changed in the shipped file since it was exported; the copy itself stays as it is.\n\
    When the change is in the copy too, or is not wanted, `--seen FAMILY/FILE` makes today's original the one to compare \
    with.\n\n\
    Exit codes: 0 nothing changed; 1 an original changed or is gone.\n\n\
    Examples:\n  \
    ringup profiles diff\n  \
    ringup profiles diff --seen yealink-desk/phone.cfg.j2"
)]
pub struct Diff {
    /// This copy is up to date with its original of today.
    #[arg(long, value_name = "FAMILY/FILE")]
    seen: Option<String>,
    /// One JSON document: {"items":[…]}.
    #[arg(long)]
    json: bool,
}

/// How a copy stands to its original.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// The copy says what the shipped file says.
    Identical,
    /// The original is the one that was copied.
    Same,
    /// The original is another now.
    Changed,
    /// The family has no such file any more.
    Gone,
    /// Nobody knows what the copy was made from.
    Unmarked,
}

impl Standing {
    /// From the copy, the original that it was made from, and the one of today.
    fn of(copy: &str, then: Option<&str>, now: Option<&str>) -> Option<Self> {
        match (then, now) {
            // A file of the operator's own beside the shipped ones.
            (None, None) => None,
            (_, Some(now)) if now == copy => Some(Self::Identical),
            (None, Some(_)) => Some(Self::Unmarked),
            (Some(_), None) => Some(Self::Gone),
            (Some(then), Some(now)) if then == now => Some(Self::Same),
            (Some(_), Some(_)) => Some(Self::Changed),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Unmarked => "unmarked",
        }
    }

    /// What to do about it.
    const fn help(self) -> &'static str {
        match self {
            Self::Identical => "the copy says what the shipped file says: remove it",
            Self::Same => "the original did not change",
            Self::Changed => "take the change into the copy, then run this with --seen",
            Self::Gone => "the family has no such file any more: remove the copy",
            Self::Unmarked => "it was not exported: compare it with `profiles export --stdout`",
        }
    }
}

/// A copy and all that is known of it.
#[derive(Debug)]
struct Copy {
    family: String,
    file: String,
    standing: Standing,
    /// The change of the original; empty unless it changed.
    change: String,
}

/// Where the original of a copy is kept: hidden, so that nobody takes it for a template.
pub(super) fn marker(folder: &Path, file: &str) -> PathBuf {
    folder.join(format!(".{file}.shipped"))
}

impl Diff {
    pub(super) fn run(&self, profiles: &Path) -> Done {
        if let Some(seen) = &self.seen {
            mark(profiles, seen)?;
        }
        let copies = copies(profiles)?;
        let worth = |copy: &&Copy| matches!(copy.standing, Standing::Changed | Standing::Gone);
        let code = if copies.iter().any(|copy| worth(&copy)) { Exit::Found } else { Exit::Ok };
        if self.json {
            let items: Vec<Value> = copies.iter().map(view).collect();
            output::json(&json!({ "items": items }))?;
            return Ok(code);
        }
        let mut table = output::table(["FAMILY", "FILE", "ORIGINAL", "WHAT TO DO"]);
        for Copy { family, file, standing, .. } in &copies {
            let (standing, help) = (standing.as_str().to_owned(), standing.help().to_owned());
            output::row(&mut table, [family.clone(), file.clone(), standing, help]);
        }
        output::print(table, "no shipped file was copied")?;
        for change in copies.iter().map(|copy| &copy.change).filter(|change| !change.is_empty()) {
            output::line("")?;
            output::bytes(change.as_bytes())?;
        }
        Ok(code)
    }
}

fn view(copy: &Copy) -> Value {
    json!({ "family": copy.family, "file": copy.file, "original": copy.standing.as_str(), "diff": copy.change })
}

/// Remembers today's original as the one that a copy is up to date with.
fn mark(profiles: &Path, seen: &str) -> Result<(), Failure> {
    let split = seen.trim_end_matches('/').rsplit_once('/');
    let (family, file) = split.ok_or_else(|| {
        Failure::new(Exit::Usage, "`--seen` takes a family and a file")
            .help("such as yealink-desk/phone.cfg.j2")
    })?;
    let text = shipped_files(family).into_iter().find(|(name, _)| name == file);
    let copied = profiles.join(family).join(file).is_file();
    let Some((_, text)) = text.filter(|_| copied) else {
        let text = format!("{seen} is no copy of a shipped file");
        return Err(Failure::new(Exit::NoInput, text).help("`ringup profiles diff` lists them"));
    };
    let path = marker(&profiles.join(family), file);
    fs::write(&path, text).map_err(|error| Failure::file(&path, &error))
}

/// Every copy of a shipped file in the operator's profiles, by family and name.
fn copies(profiles: &Path) -> Result<Vec<Copy>, Failure> {
    let mut copies = Vec::new();
    for family in names(profiles)? {
        let shipped = shipped_files(&family);
        let folder = profiles.join(&family);
        if shipped.is_empty() || !folder.is_dir() {
            continue;
        }
        for file in names(&folder)? {
            let Some(copy) = read(&folder.join(&file))? else { continue };
            let then = read(&marker(&folder, &file))?;
            let now = shipped.iter().find(|(name, _)| *name == file).map(|(_, text)| text.as_str());
            let Some(standing) = Standing::of(&copy, then.as_deref(), now) else { continue };
            let change = match (standing, then, now) {
                (Standing::Changed, Some(then), Some(now)) => {
                    let name = format!("{family}/{file}");
                    let (old, new) = (format!("{name} as copied"), format!("{name} as shipped"));
                    let diff = TextDiff::from_lines(then.as_str(), now);
                    diff.unified_diff().header(&old, &new).to_string()
                }
                _ => String::new(),
            };
            copies.push(Copy { family: family.clone(), file, standing, change });
        }
    }
    Ok(copies)
}

/// What a directory holds, sorted, without hidden files and editors' backups; nothing if it is not there.
fn names(directory: &Path) -> Result<Vec<String>, Failure> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::file(directory, &error)),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter(|name| !name.starts_with('.') && !name.ends_with('~')).collect();
    names.sort();
    Ok(names)
}

/// A text; `None` for what is not there or is a directory.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    if !path.is_file() {
        return Ok(None);
    }
    fs::read_to_string(path).map(Some).map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standings() {
        let check = |copy: &str, then: Option<&str>, now: Option<&str>, standing: &str| {
            let found = Standing::of(copy, then, now).map_or("", Standing::as_str);
            assert_eq!(found, standing, "{copy} {then:?} {now:?}");
        };
        check("mine", Some("a"), Some("a"), "same");
        check("mine", Some("a"), Some("b"), "changed");
        check("mine", Some("a"), None, "gone");
        check("mine", None, Some("a"), "unmarked");
        check("b", Some("a"), Some("b"), "identical");
        check("b", None, Some("b"), "identical");
        check("mine", None, None, "");
    }
}
