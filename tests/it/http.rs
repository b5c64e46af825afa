//! HTTP over real sockets and a real store: what phones get, what the record says of it, and what operators see.

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
    config::{PeerRule, Settings},
    domain::{
        Batch, Change, Entry, Event, Ground, Line, Mac, Origin, Outcome, Secret, Timestamp, What,
    },
    http::{About, Operators, OperatorsPort, Phones, Socket},
    profile::Catalog,
    provision::{Library, Provisioner, Service},
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
        settings.sites.insert("default".to_owned(), ringup::config::Site::default());
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
        let about = About { version: "test".to_owned(), notices: vec!["a notice".to_owned()] };
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
    fn get(&self, path: &str, headers: &str) -> Answer {
        let agent = "User-Agent: FileTransport PolycomVVX-VVX_410-UA/5.9.0.9373\r\n";
        ask(
            self.phones,
            &format!("GET {path} HTTP/1.1\r\nHost: x\r\n{agent}{headers}Connection: close\r\n\r\n"),
        )
    }

    /// A call of the API.
    pub fn api(&self, method: &str, path: &str, body: &str) -> Answer {
        let host = self.operators;
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n");
        ask(self.operators, &format!("{head}Connection: close\r\n\r\n{body}"))
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

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.status, String::from_utf8_lossy(&self.body)))
    }
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

#[test]
fn a_file_whole_in_part_and_unchanged() {
    let (bench, bytes) = with_own_file();
    let whole = bench.get(OWN, "");
    assert_eq!((whole.status, whole.body == bytes), (200, true));
    assert_eq!(whole.header("content-type"), Some("text/plain"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(bench.ends(mac(POLY), 1), [(200_000, Outcome::Complete)]);

    let tag = whole.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is strong");
    let unchanged = bench.get(OWN, &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.header("etag"), Some(&*tag));

    let part = bench.get(OWN, "Range: bytes=10-19\r\n");
    assert_eq!((part.status, &part.body[..]), (206, &bytes[10..20]));
    assert_eq!(part.header("content-range"), Some("bytes 10-19/200000"));
    let rest = bench.get(OWN, &format!("Range: bytes=150000-\r\nIf-Range: {tag}\r\n"));
    assert_eq!((rest.status, &rest.body[..]), (206, &bytes[150_000..]));
    let beyond = bench.get(OWN, "Range: bytes=200000-\r\n");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */200000")));
    let several = bench.get(OWN, "Range: bytes=0-1,5-6\r\n");
    assert_eq!((several.status, several.body.len()), (200, 200_000));

    let ends = bench.ends(mac(POLY), 5);
    let names: Vec<_> = ends.iter().map(|(bytes, outcome)| (*bytes, outcome.as_str())).collect();
    let expected = [
        (200_000, "complete"),
        (20, "aborted"),
        (200_000, "complete"),
        (0, "aborted"),
        (200_000, "complete"),
    ];
    assert_eq!(names, expected, "a part that stops short of the end is no delivery");
    let events = bench.service.journal.timeline(mac(POLY), 100).unwrap();
    assert!(events.iter().any(|(_, event)| matches!(event.what, What::Unchanged { .. })));
    bench.end();
}

#[test]
fn looking_is_not_taking() {
    let (bench, _) = with_own_file();
    let head = ask(bench.phones, &format!("HEAD {OWN} HTTP/1.0\r\n\r\n"));
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, Some("200000"), 0)
    );
    bench.runtime.block_on(bench.service.recorder.drain());
    assert_eq!(bench.service.journal.timeline(mac(POLY), 10).unwrap(), []);
    bench.end();
}

