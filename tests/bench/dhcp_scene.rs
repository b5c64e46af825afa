//! A cable between two namespaces, and the DHCP servers that are started and stopped at one end of it, one at a time.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    boots,
    phones::{
        PROBER, Pace, Plan, SERVER, mac, unix,
        wire::{INTERFACE, SERVER_MAC},
    },
    settings::{self, Range},
};

/// How long a server may take until it offers something.
const START: Duration = Duration::from_mins(1);

/// Who serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
    /// The appliance: whether it asks the wire before it offers an address, and whether it has the phones listed.
    Ringup {
        probe: bool,
        listed: bool,
    },
    Kea {
        threads: bool,
    },
    Isc,
    Dnsmasq,
    /// Answers and keeps nothing: what the machine and the phones allow.
    Floor,
}

impl Who {
    /// For the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ringup { probe: true, listed: false } => "strangers",
            Self::Ringup { probe: true, listed: true } => "listed",
            Self::Ringup { probe: false, .. } => "unprobed",
            Self::Kea { threads: true } => "kea-mt",
            Self::Kea { threads: false } => "kea",
            Self::Isc => "isc",
            Self::Dnsmasq => "dnsmasq",
            Self::Floor => "floor",
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ringup { probe: true, listed: false } => "ringup, phones not listed",
            Self::Ringup { probe: true, listed: true } => "ringup, phones listed",
            Self::Ringup { probe: false, .. } => "ringup, not listed, `probe = false`",
            Self::Kea { threads: true } => "Kea with 2 threads",
            Self::Kea { threads: false } => "Kea with one thread",
            Self::Isc => "ISC dhcpd",
            Self::Dnsmasq => "dnsmasq",
            Self::Floor => "a responder that keeps nothing",
        }
    }

    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Ringup { .. })
    }

    const fn folder(self) -> &'static str {
        if self.is_ours() { "ringup" } else { self.key() }
    }
}

/// The namespaces and the files. Dropping it removes both.
pub struct Scene {
    server: String,
    client: String,
    directory: tempfile::TempDir,
    /// Prepared states of the appliance, by how many phones are listed, and by whether their addresses are scattered.
    listed: HashMap<(u32, bool), PathBuf>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        for end in [&self.server, &self.client] {
            let _ = Command::new("ip").args(["netns", "del", end]).status();
        }
    }
}

