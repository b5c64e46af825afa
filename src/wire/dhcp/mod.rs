//! DHCP messages on the wire (RFC 2131 §2): a tolerant reader, and writers for both directions.
//!
//! The fixed header is dhcproto's work, both ways. Options are walked and written here, because its typed options stop
//! at the first one that they can't parse, hold one address in option 150, and come out sorted by code.

mod glance;
mod lists;
mod message;
pub mod names;
mod options;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use glance::{Glance, glance};
pub use lists::{Route, fqdn_answer, routes, search_list, vendor_blocks};
pub use message::{Message, NotDhcp};
pub use reply::{Block, Reply};
pub use request::Request;

use std::net::Ipv4Addr;

/// Where servers and relays listen.
pub const SERVER_PORT: u16 = 67;

/// Where clients listen.
pub const CLIENT_PORT: u16 = 68;

/// Length of the fixed header with the magic cookie, in octets.
pub const HEADER: usize = 240;

/// The shortest message that every old relay and client accepts, in octets (RFC 1542 §2.1).
pub const SHORTEST: usize = 300;

/// Option codes that ringup reads or writes by name (RFC 2132 and what is named beside them).
pub mod code {
    /// Subnet mask.
    pub const MASK: u8 = 1;
    /// Routers.
    pub const ROUTER: u8 = 3;
    /// Domain name servers.
    pub const DNS: u8 = 6;
    /// Host name.
    pub const HOST_NAME: u8 = 12;
    /// Domain name.
    pub const DOMAIN: u8 = 15;
    /// Broadcast address.
    pub const BROADCAST: u8 = 28;
    /// Time servers (NTP).
    pub const NTP: u8 = 42;
    /// Vendor-specific information.
    pub const VENDOR: u8 = 43;
    /// Requested address.
    pub const REQUESTED: u8 = 50;
    /// Lease time.
    pub const LEASE_TIME: u8 = 51;
    /// Options continue in `file` or `sname`.
    pub const OVERLOAD: u8 = 52;
    /// Message type.
    pub const KIND: u8 = 53;
    /// Server identifier.
    pub const SERVER_ID: u8 = 54;
    /// Options asked for.
    pub const ASKED: u8 = 55;
    /// Words for a human, in a NAK or DECLINE.
    pub const MESSAGE: u8 = 56;
    /// The longest message that the client takes.
    pub const MAX_SIZE: u8 = 57;
    /// T1.
    pub const RENEWAL: u8 = 58;
    /// T2.
    pub const REBINDING: u8 = 59;
    /// Vendor class.
    pub const CLASS: u8 = 60;
    /// Client identifier.
    pub const CLIENT_ID: u8 = 61;
    /// Server name: what phones take their files from.
    pub const TFTP_NAME: u8 = 66;
    /// The client's name for the DNS (RFC 4702).
    pub const FQDN: u8 = 81;
    /// Relay agent information (RFC 3046).
    pub const RELAY: u8 = 82;
    /// Domain search list (RFC 3397).
    pub const SEARCH: u8 = 119;
    /// Classless routes (RFC 3442).
    pub const ROUTES: u8 = 121;
    /// Vendor-identifying vendor class (RFC 3925).
    pub const VENDOR_CLASS: u8 = 124;
    /// Vendor-identifying vendor information (RFC 3925).
    pub const VENDOR_INFO: u8 = 125;
    /// TFTP server addresses (RFC 5859).
    pub const TFTP_ADDRESSES: u8 = 150;

    /// Sub-option of 82: the port that it came in by, in the switch's own words (RFC 3046 §2.0).
    pub const RELAY_CIRCUIT: u8 = 1;
    /// Sub-option of 82: the switch or relay itself (RFC 3046 §2.0).
    pub const RELAY_REMOTE: u8 = 2;
    /// Sub-option of 82: the subnet of the client where giaddr is not in it (RFC 3527).
    pub const RELAY_LINK: u8 = 5;
    /// Sub-option of 82: the address that the relay wants its clients to know as their server (RFC 5107).
    pub const RELAY_SERVER_ID: u8 = 11;
    /// Sub-option of 82: the relay doesn't listen on port 67, answer where it sent from (RFC 8357).
    pub const RELAY_SOURCE_PORT: u8 = 19;
}

/// What a message is (RFC 2132 §9.6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Client looks for servers.
    Discover = 1,
    /// Server offers an address.
    Offer = 2,
    /// Client takes, confirms or extends.
    Request = 3,
    /// Client found the address in use.
    Decline = 4,
    /// Server commits.
    Ack = 5,
    /// Server denies.
    Nak = 6,
    /// Client gives its address back.
    Release = 7,
    /// Client has an address and wants the rest.
    Inform = 8,
}

impl Kind {
    /// All of RFC 2131, by number.
    const ALL: [Self; 8] = [
        Self::Discover,
        Self::Offer,
        Self::Request,
        Self::Decline,
        Self::Ack,
        Self::Nak,
        Self::Release,
        Self::Inform,
    ];

    /// The kind of that number; `None` for leasequery and other extensions.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The number in option 53.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Addresses as options carry them: four octets each.
#[must_use]
pub fn addresses(list: &[Ipv4Addr]) -> Vec<u8> {
    list.iter().flat_map(Ipv4Addr::octets).collect()
}

/// The sub-options of an option 82 or 43, in order; reading ends at the first that doesn't fit.
pub fn sub_options(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (&[code, length], tail) = rest.split_first_chunk::<2>()?;
        let (content, tail) = tail.split_at_checked(usize::from(length))?;
        rest = tail;
        Some((code, content))
    })
}
