//! The journal's form of commits: what boots are made of in few octets, all else as rows have it.
//!
//! [`VERSION`] is that of the form in this file. Each embedded row says its own.

mod happened;
#[cfg(test)]
mod tests;

use crate::domain::{
    Change, ClientKey, Commit, Entry, Event, FamilyName, Ground, Lease, Mac, Origin, Quarantine,
    StagingChange, Window,
    wave::{Brake, Place},
};

use super::{
    As, BadValue,
    octets::{Reading, Writing},
};

/// The version of the journal's records. A later one is an error, as with [`super::SCHEMA`].
pub(in crate::store) const VERSION: u8 = 1;

/// What a commit did to what undo would take back. A replay works the rest out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Undoes {
    /// Nothing.
    Nothing,
    /// Undo would take this one back.
    This,
    /// It was the undo: nothing is left to take back.
    Done,
}

/// Where an event lies among the octets of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) struct Spot {
    pub(in crate::store) commit: u64,
    /// Its place among the commit's changes.
    pub(in crate::store) index: u32,
    /// Its first octet.
    pub(in crate::store) at: u32,
}

/// The events that were met on the way, with their phones.
pub(in crate::store) type Spots = Vec<(Mac, Spot)>;

/// Appends a commit to a record.
pub(in crate::store) fn write_commit(
    commit: &Commit,
    undoes: Undoes,
    record: &mut Vec<u8>,
    spots: &mut Spots,
) -> Result<(), BadValue> {
    let mut to = Writing(record);
    to.number(commit.number);
    to.octet(match undoes {
        Undoes::Nothing => 0,
        Undoes::This => 1,
        Undoes::Done => 2,
    });
    to.number(commit.changes.len() as u64);
    for (index, change) in (0..).zip(&commit.changes) {
        if let Change::Happened(mac, event) = change {
            to.octet(Tag::Happened as u8);
            to.mac(*mac);
            let at = u32::try_from(to.0.len()).map_err(BadValue::broken)?;
            spots.push((*mac, Spot { commit: commit.number, index, at }));
            happened::write(event, &mut to)?;
        } else {
            write_change(change, &mut to)?;
        }
    }
    Ok(())
}

/// Reads the commits of a record that begins at `base` among the octets that spots count.
pub(in crate::store) fn read_commits(
    record: &[u8],
    base: usize,
    spots: &mut Spots,
) -> Result<Vec<(Commit, Undoes)>, BadValue> {
    let mut from = Reading(record);
    let mut commits = Vec::new();
    while !from.0.is_empty() {
        let number = from.number()?;
        let undoes = match from.octet()? {
            0 => Undoes::Nothing,
            1 => Undoes::This,
            2 => Undoes::Done,
            _ => return Err(unknown()),
        };
        let mut changes = Vec::new();
        for index in 0..u32::try_from(from.number()?).map_err(BadValue::broken)? {
            let tag = from.octet()?;
            if tag == Tag::Happened as u8 {
                let mac = from.mac()?;
                let at = base + record.len() - from.0.len();
                let at = u32::try_from(at).map_err(BadValue::broken)?;
                spots.push((mac, Spot { commit: number, index, at }));
                changes.push(Change::Happened(mac, happened::read(&mut from)?));
            } else {
                changes.push(read_change(tag, &mut from)?);
            }
        }
        commits.push((Commit { number, changes }, undoes));
    }
    Ok(commits)
}

/// Reads the event that begins with the first of these octets.
pub(in crate::store) fn read_event(octets: &[u8]) -> Result<Event, BadValue> {
    happened::read(&mut Reading(octets))
}

/// Kinds of changes: their first octet. For ever.
#[repr(u8)]
enum Tag {
    Happened = 1,
    Showed = 2,
    Leased = 3,
    Released = 4,
    Quarantined = 5,
    Listed = 6,
    Unlisted = 7,
    Forgotten = 8,
    Numbered = 9,
    Placed = 10,
    Window = 11,
    Braked = 12,
    Staging = 13,
}

fn write_change(change: &Change, to: &mut Writing<'_>) -> Result<(), BadValue> {
    to.octet(tag(change) as u8);
    match change {
        Change::Happened(mac, event) => {
            to.mac(*mac);
            happened::write(event, to)?;
        }
        Change::Showed(mac, ground) => {
            to.mac(*mac);
            write_ground(ground, to);
        }
        Change::Leased(lease) => write_lease(lease, to),
        Change::Released { address, at } => {
            to.address(*address);
            to.moment(*at);
        }
        Change::Quarantined(quarantine) => to.row(&As(quarantine))?,
        Change::Listed(mac, entry) => {
            to.mac(*mac);
            to.row(&As(&**entry))?;
        }
        Change::Unlisted(mac) | Change::Forgotten(mac) => to.mac(*mac),
        Change::Numbered(mac, number) => {
            to.mac(*mac);
            to.text(number);
        }
        Change::Placed(mac, place) => {
            to.mac(*mac);
            to.row(&place.as_deref().map(As))?;
        }
        Change::Window(window) => to.row(&window.as_ref().map(As))?,
        Change::Braked(brake) => to.row(&As(&**brake))?,
        Change::Staging(id, change) => {
            to.number((*id).into());
            to.row(&As(&**change))?;
        }
    }
    Ok(())
}

