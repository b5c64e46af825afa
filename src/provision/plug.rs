//! Where a phone is plugged in: option 82, in the forms that switches write it.

use crate::{
    domain::{Ground, Mac, Origin, Plug, Timestamp, clip, hex, printable},
    wire::dhcp::{Message, code},
};

/// The most characters of a switch's or a port's name.
const MAX_NAME: usize = 64;

/// What option 82 of a message tells, as a ground; `None` where it tells nothing, or what is `known` already.
///
/// The caller decides whether the option is trusted: anybody can write one, a relay replaces it (RFC 3046 §2.1).
#[must_use]
pub fn plugged(message: &Message<'_>, known: &[Ground], at: Timestamp) -> Option<Ground> {
    let value = seen(message)?.to_string();
    let known = known.iter().find(|ground| ground.from == Origin::Option82);
    known.is_none_or(|known| known.value != value).then_some(Ground {
        from: Origin::Option82,
        value,
        vendor: None,
        family: None,
        model: None,
        firmware: None,
        mac: None,
        at,
    })
}

/// The port that option 82 of a message names.
pub(super) fn seen(message: &Message<'_>) -> Option<Plug> {
    let part = |sub| message.relay_option(sub).unwrap_or_default();
    decode(part(code::RELAY_CIRCUIT), part(code::RELAY_REMOTE))
}

/// The port that a phone was last seen on.
#[must_use]
pub fn plug(grounds: &[Ground]) -> Option<Plug> {
    let ground = grounds.iter().find(|ground| ground.from == Origin::Option82)?;
    Plug::read(&ground.value)
}

/// Reads circuit and remote identifier. RFC 3046 leaves their form to the switch: many write text, Cisco's Catalyst
/// (and who copied its form) a type and a length before VLAN, module and port, or before a MAC or a text.
fn decode(circuit: &[u8], remote: &[u8]) -> Option<Plug> {
    let port = match *circuit {
        // "DHCP snooping option 82": VLAN, module, port.
        [0, 4, _, _, module, port] if module > 0 => format!("{module}/{port}"),
        [0, 4, _, _, _, port] => port.to_string(),
        [1, length, ref text @ ..] if usize::from(length) == text.len() => named(text),
        ref other => named(other),
    };
    let switch = match *remote {
        [0, 6, ref octets @ ..] if octets.len() == 6 => named(octets),
        [1, length, ref text @ ..] if usize::from(length) == text.len() => named(text),
        ref other => named(other),
    };
    Plug::new(&switch, &port)
}

/// A text as it is; six octets that are none as a MAC; anything else in hexadecimal digits.
fn named(octets: &[u8]) -> String {
    let text = octets.strip_suffix(&[0]).unwrap_or(octets);
    let readable = |text: &&str| text.chars().all(|one| !one.is_control());
    if let Some(text) = std::str::from_utf8(text).ok().filter(readable) {
        return clip(&printable(text.as_bytes()), MAX_NAME);
    }
    let mac = octets.try_into().ok().and_then(|octets: [u8; 6]| Mac::new(octets).ok());
    mac.map_or_else(|| digits(octets), |mac| mac.to_string())
}

/// Octets as digits, as many as a name has room for.
pub(super) fn digits(octets: &[u8]) -> String {
    hex(&octets[..octets.len().min(MAX_NAME / 2)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_switches_write_it() {
        let check = |circuit: &[u8], remote: &[u8], expected: &str| {
            let plug = decode(circuit, remote).map(|plug| plug.to_string());
            assert_eq!(plug.unwrap_or_default(), expected, "{circuit:x?} {remote:x?}");
        };
        check(b"ge-0/0/7.0:voice", b"sw-3", "sw-3 | ge-0/0/7.0:voice");
        check(&[0, 4, 0, 20, 1, 7], &[0, 6, 0, 0x1b, 0x54, 1, 2, 3], "00:1b:54:01:02:03 | 1/7");
        check(&[0, 4, 0, 20, 0, 7], b"\x01\x04sw-3", "sw-3 | 7");
        check(b"\x01\x05Gi1/7", b"", " | Gi1/7");
        check(&[0, 7], &[0, 0x1b, 0x54, 1, 2, 3], "00:1b:54:01:02:03 | 0007");
        check(b"eth 1/0/7\0", b"lyon|3\0", "lyon/3 | eth 1/0/7");
        check(&[], &[], "");
        check(&[0xff; 60], &[], &format!(" | {}", "ff".repeat(32)));
    }
}
