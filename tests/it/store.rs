//! The store under kill -9: nothing that was acknowledged is missing afterwards, and it opens each time.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use ringup::{
    domain::{Batch, Change, Claim, ClientKey, Entry, Event, Granted, Lease, Mac, Timestamp, What},
    store::Store,
};

/// Where the child writes; set by the parent only.
const DIRECTORY: &str = "RINGUP_KILL_TEST_DIRECTORY";

/// Which round the child is in: what it writes rises with it.
const ROUND: &str = "RINGUP_KILL_TEST_ROUND";

/// Repeats a run that failed, as far as two processes can be repeated.
const SEED: &str = "RINGUP_KILL_TEST_SEED";

const ROUNDS: u64 = 50;
const LEASING: u8 = 4;
const PHONES: u8 = 8;
const LISTED: u8 = 20;

fn mac(kind: u8, thread: u8, n: u8) -> Mac {
    Mac::new([2, kind, 0, 0, thread, n]).unwrap()
}

fn second(n: u64) -> Timestamp {
    Timestamp::from_second(i64::try_from(n).unwrap()).unwrap()
}

/// A lease and its event, as the DHCP server commits them.
fn leasing(thread: u8, n: u8, until: u64) -> Batch {
    let (mac, address) = (mac(1, thread, n), Ipv4Addr::new(10, 0, thread, n));
    let (client, until) = (ClientKey::hardware(mac), second(until));
    let what = What::Leased { address, until, granted: Granted::Selected };
    let claim = Claim::Address { address, client: client.clone(), now: second(0) };
    let lease = Lease { address, client, mac, since: second(0), until };
    let changes = vec![Change::Leased(lease), Change::Happened(mac, Event { at: until, what })];
    Batch { claims: vec![claim], ..Batch::from(changes) }
}

/// An import: every phone of it gets the same note.
fn importing(stamp: u64) -> Batch {
    let entry = |n| {
        Box::new(Entry {
            note: stamp.to_string(),
            location: "x".repeat(usize::from(n)),
            ..Entry::default()
        })
    };
    let changes: Vec<_> = (0..LISTED).map(|n| Change::Listed(mac(2, 0, n), entry(n))).collect();
    Batch { undoable: true, ..Batch::from(changes) }
}

/// Not a test of its own: what the killed process does. Says on its output what was acknowledged.
#[test]
#[ignore = "run by the kill test, which kills it"]
fn writes_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    // A line of its own: the test harness leaves the cursor behind its own words.
    println!("\nstarted");
    let store = Store::open(Path::new(&directory)).unwrap();
    println!("\nopened");
    let next = Arc::new(AtomicU64::new(round * 1_000_000));
    // Bounded, in case nobody is left to kill it.
    let mut threads: Vec<_> = (0..LEASING)
        .map(|thread| {
            let (journal, next) = (store.journal.clone(), Arc::clone(&next));
            std::thread::spawn(move || {
                for n in (0..PHONES).cycle().take(2000) {
                    let until = next.fetch_add(1, Ordering::Relaxed);
                    let commit = journal.commit_blocking(leasing(thread, n, until)).unwrap();
                    println!("\nleased {} {thread} {n} {until}", commit.number);
                }
            })
        })
        .collect();
    let journal = store.journal.clone();
    threads.push(std::thread::spawn(move || {
        for stamp in (round * 1000..).take(500) {
            let commit = journal.commit_blocking(importing(stamp)).unwrap();
            println!("\nimported {} {stamp}", commit.number);
        }
    }));
    // Some are killed while what the journal has becomes rows.
    let journal = store.journal.clone();
    let compacting = std::thread::spawn(move || while journal.compact().is_ok() {});
    for thread in threads {
        thread.join().unwrap();
    }
    store.journal.close();
    compacting.join().unwrap();
}

