//! The driver that listens: takes requests, keeps track of transfers, and starts a task for each.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};

use crate::{
    domain::Outcome,
    net::{UdpPktInfo, answer_once},
    telemetry::Counters,
    wire::tftp::{ErrorCode, Packet},
};

use super::{
    TftpError,
    ask::{Ask, No},
    session::Session,
    sessions::{Admit, Ending, Id, Sessions},
    shelf::Shelf,
    transfer::error,
};

/// The longest request that is read; the RFC's own limit is 512 bytes. What is longer is cut.
const REQUEST_BUFFER: usize = 2048;

/// The pause after the system refused to give us a datagram, so that a lasting fault does not become a busy loop.
const FAULT_PAUSE: Duration = Duration::from_millis(20);

/// How long running transfers may go on when the server stops.
pub(super) const DRAIN: Duration = Duration::from_secs(3);

/// The time they have after that to tell their phones.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The TFTP server: bound, not yet serving.
pub struct Tftp {
    listeners: Vec<(SocketAddr, UdpPktInfo)>,
    shared: Arc<Shared>,
}

impl fmt::Debug for Tftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tftp").field(&self.addresses()).finish()
    }
}

/// What all transfers share.
pub(super) struct Shared {
    pub shelf: Arc<dyn Shelf>,
    pub counters: Counters,
    sessions: Mutex<Sessions<oneshot::Sender<Outcome>>>,
    // Seeded anew in each process, so that nobody can make two requests look the same.
    hasher: RandomState,
}

impl Shared {
    /// The running transfers. Never held across an await.
    pub fn sessions(&self) -> MutexGuard<'_, Sessions<oneshot::Sender<Outcome>>> {
        // The table is consistent between calls, so a panic elsewhere is no reason to stop serving.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn count(&self, what: &'static str) {
        self.counters.count("tftp", what);
    }
}

/// A transfer's place in the table, given back when the transfer ends, however it ends.
pub(super) struct Place {
    pub shared: Arc<Shared>,
    pub id: Id,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.sessions().end(self.id);
    }
}

impl Tftp {
    /// Listens on these addresses. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The first address that can't be listened on, with the cure in its text.
    pub fn bind(
        listen: &[SocketAddr],
        shelf: Arc<dyn Shelf>,
        counters: Counters,
    ) -> Result<Self, TftpError> {
        let listeners = bound(listen)?;
        let (sessions, hasher) = Default::default();
        Ok(Self { listeners, shared: Arc::new(Shared { shelf, counters, sessions, hasher }) })
    }

    /// Listens on one more set of addresses; all transfers count together.
    ///
    /// # Errors
    ///
    /// As [`Tftp::bind`].
    pub fn beside(&self, listen: &[SocketAddr]) -> Result<Self, TftpError> {
        Ok(Self { listeners: bound(listen)?, shared: Arc::clone(&self.shared) })
    }

    /// Where it listens, with the ports that the system chose for port 0.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(address, _)| *address).collect()
    }

    /// Serves until `stop` turns true (or its sender is gone); then no new transfer begins, and the running ones have
    /// 3 s to end before their phones are told that the server stops.
    pub async fn serve(self, stop: watch::Receiver<bool>) {
        self.serve_until(stop.clone(), stop).await;
    }

    /// The same, but no new transfer begins once `close` turns true; the running ones may go on until `stop`.
    pub async fn serve_until(self, close: watch::Receiver<bool>, stop: watch::Receiver<bool>) {
        // Owned here: whoever drops this future drops every task.
        let mut loops = JoinSet::new();
        for (_, listener) in self.listeners {
            loops.spawn(listen(listener, self.shared.clone(), close.clone(), stop.clone()));
        }
        while loops.join_next().await.is_some() {}
    }
}

fn bound(listen: &[SocketAddr]) -> Result<Vec<(SocketAddr, UdpPktInfo)>, TftpError> {
    let bind = |&address| {
        let socket = UdpPktInfo::bind(address).map_err(|e| TftpError::new(address, e))?;
        let bound = socket.local_addr().map_err(|e| TftpError::new(address, e))?;
        Ok((bound, socket))
    };
    listen.iter().map(bind).collect()
}

