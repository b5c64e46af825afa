//! What DHCP messages say to somebody who only listens: addresses, servers, and what a client is after.

use std::net::Ipv4Addr;

use crate::{
    domain::{ClientKey, Mac, printable},
    wire::dhcp::{Message, code},
};

use super::memory::{Asking, Offer};

/// Options with the servers of a phone's files; 160 is Poly's and others', by convention.
const SERVERS: [u8; 3] = [code::TFTP_NAME, code::TFTP_ADDRESSES, 160];

/// A client's message with the way it went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    /// What it says.
    pub message: &'a Message<'a>,
    /// True if it went straight to one server, which knows its client already.
    pub unicast: bool,
    /// True if a relay sent it to us: neither answer nor ARP will come by.
    pub relayed: bool,
}

/// What a REQUEST is about; `None` where it names no address (RFC 2131 §4.3.2, table 4).
pub(super) fn wanted(question: &Question<'_>) -> Option<Asking> {
    let message = question.message;
    let requested = message.address(code::REQUESTED);
    match (message.address(code::SERVER_ID), requested, address_of(message.ciaddr())) {
        (Some(server), Some(address), _) => Some(Asking::Select { address, server }),
        (_, _, Some(address)) if question.unicast => Some(Asking::Renew(address)),
        (_, _, Some(address)) => Some(Asking::Rebind(address)),
        (None, Some(address), None) => Some(Asking::Reboot(address)),
        (_, None, None) => None,
    }
}

/// Options 66, 150 and 160 as text.
pub(super) fn servers(message: &Message<'_>) -> Vec<(u8, String)> {
    let text = |code: u8, octets: &[u8]| match code {
        code::TFTP_ADDRESSES => {
            let (addresses, _) = octets.as_chunks::<4>();
            // As many as anybody lists, so that the record of a boot stays short.
            let first = addresses.iter().take(4).map(|octets| Ipv4Addr::from(*octets).to_string());
            first.collect::<Vec<_>>().join(",")
        }
        _ => printable(octets),
    };
    let named = SERVERS.map(|code| Some((code, text(code, message.option(code)?))));
    named.into_iter().flatten().filter(|(_, text)| !text.is_empty()).collect()
}

impl Offer {
    /// What an offer says that tells one server from another.
    pub fn read(message: &Message<'_>, by: Ipv4Addr, hardware: Option<Mac>) -> Self {
        let content = |code| message.option(code).unwrap_or_default().to_vec();
        let network = [content(code::MASK), content(code::ROUTER)];
        Self { by, hardware, servers: servers(message), network }
    }
}

/// What a client is known by, as it says itself.
pub(super) fn key(message: &Message<'_>, mac: Mac) -> ClientKey {
    message.client_id().map_or_else(|| ClientKey::hardware(mac), ClientKey::identifier)
}

/// An address that is there.
pub(super) fn address_of(address: Ipv4Addr) -> Option<Ipv4Addr> {
    Some(address).filter(|address| !address.is_unspecified())
}

/// True for an address that a station may have.
pub(super) const fn is_host(address: Ipv4Addr) -> bool {
    !(address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_loopback())
}
