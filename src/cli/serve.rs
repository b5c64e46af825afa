//! `ringup serve`: runs the appliance until it is asked to stop.

use std::{
    io,
    path::{Path, PathBuf},
    process,
};

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use sd_notify::NotifyState;

use crate::{
    appliance::{Appliance, Late, Plan, Reread},
    domain::Severity,
    provision::{Reload, Unloaded},
};

use super::{exit::Exit, settings};

/// Exit code of a run that a second signal cut short: as a shell tells an interrupt.
const INTERRUPTED: i32 = 130;

/// Options of `ringup serve`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup check && sudo ringup serve            with /etc/ringup/ringup.toml\n  \
    ringup serve --config bench.toml             with settings of your own\n  \
    RINGUP_LOG=debug ringup serve                with every packet in the log\n\n\
    Without settings it serves TFTP on port 69, HTTP on ports 80 and 6970, the page on 127.0.0.1:8080, and no DHCP.\n\
    SIGTERM and ctrl-C stop it; transfers under way get 5 s to end. SIGHUP reads the settings anew (`ringup reload`).\n\n\
    An interface that does not exist or has no address ends the start with 78, unless --wait is given or systemd starts \
    it: then it is waited for, and said so. Once it runs, an interface that goes away is waited for in either case.\n\n\
    Exit codes: 0 stopped, 66 no such settings, 69 a port or the state directory is in use, 70 a part of it broke, \
    74 input or output, 77 permission, 78 settings, or no such interface.")]
pub struct Serve {
    /// Wait for interfaces that are not there yet.
    #[arg(long)]
    wait: bool,
}

impl Serve {
    /// Runs the appliance to its end.
    ///
    /// Exit codes: 0 stopped; 66 no such settings; 69 port or state directory in use; 70 a carrier broke; 74 I/O;
    /// 77 permission; 78 settings, or an interface that is not there.
    #[must_use]
    pub fn run(&self, path: Option<&Path>) -> u8 {
        let plan = match self.plan(path) {
            Ok(plan) => plan,
            Err(failure) => {
                // A problem in a file begins with its place; what is no problem in a file, with our name.
                let ours = if failure.exit == Exit::Config { "" } else { "ringup: " };
                eprintln!("{ours}{}", failure.text);
                return failure.exit.code();
            }
        };
        match runtime() {
            Ok(runtime) => runtime.block_on(serve(plan)),
            Err(error) => {
                eprintln!("ringup: {error}");
                74
            }
        }
    }

    fn plan(&self, path: Option<&Path>) -> Result<Plan, super::Failure> {
        let ready = settings::sound(path)?;
        // Nobody is there to correct a name when the machine boots, and interfaces come when they come.
        let waits = self.wait || std::env::var_os("NOTIFY_SOCKET").is_some();
        let path: Option<PathBuf> = path.map(Path::to_owned);
        Ok(Plan {
            settings: ready.loaded.settings,
            written: ready.loaded.written,
            path: ready.loaded.path,
            families: Some((ready.catalog, ready.profiles)),
            warnings: ready.problems,
            late: if waits { Late::Wait } else { Late::Refuse },
            // A site has its own; whoever else answered would contradict them.
            services: None,
            reread: Some(Reread::new(move || settings::fresh(path.as_deref()))),
        })
    }
}

async fn serve(plan: Plan) -> u8 {
    // First of all, so that a signal during the start is not lost.
    let mut stop = Stop::listen();
    let hangup = signal(SignalKind::hangup());
    let mut running = match Appliance::run(plan) {
        Ok(running) => running,
        Err(error) => {
            eprintln!("ringup: {error}");
            return error.exit_code();
        }
    };
    eprint!("{}", running.summary());
    tell_systemd(&[NotifyState::Ready]);
    if let Ok(hangup) = hangup {
        // Ends with the runtime.
        tokio::spawn(reloads(hangup, running.reloads()));
    }
    let code = tokio::select! {
        // Both only watch; nothing is lost with the one that is dropped.
        () = stop.asked() => 0,
        name = running.failed() => {
            tracing::error!("{name} has ended although nobody asked it to: stopping");
            70
        }
    };
    tell_systemd(&[NotifyState::Stopping]);
    tokio::select! {
        () = running.stop() => code,
        // Dropping `stop()` half-way loses progress reports at most: what was acknowledged is on disk already.
        () = stop.asked() => process::exit(INTERRUPTED),
    }
}

/// Reads the settings anew at each SIGHUP. Nobody waits for the outcome, so the log has all of it.
async fn reloads(mut hangup: Signal, reload: Reload) {
    while hangup.recv().await.is_some() {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell_systemd(&[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!(%error, "systemd was not told"),
        }
        match reload.ask(false).await {
            Ok(done) => {
                done.changes.iter().for_each(|one| tracing::info!(key = one.key, "changed"));
                done.restart.iter().for_each(|text| tracing::warn!("needs a restart: {text}"));
            }
            Err(Unloaded::Problems(problems)) => {
                let errors = problems.iter().filter(|one| one.severity == Severity::Error).count();
                for problem in &problems {
                    eprintln!("{problem}");
                }
                tracing::error!(errors, "the settings were not taken: nothing has changed");
            }
            Err(Unloaded::Busy) => tracing::warn!("another reload is under way"),
        }
        tell_systemd(&[NotifyState::Ready]);
    }
}

/// Without systemd there is nobody to tell, and that is no fault.
fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
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

    /// Takes SIGHUP over too: for what a terminal that is closed must not leave behind.
    pub(super) fn and_hangup(mut self) -> Self {
        self.0.extend(signal(SignalKind::hangup()).ok());
        self
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
