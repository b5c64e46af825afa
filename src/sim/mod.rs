//! Simulated phones: real DHCP, TFTP and HTTP, in the order and with the habits of their families.
//!
//! `make` is what a phone of one make shows of itself, `client` reads and writes its DHCP messages, `script` decides
//! what it does next, `phone` does it on sockets, `fleet` runs many, `storm` runs thousands against any server and
//! measures them. Nothing reaches the server but packets, and the
//! phone knows nothing but what came back in them: a wrong option sends it the wrong way, as it would on a wire.

mod acts;
mod client;
mod fetch;
mod fleet;
mod make;
mod phone;
mod script;
pub mod storm;

pub use acts::Act;
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
    /// How it reaches DHCP.
    pub way: Way,
}

/// How a simulated phone reaches DHCP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// Through a relay at this address of this machine that listens on another port than 67 (RFC 8357).
    OddPort(Ipv4Addr),
    /// Through a relay at this address of this machine that listens on port 67, as every server knows them.
    Relay(Ipv4Addr),
    /// By itself, as a station of a network.
    Station,
}

impl Way {
    /// The relay's address; unspecified without one.
    #[must_use]
    pub const fn relay(self) -> Ipv4Addr {
        match self {
            Self::OddPort(relay) | Self::Relay(relay) => relay,
            Self::Station => Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// What is particular about one simulated phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Habit {
    /// Nothing.
    Healthy,
    /// It leases an address and never asks for a file, as with a TFTP server set by hand that is gone.
    NeverAsks,
    /// It takes the load that it is told to run and never runs it: it is one for other hardware.
    NeverRunsItsLoad,
    /// It asks for its trust lists and for nothing else, as with those of another cluster on it.
    TrustsNobody,
    /// It acknowledges nothing, as behind a firewall that lets only requests through.
    NeverAcknowledges,
    /// It was given a path with a macro of another vendor, and asks for it as it stands.
    Literal {
        /// The name that it asks for.
        name: &'static str,
    },
    /// Its names were copied from another phone's: it asks for the files of that one.
    Cloned {
        /// The running digits of that one's address, of the same make.
        of: u32,
    },
    /// It does this and no more, once.
    Acts(&'static [Act]),
    /// Address and server were typed in: it never asks for a lease.
    Fixed {
        /// Its address.
        address: Ipv4Addr,
        /// Its TFTP server.
        server: Ipv4Addr,
    },
}
