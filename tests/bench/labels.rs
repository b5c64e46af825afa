//! How long it takes to match listed MACs that were never seen with phones that are not listed.
//!
//! Two lists of 2,000: of one vendor's three blocks, of one block, of cartons with consecutive addresses; every twentieth
//! label is misread by one digit. They are set against a look at every pair with a library's distance, which alone tells
//! nothing about ties and rows. Then one report of one entry among 10,000, with 4,096 strangers near it, and with none.
//! Takes about 30 s.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that can't go on says so"
)]

use std::{sync::Arc, time::Instant};

use ringup::{
    domain::{Change, Commit, Entry, Event, Mac, Timestamp, What},
    profile::{Catalog, Seen},
    provision::{
        Library, Provisioner, Settings,
        labels::{Label, Lists},
    },
    store::{State, View},
};
use table::Table;

#[path = "table.rs"]
mod table;

const COUNT: u64 = 2_000;

/// Numbers that are the same in each run (Steele, Lea and Flood's `SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// An address of one of these blocks.
    fn mac(&mut self, blocks: &[u64]) -> u64 {
        let number = self.next();
        blocks[usize::try_from(number).unwrap() % blocks.len()] | number >> 40
    }
}

fn mac(value: u64) -> Mac {
    let [_, _, octets @ ..] = value.to_be_bytes();
    Mac::new(octets).expect("no block has the group bit")
}

/// Both sides: what is seen, and what is listed, where every twentieth is a misread label of what is seen.
fn lists(mut seen: impl FnMut(u64) -> u64, mut listed: impl FnMut(u64) -> u64) -> [Vec<u64>; 2] {
    let seen: Vec<u64> = (0..COUNT).map(&mut seen).collect();
    let misread = |at: u64| seen[usize::try_from(at).unwrap()] ^ 3 << (4 * (at % 6));
    let listed = (0..COUNT).map(|at| if at % 20 == 0 { misread(at) } else { listed(at) }).collect();
    [listed, seen]
}

/// Every pair by a library's distance, as whoever does not know better would do it.
fn every_pair([listed, seen]: &[Vec<u64>; 2]) -> (usize, f64) {
    let text = |value: &u64| format!("{value:012x}");
    let [listed, seen]: [Vec<String>; 2] =
        [listed, seen].map(|side| side.iter().map(text).collect());
    let began = Instant::now();
    let near =
        |one: &String| seen.iter().filter(|other| strsim::osa_distance(one, other) <= 2).count();
    let found = listed.iter().map(near).sum();
    (found, began.elapsed().as_secs_f64() * 1e9)
}

fn matched(table: &mut Table, name: &str, sides: &[Vec<u64>; 2]) {
    let (near, every) = every_pair(sides);
    let [listed, seen] = [0, 1].map(|side: usize| {
        sides[side].iter().map(|value| Label::new(mac(*value)).at(Some(1))).collect::<Vec<_>>()
    });
    let lists = Lists { listed: &listed, seen: &seen };
    println!("{name}: {near} pairs within two mistakes, {} suggested", lists.pairs().len());
    table.against(name, ("osa_distance of every pair", every), || lists.pairs());
}

/// 10,000 entries that were never seen, and 4,096 strangers.
fn fleet(catalog: &Catalog, stranger: impl Fn(u64) -> u64) -> State {
    let mut changes = Vec::new();
    let mut numbers = Numbers(7);
    for _ in 0..10_000 {
        let entry = Entry { model: "VVX 411".to_owned(), ..Entry::default() };
        changes.push(Change::Listed(mac(numbers.mac(&[0x0004_f200_0000])), Box::new(entry)));
    }
    let entry = Entry { model: "VVX 411".to_owned(), ..Entry::default() };
    changes.push(Change::Listed(mac(ENTRY), Box::new(entry)));
    let at = Timestamp::from_second(1_795_000_000).unwrap();
    let agent = Seen::UserAgent("FileTransport PolycomVVX-VVX_411-UA/5.9.6.2327");
    let ground = catalog.recognize(&agent, at).expect("a Poly");
    for number in 0..4096 {
        let phone = mac(stranger(number));
        let what = What::discovered(None);
        changes.push(Change::Happened(phone, Event { at, what }));
        changes.push(Change::Showed(phone, ground.clone()));
    }
    let mut state = State::default();
    state.apply(&Commit { number: 1, changes });
    state
}

const ENTRY: u64 = 0x0004_f2ab_c000;

fn one_report(table: &mut Table) {
    let catalog = Arc::new(Catalog::load(None).0);
    let settings = Arc::new(Settings::default());
    let library: Arc<Library> = Arc::default();
    let here = Provisioner::new(settings, Arc::clone(&catalog), library, View::default());
    // Two digits each, at any two places: all of them are near.
    let near = |number: u64| {
        let (low, high) = (number % 64, number / 64);
        ENTRY ^ (low % 15 + 1) << (4 * (low / 15)) ^ (high % 15 + 1) << (20 + 4 * (high / 15))
    };
    let far = |number: u64| 0x6416_7f00_0000 | (number * 4099);
    let cases: [(&str, &dyn Fn(u64) -> u64); 2] = [
        ("one entry of 10,000, 4,096 strangers near it", &near),
        ("one entry of 10,000, 4,096 strangers far off", &far),
    ];
    for (name, stranger) in cases {
        let state = fleet(&catalog, stranger);
        let mac = mac(ENTRY);
        let now = Timestamp::from_second(1_795_000_100).unwrap();
        table.measure(name, || here.report(mac, &state.phones[&mac], &state, now));
    }
}

fn main() {
    let mut table = Table::new("labels");
    let (mut numbers, mut others) = (Numbers(4), Numbers(5));
    let three = [0x0004_f200_0000, 0x6416_7f00_0000, 0x4825_6700_0000];
    let sides = lists(|_| numbers.mac(&three), |_| others.mac(&three));
    matched(&mut table, "2,000 against 2,000 of three blocks", &sides);
    let one = [0x0004_f200_0000];
    let sides = lists(|_| numbers.mac(&one), |_| others.mac(&one));
    matched(&mut table, "2,000 against 2,000 of one block", &sides);
    let carton = |at: u64| 0x0004_f2a0_0000 + at;
    let sides = lists(|at| carton(COUNT + at), carton);
    matched(&mut table, "2,000 against 2,000 of two pallets in a row", &sides);
    let sides = lists(|at| carton(2 * at + 1), |at| carton(2 * at));
    matched(&mut table, "2,000 against 2,000, every other one of a pallet", &sides);
    one_report(&mut table);
}
