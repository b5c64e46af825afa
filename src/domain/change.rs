//! What becomes fact: changes, the batches they travel in, and the commits they become.

use std::net::Ipv4Addr;

use super::{
    ClientKey, Entry, Event, Ground, Lease, Mac, Quarantine, StagingChange, StagingId, Timestamp,
    wave::{Brake, Place},
};

/// One thing that becomes fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Something happened to a phone.
    Happened(Mac, Event),
    /// A phone showed something about itself. Replaces the ground of the same origin.
    Showed(Mac, Ground),
    /// An entry is new or replaced.
    Listed(Mac, Box<Entry>),
    /// An entry is gone; what was recorded about the phone stays.
    Unlisted(Mac),
    /// Entry, record and learned identity of a phone are gone; leases end by themselves.
    Forgotten(Mac),
    /// An address is held. Replaces whatever this client or this address had.
    Leased(Lease),
    /// A lease ended before its time; the record stays.
    Released {
        /// The address given back.
        address: Ipv4Addr,
        /// When.
        at: Timestamp,
    },
    /// An address is set aside.
    Quarantined(Quarantine),
    /// A number belongs to a MAC for ever, whether its entry stays or not.
    Numbered(Mac, String),
    /// The auto-registration window was opened, moved or closed; `None` returns to the settings.
    Window(Option<Window>),
    /// Something became of a batch on the bench.
    Staging(StagingId, Box<StagingChange>),
    /// A phone has a place in a wave, or got there; `None`: it has none any more.
    Placed(Mac, Option<Box<Place>>),
    /// An operator paused the waves, or let them go on.
    Braked(Box<Brake>),
}

impl Change {
    /// The phone that this change is about.
    #[must_use]
    pub const fn phone(&self) -> Option<Mac> {
        match self {
            Self::Happened(mac, _)
            | Self::Showed(mac, _)
            | Self::Listed(mac, _)
            | Self::Unlisted(mac)
            | Self::Forgotten(mac)
            | Self::Numbered(mac, _)
            | Self::Placed(mac, _) => Some(*mac),
            Self::Leased(lease) => Some(lease.mac),
            Self::Released { .. }
            | Self::Quarantined(_)
            | Self::Window(_)
            | Self::Staging(..)
            | Self::Braked(_) => None,
        }
    }
}

/// The auto-registration window as an operator set it while running; it beats the settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// Open or closed.
    pub enabled: bool,
    /// When it closes by itself.
    pub until: Option<Timestamp>,
}

/// Something that must be free for a batch to become fact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Claim {
    /// Nobody else holds this address now.
    Address {
        /// The address.
        address: Ipv4Addr,
        /// Who wants it.
        client: ClientKey,
        /// When "now" is.
        now: Timestamp,
    },
    /// This phone has no entry yet.
    Unlisted(Mac),
    /// No other phone has or had this number.
    Number(Mac, String),
    /// No open batch but this one has this phone.
    Unstaged(Mac, StagingId),
    /// The wave has room for this phone.
    Room {
        /// Who wants in.
        phone: Mac,
        /// For which load.
        load: String,
        /// How many phones may be under way; `None`: all.
        wave: Option<usize>,
        /// How many may have or have had a place for this load; `None`: all.
        canary: Option<usize>,
        /// Phones that are known to be there, though nobody noted it.
        there: Vec<Mac>,
    },
}

/// Changes that become fact together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// What must be free. Checked in the writer, so that two batches can't both find it free.
    pub claims: Vec<Claim>,
    /// What becomes fact, in order.
    pub changes: Vec<Change>,
    /// True for an import that `undo` may take back: the writer keeps what it replaced.
    pub undoable: bool,
}

impl From<Change> for Batch {
    fn from(change: Change) -> Self {
        Self { changes: vec![change], ..Self::default() }
    }
}

impl From<Vec<Change>> for Batch {
    fn from(changes: Vec<Change>) -> Self {
        Self { changes, ..Self::default() }
    }
}

/// A batch that became fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Its number: rises by one with each commit, for the life of the state directory.
    pub number: u64,
    /// What became fact.
    pub changes: Vec<Change>,
}
