//! What a recorded refusal meant.

use std::net::Ipv4Addr;

use crate::domain::{Boot, Transfer};

/// What a recorded refusal meant. The record keeps the words; the test below holds them together with
/// [`super::super::Why`], which writes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::provision) enum Reason {
    NotListed,
    NoNumbersLeft,
    Withheld,
    Missing,
    Broken,
}

impl Reason {
    /// Reads the words of a refusal.
    pub fn of(text: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
        if says(&["auto-registration is closed"]) {
            Self::NotListed
        } else if says(&["no number is left"]) {
            Self::NoNumbersLeft
        } else if says(&["its file is withheld", "its phone is unknown"]) {
            Self::Withheld
        } else if says(&["there is no ", "no family has a file"]) {
            Self::Missing
        } else {
            Self::Broken
        }
    }
}

/// The address that a phone without a lease asked from lately, where its own file was withheld for that: shown to
/// operators as its address, and believed by nobody.
#[must_use]
pub fn asked_from(boot: &Boot) -> Option<Ipv4Addr> {
    let peer = |one: &Transfer| {
        let text = one.refused.as_deref()?;
        text.strip_suffix(" holds no lease, so its phone is unknown")?.parse().ok()
    };
    boot.transfers.iter().rev().find_map(peer)
}

#[cfg(test)]
mod tests {
    use super::{super::super::Why, *};
    use crate::domain::Mac;

    #[test]
    fn refusals_are_understood() {
        let phone: Mac = "001e7ac41022".parse().unwrap();
        let (peer, name) = ([10, 0, 0, 9].into(), "x".to_owned());
        let check = |why: Why, reason| assert_eq!(Reason::of(&why.to_string()), reason, "{why}");
        check(Why::NoSuchFile { name: name.clone() }, Reason::Missing);
        check(Why::Missing { name }, Reason::Missing);
        let (name, vendor) = ("x".to_owned(), "Acme".to_owned());
        check(Why::Foreign { name, vendor }, Reason::Missing);
        check(Why::NotListed { phone }, Reason::NotListed);
        check(Why::NoNumbersLeft { phone, range: String::new() }, Reason::NoNumbersLeft);
        check(Why::NoLease { peer }, Reason::Withheld);
        check(Why::NotItsAddress { phone, peer }, Reason::Withheld);
        check(Why::Unrenderable { text: "f/a.j2:3: undefined".to_owned() }, Reason::Broken);
    }
}
