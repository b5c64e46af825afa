//! A message with the way it came, and the way that an answer goes back (RFC 2131 §4.1).

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::{
    profile::Seen,
    provision::shown,
    wire::dhcp::{CLIENT_PORT, Kind, Message, Reply, SERVER_PORT, code},
};

/// A message with the way it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    /// What came.
    pub message: &'a Message<'a>,
    /// Who sent the datagram: the client or a relay.
    pub peer: SocketAddrV4,
    /// Which of our addresses it was sent to; for a broadcast the first one of the interface.
    pub local: Ipv4Addr,
    /// Our addresses on the interface, with prefix lengths; none behind a relay listener.
    pub own: &'a [(Ipv4Addr, u8)],
    /// The VLAN that the interface is, if it is one and no relay stands between.
    pub vlan: Option<u16>,
}

/// Where a reply goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum To {
    /// By UDP, routed: to a relay, or to a client behind a router.
    Routed(SocketAddrV4),
    /// In a frame to this client, which needs no ARP and has no address yet, perhaps.
    Station {
        /// Its hardware address.
        hardware: [u8; 6],
        /// Its address, as it has or gets it.
        address: Ipv4Addr,
    },
    /// In a frame to everybody on the interface.
    Everybody,
}

impl Arrival<'_> {
    /// The relay, if it came through one.
    pub fn relay(&self) -> Option<Ipv4Addr> {
        Some(self.message.giaddr()).filter(|giaddr| !giaddr.is_unspecified())
    }

    /// An address in the subnet of the client, if a relay told: its link selection (RFC 3527), else its own.
    pub fn remote_link(&self) -> Option<Ipv4Addr> {
        let giaddr = self.relay()?;
        let selected = self.message.relay_option(code::RELAY_LINK);
        let selected = selected.and_then(|octets| octets.first_chunk::<4>());
        Some(selected.map_or(giaddr, |octets| Ipv4Addr::from(*octets)))
    }

    /// The address that the relay puts in our place: our identifier in replies, and ours where a client names it
    /// (RFC 5107 §4).
    pub fn stand_in(&self) -> Option<Ipv4Addr> {
        self.relay()?;
        let octets = <[u8; 4]>::try_from(self.message.relay_option(code::RELAY_SERVER_ID)?).ok()?;
        Some(Ipv4Addr::from(octets)).filter(|address| !address.is_unspecified())
    }

    /// The address that the client has, if it says so.
    pub fn ciaddr(&self) -> Option<Ipv4Addr> {
        Some(self.message.ciaddr()).filter(|ciaddr| !ciaddr.is_unspecified())
    }

    /// True if this is one of our addresses: as asked for, as the interface has it, or as the relay calls us.
    pub fn is_ours(&self, address: Ipv4Addr) -> bool {
        let own = address == self.local || self.own.iter().any(|(own, _)| *own == address);
        own || self.stand_in() == Some(address)
    }

    /// True if this address is in reach without a router.
    pub fn is_attached(&self, address: Ipv4Addr) -> bool {
        self.own.iter().any(|(own, prefix)| {
            let host_bits = 32 - u32::from(*prefix).min(32);
            (u32::from(*own) ^ u32::from(address)).checked_shr(host_bits).unwrap_or(0) == 0
        })
    }

    /// What the message shows about its sender.
    pub fn seen(&self) -> Vec<Seen<'_>> {
        shown(self.message)
    }

    /// Where `reply` goes.
    ///
    /// On an attached network always in a frame: the kernel's ARP table holds 1,024 neighbours by default, and a LAN of
    /// more phones than that stalls as soon as they renew.
    pub fn reply_to(&self, reply: &Reply) -> To {
        if let Some(relay) = self.relay() {
            // RFC 8357: a relay that says so listens where it sends from.
            let own_port = self.message.relay_option(code::RELAY_SOURCE_PORT).is_some();
            let port = if own_port { self.peer.port() } else { SERVER_PORT };
            return To::Routed(SocketAddrV4::new(relay, port));
        }
        match (self.ciaddr(), reply.kind()) {
            (Some(ciaddr), _) if !self.is_attached(ciaddr) => {
                To::Routed(SocketAddrV4::new(ciaddr, CLIENT_PORT))
            }
            // A client that is denied its address may not listen on it (RFC 2131 §4.1).
            (_, Kind::Nak) => To::Everybody,
            (Some(ciaddr), _) => self.station(ciaddr),
            (None, _) if self.message.wants_broadcast() => To::Everybody,
            (None, _) => self.station(reply.yiaddr()),
        }
    }

    fn station(&self, address: Ipv4Addr) -> To {
        To::Station { hardware: self.message.mac().octets(), address }
    }
}
