//! Wire names made fit to be looked up.

use crate::domain::Mac;

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
    for part in raw.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")) {
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

/// The last component of a normalized name.
pub(super) fn base(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, base)| base)
}

/// The MAC in a name that no family knows: a run of exactly twelve hexadecimal digits in its last component.
///
/// Decides who may have an operator's file, where taking too many names for a phone's own is the safe side, and tells a
/// person whose file such a name is.
#[must_use]
pub fn mac_in(name: &str) -> Option<Mac> {
    let runs = base(name).split(|c: char| !c.is_ascii_hexdigit());
    runs.filter(|run| run.len() == 12).find_map(|run| run.parse().ok())
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
    }

    proptest! {
        #[test]
        fn never_leads_upwards(raw in r"[./\\a-z]{0,40}") {
            if let Some(name) = normalize(&raw) {
                prop_assert!(!name.starts_with('/') && name.split('/').all(|part| part != ".." && !part.is_empty()));
                prop_assert_eq!(normalize(&name), Some(name.clone()));
            }
        }
    }
}
