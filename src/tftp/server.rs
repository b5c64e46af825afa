//! The driver that listens: takes requests, keeps track of transfers, and starts a task for each.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    io,
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    domain::Outcome,
    net::{UdpBatch, UdpPktInfo, answer_once},
    telemetry::Counters,
    wire::tftp::{ErrorCode, Packet},
};

use super::{
    TftpError,
    ask::{Ask, No},
    pantry::Pantry,
    port::{Job, Port},
    session::{Handle, Opening, Session},
    sessions::{Admit, Ending, Id, Sessions},
    shelf::Shelf,
    transfer::error,
};

/// Ports that answer requests of one listener, for each IP version. Who answers for whom is decided at random, and a
/// forger would have to send its ACKs to all of them: together these are longer than the block that one of them draws.
const PORTS: u64 = 32;

/// Datagrams that such a port takes at once, and those that a port of one transfer takes.
const BATCHES: (usize, usize) = (32, 4);

/// Requests that are taken in one go, before others have their turn.
const BURST: usize = 64;

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
    pub pantry: Pantry,
    sessions: Mutex<Sessions<Handle>>,
    // Seeded anew in each process, so that nobody can make two requests look the same.
    hasher: RandomState,
}

impl Shared {
    /// The running transfers. Never held across an await.
    pub fn sessions(&self) -> MutexGuard<'_, Sessions<Handle>> {
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
        let (pantry, sessions, hasher) = Default::default();
        let shared = Arc::new(Shared { shelf, counters, pantry, sessions, hasher });
        Ok(Self { listeners, shared })
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
    let (tasks, ports, begun) = Default::default();
    let mut office = Office { shared, stop: stop.clone(), tasks, ports, begun };
    let mut buffer = vec![0; REQUEST_BUFFER];
    loop {
        // Cancel-safe: each branch takes one thing whole or nothing.
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = stopped(&mut close) => break,
            Some(ended) = office.tasks.join_next() => office.note_panic(&ended),
            received = listener.recv(&mut buffer) => {
                let mut more = office.take(received, &buffer).await;
                // Whatever is received is taken: what would be left in hand at the end of a burst would be lost.
                for _ in 1..BURST {
                    if !more {
                        break;
                    }
                    more = office.take(listener.try_recv(&mut buffer), &buffer).await;
                }
            }
        }
    }
    // Nobody new; those that run know from `stop` that they have to hurry, and until then have all the time they need.
    drop(listener);
    office.ports.clear();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            ended = office.tasks.join_next() => match ended {
                Some(ended) => office.note_panic(&ended),
                None => return,
            },
        }
    }
    let ends = async {
        while let Some(ended) = office.tasks.join_next().await {
            office.note_panic(&ended);
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

/// The way to a port.
type Door = mpsc::UnboundedSender<Job>;

/// What one listener has: the ports that answer for it, and the tasks that run for it.
struct Office {
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    /// Opened at their first use, by IP version and number.
    ports: HashMap<(bool, u64), Door>,
    /// Requests so far.
    begun: u64,
}

/// One datagram and its ends.
struct Datagram<'a> {
    bytes: &'a [u8],
    peer: SocketAddr,
    /// Which of our addresses it was sent to.
    local: IpAddr,
}

impl Office {
    /// Answers what was received. Whatever it makes go wrong ends here: the next one is served. False if there was
    /// nothing.
    async fn take(
        &mut self,
        received: io::Result<(usize, SocketAddr, IpAddr)>,
        buffer: &[u8],
    ) -> bool {
        let (length, peer, local) = match received {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => {
                self.shared.count("receive-fault");
                tracing::debug!(%error, "can't receive");
                tokio::time::sleep(FAULT_PAUSE).await;
                return false;
            }
        };
        // At a socket for both protocols, IPv4 is spelt as IPv6 and could not be answered over IPv4.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let datagram = Datagram { bytes: &buffer[..length], peer, local: local.to_canonical() };
        if catch_unwind(AssertUnwindSafe(|| self.begin(&datagram))).is_err() {
            self.shared.count("panic");
        }
        true
    }

    /// Begins the transfer that a datagram asks for, if it asks for one.
    fn begin(&mut self, datagram: &Datagram<'_>) {
        let &Datagram { bytes, peer, local } = datagram;
        let shared = Arc::clone(&self.shared);
        let ask = match understand(bytes) {
            Ok(ask) => ask,
            Err(Ignored::Noise(what)) => return shared.count(what),
            Err(Ignored::Denied(no)) => {
                shared.count("denied");
                return deny(local, peer, no.code, no.text);
            }
        };
        let port = match self.port(peer, ask.asks_window()) {
            Ok(port) => port,
            Err(error) => {
                shared.count("no-socket");
                return tracing::debug!(%peer, %error, "can't answer");
            }
        };
        let replaced = Arc::default();
        let handle = Handle { replaced: Arc::clone(&replaced), port: port.clone(), peer };
        // Two locks would be one too many: the guard must be gone before a replaced session's handle is used.
        let admit = shared.sessions().admit(peer, shared.hasher.hash_one(bytes), handle);
        match admit {
            Admit::Begin { id, instead_of } => {
                if let Some((handle, ending)) = instead_of {
                    handle.end(outcome(ending));
                }
                shared.count("read");
                let place = Place { shared, id };
                self.open(Session { ask, peer, local, place, replaced }.open(), port);
            }
            Admit::Copy => shared.count("copy"),
            Admit::Full => {
                shared.count("crowded");
                deny(local, peer, ErrorCode::NOT_DEFINED, "Too many transfers");
            }
        }
    }

    /// Opens a file at once where that needs no waiting, which is nearly always, and hands the transfer to its port.
    fn open(&mut self, mut opening: Opening, port: Door) {
        // Err: the port is gone with the server.
        let hand = |line, port: &Door| drop(port.send(Job::Begin(line)));
        match opening.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(line)) => hand(line, &port),
            Poll::Ready(None) => {}
            Poll::Pending => drop(self.tasks.spawn(async move {
                if let Some(line) = opening.await {
                    hand(line, &port);
                }
            })),
        }
    }

    /// The port that answers this peer: one of many peers, or its own where it draws many blocks with one ACK.
    fn port(&mut self, peer: SocketAddr, alone: bool) -> io::Result<Door> {
        self.begun = self.begun.wrapping_add(1);
        let random = self.shared.hasher.hash_one(self.begun) % PORTS;
        let mut key = (peer.is_ipv6(), random);
        // Never the port that it has already: what is late for that one is not for the next (RFC 1350 §4).
        let taken = |door: &Door| {
            self.shared.sessions().of(peer).is_some_and(|handle| handle.port.same_channel(door))
        };
        if self.ports.get(&key).is_some_and(taken) {
            key.1 = (random + 1) % PORTS;
        }
        if let Some(door) = self.ports.get(&key).filter(|door| !alone && !door.is_closed()) {
            return Ok(door.clone());
        }
        let (door, jobs) = mpsc::unbounded_channel();
        let port = Port::new(Arc::clone(&self.shared), UdpBatch::open(peer.is_ipv6())?);
        let batch = if alone { BATCHES.1 } else { BATCHES.0 };
        self.tasks.spawn(port.run(batch, jobs, self.stop.clone()));
        if !alone {
            self.ports.insert(key, door.clone());
        }
        Ok(door)
    }

    fn note_panic(&self, ended: &Result<(), tokio::task::JoinError>) {
        if ended.as_ref().is_err_and(tokio::task::JoinError::is_panic) {
            self.shared.count("panic");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        provision::{Request, Why},
        tftp::Opening,
    };

    /// Has nothing.
    struct Bare;

    impl Shelf for Bare {
        fn open<'a>(&'a self, request: Request<'a>) -> Opening<'a> {
            let name = request.name.to_owned();
            Box::pin(async { Err(Why::NoSuchFile { name }) })
        }
    }

    #[tokio::test]
    async fn a_burst_is_answered_to_the_last_request() {
        let tftp =
            Tftp::bind(&[([127, 0, 0, 1], 0).into()], Arc::new(Bare), Counters::default()).unwrap();
        let (address, (_stop, stopped)) = (tftp.addresses()[0], watch::channel(false));
        // All of them wait in the socket before the first one is taken.
        let phones: Vec<_> = (0..BURST * 3)
            .map(|number| {
                let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
                let socket =
                    std::net::UdpSocket::bind(SocketAddr::from(([127, 2, high, low], 0))).unwrap();
                socket.set_nonblocking(true).unwrap();
                socket.send_to(b"\0\x01absent\0octet\0", address).unwrap();
                tokio::net::UdpSocket::from_std(socket).unwrap()
            })
            .collect();
        let serving = tokio::spawn(tftp.serve(stopped));
        for (number, phone) in phones.iter().enumerate() {
            let mut answer = [0; 64];
            let answered = phone.recv_from(&mut answer);
            let answered = tokio::time::timeout(Duration::from_secs(5), answered).await;
            answered.unwrap_or_else(|_| panic!("number {number} is lost")).unwrap();
            assert_eq!(answer[..4], [0, 5, 0, 1]);
        }
        serving.abort();
    }
}
