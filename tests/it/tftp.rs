//! TFTP on loopback: third-party clients fetch, hostile ones get nothing.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use kit::{Fetch, Memory, Server, rrq};
use ringup::{
    domain::{Mac, Outcome},
    provision::Why,
    telemetry::Counters,
    tftp::{Tftp, TftpError},
    wire::tftp::{ErrorCode, Packet, Setting},
};
use tokio::sync::Notify;

use super::run::until;

#[path = "../bench/tftp_kit.rs"]
mod kit;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Long enough for anything on loopback, and for every retransmission of ours to be seen.
const QUIET: Duration = Duration::from_millis(600);

/// Bytes without a period that a block size could hide behind.
fn noise(length: usize) -> Arc<[u8]> {
    let mut state = 0x9e37_79b9_u32;
    let next = move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(next).collect()
}

/// Runs a client of the distribution's; it is ended after two minutes.
fn run(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new("timeout")
        .args(["120", program])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("timeout (coreutils)");
    // 127: .ci/setup was not run.
    assert_ne!(status.code(), Some(127), "{program} is not installed: .ci/setup installs it");
    status.success()
}

/// A file from the server by a third-party client; `{…}` in the words stand for what each run has of its own.
fn fetched(server: &Server, words: &str, name: &str, folder: &Path) -> Vec<u8> {
    let out = folder.join("out");
    let _ = fs::remove_file(&out);
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    let fill = |word: &str| match word {
        "{host}" => host.clone(),
        "{port}" => port.clone(),
        "{name}" => name.to_owned(),
        "{out}" => out.to_string_lossy().into_owned(),
        "{url}" => format!("tftp://{host}:{port}/{name}"),
        plain => plain.replace('+', " "),
    };
    let words: Vec<String> = words.split_whitespace().map(fill).collect();
    let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    assert!(run(arguments[0], &arguments[1..]), "{words:?}");
    fs::read(&out).expect("the client wrote its file")
}

#[test]
fn clients_of_others_fetch_files_of_every_size() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("empty", 0), ("odd", 2_345), ("whole", 4_096), ("large.bin", 3_000_001)];
    let memory = files.iter().fold(Memory::default(), |m, (name, size)| m.with(name, noise(*size)));
    let server = Server::start("127.0.0.1:0", memory);
    let check = |words: &str| {
        // curl takes the size 0 that RFC 2349 wants for an empty file for a fault.
        let clumsy = words.starts_with("curl") && !words.contains("no-options");
        for (name, size) in files.into_iter().skip(usize::from(clumsy)) {
            let bytes = fetched(&server, words, name, folder.path());
            assert!(bytes[..] == noise(size)[..], "{words}: {name} differs");
            let end = server.end();
            assert_eq!(
                (end.outcome, end.bytes),
                (Outcome::Complete, size as u64),
                "{words}: {name}"
            );
        }
    };
    check("tftp -m binary {host} {port} -c get {name} {out}");
    check("atftp --get -r {name} -l {out} {host} {port}");
    check("atftp --get -r {name} -l {out} --option blksize+1428 {host} {port}");
    check("atftp --get -r {name} -l {out} --option windowsize+8 {host} {port}");
    check("curl -s -o {out} {url}");
    check("curl -s -o {out} --tftp-blksize 1428 {url}");
    check("curl -s -o {out} --tftp-no-options {url}");
    check("busybox tftp -g -r {name} -l {out} {host} {port}");
    check("busybox tftp -g -b 1428 -r {name} -l {out} {host} {port}");
    check("busybox tftp -g -b 8192 -r {name} -l {out} {host} {port}");
}

