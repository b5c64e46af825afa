//! What became of each phone of a storm, and what that says of the server. No I/O.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};

use crate::domain::Mac;

/// Why a phone did not get its configuration.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Cause {
    /// No DHCP server answered its DISCOVERs.
    NoOffer,
    /// An offer came, and no answer to the REQUEST for it.
    NoAck,
    /// The server took its own offers back, again and again.
    Nak,
    /// The lease can't be used from here: the address could not be taken.
    NoAddress,
    /// The options name no server that this family understands.
    NoServer,
    /// The options name a server that this machine is not allowed to ask.
    ForeignServer,
    /// Its server does not answer, or transfers break off.
    NoAnswer,
    /// Its server has neither its own file nor one for everybody.
    NoFile,
    /// It got what there is for phones that nobody listed.
    DefaultOnly,
    /// It was still at it when the time was up.
    Unfinished,
}

impl Cause {
    /// The name in JSON and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoOffer => "no-offer",
            Self::NoAck => "no-ack",
            Self::Nak => "nak",
            Self::NoAddress => "no-address",
            Self::NoServer => "no-server",
            Self::ForeignServer => "foreign-server",
            Self::NoAnswer => "no-answer",
            Self::NoFile => "no-file",
            Self::DefaultOnly => "default-only",
            Self::Unfinished => "unfinished",
        }
    }

    /// What that means and what to do about it: two plain sentences.
    #[must_use]
    pub const fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::NoOffer => (
                "no DHCP server made an offer",
                "see that it serves the relay's network or this interface, and that its pool has room",
            ),
            Self::NoAck => (
                "the server offered an address and never acknowledged it",
                "look for a full disk or an overload on the server",
            ),
            Self::Nak => (
                "the server refused the address that it had offered",
                "it gives an address to two phones at once, or its pool is too small",
            ),
            Self::NoAddress => (
                "this machine could not take the leased address",
                "run it as root, or without --take-addresses",
            ),
            Self::NoServer => (
                "no option names a file server in a form that this family reads",
                "Cisco wants 150 or an address in 66, Poly a URL in 160 or 66, Yealink one in 66",
            ),
            Self::ForeignServer => (
                "the options name a file server that is not on an attached network",
                "if that server may be asked: --i-know",
            ),
            Self::NoAnswer => (
                "the file server did not answer in time, or broke off",
                "see that TFTP (UDP 69 and high ports) and HTTP reach it, and how busy it is",
            ),
            Self::NoFile => (
                "the file server has no file for this phone",
                "list the phone; a ringup that gives files to leased addresses only wants --take-addresses or --interface here",
            ),
            Self::DefaultOnly => (
                "the phone got only what there is for phones that nobody listed",
                "list the phone under this MAC",
            ),
            Self::Unfinished => (
                "the phone was not through when the time was up",
                "give it more time with --for, or look at what the server waits for",
            ),
        }
    }
}

/// What became of one phone. Times are since the storm began.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Power on; `None` for a phone whose turn never came.
    pub on: Option<Duration>,
    /// From its first DISCOVER or REQUEST to the first answer.
    pub offer: Option<Duration>,
    /// From its REQUEST to the ACK.
    pub ack: Option<Duration>,
    /// When it had an address.
    pub leased: Option<Duration>,
    /// When it had its own file.
    pub configured: Option<Duration>,
    /// When it had all of another load and restarted into it.
    pub upgraded: Option<Duration>,
    /// When it stopped.
    pub done: Option<Duration>,
    /// Its address.
    pub address: Option<Ipv4Addr>,
    /// Why it did not get there.
    pub cause: Option<Cause>,
    /// The last file that it asked for and did not get.
    pub missed: String,
    /// One of its own files held the number that it is listed with; `None` if none was looked at.
    pub numbered: Option<bool>,
    /// True for a phone that `--faults` keeps from getting there.
    pub spoilt: bool,
}

/// What all phones did together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// DHCP messages sent.
    pub dhcp_sent: u64,
    /// Of these, sent again because no answer came.
    pub dhcp_resent: u64,
    /// NAKs heard.
    pub naks: u64,
    /// Offers of servers that were not asked.
    pub strangers: u64,
    /// Files asked for.
    pub asked: u64,
    /// Files that came.
    pub got: u64,
    /// Files that the server does not have: most of these are normal.
    pub missed: u64,
    /// Files that broke off or were never answered.
    pub failed: u64,
    /// Bytes of files that the phones kept.
    pub bytes: u64,
    /// Requests that `--max-rate` held back.
    pub held: u64,
}

/// Half of all, nearly all, all.
pub const QUANTILES: [u32; 3] = [50, 95, 100];

/// The value that so many percent of `all` reach: `None` where fewer than that have a value.
#[must_use]
pub fn quantile(sorted: &[Duration], all: usize, percent: u32) -> Option<Duration> {
    let rank = (all * usize::try_from(percent).ok()?).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Every value of that kind, in order.
pub fn sorted(records: &[Record], of: impl Fn(&Record) -> Option<Duration>) -> Vec<Duration> {
    let mut values: Vec<Duration> = records.iter().filter_map(of).collect();
    values.sort_unstable();
    values
}

/// Addresses that more than one phone holds, with their holders.
#[must_use]
pub fn duplicates(phones: &[(Mac, Option<Ipv4Addr>)]) -> BTreeMap<Ipv4Addr, BTreeSet<Mac>> {
    let mut holders: BTreeMap<Ipv4Addr, BTreeSet<Mac>> = BTreeMap::new();
    for (mac, address) in phones {
        if let Some(address) = address {
            holders.entry(*address).or_default().insert(*mac);
        }
    }
    holders.retain(|_, macs| macs.len() > 1);
    holders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_whole_fleet() {
        let times: Vec<Duration> = (1..=10).map(Duration::from_secs).collect();
        let check = |all: usize, percent: u32, seconds: Option<u64>| {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(quantile(&times, all, percent), expected, "{percent} % of {all}");
        };
        check(10, 50, Some(5));
        check(10, 95, Some(10));
        check(10, 100, Some(10));
        check(20, 50, Some(10));
        // Who never got there is missing from the end.
        check(20, 95, None);
        check(11, 100, None);
        assert_eq!(quantile(&[], 0, 50), None);
    }

    #[test]
    fn two_holders_of_one_address() {
        let mac = |number: u64| Mac::new([0, 4, 0xf2, 0, 0, number.to_le_bytes()[0]]).unwrap();
        let address = |last: u8| Some(Ipv4Addr::new(10, 0, 0, last));
        let phones = [
            (mac(1), address(1)),
            (mac(2), address(2)),
            (mac(3), address(1)),
            (mac(4), None),
            (mac(5), None),
            // The same phone twice is one holder.
            (mac(2), address(2)),
        ];
        let found = duplicates(&phones);
        assert_eq!(found.len(), 1);
        assert_eq!(found[&Ipv4Addr::new(10, 0, 0, 1)], BTreeSet::from([mac(1), mac(3)]));
    }
}
