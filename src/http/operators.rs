//! The operators' port and the control socket: one router, two ways in.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{Router, body::Body};
use hyper::{body::Incoming, service::service_fn};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::{Mutex, Semaphore, watch},
    task::JoinSet,
};
use tower::ServiceExt;

use crate::{
    domain::{Secret, Timestamp},
    provision::{Reload, Service},
    telemetry::Counters,
};

use super::{
    HttpError, api,
    connection::{asked_to_stop, converse},
    listen::{self, Guest},
    meter::Meter,
    seats::Seats,
    trust::{Guard, NOBODY, Network, Trust},
};

/// Connections on all operators' ports together, and through the control socket.
const MAX_CONNECTIONS: usize = 1024;

/// Connections of one peer: a reverse proxy brings everybody from one address.
const MAX_OF_ONE_PEER: usize = 256;

/// Event streams at a time; one more gets 503. Each holds a task and its place in the feed.
pub const MAX_STREAMS: usize = 256;

/// What the appliance says about itself on the page and in `/healthz`.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Version of the binary.
    pub version: String,
    /// What an operator should know all the time, such as who gets secrets, or that a store was set aside. Plain text.
    pub notices: Vec<String>,
    /// Where the settings are; `None` where the defaults hold.
    pub settings: Option<String>,
}

/// What the API and the page work on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Operators {
    /// The way to everything.
    pub service: Arc<Service>,
    /// For `/metrics`.
    pub counters: Counters,
    /// What is said about the appliance itself.
    pub about: Arc<About>,
    /// How to ask for other settings; `None` where nothing runs that could take them.
    pub(super) reload: Option<Reload>,
    /// When it began to serve.
    pub(super) started: Timestamp,
    pub(super) streams: Arc<Semaphore>,
    /// What was counted lately.
    pub(super) summaries: Arc<api::Summaries>,
    pub(super) outages: Arc<api::Outages>,
    /// Held from the check of an edit or import to its commit, so that two can't both find an address free.
    pub(super) edits: Arc<Mutex<()>>,
}

impl Operators {
    /// For one appliance: the ports and the socket share it, and with it the bound on event streams.
    #[must_use]
    pub fn new(service: Arc<Service>, counters: Counters, about: About) -> Self {
        let streams = Arc::new(Semaphore::new(MAX_STREAMS));
        let about = Arc::new(about);
        Self {
            service,
            counters,
            about,
            reload: None,
            started: Timestamp::now(),
            streams,
            summaries: Arc::default(),
            outages: Arc::default(),
            edits: Arc::default(),
        }
    }

    /// The same for an appliance that takes other settings while it runs.
    #[must_use]
    pub fn reloading(self, reload: Reload) -> Self {
        Self { reload: Some(reload), ..self }
    }
}

impl Operators {
    /// Leaves a trace where secrets leave in clear, because an operator asked for them.
    pub(super) fn revealed(&self, what: &str) {
        self.counters.count("operators", "secrets-revealed");
        tracing::info!(what, "an operator looked at secrets");
    }
}

/// Who makes a request, and until when it may take.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The far end; 0.0.0.0 for the control socket.
    pub peer: IpAddr,
    /// The address that was asked.
    pub local: IpAddr,
    /// Turns true when the appliance stops: event streams end then.
    pub stop: watch::Receiver<bool>,
}

/// The operators' port, bound and not yet serving.
#[derive(Debug)]
pub struct OperatorsPort {
    listeners: Vec<TcpListener>,
    operators: Operators,
    guard: Guard,
    seats: Seats,
}

impl OperatorsPort {
    /// Binds all addresses. `hosts` are names under which operators reach the page, besides its addresses.
    ///
    /// # Errors
    ///
    /// The first address that can't be bound, with the cure; an address that is not loopback without password or token.
    pub fn bind(
        listen: &[SocketAddr],
        operators: Operators,
        password_hash: Option<Secret>,
        token: Option<&Secret>,
        hosts: &[String],
    ) -> Result<Self, HttpError> {
        let guard = Guard::new(Network::new(password_hash, token, hosts, listen)?);
        let seats = Seats::new(MAX_CONNECTIONS, MAX_OF_ONE_PEER);
        Ok(Self { listeners: listen::bind(listen)?, operators, guard, seats })
    }

