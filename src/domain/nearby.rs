//! Which MACs may be one another's with a mistake or two: an index of what they have in common.

use std::{collections::BTreeSet, ops::ControlFlow};

use super::Mac;

/// Pairs of hexadecimal digits that look alike in print. `O`, `I`, `S`, `Z` and `G` are no digits, so no listed MAC has
/// them: what is read from a label is checked for those before.
pub const ALIKES: [(u8, u8); 3] = [(0x0, 0xd), (0x1, 0x7), (0x8, 0xb)];

/// The lowest bit of each of twelve digits.
const ONES: u64 = 0x1111_1111_1111;

/// The 48 bits of a MAC.
const ALL: u64 = 0xffff_ffff_ffff;

/// The two of four blocks by which a MAC is found, one entry each.
const PAIRS: [(u32, u32); 6] = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];

/// The 48 bits of a MAC with one digit standing for all that look like it.
#[must_use]
pub fn folded(value: u64) -> u64 {
    ALIKES.iter().fold(value, |folded, (low, high)| {
        let there = ONES & !differing(folded ^ (ONES * u64::from(*high)));
        folded ^ (there * u64::from(low ^ high))
    })
}

/// The lowest bit of each digit that is not zero.
#[must_use]
pub const fn differing(digits: u64) -> u64 {
    let pairs = digits | digits >> 1;
    (pairs | pairs >> 2) & ONES
}

/// A set of MACs in which those near another one are found without a look at the rest.
///
/// Every fourth digit belongs to one block, so each of the four blocks has digits of the maker and digits of the phone.
/// Two wrong digits leave two blocks whole, so whoever is that near shares one of the six pairs of blocks. About 100
/// octets a MAC.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nearby(BTreeSet<(u32, [u8; 6])>);

/// All at once, which takes a fraction of putting one after the other in.
impl FromIterator<Mac> for Nearby {
    fn from_iter<T: IntoIterator<Item = Mac>>(macs: T) -> Self {
        let keyed = |mac: Mac| keys(folded(mac.value())).map(|key| (key, mac.octets()));
        Self(macs.into_iter().flat_map(keyed).collect())
    }
}

impl Nearby {
    /// Puts a MAC in; nothing if it is there already.
    pub fn insert(&mut self, mac: Mac) {
        let mut keys = keys(folded(mac.value())).into_iter();
        if keys.next().is_some_and(|first| self.0.insert((first, mac.octets()))) {
            self.0.extend(keys.map(|key| (key, mac.octets())));
        }
    }

    /// Takes a MAC out; nothing if it is not there.
    pub fn remove(&mut self, mac: Mac) {
        for key in keys(folded(mac.value())) {
            self.0.remove(&(key, mac.octets()));
        }
    }

    /// Shows all that may be within two mistakes of a MAC, whatever digits that look alike add to these, until `visit`
    /// breaks: two digits wrong or swapped with their neighbour, or one left out and one put in; and what is derived
    /// from it (the next address, the second port of an adapter). Some are further away, and some come several times.
    pub fn visit(&self, mac: Mac, mut visit: impl FnMut(Mac) -> ControlFlow<()>) {
        for probe in probes(mac.value()) {
            let bucket = self.0.range((probe, [0; 6])..=(probe, [0xff; 6]));
            for other in bucket.filter_map(|(_, octets)| Mac::new(*octets).ok()) {
                if other != mac && visit(other).is_break() {
                    return;
                }
            }
        }
    }
}

/// The three digits of a block, by their places: b, b + 4 and b + 8.
const fn block(value: u64, block: u32) -> u64 {
    let low = 12 - 4 * block;
    (value >> (low + 32) & 0xf) << 8 | (value >> (low + 16) & 0xf) << 4 | value >> low & 0xf
}

/// The key of a pair of blocks: the pair, and their six digits.
fn key(value: u64, (one, other): (u32, u32)) -> u32 {
    let digits = block(value, one) << 12 | block(value, other);
    (4 * one + other) << 24 | u32::try_from(digits).unwrap_or_default()
}

fn keys(value: u64) -> [u32; 6] {
    PAIRS.map(|pair| key(value, pair))
}

