//! `ringup firmware`: the loads that phones can get.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    config::Settings,
    profile::Catalog,
    provision::{Library, Load, parcel},
};

use super::{
    client::{Client, Query},
    exit::{Done, Exit, Failure},
    output::{self, size, text},
    settings,
};

/// `ringup firmware …`.
#[derive(Debug, Subcommand)]
pub enum Firmware {
    /// List the files of the firmware directory by the names that phones ask for.
    List(List),
    /// Read the firmware directory and say of every load whether it is whole; 1 if one is not.
    ///
    /// A load is whole if all parts that it names are here, none is empty, and each has the SHA-256 that a SHA256SUMS or
    /// NAME.sha256 beside it gives.
    Verify(List),
    /// Unpack what a vendor ships (.zip, .cop.sgn, .cop.sha512, .tgz, or a single file) into the firmware directory.
    ///
    /// All of it is added or nothing. What no phone asks for is left out; an archive gets a folder of its own.
    Add(Add),
}

/// Options of `ringup firmware list` and `verify`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// One JSON document: {"items":[…]}.
    #[arg(long)]
    json: bool,
}

/// Options of `ringup firmware add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// What the vendor ships.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Firmware {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let sound = settings::sound(config)?;
        match self {
            Self::List(list) => self::list(&list, sound.loaded.settings),
            Self::Verify(list) => verify(&list, &sound.loaded.settings),
            Self::Add(add) => self::add(&add, &sound.loaded.settings),
        }
    }
}

fn list(list: &List, settings: Settings) -> Done {
    let directory = settings.appliance.firmware.clone();
    let items = Client::connect(settings)?.items("/api/v1/firmware", &Query::default())?;
    if list.json {
        output::json(&json!({ "items": items }))?;
        return Ok(Exit::Ok);
    }
    let mut table = output::table(["NAME", "SIZE"]);
    for item in &items {
        let bytes = item.get("bytes").and_then(Value::as_u64).unwrap_or_default();
        output::row(&mut table, [text(item, "/name"), size(bytes)]);
    }
    output::print(table, &format!("no firmware in {}", directory.display()))?;
    Ok(Exit::Ok)
}

/// Reads the directory itself: what an appliance that runs has read may be older.
fn verify(list: &List, settings: &Settings) -> Done {
    let directory = &settings.appliance.firmware;
    let (library, problems) = Library::load(Path::new("/nonexistent"), directory);
    let exit = if library.loads().iter().all(Load::is_whole) { Exit::Ok } else { Exit::Found };
    if list.json {
        let items: Vec<Value> = library.loads().iter().map(shown).collect();
        output::json(&json!({ "items": items }))?;
        return Ok(exit);
    }
    let mut table = output::table(["LOAD", "LAYOUT", "PARTS", "SIZE", ""]);
    for load in library.loads() {
        let faults: Vec<String> = load
            .faults()
            .map(|(part, fault)| format!("{}: {}", part.name, fault.as_str()))
            .collect();
        let summed = load.parts.iter().filter(|part| part.summed).count();
        let sound = match summed {
            0 => "whole".to_owned(),
            summed => format!("whole, SHA-256 of {summed} right"),
        };
        let told = if faults.is_empty() { sound } else { faults.join("; ") };
        let parts = load.parts.len().to_string();
        let row =
            [load.name.clone(), load.layout.as_str().to_owned(), parts, size(load.bytes()), told];
        output::row(&mut table, row);
    }
    output::print(table, &format!("no firmware in {}", directory.display()))?;
    for problem in problems {
        output::note(&problem.to_string());
    }
    Ok(exit)
}

fn shown(load: &Load) -> Value {
    let part = |part: &crate::provision::Part| {
        let fault = part.fault.map(crate::provision::Fault::as_str);
        json!({ "name": part.name, "bytes": part.bytes, "summed": part.summed, "fault": fault })
    };
    let parts: Vec<Value> = load.parts.iter().map(part).collect();
    let (name, layout) = (&load.name, load.layout.as_str());
    json!({ "name": name, "layout": layout, "whole": load.is_whole(), "bytes": load.bytes(), "parts": parts })
}

fn add(add: &Add, settings: &Settings) -> Done {
    let directory = &settings.appliance.firmware;
    let (catalog, _) = Catalog::load(Some(&settings.appliance.profiles));
    for file in &add.files {
        let added = parcel::add(file, directory, &catalog, parcel::Bounds::default())
            .map_err(|refused| refusal(file, &refused))?;
        for name in &added.known {
            output::line(&format!("{name} was here already"))?;
        }
        for name in &added.files {
            output::line(&format!("{name} is new"))?;
        }
        if added.left > 0 {
            output::line(&format!("{} files that no phone asks for were left out", added.left))?;
        }
        let (library, _) = Library::load(Path::new("/nonexistent"), directory);
        let mine = |load: &&Load| load.parts.iter().any(|part| is_new(&part.name, &added.files));
        for load in library.loads().iter().filter(mine) {
            let (parts, size) = (load.parts.len(), size(load.bytes()));
            let what = format!("{} ({}, {parts} parts, {size})", load.name, load.layout.as_str());
            output::line(&format!("load {what} can be had"))?;
        }
    }
    output::line("`ringup reload` puts it into force")?;
    Ok(Exit::Ok)
}

fn is_new(path: &str, files: &[String]) -> bool {
    let base = path.rsplit_once('/').map_or(path, |(_, base)| base);
    files.iter().any(|file| file == base)
}

fn refusal(file: &Path, refused: &parcel::Refused) -> Failure {
    let exit = match refused {
        parcel::Refused::Disk(_, error) if error.kind() == std::io::ErrorKind::NotFound => {
            Exit::NoInput
        }
        parcel::Refused::Disk(..) => Exit::Io,
        _ => Exit::Data,
    };
    Failure::new(exit, format!("{}: {refused}", file.display())).help("nothing was added")
}
