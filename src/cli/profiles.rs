//! `ringup profiles`: the phone families, and how to change one.

use std::{fmt::Write, path::Path};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    domain::Severity,
    profile::{Catalog, Family},
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
}

/// Options of `ringup profiles list`.
#[derive(Debug, clap::Args)]
pub struct List {
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
        }
    }
}

impl List {
    fn run(&self, catalog: &Catalog) -> Done {
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
        output::print(&table, "no families")?;
        Ok(Exit::Ok)
    }
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
        "resync": family.resync, "sources": family.sources, "unverified": family.unverified,
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
        let _ = writeln!(out, "    {}  {}{required}{normal}{from}", file.name, file.role.as_str());
        if !file.note.is_empty() {
            let _ = writeln!(out, "      {}", file.note);
        }
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
