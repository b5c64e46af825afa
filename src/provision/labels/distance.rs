//! How far two MACs lie apart, counted in mistakes of somebody who reads a label.

use crate::domain::{ALIKES, Mac, differing, folded};

/// One mistake. Costs are whole hundredths, so that they add up and compare exactly.
pub const MISTAKE: u32 = 100;

/// Two digits that look alike in print, one taken for the other: half a mistake.
const ALIKE: u32 = MISTAKE / 2;

/// From here on two MACs have nothing to do with each other. The same-place discount (a fifth) is in it: what costs less
/// than three mistakes with the discount costs less than this without.
const TOO_FAR: u32 = 3 * MISTAKE * 5 / 4;

/// The lowest bit of each of twelve digits.
const ONES: u64 = 0x1111_1111_1111;

/// The 48 bits of a MAC.
const ALL: u64 = 0xffff_ffff_ffff;

/// A MAC in a form in which those far from it are told in a few instructions.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Digits {
    /// The 48 bits.
    value: u64,
    /// The same with one digit standing for all that look like it.
    folded: u64,
}

impl Digits {
    pub(super) fn new(mac: Mac) -> Self {
        Self::of(mac.value())
    }

    fn of(value: u64) -> Self {
        Self { value, folded: folded(value) }
    }

    /// False only if [`Self::apart`] finds these two too far apart. This is what nearly all pairs of a long list get to,
    /// so it works on all twelve digits at once.
    ///
    /// Fewer than four whole mistakes are at most three wrong digits or swapped neighbours, or else one digit left out,
    /// one put in and one more. In the first case at most three digits are left that are neither right nor half of a
    /// swap. In the second all but two digits are in their place or one place off, all in the same direction.
    pub(super) const fn may_be_near(self, other: Self) -> bool {
        self.may_be_within(other, 3)
    }

    /// The same for that many whole mistakes, two or three.
    pub(super) const fn may_be_within(self, other: Self, mistakes: u32) -> bool {
        if self.is_derived(other) {
            return true;
        }
        let wrong = differing(self.folded ^ other.folded);
        let left = differing(self.folded ^ (other.folded << 4 & ALL));
        let right = differing(self.folded ^ other.folded >> 4);
        let swapped = !right & !(left >> 4) & wrong & wrong >> 4 & ONES;
        wrong.count_ones() <= mistakes + swapped.count_ones()
            || (wrong & left).count_ones() < mistakes
            || (wrong & right).count_ones() < mistakes
    }

    /// True if [`crate::domain::Nearby`] has to find these two: what costs two mistakes in the same place costs half of
    /// one more without the discount.
    #[cfg(test)]
    pub(super) fn is_found(self, other: Self) -> bool {
        self.apart(other).is_some_and(|cost| cost <= 2 * MISTAKE * 5 / 4)
    }

    /// The cost of taking one of these for the other, in hundredths of a mistake; `None` for three mistakes and more,
    /// whatever else speaks for the pair. The same in both directions.
    pub(super) fn apart(self, other: Self) -> Option<u32> {
        if self.value == other.value {
            return Some(0);
        }
        let read = misread(digits(self.value), digits(other.value));
        let cost = if self.is_derived(other) { read.min(MISTAKE) } else { read };
        (cost < TOO_FAR).then_some(cost)
    }

    /// True if one may be the address of another interface of the same device: the next one, or what a Cisco ATA makes
    /// of its own for its second port.
    const fn is_derived(self, other: Self) -> bool {
        self.value.abs_diff(other.value) == 1 || self.is_second_port(other)
    }

    /// True if one is the other's second port on a Cisco ATA: the octets moved up by one, and 01 behind (as wazo's
    /// provisioning plugins for these adapters have it).
    pub(super) const fn is_second_port(self, other: Self) -> bool {
        second_of(self.value) == other.value || second_of(other.value) == self.value
    }
}

/// The address of an ATA's second port.
const fn second_of(value: u64) -> u64 {
    (value << 8 | 1) & ALL
}

/// The twelve digits, first one first.
pub(super) fn digits(value: u64) -> [u8; 12] {
    std::array::from_fn(|at| u8::try_from(value >> (44 - 4 * at) & 0xf).unwrap_or_default())
}

fn wrong(one: u8, other: u8) -> u32 {
    let pair = (one.min(other), one.max(other));
    if one == other {
        0
    } else if ALIKES.contains(&pair) {
        ALIKE
    } else {
        MISTAKE
    }
}

