//! Simulated phones: real DHCP, TFTP and HTTP, in the order and with the habits of their families.
//!
//! `make` is what a phone of one make shows of itself, `client` reads and writes its DHCP messages, `script` decides
//! what it does next, `phone` does it on sockets, `fleet` runs many. Nothing reaches the server but packets, and the
//! phone knows nothing but what came back in them: a wrong option sends it the wrong way, as it would on a wire.

mod client;
mod fetch;
mod fleet;
mod make;
mod phone;
mod script;

pub use fleet::{Fleet, Outcome};
pub use make::{MAKES, Make};
pub use phone::Network;
pub use script::{Reached, Script};

use std::net::Ipv4Addr;

use crate::domain::Mac;

/// One simulated phone.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its hardware address.
    pub mac: Mac,
    /// What it is.
    pub make: &'static Make,
    /// What is particular about it.
    pub habit: Habit,
    /// The relay through which it reaches DHCP: an address of its own on this machine.
    pub relay: Ipv4Addr,
}

/// What is particular about one simulated phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Habit {
    /// Nothing.
    Healthy,
    /// It leases an address and never asks for a file, as with a TFTP server set by hand that is gone.
    NeverAsks,
    /// Address and server were typed in: it never asks for a lease.
    Fixed {
        /// Its address.
        address: Ipv4Addr,
        /// Its TFTP server.
        server: Ipv4Addr,
    },
}
