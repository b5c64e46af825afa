//! A DHCP message as received: checked once, read in place.

use std::net::Ipv4Addr;

use dhcproto::v4::borrowed;

use super::{HEADER, Kind, code, options::Options};
use crate::domain::{Mac, MacError};

/// Why some bytes are no DHCP message for us. Each is dropped and counted under its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotDhcp {
    /// Under 240 octets.
    #[error("too short for a DHCP message")]
    Short,
    /// A reply where a request belongs, or the other way round.
    #[error("op is {0}")]
    Op(u8),
    /// Not an Ethernet address of six octets. Checked first: a longer one has crashed servers.
    #[error("hardware type {htype}, length {hlen}")]
    Hardware {
        /// Hardware type; 1 is Ethernet.
        htype: u8,
        /// Length of the hardware address.
        hlen: u8,
    },
    /// Not an address of a single station.
    #[error("hardware address: {0}")]
    Mac(MacError),
    /// The magic cookie is missing.
    #[error("no magic cookie")]
    Cookie,
    /// No option 53: BOOTP, which is not served.
    #[error("no message type")]
    Bootp,
    /// A question about other clients' leases (RFC 4388, 6926, 7724), which is not answered.
    #[error("leasequery, message type {0}")]
    LeaseQuery(u8),
    /// Any other kind that RFC 2131 doesn't have.
    #[error("message type {0}")]
    Kind(u8),
}

impl NotDhcp {
    /// The counter's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Op(_) => "op",
            Self::Hardware { .. } => "hardware",
            Self::Mac(_) => "mac",
            Self::Cookie => "cookie",
            Self::Bootp => "bootp",
            Self::LeaseQuery(_) => "leasequery",
            Self::Kind(_) => "kind",
        }
    }
}

/// A DHCP message, borrowed from the datagram that it came in.
///
/// A bad option costs only itself: it reads as absent, and so does what its length swallowed.
#[derive(Debug)]
pub struct Message<'a> {
    header: borrowed::Message<'a>,
    mac: Mac,
    kind: Kind,
    options: Options<'a>,
}

impl<'a> Message<'a> {
    /// Reads what a client or a relay sent to a server.
    ///
    /// # Errors
    ///
    /// [`NotDhcp`].
    pub fn request(datagram: &'a [u8]) -> Result<Self, NotDhcp> {
        Self::read(datagram, 1)
    }

    /// Reads what a server sent to a client or a relay.
    ///
    /// # Errors
    ///
    /// [`NotDhcp`].
    pub fn reply(datagram: &'a [u8]) -> Result<Self, NotDhcp> {
        Self::read(datagram, 2)
    }

    fn read(datagram: &'a [u8], op: u8) -> Result<Self, NotDhcp> {
        let fixed = datagram.first_chunk::<HEADER>().ok_or(NotDhcp::Short)?;
        if fixed[0] != op {
            return Err(NotDhcp::Op(fixed[0]));
        }
        // Before dhcproto sees the message: its accessor of chaddr trusts hlen.
        if (fixed[1], fixed[2]) != (1, 6) {
            return Err(NotDhcp::Hardware { htype: fixed[1], hlen: fixed[2] });
        }
        if fixed[236..] != dhcproto::v4::MAGIC {
            return Err(NotDhcp::Cookie);
        }
        let header = borrowed::Message::new(datagram).map_err(|_| NotDhcp::Short)?;
        let chaddr = *header.chaddr().first_chunk().ok_or(NotDhcp::Short)?;
        let mac = Mac::new(chaddr).map_err(NotDhcp::Mac)?;
        let options = read_options(datagram);
        // Repeated by a careless relay, option 53 is joined like any other; its first octet is what the sender meant.
        let number =
            options.find(code::KIND).and_then(|kind| kind.first()).ok_or(NotDhcp::Bootp)?;
        let kind = Kind::new(*number).ok_or(match *number {
            number @ 10..=18 => NotDhcp::LeaseQuery(number),
            number => NotDhcp::Kind(number),
        })?;
        Ok(Self { header, mac, kind, options })
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The client's hardware address.
    #[must_use]
    pub const fn mac(&self) -> Mac {
        self.mac
    }

    /// Transaction.
    #[must_use]
    pub fn xid(&self) -> u32 {
        self.header.xid()
    }

    /// Seconds since the client began.
    #[must_use]
    pub fn secs(&self) -> u16 {
        self.header.secs()
    }

    /// How many relays it passed.
    #[must_use]
    pub fn hops(&self) -> u8 {
        self.header.hops()
    }

    /// All flags as sent; the highest bit asks for broadcast.
    #[must_use]
    pub fn flags(&self) -> u16 {
        self.header.flags().into()
    }

    /// True if the client can't take unicast before it has an address (RFC 2131 §4.1).
    #[must_use]
    pub fn wants_broadcast(&self) -> bool {
        self.flags() & 0x8000 != 0
    }

    /// The address that the client has and can answer ARP for.
    #[must_use]
    pub fn ciaddr(&self) -> Ipv4Addr {
        self.header.ciaddr()
    }

    /// The address that the server gives.
    #[must_use]
    pub fn yiaddr(&self) -> Ipv4Addr {
        self.header.yiaddr()
    }

    /// The next server.
    #[must_use]
    pub fn siaddr(&self) -> Ipv4Addr {
        self.header.siaddr()
    }

    /// The relay; unspecified for none.
    #[must_use]
    pub fn giaddr(&self) -> Ipv4Addr {
        self.header.giaddr()
    }

    /// An option's octets, joined (RFC 3396).
    #[must_use]
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.find(code)
    }

