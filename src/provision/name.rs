//! Wire names made fit to be looked up.

use percent_encoding::percent_decode_str;

use crate::domain::{Mac, MacError};

/// The longest name that is looked at, in bytes: what a file system could hold as one component. A longer one fits no
/// file, so nothing is lost by not reading it.
pub(super) const MAX_NAME: usize = 255;

/// A wire name without what phones decorate it with: leading slashes, `./`, backslashes, doubled slashes.
///
/// `None` for what can't name a file here: nothing, over [`MAX_NAME`] bytes, a control character, or a `..` component.
/// Because `..` ends here, no later code has to think of it. The case stays: the record shows what the phone wrote.
pub(super) fn normalize(raw: &str) -> Option<String> {
    if raw.len() > MAX_NAME || raw.chars().any(char::is_control) {
        return None;
    }
    let mut name = String::with_capacity(raw.len());
    for part in parts(raw) {
        if part == ".." {
            return None;
        }
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(part);
    }
    (!name.is_empty()).then_some(name)
}

/// The components of a wire name, without the empty ones and those that stay where they are.
pub(super) fn parts(raw: &str) -> impl Iterator<Item = &str> {
    raw.split(['/', '\\']).filter(|part| !matches!(*part, "" | "."))
}

/// The last component of a normalized name.
pub(super) fn base(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, base)| base)
}

/// The MAC in a name that no family knows: twelve hexadecimal digits in its last component.
///
/// Decides who may have an operator's file, where taking too many names for a phone's own is the safe side, and tells a
/// person whose file such a name is. So the digits may stand alone, or behind or before letters, some of which may look like digits (`spa0002fdaabbcc.cfg`,
/// as Cisco SPA phones ask), or in pairs (`00-11-22-aa-bb-cc.xml`).
#[must_use]
pub fn mac_in(name: &str) -> Option<Mac> {
    digits_in(name).find_map(|digits| digits.parse().ok())
}

/// The MAC in the query of a URL, percent-encoded or not, which some phones put there.
#[must_use]
pub fn mac_in_query(query: &str) -> Option<Mac> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| {
        let value = percent_decode_str(value).decode_utf8_lossy();
        is_mac_key(key).then(|| value.parse().ok()).flatten()
    })
}

/// True for the key of a query's value that is a MAC: `mac`, `MAC`, `macaddr`, `device_mac` and the like, as operators
/// write it into the URL and phones expand it.
fn is_mac_key(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let mut words = lower.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "mac" | "macaddr" | "macaddress" | "macid"))
}

/// The digits in a name that would be a MAC if they did not name a group: what the name says, and no phone's address.
///
/// All ones are a broadcast, which nobody means by a name.
#[must_use]
pub fn group_in(name: &str) -> Option<String> {
    let is_group = |digits: &str| {
        let none = digits.bytes().all(|digit| matches!(digit, b'f' | b'F'));
        !none && digits.parse::<Mac>() == Err(MacError::Group)
    };
    let digits = digits_in(name).find(|digits| is_group(digits))?.to_ascii_lowercase();
    let pairs = digits.as_bytes().chunks(2).map(String::from_utf8_lossy);
    Some(pairs.collect::<Vec<_>>().join(":"))
}

/// Every twelve digits of a name that may be an address, as they stand there but for their separators.
fn digits_in(name: &str) -> impl Iterator<Item = String> {
    let base = base(name);
    let alone = base.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() == 12);
    let beside_letters = base.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(beside_letters);
    alone.chain(beside_letters).map(str::to_owned).chain(in_pairs(base))
}