    /// Binds more addresses; who is let in is the same, and all connections count together.
    ///
    /// # Errors
    ///
    /// As [`OperatorsPort::bind`].
    pub fn beside(&self, listen: &[SocketAddr]) -> Result<Self, HttpError> {
        let (operators, guard) = (self.operators.clone(), self.guard.clone());
        Ok(Self { listeners: listen::bind(listen)?, operators, guard, seats: self.seats.clone() })
    }

    /// Who lets callers in at these addresses and those beside them.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Where it listens, with the ports that the kernel chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        listen::addresses(&self.listeners)
    }

    /// Serves until `stop` turns true, then ends event streams, finishes the rest (10 s at most) and returns.
    pub async fn serve(self, stop: watch::Receiver<bool>) {
        self.serve_until(stop.clone(), stop).await;
    }

    /// The same, but nobody new is let in once `close` turns true; who is in may stay until `stop`.
    pub async fn serve_until(self, close: watch::Receiver<bool>, stop: watch::Receiver<bool>) {
        let counters = self.operators.counters.clone();
        let router = api::router(self.operators, Trust::Network(self.guard));
        let ending = stop.clone();
        let serve = move |guest: Guest| {
            let (router, stop) = (router.clone(), ending.clone());
            async move {
                let Guest { stream, peer, local, seat } = guest;
                route(stream, router, Caller { peer, local, stop }).await;
                drop(seat);
            }
        };
        let ends = [close, stop];
        listen::accept(self.listeners, self.seats, (counters, "operators"), ends, serve).await;
    }
}

/// Serves a router on one connection.
async fn route<I>(io: I, router: Router, caller: Caller)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let stop = caller.stop.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(caller.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    converse(io, service, Meter::new(), stop).await;
}

/// The control socket `api.sock`: the file's permissions are the authentication.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    operators: Operators,
}

impl Socket {
    /// Binds the socket with mode 0660, in place of one that a dead appliance left behind.
    ///
    /// The caller holds the lock of the state directory, so a socket file that is there belongs to nobody.
    ///
    /// # Errors
    ///
    /// [`HttpError::Other`] and its kin, also where something that is no socket has that name.
    pub fn bind(path: &Path, operators: Operators) -> Result<Self, HttpError> {
        let listener =
            bind_socket(path).map_err(|fault| HttpError::new(&path.display(), &fault))?;
        Ok(Self { listener, path: path.to_owned(), operators })
    }

    /// Serves until `stop` turns true, then removes the file, finishes what is under way and returns.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let router = api::router(self.operators, Trust::Socket);
        let (seats, mut guests) = (Seats::new(MAX_CONNECTIONS, MAX_CONNECTIONS), JoinSet::new());
        loop {
            // Accept and join are cancel-safe.
            tokio::select! {
                () = asked_to_stop(&mut stop) => break,
                Some(_) = guests.join_next(), if !guests.is_empty() => {}
                accepted = self.listener.accept() => {
                    let Some((stream, seat)) = accepted.ok().map(|(stream, _)| stream).zip(seats.take(NOBODY)) else {
                        continue;
                    };
                    let caller = Caller { peer: NOBODY, local: NOBODY, stop: stop.clone() };
                    let router = router.clone();
                    guests.spawn(async move {
                        route(stream, router, caller).await;
                        drop(seat);
                    });
                }
            }
        }
        // Somebody may have removed it already; then there is nothing left to do.
        let _ = fs::remove_file(&self.path);
        while guests.join_next().await.is_some() {}
    }
}

fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    // Bound under another name first: nobody may connect before the mode is right.
    let early = path.with_extension("sock.new");
    if fs::symlink_metadata(&early).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(&early)?;
    }
    let listener = UnixListener::bind(&early)?;
    fs::set_permissions(&early, fs::Permissions::from_mode(0o660))?;
    if path.exists() {
        fs::remove_file(&early)?;
        return Err(io::Error::from(io::ErrorKind::AlreadyExists));
    }
    fs::rename(&early, path)?;
    Ok(listener)
}
