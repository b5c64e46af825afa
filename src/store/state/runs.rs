//! Whole numbers as runs without gaps: what is behind a crowd is found at once, however large the crowd.

use std::collections::BTreeMap;

/// A set of numbers: the first and the last one of each run. No two runs touch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Runs(BTreeMap<u64, u64>);

impl Runs {
    /// The run that a number is in.
    fn run(&self, number: u64) -> Option<(u64, u64)> {
        let (first, last) = self.0.range(..=number).next_back()?;
        (*last >= number).then_some((*first, *last))
    }

    /// O(log n), as is everything here.
    pub(super) fn insert(&mut self, number: u64) {
        if self.run(number).is_some() {
            return;
        }
        let before = number.checked_sub(1).and_then(|before| self.run(before));
        let behind = number.checked_add(1).and_then(|behind| self.0.remove(&behind));
        let first = before.map_or(number, |(first, _)| first);
        self.0.insert(first, behind.unwrap_or(number));
    }

    pub(super) fn remove(&mut self, number: u64) {
        let Some((first, last)) = self.run(number) else { return };
        self.0.remove(&first);
        if first < number {
            self.0.insert(first, number - 1);
        }
        if number < last {
            self.0.insert(number + 1, last);
        }
    }

    /// The first number from `from` on that is not in the set.
    pub(super) fn gap(&self, from: u64) -> Option<u64> {
        self.run(from).map_or(Some(from), |(_, last)| last.checked_add(1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn at_both_ends() {
        let mut runs = Runs::default();
        for number in [u64::MAX, 0, 1, u64::MAX - 1] {
            runs.insert(number);
        }
        assert_eq!((runs.gap(0), runs.gap(u64::MAX - 1), runs.0.len()), (Some(2), None, 2));
        runs.remove(u64::MAX);
        assert_eq!(runs.gap(u64::MAX - 1), Some(u64::MAX));
    }

    proptest! {
        #[test]
        fn as_a_plain_set(steps in proptest::collection::vec((any::<bool>(), 0_u64..40), 0..200)) {
            let (mut runs, mut plain) = (Runs::default(), BTreeSet::new());
            for (inserts, number) in steps {
                if inserts {
                    runs.insert(number);
                    plain.insert(number);
                } else {
                    runs.remove(number);
                    plain.remove(&number);
                }
                for from in 0..42 {
                    let gap = (from..=42).find(|number| !plain.contains(number));
                    prop_assert_eq!(runs.gap(from), gap);
                }
                let all: Vec<u64> = runs.0.iter().flat_map(|(first, last)| *first..=*last).collect();
                prop_assert!(all.into_iter().eq(plain.iter().copied()));
                let mut pairs = runs.0.iter().zip(runs.0.iter().skip(1));
                prop_assert!(pairs.all(|((_, last), (first, _))| last + 1 < *first), "none touch");
            }
        }
    }
}
