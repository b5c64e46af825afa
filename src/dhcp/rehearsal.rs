//! What is due to a message, decided by the responder in force and not done: no socket, no clock, nothing becomes fact.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::{
    domain::{Batch, Timestamp},
    provision::Provisioner,
    store::State,
    wire::dhcp::{CLIENT_PORT, Message},
};

use super::{
    arrival::Arrival,
    offers::Offers,
    responder::{Responder, Verdict},
};

/// A server that answers on paper. It remembers its offers, so that a whole exchange can be gone through.
#[derive(Debug)]
pub struct Rehearsal {
    offers: Offers,
    own: [(Ipv4Addr, u8); 1],
}

/// What would leave, and what would become fact before.
#[derive(Debug, Default)]
pub struct Due {
    /// The reply as sent; `None` where there is none.
    pub reply: Option<Vec<u8>>,
    /// What is to become fact first.
    pub batch: Batch,
}

impl Rehearsal {
    /// On an interface with this address and prefix length.
    #[must_use]
    pub fn on(own: (Ipv4Addr, u8)) -> Self {
        Self { offers: Offers::new(), own: [own] }
    }

    /// Decides about a broadcast of a client on the interface; nothing is due to what is no DHCP message.
    pub fn decide(
        &mut self,
        provisioner: &Provisioner,
        state: &State,
        datagram: &[u8],
        now: Timestamp,
    ) -> Due {
        let Ok(message) = Message::request(datagram) else { return Due::default() };
        let peer = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
        let own = &self.own[..];
        let arrival = Arrival { message: &message, peer, local: own[0].0, own, vlan: None };
        let client = provisioner.client(message.mac(), &arrival.seen(), now);
        let mut responder = Responder { provisioner, state, offers: &mut self.offers, now };
        let (reply, batch) = match responder.decide(&arrival, &client) {
            Verdict::Answer { reply, .. } => (Some(reply), Batch::default()),
            Verdict::Bind { reply, batch } => (reply, batch),
            Verdict::Ignore { .. } => (None, Batch::default()),
        };
        Due { reply: reply.map(|reply| reply.encode()), batch }
    }
}
