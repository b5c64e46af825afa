//! The driver: datagrams and connections in, answers out, for neighbours on one interface.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    domain::Timestamp,
    net::{UdpPktInfo, listening_on},
    telemetry::Counters,
};

use super::{
    names::{Names, Way},
    time,
};

/// Ports of time and names.
const TIME: u16 = 123;
const NAMES: u16 = 53;

/// The longest datagram that is read whole: more than a question ever has.
const LONGEST: usize = 1500;

/// Connections for names at a time. One more waits until one of these ends, within [`PATIENCE`].
const MAX_CONNECTIONS: usize = 16;

/// How long a connection may last, however much it asks.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a socket rests after the system refused to read, so that a dead interface does not eat a processor.
const REST: Duration = Duration::from_millis(100);

/// Where time and names are told.
#[derive(Clone, Debug)]
pub struct Place {
    /// The interface: nobody is heard by another.
    pub interface: String,
    /// Its address, which is asked.
    pub address: Ipv4Addr,
    /// The length of its network's prefix: only neighbours are answered, so that nobody far away can be flooded with
    /// answers in the name of this machine.
    pub prefix: u8,
    /// What is known.
    pub names: Names,
}

/// Why time or names can't be told.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// The system does not let us.
    #[error(
        "no permission for port {port} on {address}; run it with sudo, or once: setcap cap_net_bind_service,cap_net_raw=+ep on the program"
    )]
    Permission {
        /// Our address.
        address: Ipv4Addr,
        /// The port.
        port: u16,
    },
    /// Anything else.
    #[error("port {port} on {address}: {error}")]
    Other {
        /// Our address.
        address: Ipv4Addr,
        /// The port.
        port: u16,
        /// What the system said.
        error: io::Error,
    },
}

/// Bound answerers. A port that another program has is left to it: whoever asks there gets that one's answer.
#[derive(Debug)]
pub struct Services {
    time: Option<UdpPktInfo>,
    names: Option<UdpPktInfo>,
    streams: Option<TcpListener>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    place: Place,
    counters: Counters,
}

impl ServicesError {
    /// The exit code that says the same to a script (`sysexits.h`).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Permission { .. } => 77,
            Self::Other { .. } => 74,
        }
    }
}

impl Services {
    /// Binds all ports of the place.
    ///
    /// # Errors
    ///
    /// [`ServicesError`]; a port in use is none, see [`Services::missing`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn bind(place: Place, counters: Counters) -> Result<Self, ServicesError> {
        let (interface, address) = (place.interface.as_str(), place.address);
        let at = |port: u16| SocketAddr::from((address, port));
        let udp = |port| free(UdpPktInfo::bind_at(interface, at(port)), address, port);
        let (time, names) = (udp(TIME)?, udp(NAMES)?);
        let stream = listening_on(interface, at(NAMES)).and_then(TcpListener::from_std);
        let streams = free(stream, address, NAMES)?;
        Ok(Self { time, names, streams, shared: Arc::new(Shared { place, counters }) })
    }

    /// What is told here, for the screen.
    #[must_use]
    pub fn told(&self) -> Vec<&'static str> {
        let all = [(self.time.is_some(), "time"), (self.names.is_some(), "names")];
        all.into_iter().filter_map(|(told, name)| told.then_some(name)).collect()
    }

    /// What another program tells instead, in words.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let text = |what: &str, port| {
            format!(
                "another program on this machine tells the {what} (port {port} is in use): \
                 phones get its answer, or none; ss -lunp sport = :{port} names it"
            )
        };
        let time = self.time.is_none().then(|| text("time", TIME));
        let names = self.names.is_none().then(|| text("names", NAMES));
        time.into_iter().chain(names).collect()
    }

    /// Answers until `stop` turns true.
    pub async fn serve(self, mut stop: watch::Receiver<bool>) {
        let Self { time, names, streams, shared } = self;
        let all = async {
            tokio::join!(
                optional(time.map(|socket| shared.tell_time(socket))),
                optional(names.map(|socket| shared.tell_names(socket))),
                optional(streams.map(|socket| shared.tell_streams(socket))),
            )
        };
        // Dropping them drops questions that are not answered yet: whoever asked asks again.
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            _ = all => {}
        }
    }
}

/// What was bound; nothing where another program has the port.
fn free<T>(bound: io::Result<T>, address: Ipv4Addr, port: u16) -> Result<Option<T>, ServicesError> {
    match bound {
        Ok(bound) => Ok(Some(bound)),
        Err(error) => match error.kind() {
            io::ErrorKind::AddrInUse => Ok(None),
            io::ErrorKind::PermissionDenied => Err(ServicesError::Permission { address, port }),
            _ => Err(ServicesError::Other { address, port, error }),
        },
    }
}