/// What was acknowledged, over all rounds.
#[derive(Default)]
struct Acknowledged {
    commit: u64,
    leases: BTreeMap<(u8, u8), u64>,
    events: BTreeMap<(u8, u8), BTreeSet<u64>>,
    import: Option<u64>,
    lines: usize,
}

impl Acknowledged {
    fn take_in(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |n: usize| -> u64 { words[n].parse().unwrap() };
        let small = |n: usize| -> u8 { words[n].parse().unwrap() };
        match words[..] {
            ["leased", ..] => {
                let phone = (small(2), small(3));
                self.leases.insert(phone, number(4));
                self.events.entry(phone).or_default().insert(number(1));
                self.commit = self.commit.max(number(1));
            }
            ["imported", ..] => {
                self.import = Some(number(2));
                self.commit = self.commit.max(number(1));
            }
            _ => return,
        }
        self.lines += 1;
    }

    /// Opens the store and looks for everything. What was not acknowledged may be there too, but later and whole.
    fn check(&self, directory: &Path) {
        let store = Store::open(directory).unwrap();
        assert_eq!(store.set_aside, None, "it opens");
        let state = store.view.read().clone();
        assert!(state.commit >= self.commit, "commit {} of {}", state.commit, self.commit);
        for ((thread, n), until) in &self.leases {
            let address = Ipv4Addr::new(10, 0, *thread, *n);
            let lease = state.leases.get(&address);
            assert!(
                lease.is_some_and(|lease| lease.until >= second(*until)),
                "{address}: {lease:?}"
            );
        }
        for ((thread, n), commits) in &self.events {
            let timeline = store.journal.timeline(mac(1, *thread, *n), usize::MAX).unwrap();
            let found: BTreeSet<u64> = timeline.into_iter().map(|(commit, _)| commit).collect();
            assert!(commits.is_subset(&found), "events of {thread}.{n}");
        }
        let note = |n| {
            state.phones.get(&mac(2, 0, n)).map(|phone| phone.entry.clone().unwrap().note.clone())
        };
        let notes: BTreeSet<_> = (0..LISTED).map(note).collect();
        assert_eq!(notes.len(), 1, "an import is there whole or not at all: {notes:?}");
        let stamp = notes.first().cloned().flatten().map(|note| note.parse::<u64>().unwrap());
        assert!(stamp >= self.import, "import {stamp:?} of {:?}", self.import);
    }
}

/// Runs the child, kills it after so many lines and a moment more, and hears out what it said before.
fn kill_after(
    lines: u64,
    moment: u64,
    round: u64,
    directory: &Path,
    acknowledged: &mut Acknowledged,
) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard = 0;
    let is_word = |line: &str| {
        ["started", "opened", "leased", "imported"].iter().any(|w| line.starts_with(w))
    };
    while heard < lines {
        let Some(line) = said.next() else { panic!("the child ended by itself") };
        let line = line.unwrap();
        heard += u64::from(is_word(&line));
        acknowledged.take_in(&line);
    }
    for _ in 0..moment {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A line is one write, so that none is cut short by the kill.
    for line in said {
        acknowledged.take_in(&line.unwrap());
    }
}

/// Numbers that look random and repeat with their seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

#[test]
fn nothing_acknowledged_is_lost_to_kill_9() {
    let clock =
        || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos().into();
    let seed = std::env::var(SEED).map_or_else(|_| clock(), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    let mut dice = Dice(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    for round in 1..=ROUNDS {
        // Some are killed while they open what the one before left.
        let lines = if dice.below(5) == 0 { 1 } else { 2 + dice.below(80) };
        kill_after(lines, dice.below(300_000), round, directory.path(), &mut acknowledged);
        acknowledged.check(directory.path());
    }
    println!(
        "{} acknowledgements in {ROUNDS} rounds, commit {}",
        acknowledged.lines, acknowledged.commit
    );
    assert!(acknowledged.lines > 500, "the child worked: {}", acknowledged.lines);
}
