//! Other settings while everything runs: nothing is lost, and a bad file changes nothing.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value;

use crate::run::{BINARY, Home, PATIENCE, call, signal, until};

/// Runs `ringup reload`: exit code, standard output, standard error.
pub fn reload(home: &Home, words: &[&str]) -> (i32, String, String) {
    let config = home.path("ringup.toml");
    let done = Command::new(BINARY).arg("--config").arg(config).arg("reload").args(words).output();
    let Output { status, stdout, stderr } = done.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Writes other settings, behind the same `[appliance]` table.
pub fn write(home: &Home, settings: &str) {
    let path = home.path("ringup.toml");
    let text = fs::read_to_string(&path).unwrap();
    let own: Vec<&str> = text.lines().take(5).collect();
    fs::write(path, format!("{}\n{settings}", own.join("\n"))).unwrap();
}

/// What holds for a phone's file name by HTTP: status and body.
pub fn fetch(address: SocketAddr, name: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

/// A loopback address with a port that is free for TCP and UDP now.
fn free() -> SocketAddr {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = udp.local_addr().unwrap();
    if TcpListener::bind(address).is_ok() { address } else { free() }
}

/// Loopback addresses of one appliance.
pub struct Places {
    pub tftp: SocketAddr,
    pub phones: SocketAddr,
    pub operators: SocketAddr,
}

impl Places {
    pub fn new() -> Self {
        Self { tftp: free(), phones: free(), operators: free() }
    }

    pub fn settings(&self, more: &str) -> String {
        let Self { tftp, phones, operators } = self;
        format!(
            "[tftp]\nlisten = [\"{tftp}\"]\n[http]\nphones = [\"{phones}\"]\noperators = [\"{operators}\"]\n{more}"
        )
    }
}

/// A TFTP transfer that goes on block by block, as slowly as its caller wants.
pub struct Slow {
    pub socket: UdpSocket,
    pub server: SocketAddr,
    got: usize,
    block: u16,
}

impl Slow {
    pub fn begin(server: SocketAddr, name: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.send_to(&[b"\0\x01", name.as_bytes(), b"\0octet\0"].concat(), server).unwrap();
        let mut slow = Self { socket, server, got: 0, block: 0 };
        slow.next();
        slow
    }

    /// Takes the next block; true if it was the last.
    fn next(&mut self) -> bool {
        let mut buffer = [0; 600];
        loop {
            let (length, from) = self.socket.recv_from(&mut buffer).unwrap();
            assert_eq!(buffer[1], 3, "{:?}", String::from_utf8_lossy(&buffer[..length]));
            let block = u16::from_be_bytes([buffer[2], buffer[3]]);
            self.server = from;
            if block == self.block.wrapping_add(1) {
                (self.block, self.got) = (block, self.got + length - 4);
                return length < 516;
            }
        }
    }

    fn acknowledge(&self) {
        let [high, low] = self.block.to_be_bytes();
        self.socket.send_to(&[0, 4, high, low], self.server).unwrap();
    }

    /// Takes the rest; how much it was in all.
    pub fn finish(mut self) -> usize {
        loop {
            self.acknowledge();
            if self.next() {
                self.acknowledge();
                return self.got;
            }
        }
    }
}

const SITE: &str = "[site.default]\nadmin-password = \"sesame-one\"\n";

#[test]
fn transfers_go_on_and_all_else_is_new() {
    let places = Places::new();
    let home = Home::new(&places.settings(SITE));
    let big = vec![b'x'; 3_000_000];
    fs::write(home.path("files/big.bin"), &big).unwrap();
    fs::write(home.path("files/small.bin"), "old").unwrap();
    let serving = home.serve(&[]);
    assert_eq!(reload(&home, &[]), (0, "nothing has changed\n".to_owned(), String::new()));

    let tftp = Slow::begin(places.tftp, "small.bin");
    let slow = Slow::begin(places.tftp, "big.bin");
    let mut http = TcpStream::connect(places.phones).unwrap();
    write!(http, "GET /big.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut head = [0; 1024];
    http.read_exact(&mut head).unwrap();
    drop(tftp);

    // Both transfers come from addresses that the new settings no longer have.
    let moved = Places { operators: places.operators, ..Places::new() };
    let more = "[site.default]\nadmin-password = \"sesame-two\"\ntime-zone = \"Europe/Paris\"\n";
    write(&home, &moved.settings(more));
    fs::remove_file(home.path("files/small.bin")).unwrap();
    fs::write(home.path("files/small.bin"), "newer").unwrap();
    fs::write(home.path("files/added.bin"), "added").unwrap();
    let (code, dry, _) = reload(&home, &["--dry-run"]);
    assert!(code == 0 && dry.ends_with("6 changes, nothing done\n"), "{dry}");
    assert_eq!(fetch(places.phones, "small.bin"), Some((200, "old".to_owned())));

    let (code, told, error) = reload(&home, &[]);
    assert_eq!((code, error.as_str()), (0, ""), "{told}");
    for line in [
        format!("~ tftp.listen: [\"{}\"] → [\"{}\"]", places.tftp, moved.tftp),
        format!("~ http.phones: [\"{}\"] → [\"{}\"]", places.phones, moved.phones),
        "~ site.default.admin-password: •••• → •••• (another one)".to_owned(),
        "+ site.default.time-zone: \"Europe/Paris\"".to_owned(),
        "+ files/added.bin: 5 bytes of ".to_owned(),
        "~ files/small.bin: 3 bytes of ".to_owned(),
        "6 changes, in force".to_owned(),
    ] {
        assert!(told.contains(&line), "no `{line}` in:\n{told}");
    }
    assert!(!told.contains("sesame"), "{told}");
    assert_eq!(fetch(moved.phones, "small.bin"), Some((200, "newer".to_owned())));
    assert_eq!(Slow::begin(moved.tftp, "added.bin").got, 5);
    assert!(fetch(places.phones, "small.bin").is_none(), "nobody new is let in there");

    let mut rest = Vec::new();
    http.read_to_end(&mut rest).unwrap();
    let whole = [&head[..], &rest].concat();
    let body = whole.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(whole.len() - body, big.len());
    assert_eq!(slow.finish(), big.len());
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

#[test]
fn a_bad_file_changes_nothing() {
    let places = Places::new();
    let home = Home::new(&places.settings(SITE));
    let serving = home.serve(&[]);
    let page = || {
        let mut stream = TcpStream::connect(places.operators).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    };
    let before = page();
    assert!(!before.contains("to mend"), "{before}");
    fs::write(home.path("files/added.bin"), "added").unwrap();
    let bad = "[site.default]\ntime-zone = \"Europe/Pari\"\n[dhcp]\nmod = \"off\"\n";
    write(&home, &places.settings(bad));
    let (code, told, error) = reload(&home, &[]);
    assert_eq!((code, told.as_str()), (78, ""), "{error}");
    for words in ["Europe/Pari", "unknown key `mod`", "did you mean `mode`?", "nothing has changed"]
    {
        assert!(error.contains(words), "no `{words}` in:\n{error}");
    }
    // The same by the API and by SIGHUP, where the appliance itself finds the errors.
    let (status, body) = serving.try_call("POST", "/api/v1/reload", "", "").unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body["problems"].as_array().unwrap().len()), (422, 2), "{body}");
    signal(serving.pid(), "HUP");
    until("word in the log", || home.log().contains("were not taken").then_some(()));
    assert!(home.log().contains("unknown key `mod`"), "{}", home.log());
    assert_eq!(fetch(places.phones, "added.bin").unwrap().0, 404, "files are as they were too");
    until("notice on the page", || page().contains("were not taken").then_some(()));

    // An address that somebody else has: nothing of the rest is taken either.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = Places { phones: other.local_addr().unwrap(), ..places };
    write(&home, &taken.settings("[site.default]\ntime-zone = \"Europe/Paris\"\n"));
    let (code, _, error) = reload(&home, &[]);
    assert!(code == 78 && error.contains("in use"), "{code} {error}");
    assert_eq!(fetch(places.phones, "added.bin").unwrap().0, 404);

    // What a restart has to do is said, and everything else is done.
    let text = fs::read_to_string(home.path("ringup.toml")).unwrap();
    let text = text.replace(&taken.phones.to_string(), &places.phones.to_string());
    fs::write(home.path("ringup.toml"), &text).unwrap();
    assert_eq!(reload(&home, &[]).0, 0);
    assert_eq!(fetch(places.phones, "added.bin"), Some((200, "added".to_owned())));
    assert!(!page().contains("were not taken"));
    let elsewhere = text.replace("/state\"", "/elsewhere\"");
    fs::write(home.path("ringup.toml"), elsewhere).unwrap();
    let answer = call(&home.path("state/api.sock"), "POST", "/api/v1/reload", "", "").unwrap().1;
    assert!(answer.contains("appliance.state: all facts are in"), "{answer}");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
    let (code, _, error) = reload(&home, &[]);
    assert!(code == 69 && error.contains("no ringup runs"), "{code} {error}");
}

#[test]
fn a_password_holds_from_the_next_request_on() {
    let places = Places::new();
    let home = Home::new(&places.settings(""));
    let _serving = home.serve(&[]);
    let ask = |token: &str| {
        let mut stream = TcpStream::connect(places.operators).unwrap();
        write!(
            stream,
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
    };
    assert_eq!(ask(""), 200);
    write(&home, &places.settings("token = \"abc\"\n"));
    assert_eq!(reload(&home, &[]).0, 0);
    assert_eq!((ask(""), ask("abc")), (401, 200));
}
