//! How option 60 of a family begins: what a DHCP server without regular expressions can compare.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::{Catalog, Family};

/// More beginnings than this of one expression are cut short where they part.
const MAX_STEMS: usize = 32;

/// More letters than this at one place are no list of models but a placeholder: the beginning ends there.
const MAX_LETTERS: usize = 4;

/// The first octets of option 60.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Opening {
    /// Never empty; in lower case where case does not count.
    pub octets: Vec<u8>,
    /// True if case does not count.
    pub any_case: bool,
}

impl Opening {
    /// The octets as text, if every server can compare them as such.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let printable = self.octets.iter().all(|octet| (b' '..=b'~').contains(octet));
        std::str::from_utf8(&self.octets).ok().filter(|_| printable)
    }

    /// True if a text begins so.
    #[must_use]
    pub fn begins(&self, text: &str) -> bool {
        let head = text.as_bytes().get(..self.octets.len());
        head.is_some_and(|head| {
            if self.any_case {
                head.eq_ignore_ascii_case(&self.octets)
            } else {
                head == self.octets
            }
        })
    }

    /// True if whatever begins like `other` begins like this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let Some(head) = other.octets.get(..self.octets.len()) else { return false };
        match (self.any_case, other.any_case) {
            (true, _) => head.eq_ignore_ascii_case(&self.octets),
            (false, false) => head == self.octets,
            (false, true) => false,
        }
    }
}

impl Catalog {
    /// The beginnings that option 60 of a family may have, longer ones beside the shorter ones that cover them.
    ///
    /// They say less than the profile's expressions: whatever fits an expression begins like one of them, and so may
    /// something else. Empty for a family that is not told by the beginning of option 60.
    #[must_use]
    pub fn openings(&self, family: &Family) -> Vec<Opening> {
        let own = self.families.iter().position(|one| one.name == family.name);
        let Some(recognizer) = own.and_then(|place| self.recognizers.get(place)) else {
            return Vec::new();
        };
        let mut all: Vec<_> =
            recognizer.option_60.iter().flat_map(|one| one.regex.openings()).cloned().collect();
        all.extend(recognizer.enterprise.map(|number| {
            let octets = number.to_be_bytes().to_vec();
            Opening { octets, any_case: false }
        }));
        all.sort();
        all.dedup();
        all
    }

    /// The beginnings of option 60 of clients that are known not to be phones.
    #[must_use]
    pub fn other_openings(&self) -> Vec<Opening> {
        let mut all: Vec<_> =
            self.clients.iter().flat_map(|(regex, _)| regex.openings()).cloned().collect();
        all.sort();
        all.dedup();
        all
    }
}

/// A beginning as far as it was read.
#[derive(Clone, Debug, Default)]
struct Stem {
    octets: Vec<u8>,
    any_case: bool,
    /// What follows is open: nothing is appended any more.
    ended: bool,
}

/// The beginnings of what fits an expression; none if it may begin with anything.
pub(super) fn openings(regex: &str) -> Vec<Opening> {
    let Ok(hir) = regex_syntax::parse(regex) else { return Vec::new() };
    if !hir.properties().look_set_prefix().contains(Look::Start) {
        return Vec::new();
    }
    let stems = extend(vec![Stem::default()], &hir);
    if stems.iter().any(|stem| stem.octets.is_empty()) {
        return Vec::new();
    }
    let opening = |stem: Stem| {
        let octets = if stem.any_case { stem.octets.to_ascii_lowercase() } else { stem.octets };
        Opening { octets, any_case: stem.any_case }
    };
    let mut all: Vec<_> = stems.into_iter().map(opening).collect();
    all.sort();
    all.dedup();
    all
}

fn extend(mut stems: Vec<Stem>, hir: &Hir) -> Vec<Stem> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(Look::Start) => stems,
        // What may be absent is both there and not.
        HirKind::Repetition(part) if part.min == 0 && part.max == Some(1) => {
            let all = [extend(stems.clone(), &part.sub), stems.clone()].concat();
            if all.len() > MAX_STEMS { end(stems) } else { all }
        }
        HirKind::Repetition(part) if part.min > 0 => end(extend(stems, &part.sub)),
        HirKind::Look(_) | HirKind::Repetition(_) => end(stems),
        HirKind::Literal(literal) => {
            for stem in stems.iter_mut().filter(|stem| !stem.ended) {
                stem.octets.extend(&literal.0);
            }
            stems
        }
        HirKind::Class(class) => match letters(class) {
            Some(letters) => spell(stems, &letters),
            None => end(stems),
        },
        HirKind::Capture(capture) => extend(stems, &capture.sub),
        HirKind::Concat(parts) => parts.iter().fold(stems, extend),
        HirKind::Alternation(ways) => {
            let all: Vec<Stem> = ways.iter().flat_map(|way| extend(stems.clone(), way)).collect();
            if all.len() > MAX_STEMS { end(stems) } else { all }
        }
    }
}

