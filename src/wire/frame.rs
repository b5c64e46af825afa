//! Ethernet frames that carry UDP over IPv4 (RFC 894, 791, 768): made whole and read whole.

use std::net::{Ipv4Addr, SocketAddrV4};

pub use super::ethernet::BROADCAST;
use super::ethernet::{self, Ethernet};

const ETHERNET: usize = 14;
const IP: usize = 20;
const UDP: usize = 8;
const UDP_PROTOCOL: u8 = 17;

/// One UDP datagram with the addresses of its frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'a> {
    /// Sender's hardware address.
    pub from: [u8; 6],
    /// Receiver's hardware address.
    pub to: [u8; 6],
    /// Sender.
    pub source: SocketAddrV4,
    /// Receiver.
    pub destination: SocketAddrV4,
    /// What UDP carries.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame as sent, checksums included; `None` where the payload exceeds what IPv4 can carry.
    ///
    /// Time to live is 64, and fragmenting is not forbidden: the smallest clients ignore the flag anyway.
    #[must_use]
    pub fn encode(&self) -> Option<Vec<u8>> {
        let udp_length = u16::try_from(UDP + self.payload.len()).ok()?;
        let ip_length = u16::try_from(IP).ok()?.checked_add(udp_length)?;
        let mut frame = Vec::with_capacity(ETHERNET + usize::from(ip_length));
        frame.extend(self.to);
        frame.extend(self.from);
        frame.extend(ethernet::IPV4.to_be_bytes());
        frame.extend(self.ip_header(ip_length));
        let mut udp = Vec::with_capacity(usize::from(udp_length));
        udp.extend(self.source.port().to_be_bytes());
        udp.extend(self.destination.port().to_be_bytes());
        udp.extend(udp_length.to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(self.payload);
        // Zero on the wire means "no checksum", so a sum of zero is sent as its other form (RFC 768).
        let sum = udp_checksum(*self.source.ip(), *self.destination.ip(), &udp);
        udp[6..8].copy_from_slice(&if sum == 0 { [0xff; 2] } else { sum.to_be_bytes() });
        frame.extend(udp);
        Some(frame)
    }

    fn ip_header(&self, length: u16) -> [u8; IP] {
        let mut header = [0_u8; IP];
        header[0] = 0x45;
        header[2..4].copy_from_slice(&length.to_be_bytes());
        header[8] = 64;
        header[9] = UDP_PROTOCOL;
        header[12..16].copy_from_slice(&self.source.ip().octets());
        header[16..20].copy_from_slice(&self.destination.ip().octets());
        let sum = checksum(&[&header]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        header
    }

    /// Reads a frame; `None` for anything but one whole UDP datagram over IPv4 with right checksums, tagged or not.
    ///
    /// A UDP checksum of zero was not computed and is not checked. Fragments are not put together.
    #[must_use]
    pub fn decode(frame: &'a [u8]) -> Option<Self> {
        Self::read(&Ethernet::decode(frame)?, true)
    }

    /// The same for a frame that was taken apart. `summed` is false where the system said that the UDP checksum is not
    /// in the frame yet, as with a sender on this machine: then it is not checked.
    #[must_use]
    pub fn read(frame: &Ethernet<'a>, summed: bool) -> Option<Self> {
        if frame.kind != ethernet::IPV4 {
            return None;
        }
        let packet = frame.content;
        let header = packet.get(..usize::from(packet.first()? & 0x0f) * 4)?;
        let length = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
        let fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x3fff;
        if header.len() < IP || header[0] >> 4 != 4 || checksum(&[header]) != 0 {
            return None;
        }
        if fragment != 0 || header[9] != UDP_PROTOCOL {
            return None;
        }
        let source = Ipv4Addr::from(*header[12..].first_chunk::<4>()?);
        let destination = Ipv4Addr::from(*header[16..].first_chunk::<4>()?);
        // What follows the packet is the padding of a short frame.
        let udp = packet.get(header.len()..length)?;
        let word = |at: usize| Some(u16::from_be_bytes([*udp.get(at)?, *udp.get(at + 1)?]));
        let (from_port, to_port, udp_length, sum) = (word(0)?, word(2)?, word(4)?, word(6)?);
        let udp = udp.get(..usize::from(udp_length))?;
        if summed && sum != 0 && udp_checksum(source, destination, udp) != 0 {
            return None;
        }
        Some(Self {
            from: frame.from,
            to: frame.to,
            source: SocketAddrV4::new(source, from_port),
            destination: SocketAddrV4::new(destination, to_port),
            payload: udp.get(UDP..)?,
        })
    }
}

fn udp_checksum(source: Ipv4Addr, destination: Ipv4Addr, udp: &[u8]) -> u16 {
    let length = u16::try_from(udp.len()).unwrap_or(u16::MAX).to_be_bytes();
    let protocol = [0, UDP_PROTOCOL];
    checksum(&[&source.octets(), &destination.octets(), &protocol, &length, udp])
}

/// The Internet checksum (RFC 1071) over parts of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = words
        .map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // Folded above to 16 bits.
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(payload: &[u8]) -> Frame<'_> {
        Frame {
            from: [2, 0, 0, 0, 0, 1],
            to: BROADCAST,
            source: "10.20.0.2:67".parse().unwrap(),
            destination: "255.255.255.255:68".parse().unwrap(),
            payload,
        }
    }

    #[test]
    fn known_header_checksum() {
        // The worked example that is found in many textbooks: its sum is b861.
        let header = [
            0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,
            0xc7,
        ];
        assert_eq!(checksum(&[&header]), 0xb861);
    }

    #[test]
    fn what_is_not_read() {
        let good = frame(b"hello").encode().unwrap();
        let spoilt = |at: usize, value: u8| {
            let mut bad = good.clone();
            bad[at] = value;
            bad
        };
        assert!(Frame::decode(&good).is_some());
        assert_eq!(Frame::decode(&spoilt(12, 0x86)), None, "not IPv4");
        assert_eq!(Frame::decode(&spoilt(14, 0x65)), None, "not version 4");
        assert_eq!(Frame::decode(&spoilt(14, 0x44)), None, "header too short");
        assert_eq!(Frame::decode(&spoilt(24, 0)), None, "IP checksum");
        assert_eq!(Frame::decode(&spoilt(good.len() - 1, 0)), None, "UDP checksum");
        let bad = spoilt(good.len() - 1, 0);
        let unsummed = Ethernet::decode(&bad).and_then(|frame| Frame::read(&frame, false));
        assert!(unsummed.is_some(), "the sender has not summed it yet");
        let tagged = [&good[..12], &[0x81, 0, 0, 20], &good[12..]].concat();
        assert_eq!(Frame::decode(&tagged), Frame::decode(&good), "of a VLAN");
        assert_eq!(Frame::decode(&good[..good.len() - 1]), None, "cut");
        assert_eq!(frame(&vec![0; 65_508]).encode(), None, "too long for IPv4");
    }

    proptest! {
        #[test]
        fn round_trip(payload in prop::collection::vec(any::<u8>(), 0..1500), padding in 0_usize..40) {
            let mut bytes = frame(&payload).encode().unwrap();
            bytes.resize(bytes.len() + padding, 0);
            prop_assert_eq!(Frame::decode(&bytes), Some(frame(&payload)));
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::decode(&bytes);
        }

        #[test]
        fn mutated(payload in prop::collection::vec(any::<u8>(), 0..64), at in 0_usize..106, value: u8) {
            let mut bytes = frame(&payload).encode().unwrap();
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = Frame::decode(&bytes);
        }
    }
}