#[test]
fn clients_of_others_fetch_40_mib() {
    let folder = tempfile::tempdir().unwrap();
    let content = noise(40 << 20);
    let server = Server::start("127.0.0.1:0", Memory::default().with("load.bin", content.clone()));
    let check = |words: &str| {
        let bytes = fetched(&server, words, "load.bin", folder.path());
        assert!(bytes[..] == content[..], "{words}: differs");
        assert_eq!(server.end().outcome, Outcome::Complete, "{words}");
    };
    // 81,921 blocks: the number rolls over.
    check("tftp -m binary {host} {port} -c get {name} {out}");
    check("curl -s -o {out} --tftp-blksize 1428 {url}");
    check("busybox tftp -g -b 8192 -r {name} -l {out} {host} {port}");
    for options in [&[("windowsize", "16")][..], &[("windowsize", "64"), ("blksize", "1468")]] {
        let fetch = Fetch { server: server.address, from: LOOPBACK, name: "load.bin", options };
        assert!(fetch.run().unwrap()[..] == content[..], "{options:?}");
        assert_eq!(server.end().bytes, 40 << 20);
    }
}

#[test]
fn text_is_translated_for_clients_that_translate_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let text: Vec<u8> =
        (0..2_000).flat_map(|n| format!("line {n}\r with a CR\n").into_bytes()).collect();
    let server = Server::start("127.0.0.1:0", Memory::default().with("a.cfg", text.clone()));
    let words = "tftp -m ascii {host} {port} -c get {name} {out}";
    assert_eq!(fetched(&server, words, "a.cfg", folder.path()), text);
    let end = server.end();
    assert_eq!((end.outcome, end.bytes), (Outcome::Complete, text.len() as u64));
}

/// A socket of a phone that the test plays itself.
struct Phone {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Phone {
    fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self { socket, server }
    }

    fn ask(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.server).unwrap();
    }

    fn send(&self, packet: &Packet<'_>, to: SocketAddr) {
        self.socket.send_to(&packet.encode(), to).unwrap();
    }

    /// The next datagram within a second, and where it comes from.
    fn hear(&self) -> (Vec<u8>, SocketAddr) {
        self.hear_within(Duration::from_secs(1)).expect("an answer")
    }

    fn hear_within(&self, bound: Duration) -> Option<(Vec<u8>, SocketAddr)> {
        self.socket.set_read_timeout(Some(bound)).unwrap();
        let mut inbox = [0; 2048];
        let (length, from) = self.socket.recv_from(&mut inbox).ok()?;
        Some((inbox[..length].to_vec(), from))
    }

    /// The answer in words: `data 1 512`, `error 1`, `oack`.
    fn hears(&self) -> (String, SocketAddr) {
        let (datagram, from) = self.hear();
        let words = match Packet::decode(&datagram).unwrap() {
            Packet::Data { block, data } => format!("data {block} {}", data.len()),
            Packet::Error { code, .. } => format!("error {}", code.0),
            Packet::OptionsAck(_) => "oack".to_owned(),
            other => format!("{other:?}"),
        };
        (words, from)
    }
}

fn small() -> Server {
    Server::start("127.0.0.1:0", Memory::default().with("a", noise(1_000)).with("b", noise(20)))
}

#[test]
fn requests_as_phones_spell_them() {
    let server =
        Server::start("127.0.0.1:0", Memory::default().with("a", noise(9)).with("/a\\b", noise(9)));
    let check = |datagram: &[u8], answer: &str| {
        let phone = Phone::new(server.address);
        phone.ask(datagram);
        assert_eq!(phone.hears().0, answer, "{datagram:?}");
    };
    let mut padded = rrq(b"a", &[]);
    check(&padded, "data 1 9");
    padded.push(0);
    check(&padded, "data 1 9");
    padded.resize(512, 0);
    check(&padded, "data 1 9");
    check(b"\0\x01a\0octet", "data 1 9");
    check(b"\0\x01a\0OCTET\0", "data 1 9");
    check(b"\0\x01a\0octet\0blksize", "data 1 9");
    check(b"\0\x01a\0octet\0BLKSIZE\x001428\0", "oack");
    check(b"\0\x01a\0octet\0grandstream_MODEL\0GXP1625\0", "data 1 9");
    check(b"\0\x01/a\\b\0octet\0", "data 1 9");
    check(b"\0\x01\xff\xfe\0octet\0", "error 1");
    check(b"\0\x01a\0mail\0", "error 4");
    check(b"\0\x01a\0octet\0blksize\x007\0", "error 8");
    check(b"\0\x01a\0octet\0timeout\x000\0", "error 8");
    check(b"\0\x02boot.log\0octet\0", "error 2");
}