fn end(mut stems: Vec<Stem>) -> Vec<Stem> {
    for stem in &mut stems {
        stem.ended = true;
    }
    stems
}

/// Appends each of `letters`; both cases of one letter stay one beginning, whose case does not count.
fn spell(stems: Vec<Stem>, letters: &[u8]) -> Vec<Stem> {
    let pair = matches!(letters, [one, other] if one.eq_ignore_ascii_case(other));
    let letters = if pair { &letters[..1] } else { letters };
    if stems.len() * letters.len() > MAX_STEMS {
        return end(stems);
    }
    let mut all = Vec::new();
    for stem in stems {
        if stem.ended {
            all.push(stem);
            continue;
        }
        for letter in letters {
            let mut longer = stem.clone();
            longer.octets.push(*letter);
            longer.any_case |= pair;
            all.push(longer);
        }
    }
    all
}

/// The few ASCII letters of a class. What Unicode folds into them (the Kelvin sign for `k`) no phone sends.
fn letters(class: &Class) -> Option<Vec<u8>> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    let letters: Vec<u8> = ranges
        .into_iter()
        .flat_map(|(first, last)| first..=last.min(0x7f))
        .take(MAX_LETTERS + 1)
        .filter_map(|letter| u8::try_from(letter).ok())
        .collect();
    (1..=MAX_LETTERS).contains(&letters.len()).then_some(letters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(regex: &str, expected: &str) {
        let shown = |opening: Opening| {
            let text = String::from_utf8(opening.octets).unwrap();
            if opening.any_case { format!("~{text}") } else { text }
        };
        let found: Vec<_> = openings(regex).into_iter().map(shown).collect();
        assert_eq!(found.join("|"), expected, "{regex}");
    }

    #[test]
    fn beginnings() {
        check(
            r"^Cisco Systems, Inc\. IP Phone CP-(?P<model>79[46]0G?)$",
            "Cisco Systems, Inc. IP Phone CP-7940|Cisco Systems, Inc. IP Phone CP-7940G|\
             Cisco Systems, Inc. IP Phone CP-7960|Cisco Systems, Inc. IP Phone CP-7960G",
        );
        check(
            r"^Cisco Systems, Inc\. IP Phone CP-(?P<model>79\d\dG?)",
            "Cisco Systems, Inc. IP Phone CP-79",
        );
        check(r"^(?P<vendor>Cisco Systems),? Inc", "Cisco Systems Inc|Cisco Systems, Inc");
        check("^(?:Poly)?com", "Polycom|com");
        check(r"^x+y", "x");
        check(r"^(?i:(?P<vendor>yealink))", "~yealink");
        check(r"^(?i:snom|k\+)", "~k+|~snom");
        check(r"^d-i$", "d-i");
        check(
            r"^Hewlett-Packard (JetDirect|LaserJet)",
            "Hewlett-Packard JetDirect|Hewlett-Packard LaserJet",
        );
        check(r"^dhcpcd[- ]", "dhcpcd |dhcpcd-");
    }

    #[test]
    fn what_may_begin_with_anything() {
        check("yealink", "");
        check(r"^\w+ phone", "");
        check("^(?:Poly)?", "");
        check("^(?:a|)b*", "");
    }

    #[test]
    fn one_covers_another() {
        let opening = |text: &str, any_case| Opening { octets: text.into(), any_case };
        let check =
            |one: Opening, other: Opening, covers: bool| assert_eq!(one.covers(&other), covers);
        check(opening("Poly", false), opening("Polycom-", false), true);
        check(opening("Polycom-", false), opening("Poly", false), false);
        check(opening("poly", true), opening("Polycom", false), true);
        check(opening("poly", false), opening("poly", true), false);
    }

    proptest! {
        /// Whatever an expression takes begins like one of its beginnings.
        #[test]
        fn nothing_that_fits_begins_otherwise(
            text in "(Cisco Systems,? Inc|[Yy][Ee]alink T4[68]|Polycom-(VVX|SPIP)[0-9]{3}){1}",
        ) {
            for regex in ["^Cisco Systems,? Inc$", r"^(?i:yealink) T4[68]", r"^Polycom-(?:VVX|SPIP)\d{3}$"] {
                if regex::Regex::new(regex).unwrap().is_match(&text) {
                    let text = Opening { octets: text.clone().into_bytes(), any_case: false };
                    prop_assert!(openings(regex).iter().any(|opening| opening.covers(&text)));
                }
            }
        }
    }
}
