//! Where log lines go.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Sends log lines to stderr: `RINGUP_LOG` chooses which (`debug`, `ringup::tftp=debug,info`), by default `info`.
///
/// Without colours where stderr is no terminal, and without times under systemd, whose journal has its own.
/// Calling it again changes nothing.
pub fn log() {
    let filter = EnvFilter::try_from_env("RINGUP_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // An error means that a subscriber is set already, as in tests.
    let _ = if std::env::var_os("JOURNAL_STREAM").is_some() {
        lines.without_time().try_init()
    } else {
        lines.try_init()
    };
}