/// The last and the first twelve characters of a word, where nothing but letters stands on their other side.
fn beside_letters(word: &str) -> impl Iterator<Item = &str> {
    let is_word = |rest: &str| rest.bytes().all(|letter| letter.is_ascii_alphabetic());
    let last = word.len().checked_sub(12).and_then(|at| word.split_at_checked(at));
    let first = word.split_at_checked(12);
    let last = last.filter(|(rest, _)| is_word(rest)).map(|(_, run)| run);
    let first = first.filter(|(_, rest)| is_word(rest)).map(|(run, _)| run);
    let runs = last.into_iter().chain(first);
    runs.filter(|run| run.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Six pairs of digits with one kind of separator between them, and no digit before or behind.
fn in_pairs(base: &str) -> Option<String> {
    const LENGTH: usize = 17;
    let is_digit = |at: usize| base.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    (0..base.len()).find_map(|start| {
        let pairs = base.get(start..start + LENGTH)?;
        let separator = pairs.as_bytes()[2];
        let fits = |(at, octet): (usize, u8)| match at % 3 {
            2 => octet == separator && matches!(octet, b'-' | b':' | b'.' | b'_'),
            _ => octet.is_ascii_hexdigit(),
        };
        let apart = !is_digit(start + LENGTH) && !start.checked_sub(1).is_some_and(is_digit);
        let fit = apart && pairs.bytes().enumerate().all(fits);
        let named = |digits: &String| digits.parse::<Mac>() != Err(MacError::Zero);
        fit.then(|| pairs.chars().filter(char::is_ascii_hexdigit).collect()).filter(named)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_phones_spell_them() {
        let check =
            |raw: &str, name: Option<&str>| assert_eq!(normalize(raw).as_deref(), name, "{raw}");
        check("SEP001E7AC41022.cnf.xml", Some("SEP001E7AC41022.cnf.xml"));
        check("/spa504G.cfg", Some("spa504G.cfg"));
        check("//./0004f2aabbcc.cfg", Some("0004f2aabbcc.cfg"));
        check("\\Desktops\\320x212x12\\List.xml", Some("Desktops/320x212x12/List.xml"));
        check("a/../b", None);
        check("..\\..\\etc\\passwd", None);
        check("/", None);
        check("", None);
        check("a\0b", None);
        check(&"x".repeat(256), None);
        check("..a/b..", Some("..a/b.."));
    }

    #[test]
    fn macs_in_names() {
        let check = |name: &str, mac: Option<&str>| {
            assert_eq!(mac_in(name).map(Mac::lower).as_deref(), mac, "{name}");
        };
        check("SEP001E7AC41022.cnf", Some("001e7ac41022"));
        check("cfg001565aabbcc.xml", Some("001565aabbcc"));
        check("001565aabbcc/common.cfg", None);
        check("000000000000.cfg", None);
        check("0015650000001.cfg", None);
        // Letters that look like digits beside it.
        check("spa0002fdaabbcc.cfg", Some("0002fdaabbcc"));
        check("phone001565aabbcc-extra.xml", Some("001565aabbcc"));
        check("001565aabbccbackup.cfg", Some("001565aabbcc"));
        check("00-15-65-aa-bb-cc.xml", Some("001565aabbcc"));
        check("cfg_00:15:65:AA:BB:CC", Some("001565aabbcc"));
        check("00-15-65-aa-bb-cc-dd.xml", Some("001565aabbcc"));
        check("000-15-65-aa-bb-cc.xml", None);
        check("00-15:65-aa-bb-cc.xml", None);
        check("facade-of-the-cafe.jpg", None);
        check("01-15-65-aa-bb-cc.xml", None);
    }

    #[test]
    fn macs_in_queries() {
        let check = |query: &str, expected: Option<&str>| {
            assert_eq!(
                mac_in_query(query).map(|mac| mac.to_string()).as_deref(),
                expected,
                "{query}"
            );
        };
        check("mac=001565aabbcc", Some("00:15:65:aa:bb:cc"));
        check("model=T46S&MAC=00%3A15%3A65%3Aaa%3Abb%3Acc", Some("00:15:65:aa:bb:cc"));
        check("mac=", None);
        check("mac=%zz&mac=001565aabbcc", Some("00:15:65:aa:bb:cc"));
        check("device_mac=001565aabbcc&x", Some("00:15:65:aa:bb:cc"));
        check("machine=001565aabbcc", None);
    }

    #[test]
    fn groups_in_names() {
        let check = |name: &str, group: Option<&str>| {
            assert_eq!(group_in(name).as_deref(), group, "{name}");
        };
        check("ipst_config_01_02_03_04_05_AB.cfg", Some("01:02:03:04:05:ab"));
        check("011565aabbcc.cfg", Some("01:15:65:aa:bb:cc"));
        check("001565aabbcc.cfg", None);
        check("ffffffffffff.cfg", None);
        check("000000000000.cfg", None);
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_search_for_a_mac(name in r"[0-9a-fx:.é-]{0,40}", any in ".{0,40}") {
            let _ = (mac_in(&name), mac_in(&any));
        }

        #[test]
        fn never_leads_upwards(raw in r"[./\\a-z]{0,40}") {
            if let Some(name) = normalize(&raw) {
                prop_assert!(!name.starts_with('/') && name.split('/').all(|part| part != ".." && !part.is_empty()));
                prop_assert_eq!(normalize(&name), Some(name.clone()));
            }
        }
    }
}
