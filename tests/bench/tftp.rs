//! The transfer engine against async-tftp 0.4.2: same files, same client, same process. Prints a Markdown table.
//!
//! Ratios mean something, rates don't: client and servers share the machine. On few cores a transfer in lock-step runs
//! in one of two modes, three times apart, as the scheduler puts client and server on one core or on two, and stays
//! there for a while. Medians of the two servers may then come from different modes. So a ratio is taken within each
//! round, where both run back to back in turns, and what is printed is the median of the ratios with the quartiles:
//! where these are far apart, there is no result. Takes about 20 s.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that can't go on says so"
)]

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use async_tftp::{
    packet,
    server::{Handler, TftpServerBuilder},
};
use kit::{Fetch, Memory, Server};

#[path = "tftp_kit.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod kit;

const ROUNDS: usize = 15;

/// No measurement begins later than this, so that a slow machine prints fewer rounds instead of taking for ever.
const BUDGET: Duration = Duration::from_secs(20);

/// The baseline's shelf: the same bytes from memory.
struct Leaked(&'static [(&'static str, &'static [u8])]);

impl Handler for Leaked {
    type Reader = &'static [u8];
    type Writer = Vec<u8>;

    async fn read_req_open(
        &mut self,
        _: &SocketAddr,
        path: &Path,
    ) -> Result<(Self::Reader, Option<u64>), packet::Error> {
        let held = self.0.iter().find(|(name, _)| Path::new(name) == path);
        let (_, content) = held.ok_or(packet::Error::FileNotFound)?;
        Ok((content, Some(content.len() as u64)))
    }

    async fn write_req_open(
        &mut self,
        _: &SocketAddr,
        _: &Path,
        _: Option<u64>,
    ) -> Result<Self::Writer, packet::Error> {
        Err(packet::Error::PermissionDenied)
    }
}

/// Starts the baseline on a thread of its own, as engines of this kind run best; it ends with the process.
fn baseline(files: &'static [(&'static str, &'static [u8])]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    thread::spawn(move || {
        runtime.block_on(async {
            let builder = TftpServerBuilder::with_handler(Leaked(files)).std_socket(socket);
            // Its best settings for this network; the window limit is ours.
            let builder = builder.expect("a socket").timeout(Duration::from_millis(100));
            let server = builder.window_size_limit(64).build().await.expect("a server");
            server.serve().await.expect("serving");
        });
    });
    address
}

/// One measurement: its name, and what to do against a server.
struct Case {
    name: &'static str,
    bytes: usize,
    run: fn(SocketAddr),
}

const CASES: &[Case] = &[
    Case {
        name: "8 MiB, block 1468",
        bytes: 8 << 20,
        run: |server| single(server, &[("blksize", "1468")]),
    },
    Case {
        name: "8 MiB, block 1468, window 16",
        bytes: 8 << 20,
        run: |server| single(server, &[("blksize", "1468"), ("windowsize", "16")]),
    },
    Case { name: "64 × 2 KiB at once, block 1468", bytes: 64 << 11, run: crowd },
];

fn single(server: SocketAddr, options: &[(&str, &str)]) {
    let fetch = Fetch { server, from: [127, 0, 0, 1].into(), name: "load.bin", options };
    assert_eq!(fetch.run().expect("the file").len(), 8 << 20);
}

/// 64 phones with an address each.
fn crowd(server: SocketAddr) {
    thread::scope(|scope| {
        for phone in 1..=64 {
            scope.spawn(move || {
                let (from, options) =
                    (IpAddr::from([127, 0, 1, phone]), &[("blksize", "1468")][..]);
                let fetch = Fetch { server, from, name: "phone.cfg", options };
                assert_eq!(fetch.run().expect("the file").len(), 2 << 10);
            });
        }
    });
}

fn timed(case: &Case, server: SocketAddr) -> f64 {
    let began = Instant::now();
    (case.run)(server);
    began.elapsed().as_secs_f64()
}

/// A value that this share of all values lies below.
fn quantile(values: impl Iterator<Item = f64>, quarters: usize) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * quarters / 4]
}

fn print_row(case: &Case, rounds: &[(f64, f64)]) {
    let megabytes = f64::from(u32::try_from(case.bytes).unwrap_or(u32::MAX)) / 1e6;
    let base = megabytes / quantile(rounds.iter().map(|(base, _)| *base), 2);
    let mine = megabytes / quantile(rounds.iter().map(|(_, mine)| *mine), 2);
    let ratio = |quarters| quantile(rounds.iter().map(|(base, mine)| base / mine), quarters);
    let (low, middle, high) = (ratio(1), ratio(2), ratio(3));
    let (name, rounds) = (case.name, rounds.len());
    println!("| {name} | {base:.1} | {mine:.1} | {middle:.2} | {low:.2} to {high:.2} | {rounds} |");
}

fn main() {
    let load: &'static [u8] = vec![0x5a; 8 << 20].leak();
    let config: &'static [u8] = vec![0x3c; 2 << 10].leak();
    let files = vec![("load.bin", load), ("phone.cfg", config)].leak();
    let memory = files.iter().fold(Memory::default(), |m, (name, bytes)| m.with(name, *bytes));
    let ours = Server::start("127.0.0.1:0", memory);
    let theirs = baseline(files);
    println!(
        "| TFTP on loopback | async-tftp 0.4.2, MB/s | ringup, MB/s | ratio | quartiles | rounds |"
    );
    println!("|---|---|---|---|---|---|");
    let began = Instant::now();
    for case in CASES {
        // Both once before it counts: caches, and pages that were never touched.
        let _ = (timed(case, theirs), timed(case, ours.address));
        let mut rounds: Vec<(f64, f64)> = Vec::new();
        while rounds.len() < ROUNDS && (rounds.is_empty() || began.elapsed() < BUDGET) {
            // Who goes first has the colder caches.
            rounds.push(if rounds.len().is_multiple_of(2) {
                let base = timed(case, theirs);
                (base, timed(case, ours.address))
            } else {
                let mine = timed(case, ours.address);
                (timed(case, theirs), mine)
            });
        }
        print_row(case, &rounds);
    }
}
