//! Ethernet frames (RFC 894) with up to two VLAN tags (IEEE 802.1Q, 802.1ad).

/// Destination of a frame for everybody.
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// `EtherType` of IPv4.
pub const IPV4: u16 = 0x0800;

/// `EtherType` of ARP.
pub const ARP: u16 = 0x0806;

/// `EtherType`s of a VLAN tag: a customer's and a provider's.
const TAGS: [u16; 2] = [0x8100, 0x88a8];

/// The most tags of one frame: a provider's around a customer's.
const MAX_TAGS: usize = 2;

/// A frame taken apart, without its tags.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ethernet<'a> {
    /// Receiver's hardware address.
    pub to: [u8; 6],
    /// Sender's hardware address.
    pub from: [u8; 6],
    /// VLAN of the innermost tag that is in the frame; the system keeps an outer one to itself, mostly.
    pub vlan: Option<u16>,
    /// What it carries, as an `EtherType`.
    pub kind: u16,
    /// What it carries, padding included.
    pub content: &'a [u8],
}

impl<'a> Ethernet<'a> {
    /// Reads a frame; `None` if it ends within its headers.
    #[must_use]
    pub fn decode(frame: &'a [u8]) -> Option<Self> {
        let (to, rest) = frame.split_first_chunk::<6>()?;
        let (from, rest) = rest.split_first_chunk::<6>()?;
        let (mut kind, mut content) = number(rest)?;
        let mut vlan = None;
        for _ in 0..MAX_TAGS {
            if TAGS.contains(&kind) {
                let (control, rest) = number(content)?;
                // Below the priority and its flag.
                vlan = Some(control & 0x0fff);
                (kind, content) = number(rest)?;
            }
        }
        Some(Self { to: *to, from: *from, vlan, kind, content })
    }

    /// The frame as sent, with one tag if there is a VLAN; short ones are not padded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let tag = self.vlan.map(|vlan| [TAGS[0].to_be_bytes(), vlan.to_be_bytes()].concat());
        let kind = self.kind.to_be_bytes();
        [&self.to[..], &self.from, &tag.unwrap_or_default(), &kind, self.content].concat()
    }
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(vlan: Option<u16>, content: &[u8]) -> Ethernet<'_> {
        Ethernet { to: BROADCAST, from: [2, 0, 0, 0, 0, 1], vlan, kind: IPV4, content }
    }

    #[test]
    fn two_tags_and_what_is_cut() {
        let inner = frame(Some(20), b"hello").encode();
        let outer = [&inner[..12], &[0x88, 0xa8, 0x60, 7], &inner[12..]].concat();
        assert_eq!(Ethernet::decode(&outer), Some(frame(Some(20), b"hello")));
        for length in 0..22 {
            assert_eq!(Ethernet::decode(&outer[..length]), None, "{length} octets");
        }
    }

    proptest! {
        #[test]
        fn round_trip(vlan in prop::option::of(0_u16..4096), content: Vec<u8>) {
            let bytes = frame(vlan, &content).encode();
            prop_assert_eq!(Ethernet::decode(&bytes), Some(frame(vlan, &content)));
        }
    }
}
