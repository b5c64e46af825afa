//! Who a message is from and what it is, at a glance: for those who sort messages before they read them.

use std::net::Ipv4Addr;

use super::{HEADER, Kind, code};

/// What tells one message of a client from another: the same once more is a repetition.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Glance {
    /// The client's hardware address, unchecked.
    pub mac: [u8; 6],
    /// Transaction.
    pub xid: u32,
    /// What it is.
    pub kind: Kind,
    /// The relay that it came through; unspecified for none.
    pub relay: Ipv4Addr,
}

/// Looks at a message from a client. `None` where it is none, or where it takes a reader to tell.
#[must_use]
pub fn glance(datagram: &[u8]) -> Option<Glance> {
    let fixed = datagram.first_chunk::<HEADER>()?;
    if fixed[..3] != [1, 1, 6] {
        return None;
    }
    let mut rest = &datagram[HEADER..];
    let kind = loop {
        match *rest {
            [code::KIND, 1, number, ..] => break Kind::new(number)?,
            [0, ref tail @ ..] => rest = tail,
            [255, ..] => return None,
            [_, length, ref tail @ ..] => rest = tail.get(usize::from(length)..)?,
            _ => return None,
        }
    };
    let xid = u32::from_be_bytes(*fixed[4..].first_chunk()?);
    let relay = Ipv4Addr::from(*fixed[24..].first_chunk::<4>()?);
    Some(Glance { mac: *fixed[28..].first_chunk()?, xid, kind, relay })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::Mac,
        wire::dhcp::{Message, Request},
    };

    #[test]
    fn what_it_takes_a_reader_to_tell() {
        let mac = Mac::new([2, 0, 0, 0, 0, 1]).unwrap();
        let good = Request::discover(mac, 7).encode();
        assert!(glance(&good).is_some());
        let spoilt = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            glance(&bytes)
        };
        assert_eq!(spoilt(0, 2), None, "a reply");
        assert_eq!(spoilt(2, 16), None, "not Ethernet");
        assert_eq!(spoilt(240, 255), None, "no kind in the options field");
        assert_eq!(spoilt(242, 99), None, "no kind that there is");
        assert_eq!(spoilt(241, 255), None, "cut");
        assert_eq!(glance(&good[..240]), None);
    }

    proptest! {
        #[test]
        fn it_says_what_the_reader_says(at in 0_usize..320, value: u8, number in 1_u8..9, giaddr: [u8; 4]) {
            let mac = Mac::new([2, 0, 0, 0, 0, 1]).unwrap();
            let mut bytes = Request::discover(mac, 7).relayed(giaddr.into()).option(12, *b"phone").encode();
            bytes[242] = number;
            let at = at % bytes.len();
            bytes[at] = value;
            if let (Some(seen), Ok(read)) = (glance(&bytes), Message::request(&bytes)) {
                let expected = (read.mac().octets(), read.xid(), read.kind(), read.giaddr());
                prop_assert_eq!((seen.mac, seen.xid, seen.kind, seen.relay), expected);
            }
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = glance(&bytes);
        }
    }
}
