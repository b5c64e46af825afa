//! What a server keeps: nothing acknowledged is lost when it is killed, it is back soon, and its files stay small.

use std::{collections::HashMap, fs, net::Ipv4Addr, process::Stdio, thread, time::Duration};

use crate::{
    KEA_MT, UNPROBED, boots, median,
    phones::{Act, Pace, Plan, leases},
    scene::{Played, Running, Scene, Who},
    settings::WIDE,
    spoken,
};

/// A server with so many leases, by whom they are held written to `kept`.
fn laden(scene: &mut Scene, who: Who, phones: u32, kept: &str) -> Running {
    let bound = Duration::from_mins(2);
    let plan = Plan { bound, kept: kept.to_owned(), ..boots(phones, Pace::Window(64)) };
    let running = scene.start(who, WIDE, &plan);
    let played = scene.play(&plan);
    assert!(played.figure("missing") == 0.0, "{}: {played:?}", who.name());
    running
}

/// Kills a server and starts it again at once: milliseconds until it offers something to a phone that it knows.
fn restart(scene: &Scene, running: &mut Running) -> f64 {
    let mut asks = scene.phones_command(&["await", "0", "60000"]);
    let asks = asks.stdout(Stdio::piped()).spawn().unwrap();
    running.kill();
    // The phone has asked in vain by then, and asks every few milliseconds.
    thread::sleep(Duration::from_millis(200));
    running.spawn();
    let output = asks.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // An offer of before the kill is none of the new server's.
    let mut offers = text.lines().filter_map(|line| line.split_once(' ')?.1.parse::<f64>().ok());
    offers.next_back().map_or(f64::NAN, |offer| offer - running.began)
}

/// Start-up with a full store.
pub fn start_up(scene: &mut Scene, quick: bool) {
    let (phones, times) = if quick { (2_000, 1) } else { (65_000, 5) };
    let mut figures = Vec::new();
    for who in [UNPROBED, KEA_MT] {
        let mut running = laden(scene, who, phones, "");
        running.kill();
        let each: Vec<f64> = (0..times).map(|_| restart(scene, &mut running)).collect();
        figures.push(median(each));
    }
    println!(
        "| start with {} leases until the first OFFER | {} | {:.0} ms | {} {:.0} | **{:.2}** | {times} starts | ≤ 150 ms |",
        spoken(phones.into()),
        UNPROBED.name(),
        figures[0],
        KEA_MT.name(),
        figures[1],
        figures[0] / figures[1]
    );
}

/// What was acknowledged so far, and what was wrong with it.
#[derive(Default)]
struct Ledger {
    holders: HashMap<Ipv4Addr, u32>,
    addresses: HashMap<u32, Ipv4Addr>,
    duplicates: usize,
    lost: f64,
}

impl Ledger {
    fn take(&mut self, file: &str) {
        for (phone, address) in leases(file) {
            // Who gets another address has lost the one that it had.
            if self.addresses.insert(phone, address).is_some_and(|before| before != address) {
                self.lost += 1.0;
            }
            if *self.holders.entry(address).or_insert(phone) != phone {
                self.duplicates += 1;
            }
        }
    }

    /// Asks the server about every lease in the file.
    fn verify(&mut self, scene: &Scene, file: &str) {
        let plan = Plan {
            act: Act::Reboot,
            held: file.to_owned(),
            bound: Duration::from_secs(40),
            ..boots(0, Pace::Window(32))
        };
        self.lost += scene.play(&plan).figure("missing");
    }
}

