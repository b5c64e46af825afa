//! What a boot remembers of the network around its phone: places, servers beside ours, files of other phones.

use std::net::Ipv4Addr;

use super::super::{Mac, Timestamp};

/// The most visits to places that are remembered; the oldest go first.
const MAX_VISITS: usize = 8;

/// A place from which a phone looked for an address, once or several times in a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Visit {
    /// The relay that passed it on; `None` on a network of ours.
    pub relay: Option<Ipv4Addr>,
    /// The switch port, as option 82 tells it; empty where nothing does.
    pub port: String,
    /// What it said that it is; empty where it said nothing.
    pub shows: String,
    /// The first time in this row.
    pub from: Timestamp,
    /// The last time.
    pub until: Timestamp,
}

impl Visit {
    /// True if one phone at one place may have made both: nothing differs that both tell.
    #[must_use]
    pub fn is_alike(&self, other: &Self) -> bool {
        self.is_at((other.relay, &other.port, &other.shows))
    }

    fn is_at(&self, (relay, port, shows): (Option<Ipv4Addr>, &str, &str)) -> bool {
        // One relay that puts option 82 in and one message without option 60 say less, and nothing else.
        let same = |one: &str, other: &str| one.is_empty() || other.is_empty() || one == other;
        self.relay == relay && same(&self.port, port) && same(&self.shows, shows)
    }
}

/// A DHCP server that answers a phone and should not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rival {
    /// As it calls itself (option 54).
    pub server: Ipv4Addr,
    /// Its hardware address, where it was seen.
    pub hardware: Option<Mac>,
    /// The server beside it; `None` where that is us.
    pub beside: Option<Ipv4Addr>,
    /// When.
    pub at: Timestamp,
}

/// A file of another phone that a phone asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// The name as asked.
    pub name: String,
    /// Whose file it is.
    pub of: Mac,
    /// When.
    pub at: Timestamp,
}

/// Takes in that a phone looked for an address: a new visit begins where the place, or what it says of itself, changes.
pub(super) fn visit(
    visits: &mut Vec<Visit>,
    at: Timestamp,
    (relay, port, shows): (Option<Ipv4Addr>, &str, &str),
) {
    if let Some(last) = visits.last_mut().filter(|last| last.is_at((relay, port, shows))) {
        last.until = at;
    } else {
        let (port, shows) = (port.to_owned(), shows.to_owned());
        visits.push(Visit { relay, port, shows, from: at, until: at });
    }
    let excess = visits.len().saturating_sub(MAX_VISITS);
    visits.drain(..excess);
}