#[test]
fn a_phone_that_hangs_up_has_not_got_its_file() {
    let bytes = vec![b'x'; 32 << 20];
    let bench = Bench::new(&[("0004f2aabb01.cfg", &bytes)]);
    bench.commit(vec![Change::Listed(mac(POLY), Box::new(entry("VVX 410", "4012", "")))]);
    let mut stream = TcpStream::connect(bench.phones).unwrap();
    stream.write_all(format!("GET {OWN} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    stream.read_exact(&mut [0; 100_000]).unwrap();
    drop(stream);
    let [(sent, outcome)] = &bench.ends(mac(POLY), 1)[..] else { panic!("one end") };
    assert_eq!(*outcome, Outcome::Aborted { text: String::new() });
    assert!((65_536..32 << 20).contains(sent), "{sent} octets are what the kernel took");
    bench.end();
}

#[test]
fn one_connection_carries_several_requests() {
    let (bench, bytes) = with_own_file();
    let mut stream = TcpStream::connect(bench.phones).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let ask = |last: &str| format!("GET {OWN} HTTP/1.1\r\nHost: x\r\n{last}\r\n");
    stream
        .write_all(format!("{}{}{}", ask(""), ask(""), ask("Connection: close\r\n")).as_bytes())
        .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let bodies = all.windows(bytes.len()).filter(|window| *window == bytes).count();
    assert_eq!(bodies, 3);
    assert_eq!(bench.ends(mac(POLY), 3), vec![(200_000, Outcome::Complete); 3]);
    bench.end();
}

#[test]
fn what_phones_do_not_get() {
    let (bench, _) = with_own_file();
    let check = |request: &str, status: u16| {
        let answer = ask(bench.phones, request);
        assert_eq!(answer.status, status, "{request}: {}", String::from_utf8_lossy(&answer.body));
    };
    check("GET /no/such/thing HTTP/1.0\r\n\r\n", 404);
    check("GET / HTTP/1.0\r\n\r\n", 404);
    check("GET /../../etc/passwd HTTP/1.0\r\n\r\n", 404);
    check("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", 404);
    check("GET /0004f2aabb02.cfg HTTP/1.0\r\n\r\n", 404);
    check(
        "PUT /0004f2aabb01-app.log HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc",
        403,
    );
    check("DELETE /0004f2aabb01.cfg HTTP/1.0\r\n\r\n", 405);
    check(&format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(9000)), 431);
    check("GET /%30004f2aabb01.cfg HTTP/1.0\r\n\r\n", 200);
    bench.end();
}

#[test]
fn one_peer_does_not_take_all_connections() {
    let (bench, _) = with_own_file();
    let held: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = TcpStream::connect(bench.phones).unwrap();
            // Half a request: the connection is in use, and its seat taken once the next one is turned away.
            stream.write_all(b"GET /").unwrap();
            stream
        })
        .collect();
    let mut refused = TcpStream::connect(bench.phones).unwrap();
    refused.set_read_timeout(Some(PATIENCE)).unwrap();
    let ended = refused.read(&mut [0; 1]);
    assert!(
        matches!(ended, Ok(0))
            || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
    );
    drop(held);
    bench.end();
}

#[test]
fn a_phone_in_json() {
    let (bench, _) = with_own_file();
    let phone = bench.api("GET", "/api/v1/phones/0004F2-AABB01", "").json();
    assert_eq!(phone["mac"], POLY);
    assert_eq!((&phone["stage"], &phone["since"]), (&Value::from("silent"), &Value::Null));
    assert_eq!(phone["entry"]["number"], "4012");
    assert_eq!(phone["entry"]["sip-password"], "••••");
    assert_eq!(
        bench.api("GET", &format!("/api/v1/phones/{POLY}?reveal"), "").json()["entry"]["sip-password"],
        "pw-4012"
    );
    bench.get(OWN, "");
    bench.ends(mac(POLY), 1);
    let phone = bench.api("GET", &format!("/api/v1/phones/{POLY}"), "").json();
    assert_eq!(phone["transfers"][0]["outcome"], "complete", "{phone}");
    assert_eq!(phone["transfers"][0]["carrier"], "http");
    let grounds = phone["identity"]["grounds"].as_array().unwrap();
    assert!(grounds.iter().any(|ground| ground["from"] == "user-agent"), "{phone}");
    let events = bench.api("GET", &format!("/api/v1/phones/{POLY}/events"), "").json();
    let kinds: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["opened", "ended"]);
    let unknown = bench.api("GET", "/api/v1/phones/00:04:f2:00:00:99", "");
    assert_eq!(
        (unknown.status, unknown.header("content-type")),
        (404, Some("application/problem+json"))
    );
    assert_eq!(unknown.json()["status"], 404);
    bench.end();
}