/// Damerau and Levenshtein's distance with these weights, each digit swapped once at most. Only cells beside the
/// diagonal count: two digits left out and two put in are four mistakes, which is too far anyway.
fn misread(one: [u8; 12], other: [u8; 12]) -> u32 {
    const NEVER: u32 = u32::MAX / 2;
    let mut cost = [[NEVER; 13]; 13];
    cost[0][0] = 0;
    for row in 0..=12_usize {
        for column in row.saturating_sub(1)..=(row + 1).min(12) {
            let mut best = cost[row][column];
            if row > 0 {
                best = best.min(cost[row - 1][column] + MISTAKE);
            }
            if column > 0 {
                best = best.min(cost[row][column - 1] + MISTAKE);
            }
            if row > 0 && column > 0 {
                let step = wrong(one[row - 1], other[column - 1]);
                best = best.min(cost[row - 1][column - 1] + step);
            }
            if row > 1 && column > 1 {
                let crossed =
                    one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1];
                if crossed {
                    best = best.min(cost[row - 2][column - 2] + MISTAKE);
                }
            }
            cost[row][column] = best;
        }
    }
    cost[12][12]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Digits {
        Digits::of(u64::from_str_radix(text, 16).unwrap())
    }

    /// The cost of a pair in hundredths, `None` where it is too far.
    fn check(one: &str, other: &str, expected: Option<u32>) {
        let (one_, other_) = (of(one), of(other));
        assert_eq!(one_.apart(other_), expected, "{one} {other}");
        assert_eq!(other_.apart(one_), expected, "{other} {one}");
        assert!(expected.is_none() || one_.may_be_near(other_), "{one} {other}");
    }

    #[test]
    fn mistakes_have_their_price() {
        check("0004f2aabbcc", "0004f2aabbcc", Some(0));
        check("0004f2aabbcc", "0004f2aab8cc", Some(50)); // 8 for B
        check("0004f2aabbcc", "d004f2aabbcc", Some(50)); // D for 0
        check("001565aabb17", "001565aabb71", Some(100)); // swapped, or twice 1 and 7
        check("0004f2aabbcc", "0004f2aabbca", Some(100));
        check("0004f2aabbcc", "0004f2ababcc", Some(100)); // swapped
        check("0004f2aa12cc", "0004f2aa34cc", Some(200));
        check("0004f2123456", "0004f2112345", Some(200)); // one doubled, the last one lost
        check("0004f2123456", "0004f2234567", Some(200)); // one left out
        check("0004f2abc000", "0004f2abbfff", Some(100)); // the next address
        check("001a2b3c4d5e", "1a2b3c4d5e01", Some(100)); // an ATA's second port
        check("0004f2aab123", "0004f2aab456", Some(300));
        check("0004f2aa1234", "0004f2aa5678", None);
        check("0004f2aabbcc", "001565aabbcc", None);
    }

    /// MACs that lie near each other more often than chance would have it.
    fn pair() -> impl Strategy<Value = (u64, u64)> {
        let edit = (0..5_u8, 0..12_u32, 0..16_u64);
        (0..=ALL, prop::collection::vec(edit, 0..5)).prop_map(|(value, edits)| {
            let other = edits.into_iter().fold(value, |value, (how, at, digit)| {
                let (shift, low) = (4 * at, (1 << (4 * at)) - 1);
                match how {
                    0 => value & !(0xf << shift) | digit << shift,
                    1 if at < 11 => {
                        let (a, b) = (value >> shift & 0xf, value >> (shift + 4) & 0xf);
                        value & !(0xff << shift) | a << (shift + 4) | b << shift
                    }
                    2 => value & low | (value >> 4 & !low & ALL),
                    3 => value & low | (value & !low) << 4 & ALL | digit << shift,
                    _ => value.wrapping_add(1) & ALL,
                }
            });
            (value, other)
        })
    }

    proptest! {
        /// The shortcut never drops a pair, and the price is the same in both directions.
        #[test]
        fn the_shortcut_is_safe((one, other) in pair()) {
            let (one, other) = (Digits::of(one), Digits::of(other));
            prop_assert_eq!(one.apart(other), other.apart(one));
            prop_assert!(one.apart(other).is_none() || one.may_be_near(other));
        }

        /// The index shows whoever is near enough to be suggested.
        #[test]
        fn the_index_is_safe((one, other) in pair()) {
            let is_near = Digits::of(one).is_found(Digits::of(other));
            prop_assert!(!is_near || Digits::of(one).may_be_within(Digits::of(other), 2));
            let [one, other] = [one, other].map(|value| {
                let [_, _, octets @ ..] = value.to_be_bytes();
                Mac::new(octets)
            });
            if let (Ok(one), Ok(other)) = (one, other) && one != other {
                let mut nearby = crate::domain::Nearby::default();
                nearby.insert(one);
                let mut found = false;
                nearby.visit(other, |shown| {
                    found |= shown == one;
                    std::ops::ControlFlow::Continue(())
                });
                prop_assert!(found || !is_near, "{} {}", one, other);
            }
        }

        /// Against a library's distance: never dearer, and never below half of it.
        #[test]
        fn the_weights_stand_between_bounds((one, other) in pair()) {
            let plain = strsim::osa_distance(&format!("{one:012x}"), &format!("{other:012x}"));
            let plain = u32::try_from(plain).unwrap() * MISTAKE;
            let read = misread(digits(one), digits(other));
            prop_assert!(read >= plain / 2);
            prop_assert!(plain >= 4 * MISTAKE || read <= plain, "{} {}", read, plain);
        }
    }
}
