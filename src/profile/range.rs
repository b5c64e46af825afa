//! Blocks of hardware addresses: a registered prefix, or a part of one that tells a model.

use std::collections::HashMap;

use crate::domain::Mac;

use super::Family;

/// Digits of a whole address.
const DIGITS: usize = 12;

/// Digits of the shortest block that says anything: the registry gives out no more than that.
const PREFIX: usize = 6;

/// The bits of an address behind its prefix.
const OWN_BITS: usize = 4 * (DIGITS - PREFIX);

/// A block of addresses, both ends included: one weak vote for who made the phone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    first: u64,
    last: u64,
    /// The name on the box, where it is not the family's vendor.
    pub brand: Option<String>,
    /// The model that the block was used for; vendors tell this of few.
    pub model: Option<String>,
}

impl Block {
    /// Reads `0004f2`, a longer beginning such as `000413e5`, or `000413800000-000413809eb2`.
    ///
    /// `None` for anything else, and for a block larger than a registered prefix.
    pub(super) fn new(text: &str) -> Option<Self> {
        let (first, last) = match text.split_once('-') {
            Some((first, last)) if first.len() == DIGITS && last.len() == DIGITS => {
                (number(first)?, number(last)?)
            }
            None if (PREFIX..=DIGITS).contains(&text.len()) => {
                let first = number(text)? << (4 * (DIGITS - text.len()));
                (first, first | !(u64::MAX << (4 * (DIGITS - text.len()))))
            }
            _ => return None,
        };
        let fits = first <= last && last - first < 1 << (4 * (DIGITS - PREFIX));
        fits.then_some(Self { first, last, brand: None, model: None })
    }

    /// True if the address lies in it.
    #[must_use]
    pub fn holds(&self, mac: Mac) -> bool {
        self.has(as_number(mac))
    }

    const fn has(&self, number: u64) -> bool {
        self.first <= number && number <= self.last
    }

    /// The first address in it, as a number.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// How many addresses it has, less one: of two blocks that hold an address, the smaller says more.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.last - self.first
    }
}

/// The blocks of all families by the prefixes that they lie in: each file and each DHCP message asks whose an address is.
#[derive(Debug, Default)]
pub(super) struct Prefixes(HashMap<u64, Vec<(usize, usize)>>);

impl Prefixes {
    pub(super) fn new(families: &[Family]) -> Self {
        let mut prefixes = Self::default();
        for (place, family) in families.iter().enumerate() {
            for (number, block) in family.blocks.iter().enumerate() {
                // Two of them at most, as none is larger than a prefix.
                for prefix in block.first >> OWN_BITS..=block.last >> OWN_BITS {
                    prefixes.0.entry(prefix).or_default().push((place, number));
                }
            }
        }
        prefixes
    }

    /// The blocks of these families that hold an address, each with the place of its family and in the order of these.
    pub(super) fn holding<'a>(
        &self,
        families: &'a [Family],
        mac: Mac,
    ) -> impl Iterator<Item = (usize, &'a Block)> {
        let number = as_number(mac);
        let near = self.0.get(&(number >> OWN_BITS)).into_iter().flatten();
        let blocks = near.map(|(place, block)| (*place, &families[*place].blocks[*block]));
        blocks.filter(move |(_, block)| block.has(number))
    }
}

fn as_number(mac: Mac) -> u64 {
    mac.octets().iter().fold(0, |high, octet| high << 8 | u64::from(*octet))
}

/// Hexadecimal digits and nothing else: `from_str_radix` would take a sign.
fn number(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        let check = |block: &str, mac: &str, holds: bool| {
            let block = Block::new(block).unwrap();
            assert_eq!(block.holds(mac.parse().unwrap()), holds, "{mac}");
        };
        check("0004f2", "0004f2000000", true);
        check("0004F2", "0004f2ffffff", true);
        check("0004f2", "0004f3000000", false);
        check("000413e5", "000413e5bbcc", true);
        check("000413e5", "000413e6bbcc", false);
        check("000413800000-000413809eb2", "000413809eb2", true);
        check("000413800000-000413809eb2", "000413809eb3", false);
        check("0004f2aabbcc", "0004f2aabbcc", true);
        let smaller = |one: &str, other: &str| {
            Block::new(one).unwrap().size() < Block::new(other).unwrap().size()
        };
        assert!(smaller("000413e5", "000413"));
    }

    #[test]
    fn what_is_no_block() {
        for text in [
            "",
            "0004f",
            "0004f2aabbccd",
            "0004g2",
            "+004f2",
            "0004f2-0004f3",
            "000413000001-000413000000",
        ] {
            assert_eq!(Block::new(text), None, "{text}");
        }
        assert_eq!(Block::new("000413000000-000415000000"), None, "larger than a prefix");
    }
}
