//! What it takes to make leases fact on a real disk, and to start again: families and a store of 65,000 leases. Uses `TMPDIR`; takes about 20 s.
//!
//! The plain file beside it is the least that an acknowledged lease can cost here: one append and one sync a round.
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on says so")]

use std::{
    fs::{self, File},
    io::Write,
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use ringup::{
    domain::{
        Batch, Change, Claim, ClientKey, Event, Granted, Ground, Lease, Mac, Origin, Timestamp,
        What,
    },
    profile::{Catalog, Seen},
    store::Store,
};

/// How many phones are leased in each measurement.
const PHONES: u32 = 20_000;

/// How many of them are in flight.
const WINDOW: u32 = 32;

fn mac(number: u32) -> Mac {
    let [_, a, b, c] = number.to_be_bytes();
    Mac::new([0, 0x1e, 0x7a, a, b, c]).unwrap()
}

fn now() -> Timestamp {
    Timestamp::new(1_795_000_000, 123_456_000).unwrap()
}

/// What a phone's DISCOVER and OFFER leave in the record.
fn reports(number: u32) -> Batch {
    let address = Ipv4Addr::from(0x0a01_0000 + number);
    let shows = "Cisco Systems, Inc. IP Phone CP-7961G".to_owned();
    let ground = Ground {
        from: Origin::Option60,
        value: shows.clone(),
        vendor: Some("Cisco".to_owned()),
        family: None,
        model: Some("7961G".to_owned()),
        firmware: None,
        mac: None,
        at: now(),
    };
    let happened = |what| Change::Happened(mac(number), Event { at: now(), what });
    let port = String::new();
    Batch::from(vec![
        happened(What::Discovered { relay: None, port, shows }),
        Change::Showed(mac(number), ground),
        happened(What::Offered { address }),
    ])
}

/// What its REQUEST commits.
fn leasing(number: u32) -> Batch {
    let (mac, address) = (mac(number), Ipv4Addr::from(0x0a01_0000 + number));
    let (client, until) = (ClientKey::hardware(mac), now() + Duration::from_hours(24));
    let claim = Claim::Address { address, client: client.clone(), now: now() };
    let lease = Lease { address, client, mac, since: now(), until };
    let what = What::Leased { address, until, granted: Granted::Selected };
    let changes = vec![Change::Leased(lease), Change::Happened(mac, Event { at: now(), what })];
    Batch { claims: vec![claim], ..Batch::from(changes) }
}

/// Processor time of this process, all threads.
fn processor() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit_once(") ").unwrap().1;
    let ticks: u64 = after.split(' ').skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Octets that this process sent to the disk.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap();
    line.parse().unwrap()
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    format!("{:.2} / {:.2} / {:.2}", at(50), at(99), at(100))
}

/// Runs rounds of so many phones and prints a row of the table.
fn rounds(name: &str, phones: std::ops::Range<u32>, window: u32, mut round: impl FnMut(u32)) {
    let (start, processor_before, written_before) = (Instant::now(), processor(), written());
    let mut times = Vec::new();
    for first in phones.clone().step_by(window as usize) {
        let begun = Instant::now();
        round(first);
        times.push(begun.elapsed());
    }
    let count = f64::from(phones.end - phones.start);
    let rate = count / start.elapsed().as_secs_f64();
    let each = processor().saturating_sub(processor_before).as_secs_f64() * 1e6 / count;
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    let octets = (written() - written_before) as f64 / count;
    println!("| {name} | {rate:.0} | {} | {each:.1} | {octets:.0} |", percentiles(times));
}

/// A copy of what a killed process would leave.
fn killed(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("store/blobs")).unwrap();
    for entry in fs::read_dir(from.join("store")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join("store").join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// Prints how long something took, and what it cost all processors.
fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let (begun, before) = (Instant::now(), processor());
    let result = work();
    let (took, cost) = (begun.elapsed(), processor().saturating_sub(before));
    let [took, cost] = [took, cost].map(|time| time.as_secs_f64() * 1e3);
    println!("{name}: {took:.1} ms, {cost:.0} ms of processor");
    result
}

fn open(name: &str, directory: &Path, leases: usize) {
    let store = timed(name, || Store::open(directory).unwrap());
    assert_eq!(store.view.read().leases.len(), leases);
}

fn main() {
    let (catalog, _) = timed("families read", || Catalog::load(None));
    let seen = Seen::Option60(b"Cisco Systems, Inc. IP Phone CP-7961G");
    timed("a first phone recognized", || catalog.recognize(&seen, now()).unwrap());
    timed("a second one", || catalog.recognize(&seen, now()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let home = tempfile::tempdir().unwrap();
    println!(
        "| what | leases/s | round p50 / p99 / max, ms | processor, us a lease | octets written a lease |"
    );
    println!("|---|---|---|---|---|");
    let mut plain = File::create(home.path().join("plain")).unwrap();
    rounds("a plain file, 32 in flight", 0..PHONES, WINDOW, |_| {
        plain.write_all(&[b'x'; 32 * 200]).unwrap();
        plain.sync_data().unwrap();
    });
    rounds("a plain file, one at a time", 0..1000, 1, |_| {
        plain.write_all(&[b'x'; 200]).unwrap();
        plain.sync_data().unwrap();
    });
    let store = Store::open(&home.path().join("state")).unwrap();
    let lease = |first: u32, window: u32| {
        drop(store.journal.commit_all((first..first + window).map(reports).collect()));
        let made = store.journal.commit_all((first..first + window).map(leasing).collect());
        assert!(runtime.block_on(made).iter().all(Result::is_ok));
    };
    rounds("leases, 32 in flight", 0..PHONES, WINDOW, |first| lease(first, WINDOW));
    rounds("leases, one at a time", PHONES..PHONES + 1000, 1, |first| lease(first, 1));
    let many = PHONES + 1000..65_000;
    rounds("leases, 256 in flight", many, 256, |first| lease(first, 256));
    let leases = store.view.read().leases.len();
    killed(&home.path().join("state"), &home.path().join("killed"));
    let begun = (Instant::now(), processor());
    drop(store);
    let processor = processor().saturating_sub(begun.1).as_secs_f64() * 1e3;
    println!(
        "closed: {:.0} ms, {processor:.0} ms of processor",
        begun.0.elapsed().as_secs_f64() * 1e3
    );
    open("opened after a clean stop", &home.path().join("state"), leases);
    open("opened after a kill", &home.path().join("killed"), leases);
}
