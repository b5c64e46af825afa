//! The one resolver and everything that decides about phones.

mod admit;
mod allowance;
mod body;
mod bootstrap;
mod diagnosis;
mod elsewhere;
mod explain;
mod identify;
pub mod inventory;
pub mod labels;
mod layers;
pub mod leases;
mod library;
mod name;
mod news;
mod notices;
mod open;
mod peers;
mod phonebook;
mod recorder;
mod reload;
mod report;
mod resolve;
pub mod scan;
mod service;
pub mod snippet;
mod swap;
#[cfg(test)]
mod tests;
mod values;
mod zone;

pub use crate::config::{Admit, Dhcp, DhcpMode, Difference, ForFamily, Option82, Settings, Subnet};
pub use admit::password;
pub use allowance::Allowance;
pub use bootstrap::{Client, ClientKind, shown};
pub use explain::{Explained, Explanation, Level, Origin};
pub use library::{Held, Library};
pub use name::{group_in, is_mac_key, mac_in};
pub use notices::Notices;
pub use open::{Admission, Body, Opened, Provisioner, Refusal, Request, Why};
pub use recorder::{Delivery, Recorder};
pub use reload::{Ask, Reload, Reloaded, Unloaded};
pub use report::Report;
pub use service::Service;
pub use swap::{Accepted, Swap, SwapError};
pub use zone::unsaid_zone;
