//! Settings for commands: read, checked, and joined with the families.

use std::path::Path;

use crate::{
    appliance::Fresh,
    config::{self, Loaded, Names},
    domain::{Problem, Severity},
    profile::Catalog,
};

use super::exit::{Exit, Failure};

/// Settings, the families that they speak of, and what was found on the way.
#[derive(Debug)]
pub struct Ready {
    /// The settings; names of vendors in them are families now.
    pub loaded: Loaded,
    /// The families, the operator's over the shipped ones.
    pub catalog: Catalog,
    /// Problems of the settings: warnings, and errors in names of families.
    pub problems: Vec<Problem>,
    /// Problems of profiles. What has errors is left out; the rest works.
    pub profiles: Vec<Problem>,
}

/// Why there are no settings.
#[derive(Debug)]
pub enum Unread {
    /// The file that was named is not there.
    Missing(Failure),
    /// They have errors.
    Problems(Vec<Problem>),
}

/// Reads settings and profiles, and tells every problem of either.
///
/// # Errors
///
/// [`Unread`]. Errors in profiles are in the result: the other families are there all the same.
pub fn gather(path: Option<&Path>) -> Result<Ready, Unread> {
    if let Some(path) = path.filter(|path| !path.exists()) {
        let text = format!("{}: there is no such file", path.display());
        return Err(Unread::Missing(Failure::new(Exit::NoInput, text)));
    }
    let mut loaded = config::load(path).map_err(Unread::Problems)?;
    let mut problems = std::mem::take(&mut loaded.warnings);
    let (catalog, profiles) = Catalog::load(Some(&loaded.settings.appliance.profiles));
    problems.extend(loaded.expand(&Families(&catalog)));
    Ok(Ready { loaded, catalog, problems, profiles })
}

/// [`gather`] for commands that end where there is nothing to read.
///
/// # Errors
///
/// Settings that can't be used: [`Exit::Config`]; [`Exit::NoInput`] if the file that was named is not there.
pub fn read(path: Option<&Path>) -> Result<Ready, Failure> {
    gather(path).map_err(|unread| match unread {
        Unread::Missing(failure) => failure,
        Unread::Problems(problems) => Failure::problems(&problems),
    })
}

/// The same for a command that needs whole settings; warnings and profiles are `ringup check`'s to tell.
///
/// # Errors
///
/// As [`read`], and for names of families that there are not.
pub fn sound(path: Option<&Path>) -> Result<Ready, Failure> {
    let ready = read(path)?;
    if ready.problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Failure::problems(&ready.problems));
    }
    Ok(ready)
}

/// What a running appliance reads anew: settings and families, if there is no error in either.
///
/// # Errors
///
/// Every problem, if one of them is an error. That a family is broken stops a reload, unlike a start: the family as it
/// was still serves its phones.
pub fn fresh(path: Option<&Path>) -> Result<Fresh, Vec<Problem>> {
    let Ready { loaded, catalog, mut problems, profiles } =
        gather(path).map_err(|unread| match unread {
            Unread::Missing(failure) => vec![Problem::error("", None, failure.text)],
            Unread::Problems(problems) => problems,
        })?;
    problems.extend(profiles);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    Ok(Fresh { loaded, catalog, warnings: problems })
}

/// The catalog as the settings see it.
struct Families<'a>(&'a Catalog);

impl Names for Families<'_> {
    fn families(&self, name: &str) -> Vec<String> {
        self.0.expand(name).into_iter().map(|family| family.name.as_str().to_owned()).collect()
    }

    fn is_model(&self, name: &str) -> bool {
        self.0.model(name).is_some()
    }

    fn all(&self) -> Vec<String> {
        self.0
            .families()
            .flat_map(|family| {
                let groups = family.also.iter().chain([&family.vendor]);
                let groups = groups.map(|name| name.to_lowercase());
                groups.chain([family.name.as_str().to_owned()])
            })
            .collect()
    }
}
