//! What DHCP options are called, and their content as text.

use std::net::Ipv4Addr;

use crate::domain::printable;

use super::code;

/// What an option is called: the registry's names (RFC 2132 and later) in plain words, and conventions of phones, which
/// are said to be such. Empty for a code that nothing here knows.
#[must_use]
pub const fn name(option: u8) -> &'static str {
    match option {
        code::MASK => "subnet mask",
        2 => "time offset",
        code::ROUTER => "router",
        4 => "time server",
        5 => "IEN 116 name server",
        code::DNS => "DNS servers",
        7 => "log servers",
        code::HOST_NAME => "host name",
        code::DOMAIN => "domain name",
        26 => "interface MTU",
        code::BROADCAST => "broadcast address",
        31 => "router discovery",
        33 => "static routes",
        35 => "ARP cache timeout",
        40 => "NIS domain",
        41 => "NIS servers",
        code::NTP => "time servers (NTP)",
        code::VENDOR => "vendor-specific information",
        44 => "NetBIOS name servers",
        46 => "NetBIOS node type",
        47 => "NetBIOS scope",
        code::REQUESTED => "requested address",
        code::LEASE_TIME => "lease time",
        code::OVERLOAD => "overload",
        code::KIND => "message type",
        code::SERVER_ID => "DHCP server",
        code::ASKED => "options asked for",
        code::MESSAGE => "message",
        code::MAX_SIZE => "largest message",
        code::RENEWAL => "renewal time",
        code::REBINDING => "rebinding time",
        code::CLASS => "vendor class",
        code::CLIENT_ID => "client identifier",
        code::TFTP_NAME => "TFTP server name",
        67 => "boot file name",
        72 => "web server",
        77 => "user class",
        80 => "rapid commit",
        81 => "name for DNS (FQDN)",
        code::RELAY => "relay agent information",
        100 => "time zone (POSIX)",
        101 => "time zone (name)",
        119 => "domain search list",
        120 => "SIP servers",
        121 => "classless routes",
        code::VENDOR_CLASS => "vendor class by enterprise",
        code::VENDOR_INFO => "vendor information by enterprise",
        128 | 129 | 144 | 157 | 191 => "voice VLAN (by convention)",
        132 => "voice VLAN",
        133 => "voice priority (by convention)",
        code::TFTP_ADDRESSES => "TFTP server addresses",
        159 | 160 => "provisioning server (by convention)",
        242 => "server (by convention)",
        249 => "classless routes (Microsoft)",
        252 => "web proxy file",
        _ => "",
    }
}

/// An option's content as an engineer reads it: addresses, a text, a count of seconds, or hexadecimal digits.
#[must_use]
pub fn text(option: u8, content: &[u8]) -> String {
    let written = match option {
        code::MASK
        | code::ROUTER
        | code::DNS
        | code::BROADCAST
        | code::NTP
        | code::SERVER_ID
        | code::TFTP_ADDRESSES => addresses(content),
        code::LEASE_TIME | code::RENEWAL | code::REBINDING => seconds(content),
        code::VENDOR => sub_options(content),
        code::VENDOR_INFO => enterprise(content),
        _ => None,
    };
    written.unwrap_or_else(|| plain(content))
}

fn addresses(content: &[u8]) -> Option<String> {
    let (chunks, rest) = content.as_chunks::<4>();
    let list: Vec<_> = chunks.iter().map(|octets| Ipv4Addr::from(*octets).to_string()).collect();
    (rest.is_empty() && !list.is_empty()).then(|| list.join(", "))
}

fn seconds(content: &[u8]) -> Option<String> {
    Some(format!("{} s", u32::from_be_bytes(content.try_into().ok()?)))
}

/// The content of a sub-option: in option 43 (RFC 2132 §8.4), or in the block of an enterprise in option 125 (RFC 3925
/// §4).
#[must_use]
pub fn part(option: u8, content: &[u8], sub: u8) -> Option<&[u8]> {
    let block = if option == code::VENDOR_INFO { block(content)?.1 } else { content };
    parts(block)?.into_iter().find(|(number, _)| *number == sub).map(|(_, part)| part)
}

/// The enterprise of option 125 and what it says, where there is but one.
fn block(content: &[u8]) -> Option<(u32, &[u8])> {
    let (enterprise, rest) = content.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    (usize::from(*length) == rest.len()).then_some((u32::from_be_bytes(*enterprise), rest))
}

fn parts(mut content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut list = Vec::new();
    while let [number, length, rest @ ..] = content {
        let (inner, rest) = rest.split_at_checked(usize::from(*length))?;
        list.push((*number, inner));
        content = rest;
    }
    (content.is_empty() && !list.is_empty()).then_some(list)
}

/// Sub-options, each behind its number.
fn sub_options(content: &[u8]) -> Option<String> {
    let list: Vec<_> =
        parts(content)?.iter().map(|(number, part)| format!("{number}: {}", plain(part))).collect();
    Some(list.join(", "))
}

fn enterprise(content: &[u8]) -> Option<String> {
    let (enterprise, block) = block(content)?;
    Some(format!("enterprise {enterprise}, {}", sub_options(block)?))
}

/// A text, or hexadecimal digits of what is none.
#[must_use]
pub fn plain(content: &[u8]) -> String {
    let is_text = content.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ');
    if is_text && !content.is_empty() {
        return printable(content);
    }
    let digits: Vec<_> = content.iter().take(64).map(|octet| format!("{octet:02x}")).collect();
    digits.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_as_engineers_read_it() {
        let check = |option: u8, content: &[u8], expected: &str| {
            assert_eq!(text(option, content), expected, "{option} {content:?}");
        };
        check(1, &[255, 255, 252, 0], "255.255.252.0");
        check(150, &[10, 0, 0, 1, 10, 0, 0, 2], "10.0.0.1, 10.0.0.2");
        check(150, &[10, 0, 0], "0a0000");
        check(66, b"http://10.0.0.1/", "http://10.0.0.1/");
        check(51, &[0, 1, 0x51, 0x80], "86400 s");
        check(43, &[1, 2, b'h', b'i', 3, 1, 0], "1: hi, 3: 00");
        check(43, &[1, 9, b'h'], "010968");
        check(125, &[0, 0, 4, 3, 4, 5, 2, b'h', b'i'], "enterprise 1027, 5: hi");
        assert_eq!(part(125, &[0, 0, 4, 3, 4, 5, 2, b'h', b'i'], 5), Some(&b"hi"[..]));
        assert_eq!(part(43, &[1, 0, 3, 1, b'x'], 3), Some(&b"x"[..]));
        assert_eq!(part(43, &[1, 9, b'h'], 1), None);
        check(176, b"a\n<", "610a3c");
        check(176, b"", "");
    }
}
