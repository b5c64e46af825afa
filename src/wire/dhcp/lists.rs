//! Options with a form of their own: names, routes, blocks of enterprises.

use std::{collections::BTreeMap, net::Ipv4Addr};

/// The longest label of a domain name, in octets (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// The farthest that a compressed name can point back (RFC 1035 §4.1.4).
const MAX_POINTER: usize = 0x3fff;

/// A route: the network, its prefix length, and the router.
pub type Route = (Ipv4Addr, u8, Ipv4Addr);

/// The domain search list of option 119, compressed (RFC 3397 §2); a name that is none is left out.
#[must_use]
pub fn search_list(names: &[String]) -> Vec<u8> {
    let mut list = Vec::new();
    // Where each ending of a name stands.
    let mut known: BTreeMap<String, u16> = BTreeMap::new();
    for name in names {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let fits = |label: &str| (1..=MAX_LABEL).contains(&label.len());
        if name.split('.').all(fits) {
            write_name(&name, &mut known, &mut list);
        }
    }
    list
}

fn write_name(name: &str, known: &mut BTreeMap<String, u16>, list: &mut Vec<u8>) {
    let mut rest = name;
    loop {
        if let Some(place) = known.get(rest) {
            return list.extend((0xc000 | place).to_be_bytes());
        }
        if let Some(place) = u16::try_from(list.len()).ok().filter(|_| list.len() <= MAX_POINTER) {
            known.insert(rest.to_owned(), place);
        }
        let (label, tail) = rest.split_once('.').unwrap_or((rest, ""));
        list.push(u8::try_from(label.len()).unwrap_or(0));
        list.extend(label.as_bytes());
        if tail.is_empty() {
            return list.push(0);
        }
        rest = tail;
    }
}

/// The classless routes of option 121 (RFC 3442): of each network only the octets that its prefix has. Whoever reads
/// them must not look at option 3, so the default route by `router` is among them, unless one is.
#[must_use]
pub fn routes(list: &[Route], router: Option<Ipv4Addr>) -> Vec<u8> {
    let default = router.map(|router| (Ipv4Addr::UNSPECIFIED, 0, router));
    let default = default.filter(|_| list.iter().all(|(_, prefix, _)| *prefix != 0));
    let mut content = Vec::new();
    for (network, prefix, router) in list.iter().copied().chain(default) {
        content.push(prefix);
        content.extend(&network.octets()[..usize::from(prefix.min(32)).div_ceil(8)]);
        content.extend(router.octets());
    }
    content
}

/// The blocks of several enterprises in an option 124 or 125 (RFC 3925 §3, §4): number, length, content. Reading ends at
/// the first whose length does not fit.
pub fn vendor_blocks(content: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let (number, tail) = rest.split_first_chunk::<4>()?;
        let (length, tail) = tail.split_first()?;
        let (block, tail) = tail.split_at_checked(usize::from(*length))?;
        rest = tail;
        Some((u32::from_be_bytes(*number), block))
    })
}

/// What is answered to the name that a client sends in option 81 (RFC 4702 §4): that nobody here tells the DNS. `None`
/// where no answer is due: it is too short, or no domain name.
///
/// Flags from the lowest bit: S, who updates the address record; O, that this overrules the client; E, the name is in
/// the DNS's own form; N, no updates at all.
#[must_use]
pub fn fqdn_answer(content: &[u8]) -> Option<Vec<u8>> {
    const S: u8 = 1;
    const O: u8 = 2;
    const E: u8 = 4;
    const N: u8 = 8;
    let (&[flags, _, _], name) = content.split_first_chunk::<3>()?;
    let sound = if flags & E != 0 { is_labels(name) } else { is_text(name) };
    let overruled = if flags & S != 0 { O } else { 0 };
    // Both result codes are 255 always (RFC 4702 §2.2).
    sound.then(|| [&[flags & E | overruled | N, 255, 255], name].concat())
}

fn is_text(name: &[u8]) -> bool {
    name.split(|octet| *octet == b'.').all(|label| label.len() <= MAX_LABEL)
}

