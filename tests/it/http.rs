//! HTTP over real sockets and a real store: what phones get, what the record says of it, and what operators see.

pub mod batches;
mod explained;
mod guarded;
mod labels;
mod operators;
mod phones;
mod registered;
mod repairs;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ringup::{
    config::{PeerRule, Registrar, Settings, Site},
    domain::{
        Batch, Change, Entry, Event, Ground, Line, Mac, Origin, Outcome, Secret, Timestamp, What,
    },
    http::{About, Operators, OperatorsPort, Phones, Socket},
    profile::Catalog,
    provision::{Library, Provisioner, Service},
    sip::Notifier,
    store::Store,
    telemetry::Counters,
};
use serde_json::Value;
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Loopback, any port.
const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// An appliance without DHCP and TFTP: the HTTP ports on loopback, over a store in a directory of its own.
pub struct Bench {
    pub directory: tempfile::TempDir,
    pub runtime: Runtime,
    pub service: Arc<Service>,
    pub phones: SocketAddr,
    pub operators: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Bench {
    /// A bench whose files directory holds `files`.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let shelf = directory.path().join("files");
        fs::create_dir(&shelf).unwrap();
        for (name, bytes) in files {
            fs::write(shelf.join(name), bytes).unwrap();
        }
        Self::start(directory, ANY)
    }

    /// The same state, started again.
    pub fn again(self) -> Self {
        let directory = self.end();
        Self::start(directory, ANY)
    }

    /// The same, with operators served at `address` again, and something done in between.
    pub fn again_at(self, address: SocketAddr, between: impl FnOnce()) -> Self {
        let directory = self.end();
        between();
        Self::start(directory, address)
    }

    fn start(directory: tempfile::TempDir, operators: SocketAddr) -> Self {
        let runtime = Runtime::new().unwrap();
        let entered = runtime.enter();
        let store = Store::open(&directory.path().join("state")).unwrap();
        let mut settings = Settings::default();
        settings.secrets.peer = PeerRule::Any;
        // Differs from production by one registrar, and only where a test opens a batch.
        let address = "10.99.0.1".to_owned();
        let servers = vec![Registrar { address, port: None }];
        let staged = ["server".to_owned()].into();
        let staging = Site { servers, staged, ..Site::default() };
        let site = Site { staging: Some(Box::new(staging)), ..Site::default() };
        settings.sites.insert("default".to_owned(), site);
        let (library, problems) =
            Library::load(&directory.path().join("files"), Path::new("/nonexistent"));
        assert!(problems.is_empty(), "{problems:?}");
        let (catalog, _) = Catalog::load(None);
        let provisioner = Provisioner::new(
            Arc::new(settings),
            Arc::new(catalog),
            Arc::new(library),
            store.view.clone(),
        );
        let counters = Counters::default();
        let service =
            Service::start(provisioner, store.journal, store.view, store.feed, counters.clone());
        let service = Arc::new(service);
        let (stop, stopped) = watch::channel(false);
        let phones = Phones::bind(&[ANY], Arc::clone(&service), counters.clone()).unwrap();
        let about = About {
            version: "test".to_owned(),
            notices: vec!["a notice".to_owned()],
            ..About::default()
        };
        let shared = Operators::new(Arc::clone(&service), counters, about);
        let operators = OperatorsPort::bind(&[operators], shared.clone(), None, None, &[]).unwrap();
        let socket = Socket::bind(&directory.path().join("api.sock"), shared).unwrap();
        let (at, seen_at) = (phones.addresses()[0], operators.addresses()[0]);
        let tasks = vec![
            runtime.spawn(phones.serve(stopped.clone())),
            runtime.spawn(operators.serve(stopped.clone())),
            runtime.spawn(socket.serve(stopped)),
        ];
        drop(entered);
        Self { directory, runtime, service, phones: at, operators: seen_at, stop, tasks }
    }

