//! The command line: one file a command.
//!
//! Commands that read or change the state speak the operators' API through `client`: to a running appliance over its
//! socket, else to the same routes in this process. Exit codes are in `exit`.

mod backup;
mod bench;
mod check;
mod client;
mod dhcp_snippet;
mod exit;
mod firmware;
mod here;
mod identify;
mod input;
mod lab;
mod leases;
mod output;
mod password;
mod phones;
mod profiles;
mod reload;
mod render;
mod restore;
mod serve;
mod settings;
mod sim;
mod state;

pub use exit::{Exit, Failure};

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};

use crate::telemetry;

/// Brings desk phones up: DHCP, TFTP and HTTP that know phones, with every boot on record.
#[derive(Debug, Parser)]
#[command(
    name = "ringup",
    version,
    arg_required_else_help = true,
    after_help = "First steps:\n  \
        ringup lab                           see simulated phones boot, with nothing to set up\n  \
        sudo ringup bench eth1               boot real phones, with nothing to set up either
  \
        ringup check                         what is wrong with my settings, and how to mend it\n  \
        ringup phones import phones.csv --dry-run\n  \
        ringup serve                         bring the phones up\n\n\
        Exit codes: 0 done, 1 something worth a look was found, 64 usage, 65 bad data, 66 not found, 69 unavailable, \
        74 input or output, 77 permission, 78 settings."
)]
struct Cli {
    /// The settings; else ./ringup.toml, else /etc/ringup/ringup.toml, else the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the appliance.
    Serve(serve::Serve),
    /// Run a staging bench on one interface, with nothing to set up.
    Bench(bench::Bench),
    /// Run the appliance and simulated phones on loopback, with throw-away state.
    Lab(lab::Lab),
    /// Boot simulated phones against any server: load it, rehearse a rollout.
    Sim(Box<sim::Sim>),
    /// Read settings, profiles, firmware and inventory; print every problem with line and remedy.
    Check(check::Check),
    /// Put changed settings, profiles and files in force in the running appliance.
    Reload(reload::Reload),
    /// List, show and change phones.
    #[command(subcommand)]
    Phones(phones::Phones),
    /// Print exactly the bytes that a phone would get for a file name.
    Render(render::Render),
    /// Tell what a phone is from what it showed.
    Identify(identify::Identify),
    /// List, show and export phone families.
    #[command(subcommand)]
    Profiles(profiles::Profiles),
    /// Print classes and options for the DHCP server of a site that keeps its own.
    DhcpSnippet(dhcp_snippet::DhcpSnippet),
    /// List leases, and take over those of another server.
    #[command(subcommand)]
    Leases(leases::Leases),
    /// List firmware.
    #[command(subcommand)]
    Firmware(firmware::Firmware),
    /// Hash an operator's password for the settings.
    Password(password::Password),
    /// Look at the state directory.
    #[command(subcommand)]
    State(state::State),
    /// Write all state to one file.
    Backup(backup::Backup),
    /// Put the state of a backup in place.
    Restore(restore::Restore),
}

/// Runs the command line and tells how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let code = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => {
            // Help that was asked for goes to standard output; a closed pipe there is no failure.
            let _ = error.print();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok.code(),
                _ => Exit::Usage.code(),
            }
        }
    };
    ExitCode::from(code)
}

fn run(cli: Cli) -> u8 {
    let config = cli.config.as_deref();
    if let Err(error) = log(&cli.command) {
        output::note(&error.to_string());
        return Exit::Usage.code();
    }
    let done = match cli.command {
        Command::Serve(serve) => return serve.run(config),
        Command::Bench(bench) => return bench.run(config),
        Command::Lab(lab) => return lab.run(),
        Command::Sim(sim) => sim.run(config),
        Command::Check(check) => check.run(config),
        Command::Reload(reload) => reload.run(config),
        Command::Phones(phones) => phones.run(config),
        Command::Render(render) => render.run(config),
        Command::Identify(identify) => identify.run(config),
        Command::Profiles(profiles) => profiles.run(config),
        Command::DhcpSnippet(snippet) => snippet.run(config),
        Command::Leases(leases) => leases.run(config),
        Command::Firmware(firmware) => firmware.run(config),
        Command::Password(password) => password.run(),
        Command::State(state) => state.run(config),
        Command::Backup(backup) => backup.run(config),
        Command::Restore(restore) => restore.run(config),
    };
    match done {
        Ok(exit) => exit.code(),
        Err(failure) => {
            output::note(&failure.text);
            failure.exit.code()
        }
    }
}

/// Starts logging. A command that is no service says what it has to say; its log is for faults, unless
/// `RINGUP_LOG` asks for more.
fn log(command: &Command) -> Result<(), telemetry::FilterError> {
    let quiet = !matches!(command, Command::Serve(_)) && std::env::var_os("RINGUP_LOG").is_none();
    telemetry::init(false, quiet.then_some("warn"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    /// Every argument and every group hangs together, and every command teaches.
    #[test]
    fn the_command_line_is_sound() {
        let command = super::Cli::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            assert!(sub.get_about().is_some(), "{}", sub.get_name());
            for sub in sub.get_subcommands() {
                assert!(sub.get_about().is_some(), "{}", sub.get_name());
            }
        }
    }
}
