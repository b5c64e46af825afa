//! Other settings while everything runs: nothing is lost, and a bad file changes nothing.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value;

use crate::{
    cable::{Cable, SERVER},
    run::{BINARY, Home, PATIENCE, Serving, call, signal, until},
};

/// Runs `ringup reload`: exit code, standard output, standard error.
fn reload(home: &Home, words: &[&str]) -> (i32, String, String) {
    let config = home.path("ringup.toml");
    let done = Command::new(BINARY).arg("--config").arg(config).arg("reload").args(words).output();
    let Output { status, stdout, stderr } = done.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Writes other settings, behind the same `[appliance]` table.
fn write(home: &Home, settings: &str) {
    let path = home.path("ringup.toml");
    let text = fs::read_to_string(&path).unwrap();
    let own: Vec<&str> = text.lines().take(5).collect();
    fs::write(path, format!("{}\n{settings}", own.join("\n"))).unwrap();
}

/// What holds for a phone's file name by HTTP: status and body.
fn fetch(address: SocketAddr, name: &str) -> Option<(u16, String)> {
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
struct Places {
    tftp: SocketAddr,
    phones: SocketAddr,
    operators: SocketAddr,
}

impl Places {
    fn new() -> Self {
        Self { tftp: free(), phones: free(), operators: free() }
    }

    fn settings(&self, more: &str) -> String {
        let Self { tftp, phones, operators } = self;
        format!(
            "[tftp]\nlisten = [\"{tftp}\"]\n[http]\nphones = [\"{phones}\"]\noperators = [\"{operators}\"]\n{more}"
        )
    }
}

/// A TFTP transfer that goes on block by block, as slowly as its caller wants.
struct Slow {
    socket: UdpSocket,
    server: SocketAddr,
    got: usize,
    block: u16,
}

impl Slow {
    fn begin(server: SocketAddr, name: &str) -> Self {
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
    fn finish(mut self) -> usize {
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

const DHCP: &str = r#"
[dhcp]
mode = "serve"
interfaces = ["eth1"]
[[dhcp.subnet]]
subnet = "10.20.0.0/16"
pool = ["10.20.1.1-10.20.4.250"]
lease-time = "2h"
"#;

#[test]
fn under_load_nothing_is_lost() {
    let cable = Cable::new();
    let home = Home::new(DHCP);
    let big = vec![b'x'; 1_000_000];
    fs::write(home.path("files/big.bin"), &big).unwrap();
    let serving = home.serve(&cable.server());
    cable.plug("02:15:65:00:00:03");
    cable.address("10.20.0.9/16");
    let limit = PATIENCE.as_secs().to_string();
    let words = [
        "timeout", "60", "perfdhcp", "-4", "-l", "eth1", "-r", "100", "-R", "500", "-n", "500",
        "-W", "3000000", SERVER,
    ];
    let clients = cable.phone(&words).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let fetch = |url: &str, name: &str| {
        let path = home.path(name).display().to_string();
        let words = ["curl", "-sS", "-m", &limit, "--limit-rate", "300k", "-o", &path, url];
        cable.phone(&words).spawn().unwrap()
    };
    let mut transfers = [
        fetch(&format!("tftp://{SERVER}/big.bin"), "by-tftp"),
        fetch(&format!("http://{SERVER}/big.bin"), "by-http"),
    ];
    let mut times = 0;
    let ended = |child: &mut std::process::Child| child.try_wait().unwrap();
    let mut clients = clients;
    while ended(&mut clients).is_none() || transfers.iter_mut().any(|one| ended(one).is_none()) {
        times += 1;
        write(&home, &DHCP.replace("2h", &format!("{}h", 2 + times % 2)));
        let (code, told, error) = reload(&home, &[]);
        assert!(code == 0 && told.contains("lease-time"), "{code} {told} {error}");
    }
    assert!(times > 5, "{times} reloads are no load");
    let output = clients.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.matches("\ndrops: 0\n").count(), 2, "{text}\n{}", home.log());
    for (transfer, name) in transfers.iter_mut().zip(["by-tftp", "by-http"]) {
        assert!(transfer.wait().unwrap().success(), "{name}");
        assert_eq!(fs::read(home.path(name)).unwrap().len(), big.len(), "{name}");
    }
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

/// Waits for a lease on an interface at the phones' end.
fn leases(cable: &Cable, interface: &str, network: &str) {
    let words =
        ["timeout", "30", "udhcpc", "-i", interface, "-n", "-q", "-f", "-t", "20", "-T", "1"];
    let words = [&words[..], &["-s", "/bin/true"]].concat();
    let output = cable.phone(&words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("lease of {network}")), "{said}");
}

fn notice(serving: &Serving<'_>, words: &str, there: bool) {
    until(&format!("{words}: {there}"), || {
        let (_, page) = serving.try_call("GET", "/", "", "")?;
        (page.contains(words) == there).then_some(())
    });
}

#[test]
fn an_interface_that_is_late_is_waited_for() {
    let cable = Cable::new();
    let settings = format!(
        "{}[[dhcp.subnet]]\nsubnet = \"10.30.0.0/24\"\npool = [\"10.30.0.50-10.30.0.99\"]\n",
        DHCP.replace("[\"eth1\"]", "[\"eth1\", \"eth2\"]")
    );
    let home = Home::new(&settings);
    // Typed by hand, a name that does not exist ends the start.
    let ended = home.spawn(&cable.server()).wait().unwrap();
    assert_eq!(ended.code(), Some(78), "{}", home.log());
    // As systemd starts it, it is waited for.
    let server = cable.server();
    let prefix = [&server[..], &["env", "NOTIFY_SOCKET=@ringup-nobody"]].concat();
    let serving = home.serve(&prefix);
    assert!(home.log().contains("DHCP waits for eth2"), "{}", home.log());
    notice(&serving, "DHCP waits for eth2: there is no interface eth2", true);
    leases(&cable, "eth1", "10.20.");
    cable.cable("eth2");
    notice(&serving, "DHCP waits for eth2: eth2 has no IPv4 address", true);
    cable.at_server(&["addr", "add", "10.30.0.1/24", "dev", "eth2"]);
    notice(&serving, "eth2", false);
    leases(&cable, "eth2", "10.30.0.");
    // Down and up again; then gone and made anew, with another number.
    cable.at_server(&["link", "set", "eth2", "down"]);
    notice(&serving, "eth2 is down", true);
    cable.at_server(&["link", "set", "eth2", "up"]);
    notice(&serving, "eth2", false);
    leases(&cable, "eth2", "10.30.0.");
    cable.at_server(&["link", "del", "eth2"]);
    notice(&serving, "DHCP waits for eth2", true);
    cable.cable("eth2");
    cable.at_server(&["addr", "add", "10.30.0.2/24", "dev", "eth2"]);
    notice(&serving, "eth2", false);
    leases(&cable, "eth2", "10.30.0.");
    // Left by a reload, and taken on again.
    write(&home, DHCP);
    assert_eq!(reload(&home, &[]).0, 0);
    let words = ["timeout", "30", "udhcpc", "-i", "eth2", "-n", "-q", "-f", "-t", "2", "-T", "1"];
    assert!(!cable.phone(&words).output().unwrap().status.success());
    write(&home, &settings);
    assert_eq!(reload(&home, &[]).0, 0);
    leases(&cable, "eth2", "10.30.0.");
    assert_eq!(serving.stop(), Some(0), "{}", home.log());
}

#[test]
fn two_subnets_on_one_wire() {
    let cable = Cable::new();
    cable.at_server(&["addr", "add", "10.30.0.1/24", "dev", "eth1"]);
    // Phones belong into the second subnet, whatever else into the first; a relay names either.
    let home = Home::new(
        "[dhcp]\nmode = \"serve\"\ninterfaces = [\"eth1\"]\n[[dhcp.subnet]]\nsubnet = \"10.20.0.0/16\"\n\
         admit = \"listed\"\npool = [\"10.20.1.1-10.20.4.250\"]\n[[dhcp.subnet]]\nsubnet = \"10.30.0.0/24\"\n\
         pool = [\"10.30.0.50-10.30.0.99\"]\n",
    );
    let serving = home.serve(&cable.server());
    serving.import("mac,model,number\n021565000001,T46S,4012\n");
    cable.plug("02:15:65:00:00:01");
    leases(&cable, "eth1", "10.20.");
    cable.plug("02:15:65:00:00:02");
    leases(&cable, "eth1", "10.30.0.");
    // A relay in the second subnet.
    cable.address("10.30.0.9/24");
    let words = [
        "timeout",
        "60",
        "perfdhcp",
        "-4",
        "-l",
        "eth1",
        "-r",
        "20",
        "-R",
        "20",
        "-n",
        "20",
        "-W",
        "2000000",
        "10.30.0.1",
    ];
    let output = cable.phone(&words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.matches("\ndrops: 0\n").count(), 2, "{text}\n{}", home.log());
    let leases = serving.json("/api/v1/leases?limit=1000");
    let second = leases["items"].as_array().unwrap().iter();
    let second = second.filter(|lease| lease["address"].as_str().unwrap().starts_with("10.30.0."));
    assert_eq!(second.count(), 21, "{leases}");
}

#[test]
fn phones_of_another_server_are_shown_so() {
    let cable = Cable::new();
    let home =
        Home::new(&format!("{DHCP}for.poly = {{ servers = [\"10.1.1.5\"] }}\nvoice-vlan = 20\n"));
    let serving = home.serve(&cable.server());
    cable.plug("02:16:7f:00:00:05");
    let words = ["timeout", "30", "udhcpc", "-i", "eth1", "-n", "-q", "-f", "-V", "Polycom-VVX411"];
    let script = home.path("script");
    let text = "#!/bin/sh\n[ \"$1\" = bound ] && env > \"${0}.env\"\nexit 0\n";
    fs::write(&script, text).unwrap();
    let words = [&words[..], &["-O", "160", "-O", "132", "-O", "128", "-s"]].concat();
    let made = Command::new("chmod").arg("755").arg(&script).status().unwrap();
    assert!(made.success());
    let script = script.display().to_string();
    cable.run(&[&words[..], &[&script]].concat());
    let got = fs::read_to_string(home.path("script.env")).unwrap();
    let hex = |text: &str| text.bytes().map(|octet| format!("{octet:02x}")).collect::<String>();
    for option in [("opt160", "http://10.1.1.5/"), ("opt128", "VLAN-A=20;")] {
        assert!(got.contains(&format!("{}={}", option.0, hex(option.1))), "{option:?}: {got}");
    }
    let phone = until("lease", || {
        let phone = serving.phone("02167f000005");
        (phone["stage"] == "leased").then_some(phone)
    });
    assert_eq!(phone["elsewhere"], serde_json::json!(["10.1.1.5"]), "{phone}");
    assert!(phone["findings"].as_array().unwrap().is_empty() && phone["diagnosis"].is_null());
}
