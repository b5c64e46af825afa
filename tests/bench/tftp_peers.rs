//! The appliance's TFTP against dnsmasq, tftpd-hpa and atftpd: whole servers, a cable, and hundreds of phones.
//!
//! Prints a Markdown table. Needs root and what `.ci/setup` installs. All servers run side by side in one network
//! namespace and are asked in turns, so that a ratio is taken within a round; the table shows medians over the rounds.
//! ringup renders each phone's own file from its profile and puts every transfer on record; the others send files.
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on says so")]

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use phones::{Plan, mac};

#[path = "tftp_phones.rs"]
mod phones;

const LOAD: usize = 1 << 20;

/// Who serves: name, port, and the words that start it. `{dir}` is the folder with the files, `{cache}` where `.ci/setup`
/// put what can't be installed.
const SERVERS: &[(&str, u16, &str)] = &[
    ("ringup", 6900, "{ringup} serve --config {dir}/ringup.toml"),
    (
        "dnsmasq",
        69,
        "dnsmasq -k --port=0 --conf-file=/dev/null --enable-tftp --tftp-root={dir}/files --tftp-max=5000 --user=root --pid-file=",
    ),
    (
        "tftpd-hpa",
        6901,
        "{cache}/tftpd-hpa/usr/sbin/in.tftpd -L -a 0.0.0.0:6901 -u root -s {dir}/files",
    ),
    (
        "atftpd",
        6902,
        "{cache}/atftpd/usr/sbin/atftpd --daemon --no-fork --port 6902 --user root.root --maxthread 400 {dir}/files",
    ),
];

/// What is measured: which servers take part, how often, and what the phones do.
struct Case {
    what: &'static str,
    servers: &'static [usize],
    rounds: usize,
    phones: u32,
    names: &'static [&'static str],
    block: u64,
    window: u64,
    /// Percent of all packets, each way.
    loss: u32,
    /// The time that counts: of the last phone, or the 99th percentile of all files.
    last: bool,
}

const STORM: Case = Case {
    what: "500 phones × (own file + 1 MiB), block 1468, last phone",
    servers: &[0, 1],
    rounds: 5,
    phones: 500,
    names: &["{mac}.cfg", "load.bin"],
    block: 1468,
    window: 1,
    loss: 0,
    last: true,
};

const CASES: &[Case] = &[
    STORM,
    Case { what: "the same, block 512", block: 512, rounds: 3, ..STORM },
    Case { what: "the same, window 16", window: 16, servers: &[0, 1], ..STORM },
    Case {
        what: "8 MiB alone, block 1468, window 16",
        phones: 1,
        names: &["large.bin"],
        window: 16,
        servers: &[0, 3, 1],
        ..STORM
    },
    Case {
        what: "2,000 own files at once, 99th percentile",
        phones: 2000,
        names: &["{mac}.cfg"],
        last: false,
        ..STORM
    },
    Case {
        what: "1 % loss each way, 100 phones × 1 MiB, last phone",
        phones: 100,
        names: &["load.bin"],
        loss: 1,
        rounds: 1,
        servers: &[0, 2],
        ..STORM
    },
    Case {
        what: "the same, window 8",
        phones: 100,
        names: &["load.bin"],
        loss: 1,
        window: 8,
        rounds: 1,
        servers: &[0, 3],
        ..STORM
    },
];

/// The namespaces, the files and the servers. Dropping it ends them.
struct Scene {
    server: String,
    client: String,
    directory: tempfile::TempDir,
    running: Vec<Child>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
        for end in [&self.server, &self.client] {
            let _ = Command::new("ip").args(["netns", "del", end]).status();
        }
    }
}

fn run(words: &str) {
    let words: Vec<_> = words.split_whitespace().collect();
    let status = Command::new(words[0]).args(&words[1..]).status().unwrap();
    assert!(status.success(), "{words:?}");
}