/// Takes requests on one address and owns the transfers that they start.
async fn listen(
    listener: UdpPktInfo,
    shared: Arc<Shared>,
    mut close: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) {
    let mut transfers = JoinSet::new();
    let mut buffer = vec![0; REQUEST_BUFFER];
    let running = stop.clone();
    loop {
        // Cancel-safe: each branch takes one thing whole or nothing.
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = stopped(&mut close) => break,
            Some(ended) = transfers.join_next() => note_panic(&shared, &ended),
            received = listener.recv(&mut buffer) => match received {
                Ok((length, peer, local)) => {
                    // At a socket for both protocols, IPv4 is spelt as IPv6 and could not be answered over IPv4.
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    let (bytes, local) = (&buffer[..length], local.to_canonical());
                    let datagram = Datagram { bytes, peer, local };
                    take(&shared, &datagram, &running, &mut transfers);
                }
                Err(error) => {
                    shared.count("receive-fault");
                    tracing::debug!(%error, "can't receive");
                    tokio::time::sleep(FAULT_PAUSE).await;
                }
            },
        }
    }
    // Nobody new; those that run know from `stop` that they have to hurry, and until then have all the time they need.
    drop(listener);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            ended = transfers.join_next() => match ended {
                Some(ended) => note_panic(&shared, &ended),
                None => return,
            },
        }
    }
    let ends = async {
        while let Some(ended) = transfers.join_next().await {
            note_panic(&shared, &ended);
        }
    };
    // A transfer whose file is still being opened does not hear of `stop`; it ends with the set.
    let _ = tokio::time::timeout(DRAIN + LAST_WORDS, ends).await;
}

/// Returns when the server is to stop, or when nobody is left to tell it so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The value is a lock on the channel: it must not live on in the caller.
    drop(stop.wait_for(|stop| *stop).await);
}

fn note_panic(shared: &Shared, ended: &Result<(), tokio::task::JoinError>) {
    if ended.as_ref().is_err_and(tokio::task::JoinError::is_panic) {
        shared.count("panic");
    }
}

/// One datagram and its ends.
struct Datagram<'a> {
    bytes: &'a [u8],
    peer: SocketAddr,
    /// Which of our addresses it was sent to.
    local: IpAddr,
}

/// Answers one datagram. Whatever it makes go wrong ends here: the next one is served.
fn take(
    shared: &Arc<Shared>,
    datagram: &Datagram<'_>,
    stop: &watch::Receiver<bool>,
    transfers: &mut JoinSet<()>,
) {
    let begun = catch_unwind(AssertUnwindSafe(|| begin(shared, datagram, stop)));
    match begun {
        Ok(Some(session)) => drop(transfers.spawn(session.run())),
        Ok(None) => {}
        Err(_) => shared.count("panic"),
    }
}

/// The transfer that a datagram begins, if it begins one.
fn begin(
    shared: &Arc<Shared>,
    datagram: &Datagram<'_>,
    stop: &watch::Receiver<bool>,
) -> Option<Session> {
    let &Datagram { bytes, peer, local } = datagram;
    let ask = match understand(bytes) {
        Ok(ask) => ask,
        Err(Ignored::Noise(what)) => {
            shared.count(what);
            return None;
        }
        Err(Ignored::Denied(no)) => {
            shared.count("denied");
            deny(local, peer, no.code, no.text);
            return None;
        }
    };
    let (handle, ended) = oneshot::channel();
    // Two locks would be one too many: the guard must be gone before a replaced session's handle is used.
    let admit = shared.sessions().admit(peer, shared.hasher.hash_one(bytes), handle);
    match admit {
        Admit::Begin { id, instead_of } => {
            if let Some((handle, ending)) = instead_of {
                // Err: it ended by itself a moment ago.
                let _ = handle.send(outcome(ending));
            }
            shared.count("read");
            let place = Place { shared: shared.clone(), id };
            Some(Session { ask, peer, local, place, ended, stop: stop.clone() })
        }
        Admit::Copy => {
            shared.count("copy");
            None
        }
        Admit::Full => {
            shared.count("crowded");
            deny(local, peer, ErrorCode::NOT_DEFINED, "Too many transfers");
            None
        }
    }
}

/// Why a datagram begins no transfer.
enum Ignored {
    /// No request; the name of its counter. No answer, or a forged source would draw one.
    Noise(&'static str),
    /// A request that gets this answer.
    Denied(No),
}

fn understand(bytes: &[u8]) -> Result<Ask, Ignored> {
    match Packet::decode(bytes) {
        Ok(Packet::Read(request)) => Ask::read(&request).map_err(Ignored::Denied),
        Ok(Packet::Write(_)) => Err(Ignored::Denied(No {
            code: ErrorCode::ACCESS_VIOLATION,
            text: "Uploads are not taken",
        })),
        // Transfers have ports of their own: here these are strays.
        Ok(
            Packet::Data { .. } | Packet::Ack { .. } | Packet::Error { .. } | Packet::OptionsAck(_),
        ) => Err(Ignored::Noise("stray")),
        Err(_) => Err(Ignored::Noise("malformed")),
    }
}

/// Sends an ERROR from the address that was asked.
pub(super) fn deny(local: IpAddr, peer: SocketAddr, code: ErrorCode, text: &str) {
    if let Err(error) = answer_once(local, peer, &error(code, text)) {
        tracing::debug!(%peer, %error, "can't answer");
    }
}

fn outcome(ending: Ending) -> Outcome {
    match ending {
        Ending::Anew => Outcome::Aborted { text: "asked anew".to_owned() },
        Ending::Crowded => Outcome::Failed { text: "made way for another transfer".to_owned() },
    }
}
