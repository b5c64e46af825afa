//! The one resolver and everything that decides about phones.

mod admit;
mod body;
mod bootstrap;
mod diagnose;
mod identify;
pub mod inventory;
pub mod leases;
mod library;
mod name;
mod news;
mod open;
mod peers;
mod recorder;
mod report;
mod resolve;
mod service;
pub mod snippet;
#[cfg(test)]
mod tests;
mod values;

pub use crate::config::{Admit, DhcpMode, Option82, Settings, Subnet};
pub use bootstrap::{Client, ClientKind};
pub use library::{Held, Library};
pub use name::mac_in;
pub use open::{Admission, Body, Opened, Provisioner, Refusal, Request, Why};
pub use recorder::{Delivery, Recorder};
pub use report::Report;
pub use service::Service;
