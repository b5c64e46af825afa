//! Settings become an appliance: everything bound before anything runs, every task owned here, and all of it drained.

mod bench;
mod core;
mod history;
mod kernel;
mod listeners;
mod pools;
mod reload;
mod stamps;
mod summary;
mod ticks;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::{Id, JoinSet},
    time::timeout,
};

pub use self::{
    core::{Core, CoreError},
    kernel::{Advice, advice},
    reload::{Fresh, Reread},
    summary::Summary,
};
use self::{listeners::Listeners, stamps::Stamps};
pub use crate::dhcp::Late;
pub use crate::services::{Names, Place};
use crate::{
    config::{Settings, Written},
    dhcp::{Dhcp, DhcpError},
    domain::Problem,
    http::{About, HttpError, Operators, Socket},
    observe::{ObserveError, Observer},
    profile::Catalog,
    provision::{Ask, Reload},
    services::{Services, ServicesError},
    sip::Notifier,
    tftp::TftpError,
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
    /// Time or names can't be told.
    #[error(transparent)]
    Services(#[from] ServicesError),
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
    /// What else phones are told: time, names.
    pub services: Vec<&'static str>,
    /// Where commands on this machine reach it.
    pub socket: PathBuf,
    stop: watch::Sender<bool>,
    carriers: JoinSet<()>,
    /// What must not end by itself; a listener that was closed is out of it.
    names: Vec<(Id, &'static str)>,
    listeners: Listeners,
    /// Where reloads are asked for, and how to ask.
    asks: mpsc::Receiver<Ask>,
    ask: Reload,
    plan: Standing,
}

/// What an appliance is started with.
#[derive(Debug)]
pub struct Plan {
    /// The settings.
    pub settings: Settings,
    /// As they were written.
    pub written: Written,
    /// Where they were read; `None` where the defaults hold.
    pub path: Option<PathBuf>,
    /// The families; `None` reads them from where the settings say.
    pub families: Option<(Catalog, Vec<Problem>)>,
    /// What is wrong with the settings, warnings only.
    pub warnings: Vec<Problem>,
    /// What to do about an interface that is not there yet.
    pub late: Late,
    /// Where time and names are told, if nobody else tells them.
    pub services: Option<Place>,
    /// Reads all of that anew; `None` if it is to stay as it is.
    pub reread: Option<Reread>,
}

/// What the next reload is compared with.
#[derive(Debug)]
struct Standing {
    written: Written,
    stamps: Stamps,
    late: Late,
    reread: Option<Reread>,
}

impl StartError {
    /// The exit code that says the same to a script (`sysexits.h`): 69 in use, 77 permission, 78 settings, 74 the rest.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Core(error) => error.exit_code(),
            Self::Dhcp(error) => error.exit_code(),
            Self::Observe(error) => error.exit_code(),
            Self::Services(error) => error.exit_code(),
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
    dhcp: Dhcp,
    observer: Observer,
    listeners: Listeners,
    services: Option<Services>,
    socket: (PathBuf, Socket),
}

impl Plan {
    /// These settings, for good.
    #[must_use]
    pub fn new(settings: Settings, warnings: Vec<Problem>) -> Self {
        let (written, families, late) = (Written::default(), None, Late::Refuse);
        let path = None;
        Self { settings, written, path, families, warnings, late, services: None, reread: None }
    }
}

impl Appliance {
    /// [`Appliance::run`] with these settings, for good.
    ///
    /// # Errors
    ///
    /// As [`Appliance::run`].
    pub fn start(settings: Settings, warnings: Vec<Problem>) -> Result<Running, StartError> {
        Self::run(Plan::new(settings, warnings))
    }

    /// Binds everything that the settings ask for, then runs it.
    ///
    /// Needs a tokio runtime around it.
    ///
    /// # Errors
    ///
    /// The first thing that can't be had; nothing is left running.
    pub fn run(plan: Plan) -> Result<Running, StartError> {
        let Plan { settings, written, path, families, warnings, late, services, reread } = plan;
        let mut core = match families {
            Some((catalog, problems)) => Core::with(settings, catalog, problems)?,
            None => Core::open(settings)?,
        };
        core.problems.splice(0..0, warnings);
        core.path = path;
        let (ask, asks) = Reload::channel();
        let bound = match Bound::bind(&core, &ask, late, services) {
            Ok(bound) => bound,
            Err(error) => {
                core.service.journal.close();
                return Err(error);
            }
        };
        let listed = core.service.view.read().phones.len();
        // A hint, not a fault: phones boot all the same, some later.
        for advice in advice(listed) {
            tracing::info!("{advice}");
        }
        core.service.notices.set("secrets", summary::notice(&core.settings));
        let stamps = Stamps::of(&core.settings.appliance);
        Ok(bound.run(core, (ask, asks), Standing { written, stamps, late, reread }))
    }
}

impl Bound {
    fn bind(
        core: &Core,
        ask: &Reload,
        late: Late,
        services: Option<Place>,
    ) -> Result<Self, StartError> {
        let Core { settings, service, counters, .. } = core;
        let dhcp = Dhcp::bind(Arc::clone(service), counters.clone(), late)?;
        let wait = late == Late::Wait;
        let observer = Observer::open(Arc::clone(service), counters.clone(), wait)?;
        let served = Operators::new(Arc::clone(service), counters.clone(), about(core));
        let served = served.reloading(ask.clone());
        let listeners = Listeners::bind(core, served.clone())?;
        let services = services.map(|place| Services::bind(place, counters.clone())).transpose()?;
        let path = socket_path(&settings.appliance.state);
        let socket = Socket::bind(&path, served)?;
        Ok(Self { dhcp, observer, listeners, services, socket: (path, socket) })
    }

    fn run(
        self,
        core: Core,
        (ask, asks): (Reload, mpsc::Receiver<Ask>),
        plan: Standing,
    ) -> Running {
        let (stop, stopping) = watch::channel(false);
        let mut running = Running {
            operators: Vec::new(),
            phones: Vec::new(),
            tftp: Vec::new(),
            services: Vec::new(),
            socket: self.socket.0,
            core,
            stop,
            carriers: JoinSet::new(),
            names: Vec::new(),
            listeners: self.listeners,
            asks,
            ask,
            plan,
        };
        running.spawn("DHCP", self.dhcp.serve(stopping.clone()));
        running.spawn("the DHCP observer", self.observer.serve(stopping.clone()));
        running.serve_listeners();
        running.spawn("the control socket", self.socket.1.serve(stopping.clone()));
        if let Some(services) = self.services {
            let missing = services.missing();
            running
                .core
                .service
                .notices
                .set("services", (!missing.is_empty()).then(|| missing.join("\n")));
            running.services = services.told();
            running.spawn("time and names", services.serve(stopping.clone()));
        }
        let (notifier, orders) = Notifier::new(Arc::clone(&running.core.service));
        running.core.service.join_resync(Box::new(orders));
        running.spawn("what asks phones to come again", notifier.serve(stopping.clone()));
        let service = Arc::clone(&running.core.service);
        let pruning =
            history::prune_later(history::SETTLED, Arc::clone(&service), stopping.clone());
        running.spawn("the history", pruning);
        running.spawn("the bench", bench::watch(Arc::clone(&service), stopping.clone()));
        running.spawn("the use of pools", pools::sample(service, stopping));
        running
    }
}

impl Running {
    fn spawn(
        &mut self,
        name: &'static str,
        carrier: impl Future<Output = ()> + Send + 'static,
    ) -> Id {
        let id = self.carriers.spawn(carrier).id();
        self.names.push((id, name));
        id
    }

    /// Serves every listener that is bound and not served yet.
    fn serve_listeners(&mut self) {
        for (door, serve) in self.listeners.waiting(&self.stop.subscribe()) {
            let id = self.spawn(door, serve);
            self.listeners.serving(id);
        }
        (self.tftp, self.phones, self.operators) = self.listeners.addresses();
    }

    /// How to ask for a reload.
    #[must_use]
    pub fn reloads(&self) -> Reload {
        self.ask.clone()
    }

    /// What is served where.
    #[must_use]
    pub const fn summary(&self) -> Summary<'_> {
        Summary(self)
    }

    /// Waits for a carrier to end although nobody asked it to, and tells which. Meanwhile it does the reloads that are
    /// asked for. Dropping it breaks off a reload that is still being read, with nothing changed.
    ///
    /// A carrier that is gone leaves phones without an answer that only it can give, and half an appliance is harder to
    /// see than none: the caller stops, and whatever started ringup starts it anew.
    pub async fn failed(&mut self) -> &'static str {
        loop {
            tokio::select! {
                Some(ask) = self.asks.recv() => {
                    let reloaded = self.reload(ask.dry_run).await;
                    // Who asked may have gone; it is done all the same.
                    let _ = ask.answer.send(reloaded);
                }
                ended = self.carriers.join_next_with_id() => {
                    let ended = match ended {
                        Some(Ok((id, ()))) => id,
                        Some(Err(error)) => {
                            tracing::error!(%error, "a carrier broke");
                            error.id()
                        }
                        None => return "every carrier",
                    };
                    if let Some((_, name)) = self.names.iter().find(|(id, _)| *id == ended) {
                        return name;
                    }
                }
            }
        }
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
    let notices = core.set_aside.as_deref().map(summary::set_aside).into_iter().collect();
    let settings = core.path.as_ref().map(|path| path.display().to_string());
    About { version: env!("CARGO_PKG_VERSION").to_owned(), notices, settings }
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
