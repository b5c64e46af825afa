//! `ringup state`: what lies in the state directory.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use crate::store::{self, Compacted};

use super::{
    exit::{Done, Exit},
    output, settings,
};

/// `ringup state …`.
#[derive(Debug, Subcommand)]
pub enum State {
    /// Read every row of the store and tell what is damaged. Changes nothing; the appliance must be stopped.
    Check(Check),
    /// Measure the store, and what was set aside. Works beside a running appliance.
    Size(Size),
    /// Write the store anew, without the room that it keeps for what is gone. The appliance must be stopped.
    Compact(Compact),
}

/// Options of `ringup state compact`.
#[derive(Debug, clap::Args)]
pub struct Compact {
    /// One JSON document.
    #[arg(long)]
    json: bool,
}

/// Options of `ringup state check`.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// One JSON document.
    #[arg(long)]
    json: bool,
}

/// Options of `ringup state size`.
#[derive(Debug, clap::Args)]
pub struct Size {
    /// One JSON document.
    #[arg(long)]
    json: bool,
}

impl State {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let directory = settings::sound(config)?.loaded.settings.appliance.state;
        match self {
            Self::Check(check) => check.run(&directory),
            Self::Size(size) => size.run(&directory),
            Self::Compact(compact) => compact.run(&directory),
        }
    }
}

impl Compact {
    fn run(&self, directory: &Path) -> Done {
        let Compacted { before, after } = store::compact(directory)?;
        if self.json {
            output::json(&json!({ "state": directory, "before": before, "after": after }))?;
        } else {
            let (before, after) = (output::size(before), output::size(after));
            output::line(&format!("{}  {before} before, {after} now", directory.display()))?;
        }
        Ok(Exit::Ok)
    }
}

impl Check {
    fn run(&self, directory: &Path) -> Done {
        let checked = store::check(directory)?;
        if self.json {
            output::json(&json!({
                "state": directory, "commit": checked.commit, "phones": checked.phones, "listed": checked.listed,
                "leases": checked.leases, "quarantine": checked.quarantine, "numbers": checked.numbers,
                "events": checked.events, "damage": checked.damage,
            }))?;
        } else {
            output::line(&format!(
                "{}: commit {}, {} phones ({} listed), {} leases, {} numbers given away, {} events",
                directory.display(),
                checked.commit,
                checked.phones,
                checked.listed,
                checked.leases,
                checked.numbers,
                checked.events
            ))?;
        }
        checked.damage.iter().for_each(|damage| output::note(&format!("damaged: {damage}")));
        Ok(if checked.damage.is_empty() { Exit::Ok } else { Exit::Data })
    }
}

impl Size {
    fn run(&self, directory: &Path) -> Done {
        let size = store::size(directory)?;
        if self.json {
            let aside: Vec<_> = size
                .set_aside
                .iter()
                .map(|(path, bytes)| json!({ "path": path, "bytes": bytes }))
                .collect();
            output::json(&json!({ "state": directory, "bytes": size.store, "set-aside": aside }))?;
            return Ok(Exit::Ok);
        }
        output::line(&format!("{}  {}", directory.display(), output::size(size.store)))?;
        for (path, bytes) in &size.set_aside {
            output::line(&format!("{}  {} (set aside)", path.display(), output::size(*bytes)))?;
        }
        Ok(Exit::Ok)
    }
}