/// Kills the server again and again while phones boot.
pub fn kills(scene: &mut Scene, quick: bool) {
    let (stock, times, crowd) = if quick { (2_000, 2, 2_000) } else { (65_000, 20, 10_000) };
    let path = |name: &str| scene.path(name).display().to_string();
    let (first, kept, all) = (path("stock"), path("acknowledged"), path("all"));
    let mut running = laden(scene, UNPROBED, stock, &first);
    let mut ledger = Ledger::default();
    ledger.take(&first);
    let (mut back, mut acknowledged) = (Vec::new(), 0.0);
    // Of each crowd nine in ten have a lease already, and the others are new.
    let fresh = crowd / 10;
    for time in 0..times {
        let plan = Plan {
            first: stock - crowd + fresh * (time + 1),
            bound: Duration::from_secs(6),
            kept: kept.clone(),
            ..boots(crowd, Pace::Over(Duration::from_secs(2)))
        };
        let words = plan.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut phones = scene.phones_command(&[&["play"], &words[..]].concat());
        let phones = phones.stdout(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_millis(350 + u64::from(time) * 37 % 300));
        running.kill();
        running.spawn();
        let output = phones.wait_with_output().unwrap();
        let played = Played::read(&String::from_utf8(output.stdout).unwrap());
        let offer = played.gaps.iter().copied().find(|at| *at >= running.began);
        back.push(offer.map_or(f64::NAN, |at| at - running.began));
        acknowledged += played.figure("done");
        ledger.take(&kept);
        ledger.verify(scene, &kept);
    }
    let text: Vec<String> = ledger.addresses.iter().map(|(n, at)| format!("{n} {at}\n")).collect();
    fs::write(&all, text.concat()).unwrap();
    ledger.verify(scene, &all);
    // Phones that come while it is down ask again after 2 s; others come all the time, but for 2 s only.
    let never = back.iter().filter(|time| time.is_nan()).count();
    let slowest = back.iter().copied().fold(f64::NAN, f64::max);
    println!(
        "| kill -9 under {} DORA/s, {times} times, {} leases in the store; {acknowledged} acknowledged meanwhile | {} | \
         {} lost, {} duplicate addresses, first OFFER {:.0} ms after the start (slowest {slowest:.0}, never in {never}) | | | {times} kills | \
         0 lost, 0 duplicate, ≤ 150 ms |",
        spoken((crowd / 2).into()),
        spoken(stock.into()),
        UNPROBED.name(),
        ledger.lost,
        ledger.duplicates,
        median(back),
    );
}

/// How files grow, and what is written for it.
pub fn growth(scene: &mut Scene, quick: bool) {
    let phones = if quick { 3_000 } else { 100_000 };
    let mut figures = Vec::new();
    for who in [UNPROBED, KEA_MT] {
        let plan = Plan { bound: Duration::from_mins(2), ..boots(phones, Pace::Window(64)) };
        let running = scene.start(who, WIDE, &plan);
        let state = || (running.proc("io", "write_bytes:"), running.disk());
        let before = state();
        let done = scene.play(&plan).figure("done");
        // Whoever tidies up when there is nothing to do has time for it.
        thread::sleep(Duration::from_secs(3));
        let after = state();
        let memory = running.proc("status", "VmRSS:") / 1024.0;
        figures.push(((after.0 - before.0) / done, (after.1 - before.1) / done, memory, done));
    }
    let [(written, disk, memory, done), (their_written, their_disk, their_memory, _)] = figures[..]
    else {
        return;
    };
    println!(
        "| state growth over {} leases | {} | {written:.0} octets written and {disk:.0} on the disk for each lease, {memory:.0} MiB of memory | \
         {} {their_written:.0} written, {their_disk:.0} on the disk, {their_memory:.0} MiB | **{:.2}** (written) | 1 run | – |",
        spoken(done),
        UNPROBED.name(),
        KEA_MT.name(),
        written / their_written
    );
}

/// The relay path, with Kea's own measuring program as the relay.
pub fn relayed(scene: &mut Scene, quick: bool) {
    let (rate, exchanges) = if quick { (1_000, 2_000) } else { (5_000, 20_000) };
    let mut told = Vec::new();
    for who in [UNPROBED, KEA_MT] {
        let plan = boots(1, Pace::Window(1));
        let _running = scene.start(who, crate::RANGE, &plan);
        let words = format!(
            "timeout 30 perfdhcp -4 -l eth1 -r {rate} -R {exchanges} -n {exchanges} -W 500000 10.40.0.1"
        );
        let output = scene.relay(&words);
        let text = String::from_utf8_lossy(&output).into_owned();
        let rate = text.lines().find_map(|line| line.strip_prefix("Rate: ")).unwrap_or("? ");
        let rate: f64 = rate.split(' ').next().unwrap_or("?").parse().unwrap_or(f64::NAN);
        let drops = text.lines().filter_map(|line| line.strip_prefix("drops: "));
        let drops: f64 = drops.filter_map(|drops| drops.trim().parse::<f64>().ok()).sum();
        told.push((rate, drops));
    }
    println!(
        "| perfdhcp as a relay, {} DORA/s asked for | {} | {}/s ({} dropped) | {} {}/s ({} dropped) | **{:.2}** | 1 run | – |",
        spoken(rate.into()),
        UNPROBED.name(),
        spoken(told[0].0),
        told[0].1,
        KEA_MT.name(),
        spoken(told[1].0),
        told[1].1,
        told[0].0 / told[1].0
    );
}
