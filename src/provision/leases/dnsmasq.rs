//! `dnsmasq.leases`: a line a lease, `END MAC ADDRESS NAME IDENTIFIER`.

use std::net::Ipv4Addr;

use super::{Document, Format, Record, Until, epoch, octets};

/// True for a line that dnsmasq would write.
pub(super) fn is_line(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let end = words.next().unwrap_or_default();
    match (end, words.nth(1)) {
        ("duid", _) => true,
        (end, Some(address)) => end.parse::<u64>().is_ok() && address.parse::<Ipv4Addr>().is_ok(),
        (_, None) => false,
    }
}

pub(super) fn read(text: &str) -> Document {
    let mut document = Document::new(Format::Dnsmasq);
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            [] => {}
            // What follows are leases of IPv6 addresses.
            ["duid", ..] => break,
            [end, mac, address, _, identifier, ..] => {
                match record(number + 1, end, mac, identifier) {
                    Some(record) if address.parse::<Ipv4Addr>().is_ok() => {
                        let address = address.parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
                        document.put(address, record);
                    }
                    _ => document.fault(number + 1, "no line as dnsmasq writes it"),
                }
            }
            _ => document.fault(number + 1, "this line is cut short"),
        }
    }
    document
}

fn record(line: usize, end: &str, mac: &str, identifier: &str) -> Option<Record> {
    let until = match end {
        "0" => Until::Never,
        end => Until::Time(epoch(end)?),
    };
    let identifier = if identifier == "*" { Vec::new() } else { octets(identifier)? };
    // Hardware that is no Ethernet has its type in front (`06-…`): that reads as no MAC.
    let mac = mac.parse().ok();
    Some(Record { line, mac, identifier, since: None, until, ended: None })
}
