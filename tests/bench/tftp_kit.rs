//! What TFTP tests and benchmarks share: a shelf in memory, a server on it, and a client with windows.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use ringup::{
    domain::{Outcome, Role},
    profile::TransferRule,
    provision::{Body, Request as Asked, Why},
    telemetry::Counters,
    tftp::{Loan, Opening, Report, Shelf, Tftp},
    wire::tftp::{Mode, Packet, Request, Setting, decimal, find},
};
use tokio::{
    runtime::Runtime,
    sync::{Notify, watch},
    task::JoinHandle,
};

/// Files in memory. A name that it does not hold is refused.
#[derive(Default)]
pub struct Memory {
    files: HashMap<String, Arc<[u8]>>,
    refusals: HashMap<String, Why>,
    /// Files that open only when told to.
    gates: HashMap<String, Arc<Notify>>,
    ends: Mutex<Option<mpsc::Sender<End>>>,
    /// What the family of every peer is granted.
    pub rule: TransferRule,
}

/// How a transfer ended, as its report was told.
#[derive(Debug, Eq, PartialEq)]
pub struct End {
    pub name: String,
    pub bytes: u64,
    pub outcome: Outcome,
    /// Who asked, and which address was asked.
    pub asked: (IpAddr, IpAddr),
}

struct Watcher {
    name: String,
    bytes: u64,
    asked: (IpAddr, IpAddr),
    ends: Option<mpsc::Sender<End>>,
}

impl Memory {
    pub fn with(mut self, name: &str, content: impl Into<Arc<[u8]>>) -> Self {
        self.files.insert(name.to_owned(), content.into());
        self
    }

    /// Opens `name` only once `gate` was notified.
    pub fn behind(mut self, name: &str, gate: Arc<Notify>) -> Self {
        self.gates.insert(name.to_owned(), gate);
        self
    }

    pub fn refusing(mut self, name: &str, why: Why) -> Self {
        self.refusals.insert(name.to_owned(), why);
        self
    }
}

impl Shelf for Memory {
    fn open<'a>(&'a self, request: Asked<'a>) -> Opening<'a> {
        Box::pin(async move {
            let name = request.name.to_owned();
            if let Some(gate) = self.gates.get(&name) {
                gate.notified().await;
            }
            if let Some(why) = self.refusals.get(&name) {
                return Err(why.clone());
            }
            let Some(content) = self.files.get(&name) else {
                return Err(Why::NoSuchFile { name });
            };
            let (body, length) = (Body::Bytes(content.clone()), content.len() as u64);
            let ends = self.ends.lock().unwrap().clone();
            let asked = (request.peer, request.local);
            let report = Box::new(Watcher { name, bytes: 0, asked, ends });
            Ok(Loan { body, length, role: Role::Firmware, rule: self.rule, report })
        })
    }
}

impl Report for Watcher {
    fn advance(&mut self, bytes: u64) {
        assert!(bytes >= self.bytes, "progress goes back");
        self.bytes = bytes;
    }

    fn finish(self: Box<Self>, outcome: Outcome) {
        let Self { name, bytes, asked, ends } = *self;
        if let Some(ends) = ends {
            // Err: the test looked at all it wanted to see.
            let _ = ends.send(End { name, bytes, outcome, asked });
        }
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub counters: Counters,
    pub ends: mpsc::Receiver<End>,
    stop: watch::Sender<bool>,
    serving: Option<JoinHandle<()>>,
    runtime: Runtime,
}

impl Server {
    /// Serves `memory` at `listen`.
    pub fn start(listen: &str, memory: Memory) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (sender, ends) = mpsc::channel();
        *memory.ends.lock().unwrap() = Some(sender);
        let (stop, stopped) = watch::channel(false);
        let counters = Counters::default();
        let listen = [listen.parse().unwrap()];
        let entered = runtime.enter();
        let tftp = Tftp::bind(&listen, Arc::new(memory), counters.clone()).unwrap();
        let address = tftp.addresses()[0];
        let serving = Some(runtime.spawn(tftp.serve(stopped)));
        drop(entered);
        Self { address, counters, ends, stop, serving, runtime }
    }

