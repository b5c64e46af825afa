//! Power returns to a building: `ringup sim` boots thousands of phones with all their files, and somebody watches.

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};

use ringup::domain::Timestamp;
use serde_json::Value;

use crate::{
    phones::SERVER,
    scene::{Scene, printed, ringup},
    settings::RANGE,
    spoken,
};

const MIX: &str = "cisco=60,poly=30,yealink=10";

/// The kernel's limits of its table of neighbours: TFTP and HTTP go through it, and it holds 1,024 unless told
/// otherwise. They are the whole machine's; dropping this gives it back its own.
struct Neighbours(Vec<(String, String)>);

impl Neighbours {
    fn enough() -> Self {
        let raised = [("gc_thresh3", "32768"), ("gc_thresh2", "16384"), ("gc_thresh1", "8192")];
        let own = raised.map(|(name, enough)| {
            let path = format!("/proc/sys/net/ipv4/neigh/default/{name}");
            let own = fs::read_to_string(&path).unwrap();
            fs::write(&path, enough).unwrap();
            (path, own)
        });
        Self(own.into())
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        for (path, own) in &self.0 {
            let _ = fs::write(path, own);
        }
    }
}

/// Boots them and prints the rows.
pub fn storm(scene: &mut Scene, quick: bool) {
    let phones = if quick { "500" } else { "5000" };
    let arrive = if quick { "1s" } else { "5s" };
    let address = SERVER.to_string();
    let fleet = ["--server", &address, "--phones", phones, "--mix", MIX];
    let list = printed(std::process::Command::new(ringup()).args(["sim", "--list"]).args(fleet));
    let running = scene.start_listed(RANGE, &list);
    let _neighbours = Neighbours::enough();
    let mut page = scene.at_server(&["watch", "40000"]).stdout(Stdio::piped()).spawn().unwrap();
    let words = ["--interface", "eth1", "--arrive", arrive, "--for", "30s", "--max-rate", "100000"];
    let binary = ringup();
    let sim = [&[&*binary, "sim", "--json"], &fleet[..], &words[..]].concat();
    let told = printed(&mut scene.at_phones(&sim));
    let memory = running.proc("status", "VmHWM:") / 1024.0;
    let (cpu, log) = (running.cpu(), running.log());
    // The stream ends with the server.
    drop(running);
    let mut lag = String::new();
    let _ = page.stdout.take().map(|mut out| out.read_to_string(&mut lag));
    let _ = page.wait();
    let told: Value = serde_json::from_slice(&told).unwrap_or_default();
    if told.is_null() {
        return println!(
            "| {phones} phones in {arrive} with all their files | | failed: {log} | | | | |"
        );
    }
    tell(&told, (phones, arrive), (memory, cpu), &lag);
}

fn tell(told: &Value, (phones, arrive): (&str, &str), (memory, cpu): (f64, f64), lag: &str) {
    let configured = &told["reached"]["configured"];
    let at =
        |share: &str| configured["since_start"][share].as_f64().map_or("never".to_owned(), spoken);
    let failed: Vec<String> = told["failures"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|failed| format!("{} {}", failed["phones"], failed["cause"].as_str().unwrap_or("?")))
        .collect();
    let files = &told["files"];
    println!(
        "| {phones} phones in {arrive}, all their files ({} got, {} not there, {} failed; gc_thresh3 raised for it) | \
         ringup, phones listed | 95 % configured after {} s, all after {} s; not configured: {}; DHCP {} resent, {} NAKs, \
         {} duplicate addresses; {memory:.0} MiB at most, {cpu:.1} s of processor; page {} | | | 1 run | \
         8 s, 12 s, none failed, 200 MiB, lag 1 s |",
        files["got"],
        files["missed"],
        files["failed"],
        at("p95"),
        at("p100"),
        if failed.is_empty() { "none".to_owned() } else { failed.join(", ") },
        told["dhcp"]["resent"],
        told["dhcp"]["naks"],
        told["duplicates"].as_array().map_or(0, Vec::len),
        lag.trim(),
    );
}

/// Reads the event stream as the page does until it ends, and prints how late it told of each stage of a phone.
pub fn watch(bound: Duration) {
    let mut stream = TcpStream::connect("127.0.0.1:8080").unwrap();
    stream.set_read_timeout(Some(bound)).unwrap();
    let ask = "GET /api/v1/events?only=phone&brief=true HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n";
    stream.write_all(ask.as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let (mut text, mut known, mut late) = (Vec::new(), HashSet::new(), Vec::new());
    while let Some(chunk) = chunk(&mut stream) {
        text.extend(chunk);
        while let Some(end) = text.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let Ok(phone) = serde_json::from_slice::<Value>(data) else { continue };
            let (mac, since) = (phone["mac"].to_string(), phone["since"].as_str());
            let Some(since) = since.and_then(|since| since.parse::<Timestamp>().ok()) else {
                continue;
            };
            // What was told of this stage before is not late.
            if known.insert((mac, since)) {
                late.push(Timestamp::now().duration_since(since).as_secs_f64());
            }
        }
    }
    late.sort_by(f64::total_cmp);
    let at =
        |percent: usize| late.get((late.len() * percent / 100).min(late.len().saturating_sub(1)));
    let at = |percent: usize| at(percent).copied().unwrap_or(f64::NAN);
    println!(
        "{} stages told, late by p50 {:.2} s, p99 {:.2} s, at most {:.2} s",
        late.len(),
        at(50),
        at(99),
        at(100)
    );
}

/// The next piece of a body in chunks (RFC 9112 §7.1); lines in front of the first are the head.
fn chunk(stream: &mut impl BufRead) -> Option<Vec<u8>> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some(length) = usize::from_str_radix(line.trim(), 16).ok().filter(|length| *length > 0)
        else {
            continue;
        };
        let mut piece = vec![0; length + 2];
        stream.read_exact(&mut piece).ok()?;
        piece.truncate(length);
        return Some(piece);
    }
}