const fn tag(change: &Change) -> Tag {
    match change {
        Change::Happened(..) => Tag::Happened,
        Change::Showed(..) => Tag::Showed,
        Change::Leased(_) => Tag::Leased,
        Change::Released { .. } => Tag::Released,
        Change::Quarantined(_) => Tag::Quarantined,
        Change::Listed(..) => Tag::Listed,
        Change::Unlisted(_) => Tag::Unlisted,
        Change::Forgotten(_) => Tag::Forgotten,
        Change::Numbered(..) => Tag::Numbered,
        Change::Placed(..) => Tag::Placed,
        Change::Window(_) => Tag::Window,
        Change::Braked(_) => Tag::Braked,
        Change::Staging(..) => Tag::Staging,
    }
}

fn read_change(tag: u8, from: &mut Reading<'_>) -> Result<Change, BadValue> {
    Ok(match tag {
        2 => Change::Showed(from.mac()?, read_ground(from)?),
        3 => Change::Leased(read_lease(from)?),
        4 => Change::Released { address: from.address()?, at: from.moment()? },
        5 => Change::Quarantined(from.row::<As<Quarantine>>()?.0),
        6 => Change::Listed(from.mac()?, Box::new(from.row::<As<Entry>>()?.0)),
        7 => Change::Unlisted(from.mac()?),
        8 => Change::Forgotten(from.mac()?),
        9 => Change::Numbered(from.mac()?, from.text()?),
        10 => {
            let (mac, place) = (from.mac()?, from.row::<Option<As<Place>>>()?);
            Change::Placed(mac, place.map(|place| Box::new(place.0)))
        }
        11 => Change::Window(from.row::<Option<As<Window>>>()?.map(|window| window.0)),
        12 => Change::Braked(Box::new(from.row::<As<Brake>>()?.0)),
        13 => {
            let id = u32::try_from(from.number()?).map_err(BadValue::broken)?;
            Change::Staging(id, Box::new(from.row::<As<StagingChange>>()?.0))
        }
        _ => return Err(unknown()),
    })
}

fn write_lease(lease: &Lease, to: &mut Writing<'_>) {
    to.address(lease.address);
    to.octets(lease.client.as_bytes());
    to.mac(lease.mac);
    to.moment(lease.since);
    to.moment(lease.until);
}

fn read_lease(from: &mut Reading<'_>) -> Result<Lease, BadValue> {
    Ok(Lease {
        address: from.address()?,
        client: ClientKey::from_bytes(from.octets()?),
        mac: from.mac()?,
        since: from.moment()?,
        until: from.moment()?,
    })
}

/// Origins in the order of their numbers. For ever: that of the nouns may change.
const ORIGINS: [Origin; 15] = [
    Origin::FileName,
    Origin::Option60,
    Origin::SipPnp,
    Origin::UserAgent,
    Origin::Register,
    Origin::Updater,
    Origin::Option125,
    Origin::Option12,
    Origin::Option61,
    Origin::Option55,
    Origin::Option82,
    Origin::Prefix,
    Origin::Dhcp,
    Origin::Registrar,
    Origin::List,
];

const fn origin(origin: Origin) -> u8 {
    match origin {
        Origin::FileName => 0,
        Origin::Option60 => 1,
        Origin::SipPnp => 2,
        Origin::UserAgent => 3,
        Origin::Register => 4,
        Origin::Updater => 5,
        Origin::Option125 => 6,
        Origin::Option12 => 7,
        Origin::Option61 => 8,
        Origin::Option55 => 9,
        Origin::Option82 => 10,
        Origin::Prefix => 11,
        Origin::Dhcp => 12,
        Origin::Registrar => 13,
        Origin::List => 14,
    }
}

fn write_ground(ground: &Ground, to: &mut Writing<'_>) {
    to.octet(origin(ground.from));
    to.text(&ground.value);
    to.maybe(ground.vendor.as_deref(), Writing::text);
    to.maybe(ground.family.as_ref().map(FamilyName::as_str), Writing::text);
    to.maybe(ground.model.as_deref(), Writing::text);
    to.maybe(ground.firmware.as_deref(), Writing::text);
    to.maybe(ground.mac, Writing::mac);
    to.moment(ground.at);
}

fn read_ground(from: &mut Reading<'_>) -> Result<Ground, BadValue> {
    let origin = ORIGINS.get(usize::from(from.octet()?)).ok_or_else(unknown)?;
    Ok(Ground {
        from: *origin,
        value: from.text()?,
        vendor: from.maybe(Reading::text)?,
        family: from.maybe(Reading::text)?.map(|name| FamilyName::new(&name)),
        model: from.maybe(Reading::text)?,
        firmware: from.maybe(Reading::text)?,
        mac: from.maybe(Reading::mac)?,
        at: from.moment()?,
    })
}

fn unknown() -> BadValue {
    BadValue::broken("a word that no journal has")
}
