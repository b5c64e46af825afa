//! How a device describes itself in option 125 (Broadband Forum TR-111, part 1; TR-069 annex G).

use crate::domain::Mac;

/// The forum's enterprise number, 3561.
const ENTERPRISE: [u8; 4] = [0, 0, 0x0d, 0xe9];

/// What the description says. A part that is absent or not UTF-8 is empty.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Device<'a> {
    /// Sub-option 1: the manufacturer's registered prefix, six digits.
    pub(super) prefix: &'a str,
    /// Sub-option 2: the serial number, which some make the MAC and others not.
    pub(super) serial: &'a str,
    /// Sub-option 3: the product class, which phones fill with their model.
    pub(super) class: &'a str,
}

impl Device<'_> {
    /// The parts as one line, for people.
    pub(super) fn text(&self) -> String {
        let parts = [self.prefix, self.class, self.serial];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Some address with that prefix: blocks are looked up by address.
    pub(super) fn prefix(&self) -> Option<Mac> {
        let six = self.prefix.len() == 6;
        six.then(|| format!("{}000001", self.prefix).parse().ok()).flatten()
    }
}

/// Reads option 125 with the forum's number: a length, then sub-options of code, length and text (RFC 3925 §4).
///
/// Whatever the lengths say, nothing beyond the octets at hand is read. `None` for another enterprise.
pub(super) fn decode(octets: &[u8]) -> Option<Device<'_>> {
    let (total, rest) = octets.strip_prefix(&ENTERPRISE)?.split_first()?;
    let mut rest = &rest[..rest.len().min(usize::from(*total))];
    let mut device = Device::default();
    while let [code, length, tail @ ..] = rest {
        let Some((value, after)) = tail.split_at_checked(usize::from(*length)) else { break };
        let text = std::str::from_utf8(value).unwrap_or_default();
        match code {
            1 => device.prefix = text,
            2 => device.serial = text,
            3 => device.class = text,
            _ => {}
        }
        rest = after;
    }
    Some(device)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEVICE: &[u8] = b"\0\0\x0d\xe9\x1f\x01\x06000B82\x02\x0c000B82AABBCC\x03\x07GXP2170";

    #[test]
    fn a_device() {
        let device = decode(DEVICE).unwrap();
        assert_eq!(device.text(), "000B82 GXP2170 000B82AABBCC");
        assert_eq!(device.prefix().map(Mac::prefix).as_deref(), Some("000b82"));
        assert_eq!(decode(&DEVICE[..20]).unwrap().class, "");
        assert_eq!(decode(b"\0\0\x36\x3d\0"), None);
    }

    proptest! {
        #[test]
        fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&[&ENTERPRISE[..], &octets].concat()).map(|device| (device.text(), device.prefix()));
        }
    }
}
