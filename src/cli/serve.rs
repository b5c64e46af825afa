//! `ringup serve`: runs the appliance until it is asked to stop.

use std::{io, path::Path, process};

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use crate::appliance::Appliance;

use super::{
    exit::Exit,
    settings::{self, Ready},
};

/// Exit code of a run that a second signal cut short: as a shell tells an interrupt.
const INTERRUPTED: i32 = 130;

/// Options of `ringup serve`: none but the common ones.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup check && sudo ringup serve            with /etc/ringup/ringup.toml\n  \
    ringup serve --config bench.toml             with settings of your own\n  \
    RINGUP_LOG=debug ringup serve                with every packet in the log\n\n\
    Without settings it serves TFTP on port 69, HTTP on ports 80 and 6970, the page on 127.0.0.1:8080, and no DHCP.\n\
    SIGTERM and ctrl-C stop it; transfers under way get 5 s to end.\n\n\
    Exit codes: 0 stopped, 66 no such settings, 69 a port or the state directory is in use, 70 a part of it broke, \
    74 input or output, 77 permission, 78 settings, or no such interface.")]
pub struct Serve {}

impl Serve {
    /// Runs the appliance to its end.
    ///
    /// Exit codes: 0 stopped; 66 no such settings; 69 port or state directory in use; 70 a carrier broke; 74 I/O;
    /// 77 permission; 78 settings, or an interface that is not there.
    #[must_use]
    #[expect(
        clippy::unused_self,
        reason = "commands are run alike, whether they have options or not"
    )]
    pub fn run(&self, path: Option<&Path>) -> u8 {
        // Joined with the families, or `for.VENDOR` would stand for none of them.
        let ready = match settings::sound(path) {
            Ok(ready) => ready,
            Err(failure) => {
                // A problem in a file begins with its place; what is no problem in a file, with our name.
                let ours = if failure.exit == Exit::Config { "" } else { "ringup: " };
                eprintln!("{ours}{}", failure.text);
                return failure.exit.code();
            }
        };
        match runtime() {
            Ok(runtime) => runtime.block_on(serve(ready)),
            Err(error) => {
                eprintln!("ringup: {error}");
                74
            }
        }
    }
}

async fn serve(ready: Ready) -> u8 {
    // First of all, so that a signal during the start is not lost.
    let mut stop = Stop::listen();
    let mut running = match Appliance::start(ready.loaded.settings, ready.problems) {
        Ok(running) => running,
        Err(error) => {
            eprintln!("ringup: {error}");
            return error.exit_code();
        }
    };
    eprint!("{}", running.summary());
    tell_systemd(sd_notify::NotifyState::Ready);
    let code = tokio::select! {
        // Both only watch; nothing is lost with the one that is dropped.
        () = stop.asked() => 0,
        name = running.failed() => {
            tracing::error!("{name} has ended although nobody asked it to: stopping");
            70
        }
    };
    tell_systemd(sd_notify::NotifyState::Stopping);
    tokio::select! {
        () = running.stop() => code,
        // Dropping `stop()` half-way loses progress reports at most: what was acknowledged is on disk already.
        () = stop.asked() => process::exit(INTERRUPTED),
    }
}

/// Without systemd there is nobody to tell, and that is no fault.
fn tell_systemd(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// A runtime with a thread a core.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub(super) struct Stop(Vec<Signal>);

impl Stop {
    /// Takes both signals over from the kernel's own handling.
    pub(super) fn listen() -> Self {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt()];
        // A signal that can't be taken over still ends the process, only without draining.
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Returns at each of them. Cancel-safe: a signal that came while nobody waited is told next time.
    pub(super) async fn asked(&mut self) {
        std::future::poll_fn(|context| {
            let asked = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if asked { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}
