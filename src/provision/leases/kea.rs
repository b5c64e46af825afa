//! Kea's memfile: CSV without quotes, a line a change of a lease.

use csv::{ReaderBuilder, StringRecord};

use super::{Document, Format, Record, Until, epoch, octets};

/// A lifetime that never ends (RFC 2131 §3.3).
const INFINITE: u32 = u32::MAX;

/// True for the first line of leases of IPv6 addresses, false for that of IPv4 addresses.
pub(super) fn is_header(line: &str) -> Option<bool> {
    if line.starts_with("address,duid,") {
        return Some(true);
    }
    line.starts_with("address,hwaddr,client_id,").then_some(false)
}

/// Where the columns are. Later versions have more of them, always behind the others.
struct Columns {
    lifetime: usize,
    expire: usize,
    state: usize,
}

pub(super) fn read(text: &str) -> Document {
    let mut document = Document::new(Format::Kea);
    let reader = ReaderBuilder::new()
        .quoting(false)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut columns = Columns { lifetime: 3, expire: 4, state: 9 };
    for row in reader.into_records() {
        // Text can't fail to be read as text.
        let Ok(row) = row else { continue };
        let line = row.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or_default());
        // Files put one behind the other repeat the header.
        if row.get(0) == Some("address") {
            columns = Columns::of(&row);
            continue;
        }
        let Some(address) = row.get(0).and_then(|address| address.parse().ok()) else {
            document.fault(line, "the first column is no IPv4 address");
            continue;
        };
        match record(line, &row, &columns) {
            Some(record) => document.put(address, record),
            None => document.fault(line, "no row as Kea writes it"),
        }
    }
    document
}

impl Columns {
    fn of(header: &StringRecord) -> Self {
        let find = |name| header.iter().position(|column| column == name).unwrap_or(usize::MAX);
        Self { lifetime: find("valid_lifetime"), expire: find("expire"), state: find("state") }
    }
}

fn record(line: usize, row: &StringRecord, columns: &Columns) -> Option<Record> {
    let cell = |at: usize| row.get(at).unwrap_or_default();
    let lifetime: u32 = cell(columns.lifetime).parse().ok()?;
    let end = epoch(cell(columns.expire))?;
    let since = end.checked_sub(jiff::SignedDuration::from_secs(lifetime.into())).ok();
    let identifier = match cell(2) {
        "" => Vec::new(),
        text => octets(text)?,
    };
    let ended = match (cell(columns.state), lifetime) {
        // A lease that was deleted is written once more with no time left.
        (_, 0) => Some("released"),
        ("0" | "", _) => None,
        ("1", _) => Some("declined"),
        ("2", _) => Some("expired"),
        _ => Some("released"),
    };
    let until = if lifetime == INFINITE { Until::Never } else { Until::Time(end) };
    Some(Record { line, mac: cell(1).parse().ok(), identifier, since, until, ended })
}