async fn optional(task: Option<impl Future<Output = ()>>) {
    if let Some(task) = task {
        task.await;
    }
}

impl Shared {
    /// True for who is on our wire.
    fn is_neighbour(&self, peer: IpAddr) -> bool {
        let IpAddr::V4(peer) = peer.to_canonical() else { return false };
        let far = 32 - u32::from(self.place.prefix.min(32));
        let network = |address: Ipv4Addr| u32::from(address).checked_shr(far).unwrap_or(0);
        network(peer) == network(self.place.address)
    }

    async fn tell_time(&self, socket: UdpPktInfo) {
        self.datagrams(&socket, "ntp", |question, received| {
            Some(time::answer(question, received, Timestamp::now())?.to_vec())
        })
        .await;
    }

    async fn tell_names(&self, socket: UdpPktInfo) {
        self.datagrams(&socket, "dns", |question, _| self.name(question, Way::Udp)).await;
    }

    /// Looks up what a message asks so that nothing in it can hurt the next.
    fn name(&self, question: &[u8], way: Way) -> Option<Vec<u8>> {
        let names = &self.place.names;
        let answered = catch_unwind(AssertUnwindSafe(|| names.answer(question, way)));
        answered.unwrap_or_else(|_| {
            self.counters.count("dns", "panicked");
            None
        })
    }

    /// One answer at most for each datagram, one after another: each takes microseconds, and what comes meanwhile waits
    /// in the socket.
    async fn datagrams(
        &self,
        socket: &UdpPktInfo,
        part: &'static str,
        answer: impl Fn(&[u8], Timestamp) -> Option<Vec<u8>>,
    ) {
        let mut buffer = vec![0; LONGEST];
        loop {
            let (length, peer, local) = match socket.recv(&mut buffer).await {
                Ok(received) => received,
                Err(error) => {
                    self.counters.count(part, "receive-failed");
                    tracing::debug!(%error, part, "can't receive");
                    sleep(REST).await;
                    continue;
                }
            };
            let received = Timestamp::now();
            if !self.is_neighbour(peer.ip()) {
                self.counters.count(part, "not-a-neighbour");
                continue;
            }
            let Some(answer) = answer(&buffer[..length], received) else {
                self.counters.count(part, "not-answered");
                continue;
            };
            self.counters.count(part, "answered");
            if let Err(error) = socket.send(&answer, peer, Some(local)).await {
                self.counters.count(part, "send-failed");
                tracing::debug!(%error, part, %peer, "can't send");
            }
        }
    }

    async fn tell_streams(self: &Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            // Both are cancel-safe.
            tokio::select! {
                _ = connections.join_next(), if !connections.is_empty() => {}
                accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                    Ok((stream, peer)) if self.is_neighbour(peer.ip()) => {
                        let shared = Arc::clone(self);
                        connections.spawn(async move {
                            // Whoever is slow, or asks on and on, connects anew.
                            let ended = timeout(PATIENCE, shared.converse(stream)).await;
                            tracing::debug!(?ended, %peer, "connection for names ended");
                        });
                    }
                    Ok(_) => self.counters.count("dns", "not-a-neighbour"),
                    Err(error) => {
                        tracing::debug!(%error, "can't accept");
                        sleep(REST).await;
                    }
                },
            }
        }
    }

    /// Messages of a connection, each behind its length (RFC 1035 §4.2.2), until one gets no answer.
    async fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        loop {
            let length = stream.read_u16().await?;
            let mut question = vec![0; usize::from(length)];
            stream.read_exact(&mut question).await?;
            let Some(answer) = self.name(&question, Way::Tcp) else { return Ok(()) };
            self.counters.count("dns", "answered");
            let length = u16::try_from(answer.len()).unwrap_or_default().to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours() {
        let check = |prefix: u8, peer: &str, expected: bool| {
            let address = Ipv4Addr::new(10, 99, 0, 1);
            let names = Names::new("bench.internal", address).unwrap();
            let place = Place { interface: "eth1".to_owned(), address, prefix, names };
            let shared = Shared { place, counters: Counters::default() };
            assert_eq!(shared.is_neighbour(peer.parse().unwrap()), expected, "{peer} /{prefix}");
        };
        check(24, "10.99.0.200", true);
        check(24, "::ffff:10.99.0.200", true);
        check(24, "10.99.1.2", false);
        check(16, "10.99.1.2", true);
        check(24, "127.0.0.1", false);
        check(24, "fe80::1", false);
    }
}
