//! What the kernel allows, where that is too little for the phones that are listed.

use std::{fmt, fs};

/// A neighbour entry a phone, and as many again for everything else on the network.
const SPARE_NEIGHBOURS: u64 = 2;

/// A receive buffer that holds one DHCP message of each of 2,000 phones: what a power cut sends at once.
const RECEIVE_BUFFER: u64 = 4 << 20;

/// Below this many phones the kernel's own defaults are enough.
const MANY: u64 = 400;

/// Files and sockets that are open at once, whatever the phones do.
const OPEN_ALWAYS: u64 = 256;

/// More than this many are never needed: transfers at once are bounded.
const OPEN_AT_MOST: u64 = 16_384;

/// What the kernel allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Limits {
    /// `net.ipv4.neigh.default.gc_thresh3`: beyond it, new neighbours are dropped and their phones unreachable.
    neighbours: Option<u64>,
    /// `net.core.rmem_max`, in bytes.
    receive: Option<u64>,
    /// Files that this process may have open, connections included.
    open: Option<u64>,
}

/// Something that the kernel allows too little of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Advice {
    /// What is too little, and for what.
    pub text: String,
    /// What to set.
    pub cure: String,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, self.cure)
    }
}

/// What is too small for so many phones; empty where all is well or not readable. A service that sees nothing but its own
/// processes reads only its own limit, which is why `ringup check` looks too.
#[must_use]
pub fn advice(phones: usize) -> Vec<Advice> {
    let read =
        |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok();
    let limits = Limits {
        neighbours: read("net/ipv4/neigh/default/gc_thresh3"),
        receive: read("net/core/rmem_max"),
        open: fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(open_files),
    };
    advise(limits, u64::try_from(phones).unwrap_or(u64::MAX))
}

/// The soft limit in `/proc/self/limits`: `Max open files            1024                 524288               files`.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn advise(limits: Limits, phones: u64) -> Vec<Advice> {
    let neighbours = phones.saturating_mul(SPARE_NEIGHBOURS);
    let open = phones.saturating_add(OPEN_ALWAYS).min(OPEN_AT_MOST);
    let mut advice = Vec::new();
    let mut add = |text: String, cure: String| advice.push(Advice { text, cure });
    if let Some(now) = limits.neighbours.filter(|now| phones >= MANY && *now < neighbours) {
        add(
            format!(
                "the kernel remembers {now} neighbours at most, and {phones} phones are listed"
            ),
            format!("sysctl net.ipv4.neigh.default.gc_thresh3={neighbours}"),
        );
    }
    if let Some(now) = limits.receive.filter(|now| phones >= MANY && *now < RECEIVE_BUFFER) {
        add(
            format!(
                "receive buffers end at {now} bytes, too few for a restart of {phones} phones at once"
            ),
            format!("sysctl net.core.rmem_max={RECEIVE_BUFFER}"),
        );
    }
    if let Some(now) = limits.open.filter(|now| phones >= MANY && *now < open) {
        add(
            format!(
                "{now} files may be open at once, too few for {phones} phones that fetch theirs"
            ),
            format!("LimitNOFILE={open} in the unit, or ulimit -n {open}"),
        );
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_small_for_the_phones_that_are_listed() {
        let check = |neighbours, receive, phones, pieces: usize| {
            let limits = Limits { neighbours, receive, open: Some(65_536) };
            assert_eq!(advise(limits, phones).len(), pieces, "{limits:?} {phones}");
        };
        check(Some(1024), Some(212_992), 24, 0);
        check(Some(1024), Some(212_992), 500, 1);
        check(Some(1024), Some(212_992), 513, 2);
        check(Some(8192), Some(8 << 20), 2000, 0);
        check(None, None, 2000, 0);
        let few = Limits { neighbours: None, receive: None, open: Some(1024) };
        assert!(advise(few, 700).is_empty());
        let told = advise(few, 2000);
        assert_eq!(told[0].cure, "LimitNOFILE=2256 in the unit, or ulimit -n 2256");
    }

    #[test]
    fn the_limit_of_open_files() {
        let text = "Limit          Soft Limit  Hard Limit  Units\nMax processes  9  9  processes\n\
                    Max open files            1024                 524288               files\n";
        assert_eq!((open_files(text), open_files("")), (Some(1024), None));
        assert!(
            fs::read_to_string("/proc/self/limits").is_ok_and(|own| open_files(&own).is_some())
        );
    }
}
