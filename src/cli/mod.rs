//! The commands, one file each.

mod lab;
mod serve;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::telemetry;

/// Brings desk phones up: DHCP, TFTP and HTTP that know phones, with every boot on record.
#[derive(Debug, Parser)]
#[command(name = "ringup", version)]
struct Ringup {
    /// The settings; else ./ringup.toml, else /etc/ringup/ringup.toml, else the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the appliance.
    Serve(serve::Serve),
    /// Runs the appliance and simulated phones on loopback, with throw-away state.
    Lab(lab::Lab),
}

/// Does what the command line says. The exit code is of `sysexits.h`.
#[must_use]
pub fn run() -> ExitCode {
    telemetry::log();
    let Ringup { config, command } = Ringup::parse();
    ExitCode::from(match command {
        Command::Serve(serve) => serve.run(config.as_deref()),
        Command::Lab(lab) => lab.run(),
    })
}
