//! Addresses held until a time.

use std::{fmt, net::Ipv4Addr, sync::Arc};

use super::{Mac, Timestamp};

/// What a DHCP client is known by: its client identifier, else its hardware address (RFC 2131 §4.2).
///
/// Opaque octets; a leading marker keeps an identifier apart from a hardware address of the same octets.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientKey(Arc<[u8]>);

impl ClientKey {
    /// The key of a client that sent option 61.
    #[must_use]
    pub fn identifier(octets: &[u8]) -> Self {
        Self([&[1], octets].concat().into())
    }

    /// The key of a client that sent none.
    #[must_use]
    pub fn hardware(mac: Mac) -> Self {
        Self([&[0][..], &mac.octets()].concat().into())
    }

    /// The key as stored, marker included.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A key as stored by [`ClientKey::as_bytes`].
    #[must_use]
    pub fn from_bytes(octets: &[u8]) -> Self {
        Self(octets.into())
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// An address held until a time.
///
/// The record outlives its end: a released or expired lease tells which address the client had before
/// (RFC 2131 §4.3.1), until somebody else claims that address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// The address held.
    pub address: Ipv4Addr,
    /// Who holds it.
    pub client: ClientKey,
    /// The holder's hardware address: which phone this is.
    pub mac: Mac,
    /// When it was first granted to this client.
    pub since: Timestamp,
    /// When it ends; a released lease ended at its release.
    pub until: Timestamp,
}

impl Lease {
    /// True while the holder may use the address.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

/// An address that nobody gets for a while, because somebody was found using it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quarantine {
    /// The address set aside.
    pub address: Ipv4Addr,
    /// Until when.
    pub until: Timestamp,
    /// How many times in a row it was declined; the time doubles with each.
    pub times: u32,
    /// Who declined it.
    pub by: Mac,
}
