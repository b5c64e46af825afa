//! What a client sends: for the simulated phones and the tests of the server.

use std::net::Ipv4Addr;

use dhcproto::v4;

use super::{Kind, code, options, reply::encode_header};
use crate::domain::Mac;

/// A client's message being written: public fields for the header, options in the order given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// What it is.
    pub kind: Kind,
    /// The client's hardware address.
    pub mac: Mac,
    /// Transaction.
    pub xid: u32,
    /// Seconds since the client began.
    pub secs: u16,
    /// Asks for broadcast.
    pub broadcast: bool,
    /// The address that it has; unspecified for none.
    pub ciaddr: Ipv4Addr,
    /// The relay; unspecified for none.
    pub giaddr: Ipv4Addr,
    /// Options behind 53, in order.
    pub options: Vec<(u8, Vec<u8>)>,
}

impl Request {
    /// A message without addresses and options.
    #[must_use]
    pub const fn new(kind: Kind, mac: Mac, xid: u32) -> Self {
        Self {
            kind,
            mac,
            xid,
            secs: 0,
            broadcast: false,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            options: Vec::new(),
        }
    }

    /// Looks for servers.
    #[must_use]
    pub const fn discover(mac: Mac, xid: u32) -> Self {
        Self::new(Kind::Discover, mac, xid)
    }

    /// Takes the offer of `server` (SELECTING).
    #[must_use]
    pub fn select(mac: Mac, xid: u32, address: Ipv4Addr, server: Ipv4Addr) -> Self {
        Self::new(Kind::Request, mac, xid)
            .option(code::REQUESTED, address.octets())
            .option(code::SERVER_ID, server.octets())
    }

    /// Asks whether the address of before still holds (INIT-REBOOT).
    #[must_use]
    pub fn reboot(mac: Mac, xid: u32, address: Ipv4Addr) -> Self {
        Self::new(Kind::Request, mac, xid).option(code::REQUESTED, address.octets())
    }

    /// Extends its lease (RENEWING by unicast, REBINDING by broadcast).
    #[must_use]
    pub fn extend(mac: Mac, xid: u32, address: Ipv4Addr) -> Self {
        Self { ciaddr: address, ..Self::new(Kind::Request, mac, xid) }
    }

    /// Gives its address back.
    #[must_use]
    pub fn release(mac: Mac, xid: u32, address: Ipv4Addr, server: Ipv4Addr) -> Self {
        Self { ciaddr: address, ..Self::new(Kind::Release, mac, xid) }
            .option(code::SERVER_ID, server.octets())
    }

    /// Says that the address is in use.
    #[must_use]
    pub fn decline(mac: Mac, xid: u32, address: Ipv4Addr, server: Ipv4Addr) -> Self {
        Self::new(Kind::Decline, mac, xid)
            .option(code::REQUESTED, address.octets())
            .option(code::SERVER_ID, server.octets())
    }

    /// Has an address and wants the options.
    #[must_use]
    pub fn inform(mac: Mac, xid: u32, address: Ipv4Addr) -> Self {
        Self { ciaddr: address, ..Self::new(Kind::Inform, mac, xid) }
    }

    /// Adds an option behind those that are there.
    #[must_use]
    pub fn option(mut self, code: u8, content: impl Into<Vec<u8>>) -> Self {
        self.options.push((code, content.into()));
        self
    }

    /// Passes it through a relay at `giaddr` that listens on the port it sends from (RFC 8357).
    #[must_use]
    pub fn relayed(mut self, giaddr: Ipv4Addr) -> Self {
        self.giaddr = giaddr;
        self.option(code::RELAY, [code::RELAY_SOURCE_PORT, 0])
    }

    /// The message as sent, at least 300 octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (none, chaddr) = (Ipv4Addr::UNSPECIFIED, self.mac.octets());
        let mut header =
            v4::Message::new_with_id(self.xid, self.ciaddr, none, none, self.giaddr, &chaddr);
        let flags: u16 = if self.broadcast { 0x8000 } else { 0 };
        header.set_opcode(v4::Opcode::BootRequest).set_secs(self.secs).set_flags(flags.into());
        header.set_hops(u8::from(!self.giaddr.is_unspecified()));
        let mut message = encode_header(&header);
        options::write(code::KIND, &[self.kind.number()], &mut message);
        for (code, content) in &self.options {
            options::write(*code, content, &mut message);
        }
        options::end(&mut message);
        message
    }
}