    /// From now on phones can be told to come again.
    pub fn asks(&mut self) {
        let (notifier, orders) = Notifier::new(Arc::clone(&self.service));
        self.service.join_resync(Box::new(orders));
        self.tasks.push(self.runtime.spawn(notifier.serve(self.stop.subscribe())));
    }

    /// Stops everything and hands back the directory.
    fn end(self) -> tempfile::TempDir {
        self.stop.send(true).unwrap();
        self.runtime.block_on(async {
            for task in self.tasks {
                tokio::time::timeout(PATIENCE, task).await.expect("it drains").unwrap();
            }
            self.service.recorder.drain().await;
        });
        self.service.journal.close();
        drop(self.service);
        self.runtime.shutdown_timeout(PATIENCE);
        self.directory
    }

    pub fn commit(&self, changes: Vec<Change>) -> u64 {
        self.service.journal.commit_blocking(Batch::from(changes)).unwrap().number
    }

    /// A GET on the phones' port, the connection closed behind it.
    pub fn get(&self, path: &str, headers: &str) -> Answer {
        let agent = "User-Agent: FileTransport PolycomVVX-VVX_410-UA/5.9.0.9373\r\n";
        ask(
            self.phones,
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\n{agent}{headers}Connection: close\r\n\r\n"),
        )
    }

    /// A call of the API.
    pub fn api(&self, method: &str, path: &str, body: &str) -> Answer {
        call(self.operators, method, path, body)
    }

    /// The ends of transfers in a phone's timeline, once there are `count` of them.
    fn ends(&self, mac: Mac, count: usize) -> Vec<(u64, Outcome)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.runtime.block_on(self.service.recorder.drain());
            let events = self.service.journal.timeline(mac, 100).unwrap();
            let ends: Vec<_> = events
                .into_iter()
                .filter_map(|(_, event)| match event.what {
                    What::Ended { bytes, outcome, .. } => Some((bytes, outcome)),
                    _ => None,
                })
                .collect();
            if ends.len() >= count {
                return ends;
            }
            assert!(Instant::now() < deadline, "only {ends:?}");
            std::thread::yield_now();
        }
    }
}

/// An answer, taken apart.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, String::from_utf8_lossy(&self.body)))
    }
}

/// A call of the API of whoever listens at `host`.
pub fn call(host: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n");
    ask(host, &format!("{head}Connection: close\r\n\r\n{body}"))
}

fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read(stream)
}

fn read(mut stream: impl Read) -> Answer {
    let mut bytes = Vec::new();
    // A server that closes with a request body unread resets the connection behind its answer.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = bytes[end + 4..].to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer { status, head, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length =
            usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 2 + length + 2..];
    }
    body
}

pub fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

pub fn entry(model: &str, number: &str, name: &str) -> Entry {
    let line = Line {
        number: number.to_owned(),
        name: name.to_owned(),
        sip_password: Secret::new(format!("pw-{number}")),
        ..Line::default()
    };
    Entry { model: model.to_owned(), lines: vec![line], ..Entry::default() }
}

pub fn happened(mac: Mac, what: What) -> Change {
    Change::Happened(mac, Event { at: Timestamp::now(), what })
}

pub fn showed(mac: Mac, from: Origin, value: &str, model: Option<&str>) -> Change {
    let ground = Ground {
        from,
        value: value.to_owned(),
        vendor: None,
        family: None,
        model: model.map(str::to_owned),
        firmware: None,
        mac: None,
        at: Timestamp::now(),
    };
    Change::Showed(mac, ground)
}

const POLY: &str = "00:04:f2:aa:bb:01";
const OWN: &str = "/0004f2aabb01.cfg";

/// A bench with one listed Poly phone whose own file the operator wrote by hand: 200,000 octets.
fn with_own_file() -> (Bench, Vec<u8>) {
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| b'a' + (n % 23) as u8).collect();
    let bench = Bench::new(&[("0004f2aabb01.cfg", &bytes)]);
    bench.commit(vec![Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", "Front desk")))]);
    (bench, bytes)
}