/// A server that runs. Dropping it kills it.
pub struct Running {
    child: Option<Child>,
    folder: PathBuf,
    words: Vec<String>,
    /// When it was started, in milliseconds of Unix time.
    pub began: f64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(words: &str) {
    let words: Vec<_> = words.split_whitespace().collect();
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
}

impl Scene {
    /// Makes the cable. The files lie on a disk: what is durable there has cost something.
    pub fn new() -> Self {
        let id = std::process::id();
        let (server, client) = (format!("rds{id}"), format!("rdc{id}"));
        let directory = tempfile::tempdir_in(disk()).unwrap();
        let scene = Self { server, client, directory, listed: HashMap::new() };
        let Self { server, client, .. } = &scene;
        let hardware = SERVER_MAC.map(|octet| format!("{octet:02x}")).join(":");
        for words in [
            format!("ip netns add {server}"),
            format!("ip netns add {client}"),
            format!(
                "ip -n {server} link add {INTERFACE} address {hardware} type veth peer name {INTERFACE} netns {client}"
            ),
            format!("ip -n {server} link set lo up"),
            // The phones' end has no addresses of its own, and asks for none.
            format!("ip netns exec {client} sysctl -qw net.ipv6.conf.all.disable_ipv6=1"),
            format!("ip netns exec {server} sysctl -qw net.ipv6.conf.{INTERFACE}.disable_ipv6=1"),
            format!("ip -n {server} link set {INTERFACE} up"),
            format!("ip -n {client} link set {INTERFACE} up"),
        ] {
            run(&words);
        }
        run(&format!("chmod a+rX {}", scene.directory.path().display()));
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a server without any leases, and waits until it offers one.
    pub fn start(&mut self, who: Who, range: Range, plan: &Plan) -> Running {
        let mut running = self.prepare(who, range, plan);
        running.spawn();
        let offer = self.await_offer(PROBER);
        assert!(offer.is_some(), "{}: {}", who.name(), running.log());
        running
    }

    /// Starts the appliance with these phones listed.
    pub fn start_listed(&mut self, range: Range, list: &[u8]) -> Running {
        let nobody = boots(0, Pace::Window(1));
        let mut running = self.prepare(Who::Ringup { probe: true, listed: false }, range, &nobody);
        import(&running.folder, list);
        running.spawn();
        assert!(self.await_offer(PROBER).is_some(), "{}", running.log());
        running
    }

    /// Writes the settings of a server into a folder with nothing else in it.
    fn prepare(&mut self, who: Who, range: Range, plan: &Plan) -> Running {
        let folder = self.path(who.folder());
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let Self { server, .. } = &self;
        run(&format!("ip -n {server} addr flush dev {INTERFACE}"));
        run(&format!("ip -n {server} addr add {SERVER}/{} dev {INTERFACE}", range.prefix));
        let words = match who {
            Who::Ringup { probe, listed } => {
                if listed {
                    let state = self.state_with(plan, range);
                    run(&format!("cp -r {} {}", state.display(), folder.join("state").display()));
                }
                ringup_words(&folder, range, probe)
            }
            Who::Kea { threads } => settings::kea(&folder, range, threads),
            Who::Isc => settings::isc(&folder, range),
            Who::Dnsmasq => settings::dnsmasq(&folder, range),
            Who::Floor => {
                [env::current_exe().unwrap().to_str().unwrap(), "floor"].map(str::to_owned).to_vec()
            }
        };
        let netns = ["ip", "netns", "exec", &self.server].map(str::to_owned);
        let words = netns.into_iter().chain(words).collect();
        Running { child: None, folder, words, began: 0.0 }
    }

    /// A state of the appliance with these phones listed, made once.
    fn state_with(&mut self, plan: &Plan, range: Range) -> PathBuf {
        let key = (plan.phones, plan.scattered);
        if let Some(state) = self.listed.get(&key) {
            return state.clone();
        }
        let folder = self.path(&format!("listed-{}-{}", plan.phones, plan.scattered));
        fs::create_dir(&folder).unwrap();
        ringup_words(&folder, range, true);
        let row = |phone| format!("{},T46S,{}\n", mac(phone, plan.scattered), 100_000 + phone);
        let head = std::iter::once("mac,model,number\n".to_owned());
        let list: Vec<String> = head.chain((0..plan.phones).map(row)).collect();
        import(&folder, list.concat().as_bytes());
        self.listed.insert(key, folder.join("state"));
        folder.join("state")
    }

    /// Runs a command at the phones' end while that end has an address, as a relay has; what it prints.
    pub fn relay(&self, words: &str) -> Vec<u8> {
        let client = &self.client;
        run(&format!("ip -n {client} addr add 10.40.0.9/15 dev {INTERFACE}"));
        let words: Vec<&str> = words.split_whitespace().collect();
        let output = printed(&mut self.at_phones(&words));
        run(&format!("ip -n {client} addr flush dev {INTERFACE}"));
        output
    }

    /// A command at the phones' end.
    pub fn at_phones(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.client]).args(words).stdin(Stdio::null());
        command
    }

