//! How long it takes to match listed MACs that were never seen with phones that are not listed: 2,000 against 2,000.
//!
//! All of one vendor's three blocks, so that chance puts many near each other; every twentieth is a misread label of a
//! phone that is here. One report of one phone is a two-thousandth of it. Takes about 10 s.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that can't go on says so"
)]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use ringup::{
    domain::Mac,
    provision::labels::{Label, Lists},
};

const COUNT: usize = 2_000;

/// Numbers that are the same in each run (Steele, Lea and Flood's `SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// An address of one of three blocks.
    fn mac(&mut self) -> u64 {
        let blocks = [0x0004_f200_0000, 0x6416_7f00_0000, 0x4825_6700_0000];
        let number = self.next();
        blocks[usize::try_from(number % 3).unwrap()] | number >> 40
    }
}

fn label(value: u64) -> Label {
    let [_, _, octets @ ..] = value.to_be_bytes();
    Label::new(Mac::new(octets).expect("no block has the group bit")).at(Some(1))
}

fn lists() -> (Vec<Label>, Vec<Label>, usize) {
    let mut numbers = Numbers(4);
    let seen: Vec<u64> = (0..COUNT).map(|_| numbers.mac()).collect();
    let misread = |at: usize| seen[at] ^ 3 << (4 * (at % 6));
    let listed = (0..COUNT).map(|at| if at % 20 == 0 { misread(at) } else { numbers.mac() });
    (listed.map(label).collect(), seen.iter().copied().map(label).collect(), COUNT / 20)
}

fn pairing(criterion: &mut Criterion) {
    let (listed, seen, misread) = lists();
    let lists = Lists { listed: &listed, seen: &seen };
    let found = lists.pairs();
    let right = found.iter().filter(|(one, other)| {
        let differing = one.octets().into_iter().zip(other.octets()).filter(|(a, b)| a != b);
        differing.count() == 1
    });
    let right = right.count();
    println!("{misread} of {COUNT} misread: {} suggested, {right} by one octet", found.len());
    let mut group = criterion.benchmark_group("labels");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    group.bench_function("2000 against 2000", |bencher| {
        bencher.iter(|| black_box(lists).pairs());
    });
    group.finish();
}

criterion_group!(benches, pairing);
criterion_main!(benches);
