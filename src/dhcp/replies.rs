//! What a reply says: addresses, times, options (RFC 2131 §4.3.1, table 3).

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use crate::{
    provision::{Asking, Client, Common, Option82, Provisioner, Subnet},
    wire::dhcp::{Kind, Reply, code},
};

use super::arrival::Arrival;

/// Makes replies to one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replies<'a> {
    pub provisioner: &'a Provisioner,
    pub arrival: &'a Arrival<'a>,
    pub client: &'a Client,
}

impl Replies<'_> {
    /// An OFFER, or an ACK that grants a lease.
    pub fn grant(&self, kind: Kind, subnet: &Subnet, address: Ipv4Addr) -> Reply {
        self.start(kind, subnet, true).give(address)
    }

    /// The answer to an INFORM: everything but a lease (RFC 2131 §4.3.5).
    pub fn inform(&self, subnet: &Subnet) -> Reply {
        self.start(Kind::Ack, subnet, false)
    }

    /// A denial: it names us and says why, and nothing else. A relay must broadcast it.
    pub fn nak(&self, subnet: Option<&Subnet>, why: &str) -> Reply {
        let reply = Reply::to(self.arrival.message, Kind::Nak)
            .option(code::SERVER_ID, self.identifier(subnet).octets())
            .option(code::MESSAGE, why.as_bytes());
        let reply = if self.arrival.relay().is_some() { reply.broadcast() } else { reply };
        if self.echoes(subnet) { reply } else { reply.without_relay_option() }
    }

    /// A reply with all its options. What those of a kind of phone have in common is made for the first of them.
    fn start(&self, kind: Kind, subnet: &Subnet, lease: bool) -> Reply {
        let message = self.arrival.message;
        let asking = Asking {
            client: self.client,
            subnet,
            own: self.own(Some(subnet)),
            identifier: self.identifier(Some(subnet)),
            lease,
            // A phone that is in its VLAN already must not be sent there: it would start over for ever.
            arrived: subnet.voice_vlan.is_some_and(|vlan| self.is_in(vlan)),
            asked: message.asked(),
        };
        let common = self.provisioner.common(&asking, || self.made(kind, &asking));
        let reply = Reply::to(message, kind)
            .ciaddr(message.ciaddr())
            // Some phones without an option that they know take their files from the next server.
            .siaddr(common.next)
            .with(Arc::clone(&common.block))
            .name_answered(message);
        if self.echoes(Some(subnet)) { reply } else { reply.without_relay_option() }
    }

    /// What replies to all who ask like this have in common.
    fn made(&self, kind: Kind, asking: &Asking<'_>) -> Common {
        let Asking { client, subnet, own, identifier, .. } = *asking;
        let next = self.provisioner.servers(client, subnet, own);
        let mut reply =
            Reply::to(self.arrival.message, kind).option(code::SERVER_ID, identifier.octets());
        if asking.lease {
            let (renewal, rebinding) = halves(subnet.lease_time);
            reply = reply
                .option(code::LEASE_TIME, seconds(subnet.lease_time).to_be_bytes())
                .option(code::RENEWAL, renewal.to_be_bytes())
                .option(code::REBINDING, rebinding.to_be_bytes());
        }
        let stay = asking.arrived.then(|| Subnet { voice_vlan: None, ..subnet.clone() });
        let subnet = stay.as_ref().unwrap_or(subnet);
        let options = self.provisioner.options(client, subnet, own, asking.asked);
        let reply =
            options.into_iter().fold(reply, |reply, (code, content)| reply.option(code, content));
        let next = next.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
        Common { next, block: Arc::new(reply.block()) }
    }

    /// True if the client is known to be in this VLAN: our interface is that VLAN, and no relay stands between.
    fn is_in(&self, vlan: u16) -> bool {
        self.arrival.relay().is_none() && self.arrival.vlan == Some(vlan)
    }

    /// A relay's option 82 is echoed; without a relay only where the subnet says that its switches insert it.
    fn echoes(&self, subnet: Option<&Subnet>) -> bool {
        let trusted = subnet.is_some_and(|subnet| subnet.option_82 == Option82::L2);
        trusted || self.arrival.relay().is_some()
    }

    /// What the client knows us by: our address, unless its relay stands in for us (RFC 5107).
    fn identifier(&self, subnet: Option<&Subnet>) -> Ipv4Addr {
        self.arrival.stand_in().unwrap_or_else(|| self.own(subnet))
    }

    /// Our address as this client sees it: that of the interface in its subnet, else the one that was asked.
    fn own(&self, subnet: Option<&Subnet>) -> Ipv4Addr {
        let mut own = self.arrival.own.iter().map(|(own, _)| *own);
        let within = subnet.and_then(|subnet| own.find(|own| subnet.contains(*own)));
        within.unwrap_or(self.arrival.local)
    }
}

/// T1 and T2 in seconds: one half and seven eighths of the lease, rounded down (RFC 2131 §4.4.5).
fn halves(lease: Duration) -> (u32, u32) {
    let seconds = seconds(lease);
    (seconds / 2, u32::try_from(u64::from(seconds) * 7 / 8).unwrap_or(u32::MAX))
}

/// A time as options carry it; what exceeds 32 bits is "for ever" (RFC 2131 §3.3).
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