#[test]
fn refusals_have_numbers() {
    let mac: Mac = "001e7ac41022".parse().unwrap();
    let (peer, name, text) = (LOOPBACK, String::new(), String::new());
    let whys = [
        (Why::NoSuchFile { name: name.clone() }, 1),
        (Why::Missing { name: name.clone() }, 1),
        (Why::NotListed { phone: mac }, 1),
        (Why::NoNumbersLeft { phone: mac, range: name }, 1),
        (Why::NoLease { peer }, 2),
        (Why::NotItsAddress { phone: mac, peer }, 2),
        (Why::Unrenderable { text }, 0),
    ];
    for (why, number) in whys {
        let server = Server::start("127.0.0.1:0", Memory::default().refusing("x", why.clone()));
        let phone = Phone::new(server.address);
        phone.ask(&rrq(b"x", &[("blksize", "1428")]));
        assert_eq!(phone.hears().0, format!("error {number}"), "{why:?}");
        assert_eq!(phone.hear_within(QUIET), None, "one packet is all: {why:?}");
    }
}

#[test]
fn an_error_of_the_phone_stops_it_at_once() {
    let server = small();
    let phone = Phone::new(server.address);
    phone.ask(&rrq(b"a", &[("tsize", "0")]));
    let (_, transfer) = phone.hears();
    phone.send(&Packet::Error { code: ErrorCode(0), text: b"tsize is all I want" }, transfer);
    let end = server.end();
    assert_eq!(end.outcome, Outcome::Aborted { text: "tsize is all I want".to_owned() });
    assert_eq!((end.bytes, phone.hear_within(QUIET)), (0, None));
    // The port is used again for the next request, and is served.
    phone.ask(&rrq(b"b", &[]));
    let (words, transfer) = phone.hears();
    assert_eq!(words, "data 1 20");
    phone.send(&Packet::Ack { block: 1 }, transfer);
    assert_eq!(server.end().outcome, Outcome::Complete);
}

#[test]
fn a_phone_that_closes_its_port_has_aborted() {
    let server = small();
    let phone = Phone::new(server.address);
    phone.ask(&rrq(b"a", &[]));
    let (_, transfer) = phone.hears();
    phone.send(&Packet::Ack { block: 1 }, transfer);
    drop(phone);
    let end = server.end();
    assert_eq!(end.outcome, Outcome::Aborted { text: String::new() });
}

#[test]
fn a_copy_of_a_request_is_one_transfer() {
    let server = small();
    let phone = Phone::new(server.address);
    phone.ask(&rrq(b"a", &[]));
    phone.ask(&rrq(b"a", &[]));
    let (words, transfer) = phone.hears();
    assert_eq!(words, "data 1 512");
    // Only while the transfer runs is the second request a copy of the first.
    until("copy seen", || (server.counters.value("tftp", "copy") == 1).then_some(()));
    phone.send(&Packet::Ack { block: 1 }, transfer);
    let (words, from) = phone.hears();
    assert_eq!((words.as_str(), from), ("data 2 488", transfer));
    phone.send(&Packet::Ack { block: 2 }, transfer);
    assert_eq!(server.end().outcome, Outcome::Complete);
    assert_eq!(phone.hear_within(QUIET), None);
    assert_eq!(server.counters.value("tftp", "copy"), 1);
}

#[test]
fn a_phone_that_starts_anew_from_the_same_port_is_served() {
    let server = small();
    let phone = Phone::new(server.address);
    phone.ask(&rrq(b"a", &[]));
    phone.hears();
    // Another name at once; then the same name again, after its first block had arrived.
    for (name, words) in [(b"b", "data 1 20"), (b"a", "data 1 512"), (b"b", "data 1 20")] {
        phone.ask(&rrq(name, &[]));
        assert_eq!(phone.hears().0, words);
        assert_eq!(server.end().outcome, Outcome::Aborted { text: "asked anew".to_owned() });
    }
    phone.ask(&rrq(b"a", &[]));
    let (_, transfer) = phone.hears();
    phone.send(&Packet::Ack { block: 1 }, transfer);
    assert_eq!(phone.hears().0, "data 2 488");
    phone.ask(&rrq(b"a", &[]));
    let (words, again) = phone.hears();
    assert_eq!(words, "data 1 512");
    assert_ne!(again, transfer);
}

