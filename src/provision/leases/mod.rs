//! Leases of another DHCP server, taken over so that each phone keeps its address through a cut-over.
//!
//! A file is read to records, one an address; a record becomes a lease of ours if that can hold: nobody else has the
//! address here, and its phone may have it. ISC dhcpd, Kea and dnsmasq all write option 61 as it came, so the phone's
//! next message finds its lease.

mod dhcpd;
mod dnsmasq;
mod kea;
mod plan;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::domain::{Batch, ClientKey, Mac, Timestamp};

pub use plan::plan;

/// Whose file it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `dhcpd.leases` of ISC dhcpd.
    Dhcpd,
    /// `kea-leases4.csv`, Kea's memfile.
    Kea,
    /// `dnsmasq.leases`.
    Dnsmasq,
}

impl Format {
    /// The server's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dhcpd => "ISC dhcpd",
            Self::Kea => "Kea",
            Self::Dnsmasq => "dnsmasq",
        }
    }
}

/// Why a file is no lease file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unrecognized {
    /// Nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// Of a server for IPv6.
    #[error("these are leases of IPv6 addresses: phones get IPv4 addresses from ringup")]
    Six,
    /// Something else.
    #[error("this is no lease file of ISC dhcpd, Kea (memfile) or dnsmasq")]
    Other,
}

/// What a lease file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// Whose it is.
    pub format: Format,
    /// The last word on each address. These files are logs: what was written later counts.
    records: BTreeMap<Ipv4Addr, Record>,
    /// Lines that can't be read, with the reason.
    faults: Vec<(usize, String)>,
}

/// What a lease file says of one address.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Record {
    line: usize,
    mac: Option<Mac>,
    /// Option 61 as it came; empty if the client sent none.
    identifier: Vec<u8>,
    since: Option<Timestamp>,
    until: Until,
    /// Why nobody holds it, if so, whatever its end says.
    ended: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Until {
    Time(Timestamp),
    /// It ends by nothing but a release (RFC 2131 §3.3: 0xffffffff).
    Never,
}

impl Record {
    /// What the responder will know the client by: RFC 2132 §9.14 wants two octets of an identifier, and shorter ones
    /// do not count.
    fn key(&self) -> Option<ClientKey> {
        if self.identifier.len() >= 2 {
            return Some(ClientKey::identifier(&self.identifier));
        }
        self.mac.map(ClientKey::hardware)
    }
}

/// What becomes of one lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It becomes ours.
    Imported,
    /// It is ours already.
    Same,
    /// Nothing to take over: it ended, or it is on a network that is not ours.
    Skipped,
    /// Somebody has to decide: two phones claim the address, or the line makes no sense.
    Refused,
}

impl Verdict {
    /// As the API names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Same => "same",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
        }
    }
}

/// One lease with its verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// Where it is in the file, from 1.
    pub line: usize,
    /// The address, if the line could be read.
    pub address: Option<Ipv4Addr>,
    /// Who holds it.
    pub mac: Option<Mac>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why; empty where there is nothing to say.
    pub reason: String,
}

/// What an import would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Every lease, by line.
    pub rows: Vec<Row>,
    /// What is to become fact; every address is claimed. `None` if nothing is.
    pub batch: Option<Batch>,
}

impl Planned {
    /// How many rows have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }
}

impl Document {
    const fn new(format: Format) -> Self {
        Self { format, records: BTreeMap::new(), faults: Vec::new() }
    }

    fn put(&mut self, address: Ipv4Addr, record: Record) {
        self.records.insert(address, record);
    }

    fn fault(&mut self, line: usize, reason: impl Into<String>) {
        self.faults.push((line, reason.into()));
    }
}

/// Reads a lease file; what is in it tells whose it is.
///
/// # Errors
///
/// [`Unrecognized`]. A line that makes no sense is a refused row, not an error.
pub fn read(bytes: &[u8]) -> Result<Document, Unrecognized> {
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let Some(first) = first else { return Err(Unrecognized::Empty) };
    if let Some(six) = kea::is_header(first) {
        return if six { Err(Unrecognized::Six) } else { Ok(kea::read(&text)) };
    }
    if dnsmasq::is_line(first) {
        return Ok(dnsmasq::read(&text));
    }
    dhcpd::read(&text).ok_or(Unrecognized::Other)
}

/// Octets as pairs of digits between colons; `None` for anything else.
fn octets(text: &str) -> Option<Vec<u8>> {
    let octet = |pair: &str| {
        let digits = pair.len() <= 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(pair, 16).ok().filter(|_| digits)
    };
    text.split(':').map(octet).collect()
}

/// A time in seconds since 1970.
fn epoch(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.parse().ok()?).ok()
}
