//! The appliance's HTTP against the best static server at hand: own files of many phones, one core each.
//!
//! Prints a Markdown table. The peer is nginx as it is fastest (`sendfile off`, `open_file_cache`) where it is installed;
//! else a responder of this program: hyper on one thread, a table of finished bodies in memory, no logs, no records.
//! Server and load generator are bound to a core each and asked in turns, so that a ratio is taken within a round.
//! ringup renders each phone's own file from its profile and puts every transfer on record; the peer sends bytes.
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on says so")]

use std::{
    collections::HashMap,
    convert::Infallible,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use load::{Plan, Score};

#[path = "http_load.rs"]
mod load;

const PHONES: u32 = 1000;
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

/// Where ringup and its peer listen.
const PORTS: (u16, u16) = (18_080, 18_081);

const NGINX: &str = "worker_processes 1; daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/nginx.log;\n\
    events { worker_connections 4096; }\n\
    http { access_log off; sendfile off; tcp_nodelay on; keepalive_requests 1000000000; default_type text/plain;\n\
    client_body_temp_path {dir}/n1; proxy_temp_path {dir}/n2; fastcgi_temp_path {dir}/n3;\n\
    uwsgi_temp_path {dir}/n4; scgi_temp_path {dir}/n5;\n\
    open_file_cache max=10000 inactive=60s; open_file_cache_valid 60s;\n\
    server { listen 127.0.0.1:18081 backlog=4096; root {dir}/files; } }\n";

fn mac(phone: u32) -> String {
    format!("001565{phone:06x}")
}

/// A server that is killed when this is dropped.
struct Running {
    name: &'static str,
    port: u16,
    child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts it on the first core, and waits until it listens.
    fn start(name: &'static str, port: u16, words: &[&str], log: &Path) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).args(words).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(fs::File::create(log).unwrap()).spawn().unwrap();
        let running = Self { name, port, child };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(log).unwrap();
            assert!(began.elapsed() < Duration::from_secs(30), "{name}: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
        running
    }

    /// CPU time so far, in microseconds: the clock of `/proc` ticks 100 times a second.
    fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        [11, 12].iter().map(|at| fields[*at].parse::<f64>().unwrap() * 1e4).sum()
    }
}

/// Settings, inventory, and the same files as bytes for the peer.
fn furnish(directory: &Path) {
    let here = directory.display();
    let settings = format!(
        "[appliance]\nstate = \"{here}/state\"\nfiles = \"{here}/own\"\nfirmware = \"{here}/firmware\"\n\
         [tftp]\nlisten = []\n[http]\nphones = [\"127.0.0.1:{}\"]\noperators = [\"127.0.0.1:18082\"]\n\
         [[site.default.server]]\naddress = \"10.98.0.1\"\n",
        PORTS.0
    );
    fs::write(directory.join("ringup.toml"), settings).unwrap();
    let row = |phone| format!("{},T46S,{}\n", mac(phone), 10_000 + phone);
    let rows = (0..PHONES).map(row).collect::<String>();
    fs::write(directory.join("list.csv"), format!("mac,model,number\n{rows}")).unwrap();
    for folder in ["own", "files", "firmware"] {
        fs::create_dir(directory.join(folder)).unwrap();
    }
    let run = |words: &[&str]| {
        let mut command = Command::new(ringup());
        let output =
            command.args(words).arg("--config").arg(directory.join("ringup.toml")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        output.stdout
    };
    run(&["phones", "import", directory.join("list.csv").to_str().unwrap()]);
    let one = run(&["render", &mac(0), &format!("{}.cfg", mac(0))]);
    println!("Own files have {} bytes.", one.len());
    for phone in 0..PHONES {
        fs::write(directory.join("files").join(format!("{}.cfg", mac(phone))), &one).unwrap();
    }
}

/// The peer where there is no nginx: this program, started anew.
async fn respond(folder: PathBuf) {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = |file: fs::DirEntry| {
        let name = format!("/{}", file.file_name().into_string().unwrap());
        (name, Bytes::from(fs::read(file.path()).unwrap()))
    };
    let files: Arc<HashMap<String, Bytes>> = Arc::new(files.map(named).collect());
    let listener = TcpListener::bind(("127.0.0.1", PORTS.1)).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let files = Arc::clone(&files);
        tokio::spawn(async move {
            let answer = service_fn(|asked: Request<hyper::body::Incoming>| {
                let body = files.get(asked.uri().path()).cloned();
                async move {
                    let mut answer = Response::new(Full::new(body.clone().unwrap_or_default()));
                    if body.is_none() {
                        *answer.status_mut() = StatusCode::NOT_FOUND;
                    }
                    Ok::<_, Infallible>(answer)
                }
            });
            // Err: the client went away.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One row: both servers in turns.
fn measure(servers: &[Running; 2], what: &str, keep: bool) {
    let mut rounds: [Vec<(Score, f64)>; 2] = Default::default();
    for round in 0..=ROUNDS {
        for turn in 0..2 {
            // Who goes first has the colder caches.
            let who = (turn + round) % 2;
            let server = &servers[who];
            let address = SocketAddr::from(([127, 0, 0, 1], server.port));
            let (connections, time) = (CONNECTIONS, ROUND);
            let names = (0..PHONES).map(|phone| format!("/{}.cfg", mac(phone))).collect();
            let before = server.cpu();
            let score = Plan { address, connections, keep, time, names }.run();
            assert_eq!(score.failed, 0, "{}", server.name);
            // The first round warms up.
            if round > 0 {
                let cpu = (server.cpu() - before) / f64::from(score.done);
                rounds[who].push((score, cpu));
            }
        }
    }
    let of = |who: usize, value: fn(&(Score, f64)) -> f64| median(rounds[who].iter().map(value));
    let [ours, peer] = [0, 1].map(|who| of(who, |(score, _)| score.rate()));
    let ratio = |(a, b): (&(Score, f64), &(Score, f64))| a.0.rate() / b.0.rate();
    let ratios: Vec<f64> = rounds[0].iter().zip(&rounds[1]).map(ratio).collect();
    let low = ratios.iter().copied().fold(f64::MAX, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    let tail =
        |who| (of(who, |(score, _)| score.percentile(50)), of(who, |(s, _)| s.percentile(99)));
    let [(p50, p99), (p50_peer, p99_peer)] = [0, 1].map(tail);
    let [cpu, cpu_peer] = [0, 1].map(|who| of(who, |(_, cpu)| *cpu));
    println!(
        "| {what} | {ours:.0} | {peer:.0} | {:.2} | {low:.2} to {high:.2} | {p50:.2} / {p99:.2} | {p50_peer:.2} / {p99_peer:.2} | {cpu:.1} | {cpu_peer:.1} |",
        median(ratios.iter().copied())
    );
}

fn main() {
    let words: Vec<_> = env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "respond") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(respond(words[1].clone().into()));
    }
    let directory = tempfile::tempdir().unwrap();
    furnish(directory.path());
    let path = |name: &str| directory.path().join(name);
    let config = path("ringup.toml");
    let serve = [&ringup(), "serve", "--config", config.to_str().unwrap()];
    let ours = Running::start("ringup", PORTS.0, &serve, &path("ringup.log"));
    let has_nginx = Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok();
    let (myself, files) = (env::current_exe().unwrap(), path("files"));
    let settings = path("nginx.conf");
    let here = directory.path().display().to_string();
    fs::write(&settings, NGINX.replace("{dir}", &here)).unwrap();
    let peer = if has_nginx {
        let words = ["nginx", "-c", settings.to_str().unwrap()];
        Running::start("nginx", PORTS.1, &words, &path("peer.log"))
    } else {
        println!("nginx is not installed: the peer is a static responder of this program.");
        let words = [myself.to_str().unwrap(), "respond", files.to_str().unwrap()];
        Running::start("static responder", PORTS.1, &words, &path("peer.log"))
    };
    let only = words.iter().find(|word| !word.starts_with('-'));
    println!(
        "\n| HTTP, {CONNECTIONS} at once, requests/s | ringup | {} | ratio | of the rounds | ms, p50 / p99 | its | CPU µs each | its |",
        peer.name
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let servers = [ours, peer];
    for (what, keep) in [("own files, keep-alive", true), ("own files, a connection each", false)] {
        if only.is_none_or(|only| what.contains(only.as_str())) {
            measure(&servers, what, keep);
        }
    }
}

/// The appliance: this build's, or another one that `RINGUP` names.
fn ringup() -> String {
    env::var("RINGUP").unwrap_or_else(|_| env!("CARGO_BIN_EXE_ringup").to_owned())
}