#[test]
fn a_late_file_does_not_answer_the_next_request() {
    let gate = Arc::new(Notify::new());
    let memory = Memory::default().with("slow", noise(600)).with("fast", noise(20));
    let server = Server::start("127.0.0.1:0", memory.behind("slow", gate.clone()));
    let phone = Phone::new(server.address);
    phone.ask(&rrq(b"slow", &[]));
    phone.ask(&rrq(b"fast", &[]));
    let (words, transfer) = phone.hears();
    assert_eq!(words, "data 1 20");
    gate.notify_one();
    let end = server.end();
    assert_eq!((end.name.as_str(), end.outcome.as_str()), ("slow", "aborted"));
    // Only the answer to the second request comes, again and again.
    for _ in 0..2 {
        assert_eq!(phone.hears(), (words.clone(), transfer));
    }
}

#[test]
fn a_stranger_gets_error_5_and_the_transfer_goes_on() {
    let server = small();
    let (phone, stranger) = (Phone::new(server.address), Phone::new(server.address));
    phone.ask(&rrq(b"a", &[]));
    let (_, transfer) = phone.hears();
    stranger.send(&Packet::Ack { block: 1 }, transfer);
    assert_eq!(stranger.hears(), ("error 5".to_owned(), transfer));
    // A stranger that is gone when its ERROR arrives must not end the transfer either.
    let gone = Phone::new(server.address);
    gone.send(&Packet::Ack { block: 1 }, transfer);
    drop(gone);
    for (block, words) in [(1, "data 2 488"), (2, "")] {
        phone.send(&Packet::Ack { block }, transfer);
        if !words.is_empty() {
            assert_eq!(phone.hears().0, words);
        }
    }
    assert_eq!(server.end().outcome, Outcome::Complete);
}

#[test]
fn rfc_1350_4_a_flood_of_strangers_draws_few_errors() {
    let server = small();
    let (phone, stranger) = (Phone::new(server.address), Phone::new(server.address));
    phone.ask(&rrq(b"a", &[]));
    let (_, transfer) = phone.hears();
    for block in 0..200 {
        stranger.send(&Packet::Ack { block }, transfer);
    }
    let drawn = std::iter::from_fn(|| stranger.hear_within(QUIET)).count();
    // Sixteen a second, and a second may begin among them. Nobody answers an ERROR.
    assert!((16..=32).contains(&drawn), "{drawn}");
    stranger.send(&Packet::Error { code: ErrorCode(5), text: b"" }, transfer);
    assert_eq!(stranger.hear_within(QUIET), None);
    phone.send(&Packet::Ack { block: 1 }, transfer);
    until("block 2", || (phone.hears().0 == "data 2 488").then_some(()));
}

#[test]
fn a_family_has_bounds_of_its_own() {
    let rule = toml::from_str("block = 1024\nwindow = 2\nfirmware-patience = 1").unwrap();
    let mut memory = Memory::default().with("a", noise(9_000));
    memory.rule = rule;
    let server = Server::start("127.0.0.1:0", memory);
    let phone = Phone::new(server.address);
    phone.ask(&rrq(b"a", &[("blksize", "8192"), ("windowsize", "9")]));
    let (offer, transfer) = phone.hear();
    let granted = Packet::OptionsAck(vec![
        Setting { name: b"blksize", value: b"1024" },
        Setting { name: b"windowsize", value: b"2" },
    ]);
    assert_eq!(Packet::decode(&offer), Ok(granted));
    phone.send(&Packet::Ack { block: 0 }, transfer);
    assert_eq!((phone.hears().0, phone.hears().0), ("data 1 1024".into(), "data 2 1024".into()));
    // It was heard, so that only the family's own second bounds its silence.
    assert_eq!(server.end().outcome, Outcome::TimedOut);
}