/// The keys under which a MAC lies that is near this one.
fn probes(value: u64) -> Vec<u32> {
    let plain = folded(value);
    // Wrong digits: two blocks are whole. One swap is undone first, and then one more mistake leaves two whole.
    let swapped = (0..11).map(|place| swapped(plain, place)).filter(|other| *other != plain);
    let mut probes: Vec<u32> = [plain].into_iter().chain(swapped).flat_map(keys).collect();
    for gap in 0..12 {
        // All digits but the one put in are known then, so one pair is enough; the last two blocks tell most.
        let pair = match gap % 4 {
            0 | 1 => (2, 3),
            2 => (0, 3),
            _ => (0, 2),
        };
        let others = (0..12).filter(|out| *out != gap);
        probes.extend(others.map(|out| key(moved(plain, out, gap), pair)));
    }
    // The next addresses, the second port of an adapter, and the first of one, whose first octet nobody knows: it lies
    // outside of the last two blocks.
    let derived = [value.wrapping_sub(1), value + 1, value << 8 | 1, value >> 8];
    probes.extend(derived.map(|other| key(folded(other & ALL), (2, 3))));
    probes.sort_unstable();
    probes.dedup();
    probes
}

/// The same with the digit at `place` (from the left) and its right neighbour swapped.
const fn swapped(value: u64, place: u32) -> u64 {
    let low = 40 - 4 * place;
    let crossed = (value >> low ^ value >> (low + 4)) & 0xf;
    value ^ crossed << low ^ crossed << (low + 4)
}

/// The same with the digit at `out` left out and any digit put in at `gap`: those between move by one place.
const fn moved(value: u64, out: u32, gap: u32) -> u64 {
    // Where digits move to the left, those from `out` to `gap`; else those from `gap` to `out`.
    let (first, last) = if out < gap { (out, gap) } else { (gap, out) };
    let window = (ALL >> (4 * first)) & !((1 << (44 - 4 * last)) - 1);
    let shifted = if out < gap { value << 4 } else { value >> 4 };
    value & !window | shifted & window
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(there: &str, asked: &str) -> bool {
        let (there, asked): (Mac, Mac) = (there.parse().unwrap(), asked.parse().unwrap());
        let mut nearby = Nearby::default();
        nearby.insert(there);
        nearby.insert(there);
        assert_eq!(Nearby::from_iter([there, there]), nearby);
        let mut found = false;
        nearby.visit(asked, |other| {
            found |= other == there;
            ControlFlow::Continue(())
        });
        nearby.remove(there);
        assert_eq!(nearby, Nearby::default());
        found
    }

    #[test]
    fn what_is_found() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(found(one, other), expected, "{one} {other}");
            assert_eq!(found(other, one), expected, "{other} {one}");
        };
        check("0004f2aabbcc", "0004f2aabbca", true);
        check("0004f2aabbcc", "0004f2aa2bc3", true);
        check("0004f2aabbcc", "d0d4f2aa8b1c", true); // one digit, and three that look alike
        check("0004f2aa12cc", "0004f2aa21c1", true); // swapped, and one digit
        check("0004f2aa1234", "0004f2aa2143", true); // swapped twice
        check("0004f2123456", "0004f2112345", true); // one doubled, the last one lost
        check("0004f2abc000", "0004f2abbfff", true); // the next address
        check("001a2b3c4d5e", "1a2b3c4d5e01", true); // an adapter's second port
        check("0004f2aabbcc", "0004f2345678", false);
    }

    #[test]
    fn digits_move() {
        let check = |out: u32, gap: u32, expected: u64| {
            // The digit in the gap is anybody's.
            let other = moved(0x1234_5678_9abc, out, gap);
            assert_eq!((other ^ expected) & !(0xf << (44 - 4 * gap)), 0, "{out} {gap} {other:x}");
        };
        check(0, 11, 0x2345_6789_abc0);
        check(11, 0, 0x0123_4567_89ab);
        check(4, 6, 0x1234_6708_9abc);
        check(6, 4, 0x1234_0568_9abc);
    }
}
