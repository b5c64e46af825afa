//! `ringup firmware`: the loads that phones can get.

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    client::{Client, Query},
    exit::{Done, Exit},
    output::{self, size, text},
    settings,
};

/// `ringup firmware …`.
#[derive(Debug, Subcommand)]
pub enum Firmware {
    /// List the files of the firmware directory by the names that phones ask for.
    List(List),
}

/// Options of `ringup firmware list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// One JSON document: {"items":[…]}.
    #[arg(long)]
    json: bool,
}

impl Firmware {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let Self::List(list) = self;
        let settings = settings::sound(config)?.loaded.settings;
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
}
