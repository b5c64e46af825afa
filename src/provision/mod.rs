//! The one resolver and everything that decides about phones.

mod admit;
mod allowance;
mod body;
mod bootstrap;
mod diagnose;
mod identify;
pub mod inventory;
mod library;
mod name;
mod news;
mod open;
mod peers;
mod recorder;
mod report;
mod resolve;
mod service;
#[cfg(test)]
mod tests;
mod values;

pub use crate::config::{Admit, DhcpMode, Option82, Settings, Subnet};
pub use allowance::Allowance;
pub use bootstrap::{Client, ClientKind, shown};
pub use library::{Held, Library};
pub use open::{Admission, Body, Opened, Provisioner, Refusal, Request, Why};
pub use recorder::{Delivery, Recorder};
pub use report::Report;
pub use service::Service;
