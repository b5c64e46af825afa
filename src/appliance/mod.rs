//! Settings become an appliance: everything bound before anything runs, every task owned here, and all of it drained.

mod core;
mod history;
mod kernel;
mod summary;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{Id, JoinSet},
    time::timeout,
};

pub use self::{
    core::{Core, CoreError},
    summary::Summary,
};
use crate::{
    config::{DhcpMode, Settings},
    dhcp::{Dhcp, DhcpError},
    domain::Problem,
    http::{About, HttpError, Operators, OperatorsPort, Phones, Socket},
    observe::{ObserveError, Observer},
    tftp::{Tftp, TftpError},
};

/// How long transfers under way may take to end once the appliance is asked to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// The socket of the machine's appliance; another one has its socket in its state directory.
const SYSTEM_SOCKET: &str = "/run/ringup/api.sock";

/// Why an appliance does not start: one line, with the cure.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state directory can't be used.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// DHCP can't be served.
    #[error(transparent)]
    Dhcp(#[from] DhcpError),
    /// DHCP can't be observed.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// TFTP can't be served.
    #[error(transparent)]
    Tftp(#[from] TftpError),
    /// A port for phones or operators can't be served.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// A bound appliance that is not running yet.
#[derive(Debug)]
pub struct Appliance;

/// A running appliance. Dropping it ends it at once; [`Running::stop`] ends it in order.
#[derive(Debug)]
pub struct Running {
    /// What it knows.
    pub core: Core,
    /// Where operators are served.
    pub operators: Vec<SocketAddr>,
    /// Where phones are served by HTTP.
    pub phones: Vec<SocketAddr>,
    /// Where phones are served by TFTP.
    pub tftp: Vec<SocketAddr>,
    /// Where commands on this machine reach it.
    pub socket: PathBuf,
    stop: watch::Sender<bool>,
    carriers: JoinSet<()>,
    names: Vec<(Id, &'static str)>,
}

impl StartError {
    /// The exit code that says the same to a script (`sysexits.h`): 69 in use, 77 permission, 78 settings, 74 the rest.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Core(error) => error.exit_code(),
            Self::Dhcp(error) => error.exit_code(),
            Self::Observe(error) => error.exit_code(),
            Self::Tftp(error) => code_of(error.kind()),
            Self::Http(error) => match error {
                HttpError::InUse { .. } => 69,
                HttpError::Permission { .. } => 77,
                HttpError::NoSuchAddress { .. }
                | HttpError::NoPassword { .. }
                | HttpError::BadHash { .. } => 78,
                HttpError::Other { .. } => 74,
            },
        }
    }
}

/// Everything bound and nothing served yet: what fails, fails here, before a phone was answered.
struct Bound {
    dhcp: Option<Dhcp>,
    observer: Option<Observer>,
    tftp: Tftp,
    phones: Phones,
    operators: OperatorsPort,
    socket: (PathBuf, Socket),
}

impl Appliance {
    /// Binds everything that the settings ask for, then runs it.
    ///
    /// Needs a tokio runtime around it.
    ///
    /// # Errors
    ///
    /// The first thing that can't be had; nothing is left running.
    pub fn start(settings: Settings, warnings: Vec<Problem>) -> Result<Running, StartError> {
        let mut core = Core::open(settings)?;
        core.problems.splice(0..0, warnings);
        let bound = match Bound::bind(&core) {
            Ok(bound) => bound,
            Err(error) => {
                core.service.journal.close();
                return Err(error);
            }
        };
        let listed = core.service.view.read().phones.len();
        // A hint, not a fault: phones boot all the same, some later.
        for advice in kernel::advice(listed) {
            tracing::info!("{advice}");
        }
        Ok(bound.run(core))
    }
}

impl Bound {
    fn bind(core: &Core) -> Result<Self, StartError> {
        let Core { settings, service, counters, .. } = core;
        let service = || Arc::clone(service);
        let (dhcp, observer) = match settings.dhcp.mode {
            DhcpMode::Off => (None, None),
            DhcpMode::Serve => (Some(Dhcp::bind(service(), counters.clone())?), None),
            DhcpMode::Observe => (None, Some(Observer::open(service(), counters.clone())?)),
        };
        let tftp = Tftp::bind(&settings.tftp.listen, service(), counters.clone())?;
        let phones = Phones::bind(&settings.http.phones, service(), counters.clone())?;
        let http = &settings.http;
        let served = Operators::new(service(), counters.clone(), about(core));
        let operators = OperatorsPort::bind(
            &http.operators,
            served.clone(),
            http.password_hash.clone(),
            http.token.as_ref(),
            &http.hosts,
        )?;
        let path = socket_path(&settings.appliance.state);
        let socket = Socket::bind(&path, served)?;
        Ok(Self { dhcp, observer, tftp, phones, operators, socket: (path, socket) })
    }

    fn run(self, core: Core) -> Running {
        let (stop, stopping) = watch::channel(false);
        let mut running = Running {
            operators: self.operators.addresses(),
            phones: self.phones.addresses(),
            tftp: self.tftp.addresses(),
            socket: self.socket.0,
            core,
            stop,
            carriers: JoinSet::new(),
            names: Vec::new(),
        };
        if let Some(dhcp) = self.dhcp {
            running.spawn("DHCP", dhcp.serve(stopping.clone()));
        }
        if let Some(observer) = self.observer {
            running.spawn("the DHCP observer", observer.serve(stopping.clone()));
        }
        running.spawn("TFTP", self.tftp.serve(stopping.clone()));
        running.spawn("HTTP", self.phones.serve(stopping.clone()));
        running.spawn("the operators' port", self.operators.serve(stopping.clone()));
        running.spawn("the control socket", self.socket.1.serve(stopping.clone()));
        let journal = running.core.service.journal.clone();
        let keep = running.core.settings.appliance.history;
        running.spawn("the history", history::prune(journal, keep, stopping));
        running
    }
}

impl Running {
    fn spawn(&mut self, name: &'static str, carrier: impl Future<Output = ()> + Send + 'static) {
        let handle = self.carriers.spawn(carrier);
        self.names.push((handle.id(), name));
    }

    /// What is served where.
    #[must_use]
    pub const fn summary(&self) -> Summary<'_> {
        Summary(self)
    }

    /// Waits for a carrier to end although nobody asked it to, and tells which. Cancel-safe.
    ///
    /// A carrier that is gone leaves phones without an answer that only it can give, and half an appliance is harder to
    /// see than none: the caller stops, and whatever started ringup starts it anew.
    pub async fn failed(&mut self) -> &'static str {
        let ended = match self.carriers.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                tracing::error!(%error, "a carrier broke");
                error.id()
            }
            None => return "every carrier",
        };
        self.names.iter().find(|(id, _)| *id == ended).map_or("a carrier", |(_, name)| name)
    }

    /// Ends in order: nothing new is accepted, what runs may end within 5 s, everything recorded becomes fact.
    pub async fn stop(mut self) {
        // All receivers are in the carriers; one that ended already needs no word.
        let _ = self.stop.send(true);
        let drained = async { while self.carriers.join_next().await.is_some() {} };
        // Carriers that are still at it are aborted next: their transfers report themselves as failed when dropped.
        if timeout(DRAIN, drained).await.is_err() {
            tracing::info!("some transfers did not end in time");
            self.carriers.shutdown().await;
        }
        self.core.service.drain().await;
        let journal = self.core.service.journal.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || journal.close()).await {
            tracing::error!(%error, "the journal did not close");
        }
    }
}

/// What an operator should know all the time.
fn about(core: &Core) -> About {
    let mut notices = vec![summary::secrets(&core.settings).to_owned()];
    notices.extend(core.set_aside.as_deref().map(summary::set_aside));
    About { version: env!("CARGO_PKG_VERSION").to_owned(), notices }
}

/// What the system's answer means to a script.
const fn code_of(kind: io::ErrorKind) -> u8 {
    match kind {
        io::ErrorKind::AddrInUse => 69,
        io::ErrorKind::PermissionDenied => 77,
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::NotFound => 78,
        _ => 74,
    }
}

/// The control socket of an appliance with this state directory.
fn socket_path(state: &Path) -> PathBuf {
    let system = Path::new(SYSTEM_SOCKET);
    let usual = state == Settings::default().appliance.state;
    let there = system.parent().is_some_and(Path::is_dir);
    if usual && there { system.to_owned() } else { state.join("api.sock") }
}
