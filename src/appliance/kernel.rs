//! What the kernel allows, where that is too little for the phones that are listed.

use std::fs;

/// A neighbour entry a phone, and as many again for everything else on the network.
const SPARE_NEIGHBOURS: u64 = 2;

/// A receive buffer that holds one DHCP message of each of 2,000 phones: what a power cut sends at once.
const RECEIVE_BUFFER: u64 = 4 << 20;

/// Below this many phones the kernel's own defaults are enough.
const MANY: u64 = 400;

/// What the kernel allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Limits {
    /// `net.ipv4.neigh.default.gc_thresh3`: beyond it, new neighbours are dropped and their phones unreachable.
    neighbours: Option<u64>,
    /// `net.core.rmem_max`, in bytes.
    receive: Option<u64>,
}

/// What is too small for so many phones, each with its cure; empty where all is well or not readable.
pub(super) fn advice(phones: usize) -> Vec<String> {
    let read =
        |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok();
    let limits = Limits {
        neighbours: read("net/ipv4/neigh/default/gc_thresh3"),
        receive: read("net/core/rmem_max"),
    };
    advise(limits, u64::try_from(phones).unwrap_or(u64::MAX))
}

fn advise(limits: Limits, phones: u64) -> Vec<String> {
    let neighbours = phones.saturating_mul(SPARE_NEIGHBOURS);
    let mut advice = Vec::new();
    if let Some(now) = limits.neighbours.filter(|now| phones >= MANY && *now < neighbours) {
        advice.push(format!(
            "the kernel remembers {now} neighbours at most, and {phones} phones are listed: \
             sysctl net.ipv4.neigh.default.gc_thresh3={neighbours}"
        ));
    }
    if let Some(now) = limits.receive.filter(|now| phones >= MANY && *now < RECEIVE_BUFFER) {
        advice.push(format!(
            "receive buffers end at {now} bytes, too few for a restart of {phones} phones at once: \
             sysctl net.core.rmem_max={RECEIVE_BUFFER}"
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_small_for_the_phones_that_are_listed() {
        let check = |neighbours, receive, phones, pieces: usize| {
            let limits = Limits { neighbours, receive };
            assert_eq!(advise(limits, phones).len(), pieces, "{limits:?} {phones}");
        };
        check(Some(1024), Some(212_992), 24, 0);
        check(Some(1024), Some(212_992), 500, 1);
        check(Some(1024), Some(212_992), 513, 2);
        check(Some(8192), Some(8 << 20), 2000, 0);
        check(None, None, 2000, 0);
    }
}
