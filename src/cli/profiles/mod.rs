//! `ringup profiles`: the phone families, and how to change one.

mod diff;

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    domain::{Role, Severity},
    profile::{Catalog, Family, Model, shipped_files},
};

use super::{
    exit::{Done, Exit, Failure},
    output, settings,
};

/// `ringup profiles …`.
#[derive(Debug, Subcommand)]
pub enum Profiles {
    /// List the families.
    List(List),
    /// Show what a family asks for, in which order, and where the facts come from.
    Show(Show),
    /// Copy files of a shipped family to the operator's profiles, to be changed there.
    Export(Export),
    /// Show which copies have an original that changed since they were exported, and how.
    Diff(diff::Diff),
}

/// Options of `ringup profiles export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup profiles export yealink-desk phone.cfg.j2     then change the copy: it wins over the shipped one\n  \
    ringup profiles export poly-vvx --stdout | less\n\n\
    Copy only what is to be changed: a copy no longer changes with ringup itself. The original is kept beside it, hidden, \
    so that after an upgrade `ringup profiles diff` shows what changed.")]
pub struct Export {
    /// The family.
    family: String,
    /// One file of it; else all.
    file: Option<String>,
    /// Print it instead.
    #[arg(long)]
    stdout: bool,
}

/// Options of `ringup profiles list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// List the models of all families instead: what the column `model` of a list of phones may say.
    #[arg(long)]
    models: bool,
    /// One JSON document: {"items":[…]}.
    #[arg(long)]
    json: bool,
}

/// Options of `ringup profiles show`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  ringup profiles show yealink-desk\n  ringup profiles show cisco     all of a vendor's"
)]
pub struct Show {
    /// A family or a vendor.
    family: String,
    /// One JSON document: {"items":[…]}.
    #[arg(long)]
    json: bool,
}

impl Profiles {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let ready = settings::read(config)?;
        // A family of the operator's with a mistake in it must not hide the others.
        let errors = ready.profiles.iter().filter(|problem| problem.severity == Severity::Error);
        for problem in errors {
            output::note(&problem.to_string());
        }
        match self {
            Self::List(list) => list.run(&ready.catalog),
            Self::Show(show) => show.run(&ready.catalog),
            Self::Export(export) => export.run(&ready.loaded.settings.appliance.profiles),
            Self::Diff(diff) => diff.run(&ready.loaded.settings.appliance.profiles),
        }
    }
}

impl List {
    fn run(&self, catalog: &Catalog) -> Done {
        if self.models {
            return models(catalog, self.json);
        }
        if self.json {
            let items: Vec<Value> = catalog.families().map(view).collect();
            output::json(&json!({ "items": items }))?;
            return Ok(Exit::Ok);
        }
        let mut table = output::table(["FAMILY", "VENDOR", "MODELS", "FILES", "WHAT"]);
        for family in catalog.families() {
            let files = if family.provisions {
                family.files.len().to_string()
            } else {
                "recognized only".to_owned()
            };
            let row = [
                family.name.to_string(),
                family.vendor.clone(),
                family.models.len().to_string(),
                files,
                family.title.clone(),
            ];
            output::row(&mut table, row);
        }
        output::print(table, "no families")?;
        Ok(Exit::Ok)
    }
}

/// Every model with its family and its other spellings.
fn models(catalog: &Catalog, json: bool) -> Done {
    let all = || catalog.families().flat_map(|it| it.models.values().map(move |model| (it, model)));
    if json {
        let view = |(family, model): (&Family, &Model)| {
            json!({
                "model": model.name, "also": model.aliases, "family": family.name.as_str(),
                "vendor": family.vendor, "provisions": family.provisions, "lines": model.lines,
            })
        };
        output::json(&json!({ "items": all().map(view).collect::<Vec<_>>() }))?;
        return Ok(Exit::Ok);
    }
    let mut table = output::table(["MODEL", "FAMILY", "ALSO SPELT"]);
    for (family, model) in all() {
        let files = if family.provisions { "" } else { " (recognized only)" };
        let row = [model.name.clone(), format!("{}{files}", family.name), model.aliases.join(", ")];
        output::row(&mut table, row);
    }
    output::print(table, "no models")?;
    Ok(Exit::Ok)
}

