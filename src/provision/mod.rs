//! The one resolver and everything that decides about phones.

pub mod inventory;
mod open;
mod recorder;
mod service;

pub use open::{Admission, Body, Opened, Provisioner, Refusal, Request, Why};
pub use recorder::{Delivery, Recorder};
pub use service::Service;
