//! Messages that are due no answer, and why.

/// Why there is no answer. Each has a counter of its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Silence {
    /// The client took another server's offer.
    OtherServer,
    /// Nothing here knows the client or its address: another server may.
    Unknown,
    /// It came from a network that no subnet covers.
    NoSubnet,
    /// `admit` leaves it out.
    NotAdmitted,
    /// No address is left.
    PoolExhausted,
    /// An address that the message must have is missing.
    Incomplete,
    /// It gives back or declines what it does not hold.
    NotItsLease,
    /// Its relay is in no subnet of ours and did not send it: an answer would go to whomever it names.
    StrayRelay,
    /// A server's message in a client's clothes.
    FromServer,
}

impl Silence {
    /// The counter's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherServer => "other-server",
            Self::Unknown => "unknown-client",
            Self::NoSubnet => "no-subnet",
            Self::NotAdmitted => "not-admitted",
            Self::PoolExhausted => "pool-exhausted",
            Self::Incomplete => "incomplete",
            Self::NotItsLease => "not-its-lease",
            Self::StrayRelay => "stray-relay",
            Self::FromServer => "from-server",
        }
    }
}
