//! The nouns and the pure rules: no I/O, clock, async or serialization.
//!
//! Everything here is a value. Time is an argument wherever it matters; formats on disk, on the wire and in JSON live
//! on the floors above, each in one file.

mod boot;
mod change;
mod entry;
mod event;
mod family;
mod finding;
mod identity;
mod lease;
mod mac;
mod nearby;
mod plug;
mod problem;
mod registration;
mod reply;
mod secret;
mod staging;
mod text;
mod transfer;
pub mod wave;

pub use boot::{
    Arrival, Boot, Load, MAX_TRANSFERS, Mistake, Rival, Stage, Told, Upgrade, Visit, was_configured,
};
pub use change::{Batch, Change, Claim, Commit, Window};
pub use entry::{Entry, Key, KeyTarget, Line, MAX_LINES, SiteName};
pub use event::{Event, Granted, NOT_TOLD, Unserved, What};
pub use family::FamilyName;
pub use finding::{Diagnosis, Finding, FindingKind, Repair};
pub use identity::{Ground, Identity, Origin, conclude};
pub use lease::{ClientKey, Lease, Quarantine};
pub use mac::{Mac, MacError};
pub use nearby::{ALIKES, Nearby, differing, folded};
pub use plug::Plug;
pub use problem::{Problem, Severity};
pub use registration::{MAX_REGISTRATIONS, Registration, Rejection, Step};
pub use reply::{Recalled, Reply};
pub use secret::Secret;
pub use staging::{
    Kept, MAX_OPEN_STAGINGS, MAX_STAGED, MAX_STAGINGS, Purpose, Staged, Staging, StagingChange,
    StagingId, Standing,
};
pub use text::{clip, hex, printable};
pub use transfer::{Asked, Carrier, Outcome, Required, Role, Transfer};

pub use jiff::Timestamp;