    /// A part of this program at the server's end.
    pub fn at_server(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.server]).arg(env::current_exe().unwrap());
        command.args(words).stdin(Stdio::null());
        command
    }

    /// Waits until a server offers something to a phone; when that was, in milliseconds of Unix time.
    pub fn await_offer(&self, number: u32) -> Option<f64> {
        let bound = START.as_millis().to_string();
        let text = self.phones(&["await", &number.to_string(), &bound]);
        text.split_whitespace().nth(1)?.parse().ok()
    }

    /// Has the phones do what is planned: the figures by name, and the ends of gaps.
    pub fn play(&self, plan: &Plan) -> Played {
        let words = plan.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Played::read(&self.phones(&[&["play"], &words[..]].concat()))
    }

    /// The other half of this program, at the phones' end.
    pub fn phones_command(&self, words: &[&str]) -> Command {
        let myself = env::current_exe().unwrap();
        self.at_phones(&[&[myself.to_str().unwrap(), "phones"], words].concat())
    }

    fn phones(&self, words: &[&str]) -> String {
        let output = self.phones_command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// What a run of phones told.
#[derive(Clone, Debug, Default)]
pub struct Played {
    figures: HashMap<String, f64>,
    /// When offers came again after a gap, in milliseconds of Unix time.
    pub gaps: Vec<f64>,
}

impl Played {
    pub fn read(text: &str) -> Self {
        let mut played = Self::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(' ') else { continue };
            let value = value.parse().unwrap_or(f64::NAN);
            if name == "gap" {
                played.gaps.push(value);
            } else {
                played.figures.insert(name.to_owned(), value);
            }
        }
        played
    }

    pub fn set(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    pub fn figure(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or(f64::NAN)
    }
}

impl Running {
    pub fn spawn(&mut self) {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.began = unix();
        self.child = Some(command.spawn().unwrap());
    }

    /// As a power cut ends it, but for the disk's own cache.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Seconds of processor time of the server and its children, in user mode and in the kernel for it (proc(5)).
    pub fn cpu(&self) -> f64 {
        let own = self.id();
        let parents = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (head, rest) = stat.rsplit_once(") ")?;
            let pid: u32 = head.split(' ').next()?.parse().ok()?;
            let fields: Vec<&str> = rest.split(' ').collect();
            let parent: u32 = fields.get(1)?.parse().ok()?;
            let ticks = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
            [pid, parent].contains(&own).then_some(ticks)
        });
        // USER_HZ is 100 wherever Debian runs.
        parents.sum::<f64>() / 100.0
    }

    fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// A line of the server's `/proc/PID/FILE`, as a number.
    pub fn proc(&self, file: &str, name: &str) -> f64 {
        let path = format!("/proc/{}/{file}", self.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.unwrap_or(f64::NAN)
    }

    /// Octets that the server's files take.
    pub fn disk(&self) -> f64 {
        let output = Command::new("du").args(["-s", "--block-size=1"]).arg(&self.folder).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    }
}

/// A folder on a disk: the usual one, unless that is memory.
fn disk() -> PathBuf {
    let usual = env::temp_dir();
    let in_memory = |path: &Path| {
        let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(path).output().unwrap();
        output.stdout.trim_ascii() == b"tmpfs"
    };
    if in_memory(&usual) { "/var/tmp".into() } else { usual }
}

/// The appliance: this build's, or another one that `RINGUP` names.
pub fn ringup() -> String {
    env::var("RINGUP").unwrap_or_else(|_| env!("CARGO_BIN_EXE_ringup").to_owned())
}

/// Puts a list into the appliance's state before it starts.
fn import(folder: &Path, list: &[u8]) {
    fs::write(folder.join("list.csv"), list).unwrap();
    let mut command = Command::new(ringup());
    command.args(["phones", "import"]).arg(folder.join("list.csv"));
    command.arg("--config").arg(folder.join("ringup.toml"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// What a command prints, however it ends: perfdhcp ends with an error where something was dropped, the simulator where
/// a phone did not get there.
pub fn printed(command: &mut Command) -> Vec<u8> {
    command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap().stdout
}

fn ringup_words(folder: &Path, range: Range, probe: bool) -> Vec<String> {
    let config = settings::ringup(folder, range, probe);
    [&ringup(), "serve", "--config", &config].map(str::to_owned).to_vec()
}