#[test]
fn phones_a_page_at_a_time() {
    let bench = Bench::new(&[]);
    let numbered = |n: u8| Mac::new([0, 4, 0xf2, 0, 0, n + 1]).unwrap();
    let listed =
        |n| Change::Listed(numbered(n), Box::new(entry("VVX 410", &format!("40{n:02}"), "Desk")));
    bench.commit((0..25).map(listed).collect());
    bench.commit(vec![happened(
        numbered(7),
        What::Informed { address: Ipv4Addr::new(10, 0, 0, 7) },
    )]);
    let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = bench.api("GET", &format!("/api/v1/phones?limit=10&after={after}"), "").json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|phone| phone["entry"]["number"].clone()),
        );
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    let expected: Vec<_> = (0..25).map(|n| Value::from(format!("40{n:02}"))).collect();
    assert_eq!((seen, pages), (expected, 3));
    let count = |query: &str| {
        bench.api("GET", &format!("/api/v1/phones?{query}"), "").json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("stage=discovered"), 1);
    assert_eq!(count("stage=silent&limit=1000"), 24);
    assert_eq!(count("q=4007"), 1);
    assert_eq!(count("q=10.0.0.7"), 1);
    assert_eq!(count("q=DESK&limit=5"), 5);
    assert_eq!(count("q=nobody"), 0);
    assert_eq!(bench.api("GET", "/api/v1/phones?stage=booting", "").status, 400);
    bench.end();
}

