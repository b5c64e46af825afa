//! `ringup phones`: the inventory and what became of it.

mod accept;
mod export;
mod forget;
mod import;
mod list;
mod replace;
mod resync;
mod set;
mod show;
mod undo;
mod watch;

use std::path::Path;

use clap::Subcommand;

use crate::{domain::Mac, provision::inventory};

use super::{
    client::Client,
    exit::{Done, Failure},
    output, settings,
};

/// `ringup phones …`.
#[derive(Debug, Subcommand)]
pub enum Phones {
    /// List phones, listed or seen, with the stage of each.
    List(list::List),
    /// Show one phone: what is listed, what it is, where it is in its boot, and why it is stuck.
    Show(show::Show),
    /// List a phone or change fields of its entry.
    Set(set::Set),
    /// List phones from a CSV file, with a verdict on every row.
    Import(import::Import),
    /// Put another phone in the place of a dead one.
    Replace(replace::Replace),
    /// Accept the repair that a finding proposes.
    Accept(accept::Accept),
    /// Make phones come again, to read their files anew: one, or many at a rate.
    Resync(resync::Resync),
    /// Print all entries as CSV or JSON, or their SIP accounts for a PBX.
    Export(export::Export),
    /// Forget phones: their entries and what they did. Their numbers stay theirs.
    Forget(forget::Forget),
    /// Take the last import, replacement or accepted repair back.
    Undo(undo::Undo),
    /// The board in this terminal, live; into a pipe a line for each change.
    Watch(watch::Watch),
}

impl Phones {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let ready = settings::sound(config)?;
        let settings = ready.loaded.settings;
        let client = || Client::connect(settings.clone());
        match self {
            Self::List(list) => list.run(&client()?),
            Self::Show(show) => show.run(&client()?),
            Self::Set(set) => set.run(&client()?, &ready.catalog),
            Self::Import(import) => import.run(&client()?),
            Self::Replace(replace) => replace.run(&client()?),
            Self::Accept(accept) => accept.run(&client()?),
            // Only an appliance that runs has a place that phones can answer to.
            Self::Resync(resync) => resync.run(&settings),
            Self::Export(export) => export.run(&client()?),
            Self::Forget(forget) => forget.run(&client()?),
            Self::Undo(undo) => undo.run(&client()?),
            // There is news only where an appliance runs.
            Self::Watch(watch) => watch.run(&settings),
        }
    }
}

/// Where the API has a phone.
fn place(mac: Mac) -> String {
    format!("/api/v1/phones/{}", super::client::part(&mac.to_string()))
}

/// What an entry asks for and its phone's files can't say, each in one sentence.
///
/// # Errors
///
/// As [`Client::json`].
pub fn oddities(client: &Client, mac: &str) -> Result<Vec<String>, Failure> {
    let files = client.json(&format!("/api/v1/phones/{}/files", super::client::part(mac)))?;
    let odd = output::list(&files, "/oddities");
    Ok(odd.iter().map(|odd| output::text(odd, "")).collect())
}

/// A MAC as typed or scanned, for clap.
pub fn mac(text: &str) -> Result<Mac, String> {
    inventory::mac(text).map_err(|fault| fault.to_string())
}

/// What a phone's JSON says of its flags, in one cell.
fn flags(phone: &serde_json::Value) -> String {
    let set = |flag: &&str| phone.get(*flag) == Some(&serde_json::Value::Bool(true));
    let mut flags: Vec<&str> =
        ["ready", "stuck", "looping", "away"].into_iter().filter(set).collect();
    // Not ours to bring up: shown where the eye looks for what is wrong.
    flags.extend(phone.get("elsewhere").map(|_| "elsewhere"));
    flags.join(" ")
}
