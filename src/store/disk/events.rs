//! Timelines on disk: read from their end, read as a whole, and cut.

use crate::{
    domain::{Event, Mac, Timestamp},
    store::{
        Place, StoreError,
        encode::{As, BadValue, Kind, Row, event_key, read, read_event_key},
    },
};

use super::Disk;

/// The most events that a phone keeps when timelines are cut; the oldest go first.
pub(in crate::store) const MAX_EVENTS: usize = 10_000;

/// How many events one step of pruning looks at.
const STEP: usize = 2000;

/// How far pruning has come. It goes backwards, so that it meets the newest events of each phone first.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct PruneCursor {
    /// Events from this key on were looked at.
    from: Option<Vec<u8>>,
    /// The phone whose events were looked at last, and how many of them stay.
    phone: Option<(Mac, usize)>,
    /// How many events were deleted.
    pub(in crate::store) deleted: usize,
}

/// A part of a timeline.
#[derive(Debug, Default)]
pub(in crate::store) struct Between {
    /// Oldest first, with their commits.
    pub(in crate::store) events: Vec<(u64, Event)>,
    /// Where the first of them lies.
    pub(in crate::store) oldest: Option<Place>,
    /// True if there are more before it.
    pub(in crate::store) more: bool,
}

impl Disk {
    /// At most `limit` events of a phone from the end of what lies between two places.
    pub(in crate::store) fn timeline_between(
        &self,
        phone: Mac,
        (after, before): (Option<Place>, Place),
        limit: usize,
    ) -> Result<Between, StoreError> {
        let key = |(commit, index): Place| event_key(phone, commit, index as usize);
        let first = match after.map(key) {
            None => Kind::Event.key(&phone.octets()),
            Some(after) => [&after[..], &[0]].concat(),
        };
        let end = key(before);
        if first >= end {
            return Ok(Between::default());
        }
        let mut rows = self.rows.range(first..end).rev();
        let (mut events, mut oldest) = (Vec::new(), None);
        for row in rows.by_ref().take(limit) {
            let (key, value) = row.map_err(|error| self.fault(error))?;
            oldest = place(&key);
            events.push(event(&key, &value).map_err(|bad| self.fault(bad))?);
        }
        events.reverse();
        Ok(Between { events, oldest, more: rows.next().is_some() })
    }

    /// The keys of all events of a phone.
    pub(in crate::store) fn event_keys(&self, phone: Mac) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = self.rows.scan_prefix(Kind::Event.key(&phone.octets())).keys();
        keys.map(|key| key.map(|key| key.to_vec()).map_err(|error| self.fault(error))).collect()
    }

    /// A page of the events of all phones, as they lie on disk, after a key.
    pub(in crate::store) fn events(
        &self,
        after: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let first = if after.is_empty() { Kind::Event.key(&[]) } else { [after, &[0]].concat() };
        let end = vec![Kind::Event.octet() + 1];
        let rows = self.rows.range(first..end).take(limit);
        rows.map(|row| match row {
            Ok((key, value)) => Ok((key.to_vec(), Some(value.to_vec()))),
            Err(error) => Err(self.fault(error)),
        })
        .collect()
    }

    /// Deletes what is too old, or too much for one phone, among the next events. `false` when there are no more.
    ///
    /// Not durable by itself: what is deleted twice is as gone.
    pub(in crate::store) fn prune(
        &self,
        cursor: &mut PruneCursor,
        older_than: Timestamp,
    ) -> Result<bool, StoreError> {
        let end = cursor.from.clone().unwrap_or_else(|| vec![Kind::Event.octet() + 1]);
        let mut looked_at = 0;
        let mut doomed = Vec::new();
        for row in self.rows.range(Kind::Event.key(&[])..end).rev().take(STEP) {
            let (key, value) = row.map_err(|error| self.fault(error))?;
            let (mac, _) = read_event_key(&key).map_err(|bad| self.fault(bad))?;
            let (_, event) = event(&key, &value).map_err(|bad| self.fault(bad))?;
            let kept = cursor.phone.filter(|(phone, _)| *phone == mac).map_or(0, |(_, kept)| kept);
            let goes = event.at < older_than || kept >= MAX_EVENTS;
            cursor.phone = Some((mac, kept + usize::from(!goes)));
            cursor.from = Some(key.to_vec());
            looked_at += 1;
            if goes {
                doomed.push((key.to_vec(), None));
            }
        }
        cursor.deleted += doomed.len();
        if !doomed.is_empty() {
            self.put(doomed)?;
        }
        Ok(looked_at == STEP)
    }
}

/// Where an event lies, by its key: its last twelve octets.
pub(in crate::store) fn place(key: &[u8]) -> Option<Place> {
    let (rest, index) = key.split_last_chunk()?;
    let (_, commit) = rest.split_last_chunk()?;
    Some((u64::from_be_bytes(*commit), u32::from_be_bytes(*index)))
}

/// An event's row.
pub(in crate::store) fn row(mac: Mac, at: (u64, usize), event: &Event) -> Result<Row, BadValue> {
    Ok((event_key(mac, at.0, at.1), Some(super::super::encode::write(&As(event))?)))
}

/// The event of a row, with its commit.
pub(in crate::store) fn event(key: &[u8], value: &[u8]) -> Result<(u64, Event), BadValue> {
    let (_, commit) = read_event_key(key)?;
    Ok((commit, read::<As<Event>>(value)?.0))
}
