//! `ringup leases`: who holds which address, and leases of another server taken over.

mod import;
mod list;

use std::path::Path;

use clap::Subcommand;

use super::{client::Client, exit::Done, settings};

/// `ringup leases …`.
#[derive(Debug, Subcommand)]
pub enum Leases {
    /// List leases by address.
    List(list::List),
    /// Take over the leases of ISC dhcpd, Kea or dnsmasq, with a verdict on every one.
    Import(import::Import),
}

impl Leases {
    /// Runs it.
    pub fn run(self, config: Option<&Path>) -> Done {
        let client = Client::connect(settings::sound(config)?.loaded.settings)?;
        match self {
            Self::List(list) => list.run(&client),
            Self::Import(import) => import.run(&client),
        }
    }
}