    /// The next end of a transfer, within 10 s.
    pub fn end(&self) -> End {
        self.ends.recv_timeout(Duration::from_secs(10)).expect("no transfer ended")
    }

    /// Begins to stop.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until everything ended.
    pub fn stopped(&mut self) {
        self.stop();
        if let Some(serving) = self.serving.take() {
            let bound = Duration::from_secs(10);
            self.runtime
                .block_on(async { tokio::time::timeout(bound, serving).await })
                .expect("still serving")
                .unwrap();
        }
    }
}

/// What a client asks for.
pub struct Fetch<'a> {
    pub server: SocketAddr,
    /// The client's own address, as each phone has its own.
    pub from: IpAddr,
    pub name: &'a str,
    pub options: &'a [(&'a str, &'a str)],
}

/// The datagram of an RRQ.
pub fn rrq(name: &[u8], options: &[(&str, &str)]) -> Vec<u8> {
    let options =
        options.iter().map(|(n, v)| Setting { name: n.as_bytes(), value: v.as_bytes() }).collect();
    Packet::Read(Request { name, mode: Mode::Octet, options }).encode()
}

/// What an OACK says about an option, or what holds without one.
fn granted(settings: &[Setting<'_>], name: &str, default: u64) -> u64 {
    find(settings, name).map_or(Some(default), decimal).expect("a number")
}

impl Fetch<'_> {
    /// Fetches the file as a phone does: repeats itself after a second, acknowledges whole windows.
    pub fn run(&self) -> io::Result<Vec<u8>> {
        let socket = UdpSocket::bind((self.from, 0))?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        let request = rrq(self.name.as_bytes(), self.options);
        socket.send_to(&request, self.server)?;
        let mut inbox = vec![0; 65_536];
        let (mut length, server) = receive(&socket, &request, self.server, &mut inbox)?;
        let (mut content, mut block, mut missed) = (Vec::new(), 0_u16, 0);
        let (mut block_size, mut window, mut unacknowledged) = (512, 1, 0);
        loop {
            match Packet::decode(&inbox[..length]).map_err(io::Error::other)? {
                Packet::OptionsAck(settings) => {
                    block_size = granted(&settings, "blksize", 512);
                    window = granted(&settings, "windowsize", 1);
                    unacknowledged = window;
                }
                Packet::Data { block: number, data } if number == block.wrapping_add(1) => {
                    content.extend_from_slice(data);
                    (block, unacknowledged, missed) = (number, unacknowledged + 1, 0);
                    if (data.len() as u64) < block_size {
                        socket.send_to(&Packet::Ack { block }.encode(), server)?;
                        return Ok(content);
                    }
                }
                // The first one behind a gap reports it; the rest of that window is noise (RFC 7440 §4).
                Packet::Data { .. } if missed == 0 => (missed, unacknowledged) = (1, window),
                Packet::Data { .. } => {}
                Packet::Error { code, text } => {
                    let text = String::from_utf8_lossy(text);
                    return Err(io::Error::other(format!("ERROR {}: {text}", code.0)));
                }
                other => return Err(io::Error::other(format!("{other:?}"))),
            }
            let ack = Packet::Ack { block }.encode();
            if unacknowledged >= window {
                socket.send_to(&ack, server)?;
                unacknowledged = 0;
            }
            (length, _) = receive(&socket, &ack, server, &mut inbox)?;
        }
    }
}

/// The next datagram; what was said last is said again after each second of silence, five times.
fn receive(
    socket: &UdpSocket,
    last: &[u8],
    server: SocketAddr,
    inbox: &mut [u8],
) -> io::Result<(usize, SocketAddr)> {
    for _ in 0..5 {
        match socket.recv_from(inbox) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.send_to(last, server)?;
            }
            received => return received,
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}
