//! Files for phones, and the API and page for operators, all by HTTP/1.
//!
//! The phones' ports translate requests to the one resolver and back ([`Phones`]). The operators' port and the control
//! socket serve one router ([`api::router`]), which differs only in whom it trusts ([`Trust`]).

pub mod api;

mod body;
mod connection;
mod listen;
mod meter;
mod operators;
mod page;
mod phones;
mod range;
mod seats;
mod trust;

pub use operators::{About, Caller, Operators, OperatorsPort, Socket};
pub use phones::Phones;
pub use trust::{Guard, Network, Trust};

use std::io;

/// Why an HTTP port can't be opened; the text carries the cure.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HttpError {
    /// A port below 1024 without the right to it.
    #[error(
        "no permission to listen on {address}: run it by its systemd unit, or `setcap cap_net_bind_service=+ep` the \
         binary, or try `ringup lab`, which needs no rights"
    )]
    Permission {
        /// Where.
        address: String,
    },
    /// Somebody else listens there.
    #[error(
        "{address} is in use: stop what listens there (`ss -ltnp` names it) or change `[http]` in the settings"
    )]
    InUse {
        /// Where.
        address: String,
    },
    /// The machine has no such address.
    #[error(
        "this machine has no address {address}: correct `[http]` in the settings, or bring the interface up first"
    )]
    NoSuchAddress {
        /// Where.
        address: String,
    },
    /// Operators would be served to the network without a password.
    #[error(
        "{address} is not loopback, so the operators' port needs a password: put the output of `ringup password` into \
         `[http] password-hash`, or set `token`, or listen on 127.0.0.1"
    )]
    NoPassword {
        /// Where.
        address: String,
    },
    /// The settings carry something that is no Argon2 hash.
    #[error("`[http] password-hash` is no Argon2id hash: {text}; `ringup password` makes one")]
    BadHash {
        /// What is wrong with it.
        text: String,
    },
    /// Anything else.
    #[error("can't listen on {address}: {text}")]
    Other {
        /// Where.
        address: String,
        /// What the system said.
        text: String,
    },
}

impl HttpError {
    fn new(address: &impl ToString, fault: &io::Error) -> Self {
        let address = address.to_string();
        match fault.kind() {
            io::ErrorKind::PermissionDenied => Self::Permission { address },
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress { address },
            _ => Self::Other { address, text: fault.to_string() },
        }
    }

    /// True if another process holds the address (exit code 69), false for permission and settings.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}
