//! What a reply says: addresses, times, options (RFC 2131 §4.3.1, table 3).

use std::{net::Ipv4Addr, time::Duration};

use crate::{
    provision::{Client, Option82, Provisioner, Subnet},
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
        let (renewal, rebinding) = halves(subnet.lease_time);
        let mut reply = self.start(kind, subnet).give(address);
        reply = reply.option(code::LEASE_TIME, seconds(subnet.lease_time).to_be_bytes());
        reply = reply.option(code::RENEWAL, renewal.to_be_bytes());
        reply = reply.option(code::REBINDING, rebinding.to_be_bytes());
        self.options(reply, subnet)
    }

    /// The answer to an INFORM: everything but a lease (RFC 2131 §4.3.5).
    pub fn inform(&self, subnet: &Subnet) -> Reply {
        self.options(self.start(Kind::Ack, subnet), subnet)
    }

    /// A denial: it names us and says why, and nothing else. A relay must broadcast it.
    pub fn nak(&self, subnet: Option<&Subnet>, why: &str) -> Reply {
        let reply = Reply::to(self.arrival.message, Kind::Nak)
            .option(code::SERVER_ID, self.identifier(subnet).octets())
            .option(code::MESSAGE, why.as_bytes());
        let reply = if self.arrival.relay().is_some() { reply.broadcast() } else { reply };
        if self.echoes(subnet) { reply } else { reply.without_relay_option() }
    }

    fn start(&self, kind: Kind, subnet: &Subnet) -> Reply {
        let own = self.own(Some(subnet));
        let next = self.provisioner.servers(self.client, subnet, own);
        let reply = Reply::to(self.arrival.message, kind)
            .ciaddr(self.arrival.message.ciaddr())
            // Some phones without an option that they know take their files from the next server.
            .siaddr(next.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED))
            .option(code::SERVER_ID, self.identifier(Some(subnet)).octets());
        if self.echoes(Some(subnet)) { reply } else { reply.without_relay_option() }
    }

    fn options(&self, reply: Reply, subnet: &Subnet) -> Reply {
        let asked = self.arrival.message.asked();
        // A phone that is in its VLAN already must not be sent there: it would start over for ever.
        let arrived = subnet.voice_vlan.is_some_and(|vlan| self.is_in(vlan));
        let stay = arrived.then(|| Subnet { voice_vlan: None, ..subnet.clone() });
        let subnet = stay.as_ref().unwrap_or(subnet);
        let options = self.provisioner.options(self.client, subnet, self.own(Some(subnet)), asked);
        let reply =
            options.into_iter().fold(reply, |reply, (code, content)| reply.option(code, content));
        reply.name_answered(self.arrival.message)
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