impl Show {
    fn run(&self, catalog: &Catalog) -> Done {
        let families = catalog.expand(&self.family);
        if families.is_empty() {
            let text = format!("no family or vendor is called `{}`", self.family);
            return Err(Failure::new(Exit::NoInput, text)
                .help("`ringup profiles list` shows what there is"));
        }
        if self.json {
            let items: Vec<Value> = families.into_iter().map(view).collect();
            output::json(&json!({ "items": items }))?;
        } else {
            let texts: Vec<String> = families.into_iter().map(told).collect();
            output::line(texts.join("\n").trim_end())?;
        }
        Ok(Exit::Ok)
    }
}

impl Export {
    fn run(&self, profiles: &Path) -> Done {
        let mut files = shipped_files(&self.family);
        if files.is_empty() {
            let text = format!("no shipped family is called `{}`", self.family);
            return Err(Failure::new(Exit::NoInput, text)
                .help("`ringup profiles list` shows what there is"));
        }
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        files.retain(|(name, _)| self.file.as_ref().is_none_or(|file| file == name));
        if files.is_empty() {
            let text = format!("{} has no such file", self.family);
            return Err(
                Failure::new(Exit::NoInput, text).help(format!("it has {}", names.join(", ")))
            );
        }
        let folder = profiles.join(&self.family);
        for (name, text) in &files {
            if self.stdout {
                output::bytes(text.as_bytes())?;
            } else {
                copy(&folder, name, text)?;
            }
        }
        Ok(Exit::Ok)
    }
}

/// Writes a copy; one that is there already is the operator's work and stays.
fn copy(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = folder.join(name);
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    let mut file = File::create_new(&path).map_err(|error| Failure::file(&path, &error))?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::file(&path, &error))?;
    let marker = diff::marker(folder, name);
    fs::write(&marker, text).map_err(|error| Failure::file(&marker, &error))?;
    output::line(&path.display().to_string())?;
    Ok(())
}

/// A family in JSON, as the API has it.
fn view(family: &Family) -> Value {
    let files: Vec<Value> = family
        .files
        .iter()
        .map(|file| {
            json!({
                "name": file.name, "role": file.role.as_str(), "required": file.required,
                "template": file.template, "note": file.note,
            })
        })
        .collect();
    json!({
        "family": family.name.as_str(), "vendor": family.vendor, "title": family.title,
        "provisions": family.provisions, "models": family.models.keys().collect::<Vec<_>>(), "files": files,
        "resync": family.resync, "reset": family.reset, "sources": family.sources, "unverified": family.unverified,
    })
}

/// A family for a reader. Writing to a string can't fail.
fn told(family: &Family) -> String {
    let mut out = format!("{} ({}): {}\n", family.name, family.vendor, family.title);
    if !family.provisions {
        out.push_str("  recognized, not provisioned in this version\n");
    }
    let models: Vec<&str> = family.models.keys().map(String::as_str).collect();
    let _ = writeln!(out, "  models    {}", models.join(", "));
    if !family.files.is_empty() {
        out.push_str("  files, in the order in which a phone asks for them\n");
    }
    for file in &family.files {
        let required = if file.required { ", required" } else { "" };
        let from =
            file.template.as_ref().map_or_else(String::new, |template| format!(" from {template}"));
        let normal = if file.normal.miss { ", a miss is normal" } else { "" };
        let made = file.template.is_some() || !matches!(file.role, Role::Own | Role::Fallback);
        let from =
            if made { from } else { ", not made: the operator's own file of that name".into() };
        let _ = writeln!(out, "    {}  {}{required}{normal}{from}", file.name, file.role.as_str());
        if !file.note.is_empty() {
            let _ = writeln!(out, "      {}", file.note);
        }
    }
    if family.provisions {
        let told = |text: &str| {
            if text.is_empty() { "not documented".to_owned() } else { text.to_owned() }
        };
        let _ = writeln!(out, "  factory settings\n    {}", told(&family.reset));
        let resets = family.models.values().filter_map(|it| Some((&it.name, it.reset.as_ref()?)));
        for (model, keys) in resets {
            let _ = writeln!(out, "    {model}: {keys}");
        }
        let _ = writeln!(out, "  its MAC in an address\n    {}", told(&family.mac_macro));
    }
    for (title, lines) in
        [("not confirmed by any source", &family.unverified), ("sources", &family.sources)]
    {
        if !lines.is_empty() {
            let _ = writeln!(out, "  {title}\n    {}", lines.join("\n    "));
        }
    }
    out
}
