//! ARP for IPv4 over Ethernet (RFC 826): who says which address is its own.

use std::net::Ipv4Addr;

use super::ethernet::{self, BROADCAST, Ethernet};

/// Ethernet and IPv4, with addresses of six and four octets.
const FORM: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// The sender of an ARP packet, which is what every ARP packet tells for certain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arp {
    /// Its hardware address, the same in the packet as on its frame.
    pub hardware: [u8; 6],
    /// The address that it uses; a probe for a free one uses none yet (RFC 5227 §2.1.1) and reads as absent.
    pub address: Ipv4Addr,
}

impl Arp {
    /// Reads a request or an answer whose sender has an address; `None` for anything else, and where frame and packet
    /// name different senders (a proxy, or a liar).
    #[must_use]
    pub fn decode(frame: &Ethernet<'_>) -> Option<Self> {
        let packet = frame.content.strip_prefix(&FORM).filter(|_| frame.kind == ethernet::ARP)?;
        let (operation, rest) = packet.split_first_chunk::<2>()?;
        let (hardware, rest) = rest.split_first_chunk::<6>()?;
        let (address, target) = rest.split_first_chunk::<4>()?;
        let known = matches!(operation, [0, 1 | 2]) && target.len() >= 10;
        let address = Ipv4Addr::from(*address);
        (known && *hardware == frame.from && !address.is_unspecified())
            .then_some(Self { hardware: *hardware, address })
    }

    /// The frame that asks everybody for the holder of `target`.
    #[must_use]
    pub fn request(&self, target: Ipv4Addr) -> Vec<u8> {
        let (sender, target) = (self.address.octets(), target.octets());
        let content = [&FORM[..], &[0, 1], &self.hardware, &sender, &[0; 6], &target].concat();
        let (from, kind) = (self.hardware, ethernet::ARP);
        Ethernet { to: BROADCAST, from, vlan: None, kind, content: &content }.encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_which_address_is_its_own() {
        let sender = Arp { hardware: [2, 0, 0, 0, 0, 1], address: Ipv4Addr::new(10, 20, 0, 9) };
        let good = sender.request(Ipv4Addr::new(10, 20, 0, 1));
        let read = |frame: &[u8]| Arp::decode(&Ethernet::decode(frame)?);
        assert_eq!(read(&good), Some(sender));
        let spoilt = |at: usize, value: u8| {
            let mut bad = good.clone();
            bad[at] = value;
            read(&bad)
        };
        assert_eq!(spoilt(13, 0), None, "another EtherType");
        assert_eq!(spoilt(15, 6), None, "not Ethernet");
        assert_eq!(spoilt(21, 3), None, "reverse ARP");
        assert_eq!(spoilt(11, 2), None, "another station sent it");
        assert_eq!(spoilt(21, 2), Some(sender), "an answer");
        assert_eq!(read(&good[..good.len() - 1]), None, "cut");
        let probe = Arp { address: Ipv4Addr::UNSPECIFIED, ..sender };
        assert_eq!(read(&probe.request(sender.address)), None, "nobody's yet");
    }
}
