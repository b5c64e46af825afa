//! How fast strangers come into the record.

use crate::domain::Timestamp;

/// Unknown phones that may come into the record at once, and how many more each second: a flood of invented addresses
/// fills no memory, and a floor of new phones is recorded whole.
const AT_ONCE: u32 = 1024;
const PER_SECOND: u32 = 16;

/// What is left for strangers now.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    left: u32,
    at: Timestamp,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { left: AT_ONCE, at: Timestamp::UNIX_EPOCH }
    }
}

impl Allowance {
    /// True if one more stranger may come into the record now; takes it off what is left.
    pub fn admits(&mut self, now: Timestamp) -> bool {
        let seconds = now.as_second().saturating_sub(self.at.as_second()).max(0);
        if seconds > 0 {
            let more = u32::try_from(seconds).unwrap_or(u32::MAX).saturating_mul(PER_SECOND);
            *self = Self { left: self.left.saturating_add(more).min(AT_ONCE), at: now };
        }
        let admits = self.left > 0;
        self.left = self.left.saturating_sub(1);
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_come_in_slowly_after_the_first_rush() {
        let mut allowance = Allowance::default();
        let mut admitted = |second: i64| {
            let at = Timestamp::from_second(1_000_000 + second).unwrap();
            (0..5000).filter(|_| allowance.admits(at)).count()
        };
        assert_eq!([admitted(0), admitted(1), admitted(1000)], [1024, 16, 1024]);
    }
}
