//! The closed list of causes, with their words.
//!
//! Rows are those of the boot table that engineers work through from power (1) to the registration (25); Cisco's boot
//! and registration guide, 8x8's notes on registration and on SRTP, and the vendors' guides behind the profiles are its
//! sources.

mod files;
mod firmware;
mod network;
mod registration;

use super::{super::report::Look, Facts};

/// One cause.
pub(super) struct Cause {
    /// Stable kebab-case name, for scripts.
    pub name: &'static str,
    /// The row of the boot table that it covers.
    pub row: u8,
    /// True if it is certain as soon as it is seen; the others need the stage's patience to be over.
    pub certain: bool,
    /// Says what is so, if it is so: what fills the braces below.
    pub fits: fn(&Look<'_>) -> Option<Facts>,
    /// The cause in plain words.
    pub text: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// What the phone should do next.
    pub next: Next,
}

/// What the phone should do next.
pub(super) enum Next {
    /// Ask for the next file of its family.
    File,
    /// Something else, in plain words.
    Says(&'static str),
}

/// Rows about registrations that were there: all that is left to say about a phone that is away.
pub(super) const REGISTRATION: [u8; 7] = [15, 18, 19, 20, 21, 22, 24];

/// Rows that no cause of a phone's own covers, and where they are told.
#[cfg(test)]
pub(super) const ELSEWHERE: [(u8, &str); 1] = [(
    23,
    "calls without sound, SRTP on one side only: the settings show it, `ringup check` tells",
)];

/// The one cause that a phone may have which is ready: it runs, by what was listed before.
pub(super) const ENTRY_CHANGED: &str = "entry-changed-since-its-configuration";

const REGISTER: Next = Next::Says("a REGISTER that {by} accepts");

/// Causes by theme, the certain ones before the guesses, and in each group the later step of a boot first.
const THEMES: [&[Cause]; 13] = [
    files::CHANGED,
    registration::CERTAIN,
    firmware::CERTAIN,
    files::CERTAIN,
    network::CERTAIN,
    network::IN_USE,
    files::TRANSFERS,
    firmware::GUESSES,
    registration::GUESSES,
    files::GUESSES,
    network::MISPLACED,
    files::LAST,
    network::GUESSES,
];

/// All causes, in the order in which they are tried.
pub(super) fn causes() -> impl Iterator<Item = &'static Cause> {
    THEMES.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_one_of_a_kind() {
        let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
        let table: Vec<_> = causes().collect();
        for (index, cause) in table.iter().enumerate() {
            let name = cause.name;
            assert!(name.chars().all(kebab) && (1..=25).contains(&cause.row), "{name}");
            assert!(table[..index].iter().all(|other| other.name != name), "{name}");
        }
        assert!(table.is_sorted_by_key(|cause| !cause.certain), "the certain ones first");
    }

    #[test]
    fn every_row_is_told_somewhere() {
        for row in 1..=25 {
            let here = causes().any(|cause| cause.row == row);
            let there = ELSEWHERE.iter().any(|(other, _)| *other == row);
            assert!(here != there, "row {row}");
        }
    }
}