/// Labels up to the end, or up to the empty one of the root; without it the name is partial.
fn is_labels(name: &[u8]) -> bool {
    let mut rest = name;
    while let Some((&length, tail)) = rest.split_first() {
        let length = usize::from(length);
        match tail.get(length..) {
            _ if length == 0 => return tail.is_empty(),
            Some(tail) if length <= MAX_LABEL => rest = tail,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_3397_section_2_a_search_list_is_compressed() {
        let names = ["eng.apple.com", "marketing.apple.com.", "apple.com"].map(str::to_owned);
        // The example of RFC 3397, and one more name that stands in the first already.
        let expected = b"\x03eng\x05apple\x03com\0\x09marketing\xc0\x04\xc0\x04";
        assert_eq!(search_list(&names), expected);
        assert_eq!(search_list(&["a..b".to_owned(), String::new(), "x".repeat(64)]), b"");
    }

    #[test]
    fn rfc_3442_routes_hold_the_octets_of_their_prefix() {
        let ip = |text: &str| text.parse::<Ipv4Addr>().unwrap();
        let router = ip("10.20.0.1");
        let check = |network: &str, prefix: u8, expected: &[u8]| {
            let route = [(ip(network), prefix, router)];
            assert_eq!(routes(&route, None), [expected, &[10, 20, 0, 1]].concat(), "{network}");
        };
        // The table of RFC 3442.
        check("0.0.0.0", 0, &[0]);
        check("10.0.0.0", 8, &[8, 10]);
        check("10.0.0.0", 24, &[24, 10, 0, 0]);
        check("10.17.0.0", 16, &[16, 10, 17]);
        check("10.27.129.0", 24, &[24, 10, 27, 129]);
        check("10.229.0.128", 25, &[25, 10, 229, 0, 128]);
        check("10.198.122.47", 32, &[32, 10, 198, 122, 47]);
        // Option 3 does not count beside them.
        let voice = [(ip("10.0.0.0"), 8, router)];
        assert_eq!(routes(&voice, Some(router)), [8, 10, 10, 20, 0, 1, 0, 10, 20, 0, 1]);
        let default = [(ip("0.0.0.0"), 0, ip("10.20.0.9"))];
        assert_eq!(routes(&default, Some(router)), [0, 10, 20, 0, 9]);
    }

    #[test]
    fn rfc_3925_a_bad_length_ends_the_reading() {
        let two = [0, 0, 0, 9, 2, b'a', b'b', 0, 0, 0x33, 0x4b, 0];
        let blocks: Vec<_> = vendor_blocks(&two).collect();
        assert_eq!(blocks, [(9, &b"ab"[..]), (13_131, &b""[..])]);
        assert_eq!(vendor_blocks(&[0, 0, 0, 9, 3, b'a', b'b']).count(), 0);
        assert_eq!(vendor_blocks(&[&two[..], &[0, 0, 0, 1]].concat()).count(), 2);
    }

    #[test]
    fn rfc_4702_the_answer_to_a_name() {
        let check = |content: &[u8], expected: Option<&[u8]>| {
            assert_eq!(fqdn_answer(content).as_deref(), expected, "{content:?}");
        };
        check(b"\x05\0\0\x03sep\x05voice\0", Some(b"\x0e\xff\xff\x03sep\x05voice\0"));
        check(b"\x04\0\0\x03sep", Some(b"\x0c\xff\xff\x03sep"));
        check(b"\0\0\0sep.voice", Some(b"\x08\xff\xffsep.voice"));
        check(b"\x01\0\0", Some(b"\x0a\xff\xff"));
        // Too short, a label that is too long (CVE-2022-2929), one that ends beyond the option, more behind the root.
        check(b"\x05\0", None);
        check(&[&[4, 0, 0, 64][..], &[b'a'; 64]].concat(), None);
        check(&[&[0, 0, 0][..], &[b'a'; 64]].concat(), None);
        check(b"\x04\0\0\x09sep", None);
        check(b"\x04\0\0\0a", None);
    }

    proptest! {
        #[test]
        fn no_content_panics(content in prop::collection::vec(any::<u8>(), 0..300), names: Vec<String>) {
            if let Some(answer) = fqdn_answer(&content) {
                prop_assert_eq!(answer.len(), content.len());
            }
            let read: usize = vendor_blocks(&content).map(|(_, block)| block.len() + 5).sum();
            prop_assert!(read <= content.len());
            let _ = search_list(&names);
        }
    }
}