#[test]
fn answers_come_from_the_address_that_was_asked() {
    // One socket for IPv4, and one for both protocols.
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let server = Server::start(listen, Memory::default().with("a", noise(600)));
        for asked in [[127, 0, 0, 1], [127, 0, 0, 2], [127, 20, 0, 9]].map(Ipv4Addr::from) {
            let phone = Phone::new((asked, server.address.port()).into());
            for name in ["a", "nothing"] {
                phone.ask(&rrq(name.as_bytes(), &[]));
                assert_eq!(phone.hear().1.ip(), IpAddr::V4(asked), "{name} at {listen}");
            }
            // Another name took the place of the first transfer.
            assert_eq!(server.end().asked, (LOOPBACK, IpAddr::V4(asked)));
        }
    }
}

#[test]
fn an_address_has_eight_transfers_at_once() {
    let server = small();
    let phones: Vec<_> = (0..9).map(|_| Phone::new(server.address)).collect();
    for phone in &phones[..8] {
        phone.ask(&rrq(b"a", &[]));
        let (_, transfer) = phone.hears();
        phone.send(&Packet::Ack { block: 1 }, transfer);
        assert_eq!(phone.hears().0, "data 2 488");
    }
    phones[8].ask(&rrq(b"a", &[]));
    assert_eq!(phones[8].hears().0, "error 0");
    // Another address is not concerned.
    let options = &[][..];
    let from = IpAddr::from([127, 0, 0, 9]);
    let fetch = Fetch { server: server.address, from, name: "b", options };
    assert_eq!(fetch.run().unwrap().len(), 20);
}

#[test]
fn ten_thousand_hostile_datagrams_change_nothing() {
    let server = small();
    let phone = Phone::new(server.address);
    let bytes = noise(600);
    for round in 0..10_000_usize {
        let length = (round * 7) % 600;
        let mut datagram = bytes[..length].to_vec();
        // Most begin like a packet: every operation that exists and some that don't; requests for what is not there.
        if round % 4 != 0 && length > 1 {
            datagram[..2].copy_from_slice(&[0, u8::try_from(round % 9).unwrap()]);
        }
        phone.ask(&datagram);
        if round % 64 == 0 {
            while phone.hear_within(Duration::from_millis(1)).is_some() {}
        }
    }
    let fetch =
        Fetch { server: server.address, from: [127, 0, 0, 3].into(), name: "a", options: &[] };
    assert!(fetch.run().unwrap()[..] == noise(1_000)[..]);
    assert_eq!(server.counters.value("tftp", "panic"), 0);
    assert!(server.counters.value("tftp", "malformed") > 1_000);
}

#[test]
fn a_server_that_stops_lets_transfers_end() {
    let mut server = small();
    let (phone, late) = (Phone::new(server.address), Phone::new(server.address));
    phone.ask(&rrq(b"a", &[]));
    let (_, transfer) = phone.hears();
    server.stop();
    phone.send(&Packet::Ack { block: 1 }, transfer);
    assert_eq!(phone.hears().0, "data 2 488");
    phone.send(&Packet::Ack { block: 2 }, transfer);
    assert_eq!(server.end().outcome, Outcome::Complete);
    server.stopped();
    late.ask(&rrq(b"a", &[]));
    assert_eq!(late.hear_within(QUIET), None);
    // A phone that never ends is told so.
    let mut server = small();
    let phone = Phone::new(server.address);
    phone.ask(&rrq(b"a", &[]));
    phone.hears();
    server.stopped();
    assert_eq!(server.end().outcome, Outcome::Failed { text: "the server stops".to_owned() });
}

#[tokio::test]
async fn what_keeps_it_from_listening_is_said_with_its_cure() {
    let bind = |address: &str| {
        let (shelf, counters) = (Arc::new(Memory::default()), Counters::default());
        Tftp::bind(&[address.parse().unwrap()], shelf, counters).map(|t| t.addresses()[0])
    };
    let first = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = bind(&first.local_addr().unwrap().to_string()).unwrap_err();
    assert!(matches!(taken, TftpError::InUse { .. }), "{taken}");
    assert!(taken.to_string().contains("ss -lunp"), "{taken}");
    let foreign = bind("192.0.2.1:0").unwrap_err();
    assert!(matches!(foreign, TftpError::NoSuchAddress { .. }), "{foreign}");
    assert!(bind("127.0.0.1:0").unwrap().port() > 0);
}