impl Scene {
    fn new() -> Self {
        let id = std::process::id();
        let (server, client) = (format!("rbs{id}"), format!("rbc{id}"));
        let directory = tempfile::tempdir().unwrap();
        let scene = Self { server, client, directory, running: Vec::new() };
        let Self { server, client, .. } = &scene;
        for words in [
            format!("ip netns add {server}"),
            format!("ip netns add {client}"),
            format!("ip -n {server} link add eth1 type veth peer name eth1 netns {client}"),
            format!("ip -n {server} link set lo up"),
            format!("ip -n {client} link set lo up"),
            format!("ip -n {server} addr add 10.98.0.1/24 dev eth1"),
            format!("ip -n {client} addr add 10.98.0.2/24 dev eth1"),
            format!("ip -n {server} link set eth1 up"),
            format!("ip -n {client} link set eth1 up"),
            // Every phone has an address without anybody having to type it in.
            format!("ip -n {client} route add local 10.99.0.0/16 dev lo"),
            format!("ip -n {server} route add 10.99.0.0/16 via 10.98.0.2"),
        ] {
            run(&words);
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes settings, inventory and files. The others get what ringup renders for each phone.
    fn furnish(&self, phones: u32) {
        let directory = self.directory.path().display();
        let settings = format!(
            "[appliance]\nstate = \"{directory}/state\"\nfiles = \"{directory}/own\"\nfirmware = \"{directory}/firmware\"\n\
             [tftp]\nlisten = [\"0.0.0.0:6900\"]\n[http]\nphones = []\noperators = [\"127.0.0.1:8080\"]\n\
             [[site.default.server]]\naddress = \"10.98.0.1\"\n"
        );
        fs::write(self.path("ringup.toml"), settings).unwrap();
        let row = |phone| format!("{},T46S,{}\n", mac(phone), 10_000 + phone);
        let list: Vec<String> =
            std::iter::once("mac,model,number\n".to_owned()).chain((0..phones).map(row)).collect();
        fs::write(self.path("list.csv"), list.concat()).unwrap();
        for folder in ["own", "files", "firmware"] {
            fs::create_dir(self.path(folder)).unwrap();
        }
        for (name, size) in [("load.bin", LOAD), ("large.bin", 8 * LOAD)] {
            let content: Vec<u8> = (0..size).map(|at| ((at * 31) >> 3).to_le_bytes()[0]).collect();
            fs::write(self.path("own").join(name), &content).unwrap();
            fs::write(self.path("files").join(name), &content).unwrap();
        }
        let config = self.path("ringup.toml");
        let ringup = |words: &[&str]| {
            let mut command = Command::new(ringup());
            let output = command.args(words).arg("--config").arg(&config).output().unwrap();
            assert!(output.status.success(), "{words:?}: {output:?}");
            output.stdout
        };
        ringup(&["phones", "import", self.path("list.csv").to_str().unwrap()]);
        let one = ringup(&["render", &mac(0), &format!("{}.cfg", mac(0))]);
        println!("Own files have {} bytes.\n", one.len());
        for phone in 0..phones {
            fs::write(self.path("files").join(format!("{}.cfg", mac(phone))), &one).unwrap();
        }
        run(&format!("chmod -R a+rX {directory}"));
    }

    fn start(&mut self) {
        let cache =
            env::var("XDG_CACHE_HOME").unwrap_or_else(|_| env::var("HOME").unwrap() + "/.cache");
        for (name, _, words) in SERVERS {
            let words = words
                .replace("{dir}", &self.directory.path().display().to_string())
                .replace("{cache}", &format!("{cache}/ringup-tests"))
                .replace("{ringup}", &ringup());
            let log = fs::File::create(self.path(&format!("{name}.log"))).unwrap();
            let mut command = Command::new("ip");
            command.args(["netns", "exec", &self.server]).args(words.split_whitespace());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
            self.running.push(command.spawn().unwrap());
        }
        let began = Instant::now();
        for (server, (name, ..)) in SERVERS.iter().enumerate() {
            while self.boot(server, &["load.bin"], (1, 1468, 1), "2").is_none() {
                let log = || fs::read_to_string(self.path(&format!("{name}.log"))).unwrap();
                assert!(began.elapsed() < Duration::from_secs(30), "{name}: {}", log());
                thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// Has phones fetch from a server: milliseconds of the last one and of the 99th percentile, and what was said again.
    fn boot(
        &self,
        server: usize,
        names: &[&str],
        (phones, block, window): (u32, u64, u64),
        bound: &str,
    ) -> Option<[f64; 3]> {
        let myself = env::current_exe().unwrap();
        let port = SERVERS[server].1;
        let output = Command::new("ip")
            .args(["netns", "exec", &self.client])
            .arg(myself)
            .args(["phones", &format!("10.98.0.1:{port}"), &phones.to_string(), &names.join(",")])
            .args([&block.to_string(), &window.to_string(), bound])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().map(|word| word.parse::<f64>().ok());
        let (last, p99, failed, again) =
            (numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??);
        (failed == 0.0).then_some([last, p99, again])
    }

    fn lose(&self, percent: u32) {
        let nft = |words: &str| run(&format!("ip netns exec {} nft {words}", self.client));
        nft("add table ip loss");
        for hook in ["input", "output"] {
            nft(&format!("add chain ip loss {hook} {{ type filter hook {hook} priority 0 ; }}"));
            nft(&format!(
                "add rule ip loss {hook} meta l4proto udp numgen random mod 100 < {percent} drop"
            ));
        }
    }

    /// KiB of memory that a server has in use.
    fn memory(&self, server: usize) -> i64 {
        let path = format!("/proc/{}/status", self.running[server].id());
        let status = fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn measure(scene: &Scene, case: &Case) {
    if case.loss > 0 {
        scene.lose(case.loss);
    }
    let mut times = vec![Vec::new(); case.servers.len()];
    let (mut ratios, mut again) = (Vec::new(), 0.0);
    for round in 0..case.rounds {
        let mut times_of_round = vec![f64::NAN; case.servers.len()];
        for turn in 0..case.servers.len() {
            // Who goes first has the colder caches.
            let who = (turn + round) % case.servers.len();
            let shape = (case.phones, case.block, case.window);
            let result = scene.boot(case.servers[who], case.names, shape, "60");
            let [last, p99, repeated] = result.unwrap_or([f64::NAN; 3]);
            times_of_round[who] = if case.last { last } else { p99 };
            if case.servers[who] == 0 {
                again += repeated;
            }
        }
        let best = times_of_round[1..].iter().copied().fold(f64::NAN, f64::min);
        ratios.push(times_of_round[0] / best);
        for (times, time) in times.iter_mut().zip(times_of_round) {
            times.push(time);
        }
    }
    if case.loss > 0 {
        run(&format!("ip netns exec {} nft delete table ip loss", scene.client));
    }
    let peers: Vec<_> = case
        .servers
        .iter()
        .zip(&times)
        .skip(1)
        .map(|(&server, times)| format!("{} {:.0}", SERVERS[server].0, median(times.clone())))
        .collect();
    let (low, high) = ratios
        .iter()
        .fold((f64::MAX, 0.0_f64), |(low, high), &ratio| (low.min(ratio), high.max(ratio)));
    println!(
        "| {} | {:.0} | {} | {:.2} | {low:.2} to {high:.2} | {again} | {} |",
        case.what,
        median(times[0].clone()),
        peers.join(", "),
        median(ratios),
        case.rounds
    );
}

/// The other half of this program: the phones, in their own namespace.
fn phones(words: &[String]) {
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    let plan = Plan {
        server: words[0].parse::<SocketAddr>().unwrap(),
        phones: u32::try_from(number(1)).unwrap(),
        names: words[2].split(',').map(str::to_owned).collect(),
        block: number(3),
        window: number(4),
        stall: words.get(6).is_some(),
        bound: Duration::from_secs(number(5)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut score = runtime.block_on(plan.run());
    score.each.sort();
    let at = (score.each.len() * 99 / 100).min(score.each.len().saturating_sub(1));
    let p99 = score.each.get(at).copied().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{} {} {} {} {}", ms(score.last), ms(p99), score.failed, score.again, score.bytes);
}

fn stalled(scene: &Scene) {
    for (server, name) in [(0, "ringup"), (1, "dnsmasq")] {
        let before = scene.memory(server);
        let myself = env::current_exe().unwrap();
        let port = SERVERS[server].1;
        let status = Command::new("ip")
            .args(["netns", "exec", &scene.client])
            .arg(myself)
            .args(["phones", &format!("10.98.0.1:{port}"), "1000", "load.bin", "1468", "1", "5"])
            .arg("stall")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        println!("1,000 stalled transfers: {name} +{} KiB", scene.memory(server) - before);
    }
}

fn main() {
    let words: Vec<_> = env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "phones") {
        return phones(&words[1..]);
    }
    if !Path::new("/proc/self/ns/net").exists() || run_as_user() {
        println!("TFTP against other servers: skipped, it needs root");
        return;
    }
    let only = words.iter().find(|word| !word.starts_with('-'));
    let mut scene = Scene::new();
    scene.furnish(2000);
    scene.start();
    println!(
        "| TFTP, ms | ringup | others | ratio to the best | of the rounds | resent | rounds |"
    );
    println!("|---|---|---|---|---|---|---|");
    for case in
        CASES.iter().filter(|case| only.is_none_or(|only| case.what.contains(only.as_str())))
    {
        measure(&scene, case);
    }
    println!();
    stalled(&scene);
}

/// The appliance: this build's, or another one that `RINGUP` names.
fn ringup() -> String {
    env::var("RINGUP").unwrap_or_else(|_| env!("CARGO_BIN_EXE_ringup").to_owned())
}

fn run_as_user() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() != b"0"
}