    /// An option that holds an address; of several the first.
    #[must_use]
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let octets = self.option(code).filter(|octets| octets.len() % 4 == 0)?;
        octets.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets))
    }

    /// An option that holds a number of 32 bits, such as seconds.
    #[must_use]
    pub fn number(&self, code: u8) -> Option<u32> {
        self.address(code).map(u32::from)
    }

    /// The codes that the client asks for, in its order; empty if it doesn't say.
    #[must_use]
    pub fn asked(&self) -> &[u8] {
        self.option(code::ASKED).unwrap_or_default()
    }

    /// Option 61, opaque (RFC 2131 §4.2), also where it is a single octet, which RFC 2132 §9.14 does not foresee: two
    /// phones behind one such identifier are rarer than one that counts on its being told apart by it.
    ///
    /// One longer than a single option holds is nobody's: the longest real one (a DUID, RFC 4361) has 134 octets. Whoever
    /// joins several (RFC 3396) is known by its hardware address, or each of its packets would cost us kilobytes.
    #[must_use]
    pub fn client_id(&self) -> Option<&[u8]> {
        self.option(code::CLIENT_ID).filter(|octets| (1..=255).contains(&octets.len()))
    }

    /// The longest UDP payload that the client takes, in octets, from option 57.
    ///
    /// The option counts the whole datagram, so the headers of IP and UDP (28) come off. Never under 548 (a value below
    /// 576 is not allowed), never over 1,472 (one Ethernet frame).
    #[must_use]
    pub fn limit(&self) -> usize {
        let asked = self.option(code::MAX_SIZE).and_then(|octets| octets.first_chunk::<2>());
        usize::from(asked.map_or(0, |octets| u16::from_be_bytes(*octets))).clamp(576, 1500) - 28
    }

    /// A sub-option of option 82.
    #[must_use]
    pub fn relay_option(&self, sub: u8) -> Option<&[u8]> {
        let mut all = super::sub_options(self.option(code::RELAY)?);
        all.find(|(code, _)| *code == sub).map(|(_, content)| content)
    }

    /// All options in order of appearance, each code once.
    pub fn options(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.options.iter()
    }
}

/// Walks the options field, then `file` and `sname` where option 52 says so, in that order (RFC 3396 §5).
fn read_options(datagram: &[u8]) -> Options<'_> {
    let mut options = Options::new();
    options.read(datagram.get(HEADER..).unwrap_or_default());
    let overload = options.find(code::OVERLOAD).and_then(|octets| octets.first()).copied();
    if matches!(overload, Some(1 | 3)) {
        options.read(datagram.get(108..236).unwrap_or_default());
    }
    if matches!(overload, Some(2 | 3)) {
        options.read(datagram.get(44..108).unwrap_or_default());
    }
    options
}