#[test]
fn an_entry_put_and_forgotten() {
    let bench = Bench::new(&[]);
    let path = format!("/api/v1/phones/{POLY}");
    let put =
        bench.api("PUT", &path, r#"{"model":"VVX 410","number":"4012","sip-password":"geheim"}"#);
    assert_eq!(put.status, 201, "{}", String::from_utf8_lossy(&put.body));
    let again =
        bench.api("PUT", &path, r#"{"model":"VVX 410","number":"4013","sip-password":"••••"}"#);
    assert_eq!((again.status, &again.json()["entry"]["number"]), (200, &Value::from("4013")));
    let kept = bench.api("GET", &format!("{path}?reveal=true"), "").json();
    assert_eq!(kept["entry"]["sip-password"], "geheim");
    let lines = r#"{"lines":[{"number":"1"},{"number":"2"}],"keys":{"1":"blf:4013:Anna"}}"#;
    assert_eq!(bench.api("PUT", &path, lines).json()["entry"]["lines"][1]["number"], "2");
    let plain = bench.api("PUT", &path, r#"{"model":"VVX 410","number":"4013"}"#).json();
    assert_eq!(
        plain["entry"],
        serde_json::json!({"model":"VVX 410","number":"4013"}),
        "the rest goes"
    );
    assert_eq!(bench.api("PUT", &path, r#"{"name":"a\u0001b"}"#).status, 422);
    assert_eq!(bench.api("PUT", &path, "{").status, 400);
    assert_eq!(bench.api("DELETE", &path, "").status, 204);
    assert_eq!(bench.api("GET", &path, "").status, 404);
    assert_eq!(bench.api("DELETE", &path, "").status, 404);
    bench.end();
}

#[test]
fn the_window_opens_and_closes() {
    let bench = Bench::new(&[]);
    assert_eq!(bench.api("GET", "/api/v1/auto-registration", "").json()["enabled"], false);
    let open = r#"{"enabled":true,"until":"2099-01-01T00:00:00Z"}"#;
    let opened = bench.api("PUT", "/api/v1/auto-registration", open).json();
    assert_eq!(
        (&opened["enabled"], &opened["until"]),
        (&Value::from(true), &Value::from("2099-01-01T00:00:00.000Z"))
    );
    let bench = bench.again();
    assert_eq!(
        bench.api("GET", "/api/v1/auto-registration", "").json()["enabled"],
        true,
        "after a restart too"
    );
    let past = r#"{"enabled":true,"until":"2020-01-01T00:00:00Z"}"#;
    assert_eq!(bench.api("PUT", "/api/v1/auto-registration", past).status, 400);
    bench.end();
}

#[test]
fn every_other_list_answers() {
    let (bench, _) = with_own_file();
    for path in ["findings", "leases", "profiles", "firmware", "openapi.json"] {
        let answer = bench.api("GET", &format!("/api/v1/{path}"), "");
        assert_eq!(answer.status, 200, "{path}");
        answer.json();
    }
    let description = bench.api("GET", "/api/v1/openapi.json", "").json();
    assert!(description["paths"]["/api/v1/phones/{mac}"]["put"].is_object(), "{description}");
    let metrics = String::from_utf8(bench.api("GET", "/metrics", "").body).unwrap();
    assert!(
        metrics.contains("ringup_phones{stage=\"silent\"} 1\n") && metrics.ends_with("# EOF\n"),
        "{metrics}"
    );
    assert_eq!(bench.api("GET", "/healthz", "").json()["status"], "ok");
    let lost = bench.api("GET", "/api/v2", "");
    assert_eq!((lost.status, lost.header("content-type")), (404, Some("application/problem+json")));
    assert_eq!(bench.api("POST", "/api/v1/leases", "").status, 405);
    let shown = bench.api("GET", &format!("/api/v1/phones/{POLY}/files/0004f2aabb01.cfg"), "");
    assert_eq!((shown.status, shown.body.len()), (200, 200_000));
    assert!(shown.header("content-security-policy").is_some());
    bench.end();
}

#[test]
fn a_backup_can_be_restored() {
    let (bench, _) = with_own_file();
    let backup = bench.api("GET", "/api/v1/backup", "");
    assert_eq!(backup.status, 200);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ringup.backup");
    fs::write(&file, &backup.body).unwrap();
    ringup::store::restore(&file, &directory.path().join("state")).unwrap();
    let store = Store::open(&directory.path().join("state")).unwrap();
    assert_eq!(store.view.read().phones[&mac(POLY)].entry.as_ref().unwrap().number(), "4012");
    store.journal.close();
    bench.end();
}

#[test]
fn the_control_socket_trusts_whoever_may_open_it() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new(&[]);
    let path = bench.directory.path().join("api.sock");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
        .unwrap();
    assert_eq!(read(stream).status, 200);
    let bench = bench.again();
    assert!(UnixStream::connect(&path).is_ok(), "a stale file is replaced");
    let foreign =
        format!("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_eq!(ask(bench.operators, &foreign).status, 421, "the network port looks closer");
    let directory = bench.end();
    assert!(!directory.path().join("api.sock").exists());
}

/// An event stream, read line by line.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(bench: &Bench, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(bench.operators).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let host = bench.operators;
        // HTTP/1.0: no chunks between the lines.
        stream
            .write_all(
                format!("GET /api/v1/events HTTP/1.0\r\nHost: {host}\r\n{last}\r\n").as_bytes(),
            )
            .unwrap();
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        Self(lines)
    }

    /// The next event: its name, number and data.
    fn next(&mut self) -> (String, u64, Value) {
        let (mut name, mut id, mut data) = (String::new(), 0, Value::Null);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => name = value.to_owned(),
                Some(("id", value)) => id = value.parse().unwrap(),
                Some(("data", value)) => data = serde_json::from_str(value).unwrap(),
                _ if line == "\n" && !name.is_empty() => return (name, id, data),
                _ => {}
            }
        }
    }

    /// The next event about a phone.
    fn phone(&mut self) -> (u64, Value) {
        loop {
            let (name, id, data) = self.next();
            if name == "phone" {
                return (id, data);
            }
        }
    }
}

#[test]
fn events_live_and_resumed() {
    let bench = Bench::new(&[]);
    let listed = |n: u8| {
        let mac = Mac::new([0, 4, 0xf2, 0, 0, n]).unwrap();
        Change::Listed(mac, Box::new(entry("VVX 410", &format!("40{n:02}"), "")))
    };
    let first = bench.commit(vec![listed(1)]);
    let mut live = Stream::open(&bench, Some(0));
    let (id, data) = live.phone();
    assert_eq!(
        (id, &data["entry"]["number"]),
        (first, &Value::from("4001")),
        "what was before comes first"
    );
    let second = bench.commit(vec![listed(2)]);
    let (id, data) = live.phone();
    assert_eq!((id, &data["entry"]["number"]), (second, &Value::from("4002")), "then what happens");
    assert_eq!(data["entry"]["sip-password"], "••••");
    drop(live);

    // Three more while nobody listens, and a restart between.
    bench.commit(vec![listed(3)]);
    let bench = bench.again();
    let last = bench.commit(vec![listed(4), listed(5)]);
    let mut resumed = Stream::open(&bench, Some(second));
    let numbers: Vec<_> = (0..3).map(|_| resumed.phone().1["entry"]["number"].clone()).collect();
    assert_eq!(numbers, ["4003", "4004", "4005"]);
    // Cut within a commit of several things: all of that commit comes again, rather than one being lost.
    let mut cut = Stream::open(&bench, Some(last));
    let again: Vec<_> = (0..2).map(|_| cut.phone().1["entry"]["number"].clone()).collect();
    assert_eq!(again, ["4004", "4005"]);
    let gone = Mac::new([0, 4, 0xf2, 0, 0, 1]).unwrap();
    bench.commit(vec![Change::Forgotten(gone)]);
    assert_eq!(cut.phone().1["forgotten"], true);
    bench.end();
}

#[test]
fn a_list_imported_and_taken_back() {
    let bench = Bench::new(&[]);
    let import =
        |query: &str, csv: &str| bench.api("POST", &format!("/api/v1/phones/import{query}"), csv);
    let good = "mac,model,number,sip-password\n0004f2aabb01,VVX 410,4012,geheim\n";
    let bad = "mac,model,number\n0004f2aabb01,VVX 410,4013\n1.57E+11,VVX 410,4014\n";

    let dry = import("?dry-run", good).json();
    assert_eq!((&dry["added"], &dry["applied"]), (&Value::from(1), &Value::from(false)));
    assert_eq!(bench.api("GET", &format!("/api/v1/phones/{POLY}"), "").status, 404);
    let done = import("", good).json();
    assert_eq!((&done["added"], &done["applied"]), (&Value::from(1), &Value::from(true)), "{done}");

    let refused = import("", bad);
    let rows = refused.json();
    assert_eq!((refused.status, &rows["applied"]), (422, &Value::from(false)), "{rows}");
    let row = &rows["rows"][1];
    assert_eq!(
        (&row["verdict"], &row["line"], &row["column"]),
        (&"refused".into(), &3.into(), &"mac".into())
    );
    let number = || {
        let phone = bench.api("GET", &format!("/api/v1/phones/{POLY}"), "").json();
        phone["entry"]["number"].as_str().map(str::to_owned)
    };
    assert_eq!(number().as_deref(), Some("4012"), "all or nothing");
    let part = import("?partial=true", bad).json();
    assert_eq!(
        (&part["changed"], &part["rows"][0]["fields"]),
        (&1.into(), &serde_json::json!(["number"]))
    );
    assert_eq!(number().as_deref(), Some("4013"));

    let masked = String::from_utf8(bench.api("GET", "/api/v1/phones/export", "").body).unwrap();
    assert!(masked.contains("4013") && !masked.contains("geheim"), "{masked}");
    assert_eq!(import("", &masked).json()["same"], 1, "what was exported changes nothing");
    let open = bench.api("GET", "/api/v1/phones/export?format=json&secrets=true", "").json();
    assert_eq!(open[0]["sip-password"], "geheim");

    assert_eq!(bench.api("POST", "/api/v1/undo", "").json()["changes"], 1);
    assert_eq!(number().as_deref(), Some("4012"), "the last import is taken back");
    let mapped =
        import("?map=MAC+Address%3Dmac&ignore-unknown", "MAC Address,Colour\n0004f2aabb02,red\n");
    assert_eq!(mapped.json()["added"], 1);
    assert_eq!(import("?prune", good).status, 400);
    assert_eq!(import("", &"x".repeat(17 << 20)).status, 413);
    bench.end();
}
