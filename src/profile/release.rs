//! How a family numbers its releases, and which it can go to from where: `[releases]` of a profile.

use serde::Deserialize;

/// How versions are spelt.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Spelling {
    /// Numbers alone: `5.9.4.3247`.
    #[default]
    Plain,
    /// The first number is that of the platform: `66.86.0.15`.
    Platform,
    /// What it is for stands in front, as in Cisco's names of loads: `SIP41.9-4-2SR3-1S`, `P0S3-8-12-00`.
    Load,
}

/// A step that can't be left out.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Phones that run something older than this …
    pub below: String,
    /// … can't go to this or anything later at once: they take what lies between the two first.
    pub before: String,
    /// Why, in plain words.
    pub why: String,
}

/// What a profile says of its family's releases.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Releases {
    /// How versions are spelt.
    pub spelling: Spelling,
    /// Names of files that are the same for all releases: phones take whatever lies there, so who waits gets none.
    pub shared: Vec<String>,
    /// Steps that can't be left out.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// How one release stands to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Age {
    /// Older than the other.
    Older,
    /// The other, as far as anybody can tell.
    Same,
    /// Newer than the other.
    Newer,
    /// For something else, or one of the two says too little.
    Unknown,
}

/// A version that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// What it is for, in lower case; empty where the text does not say.
    pub of: String,
    /// Its numbers, the most important one first.
    pub numbers: Vec<u64>,
}

/// Endings of files, which are no part of a version.
const ENDINGS: [&str; 9] =
    ["/sip.ld", ".loads", ".rom", ".ld", ".bin", ".sbn", ".zup", ".fw", ".img"];

impl Spelling {
    /// Reads the version out of what a phone says that it runs, or out of the name of a load. `None` without a number.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Version> {
        let mut text = text.trim();
        while let Some(end) = ENDINGS.iter().find(|end| ends(text, end)) {
            text = &text[..text.len() - end.len()];
        }
        let base = text.rsplit('/').next().unwrap_or(text);
        let (of, rest) = match self {
            Self::Plain | Self::Platform => (String::new(), last_word(base)),
            Self::Load => split_load(base),
        };
        let mut numbers = numbers(&rest);
        if self == Self::Load && numbers.len() == 1 {
            numbers = pairs(&rest);
        }
        let of = match self {
            Self::Platform if numbers.len() > 1 => numbers.remove(0).to_string(),
            _ => of,
        };
        (!numbers.is_empty()).then_some(Version { of, numbers })
    }

    /// How one text stands to another.
    #[must_use]
    pub fn compare(self, one: &str, other: &str) -> Age {
        match (self.read(one), self.read(other)) {
            (Some(one), Some(other)) => one.against(&other),
            _ => Age::Unknown,
        }
    }
}

impl Version {
    /// How it stands to another one. Where one stops short of the other and they agree that far, nobody can tell.
    #[must_use]
    pub fn against(&self, other: &Self) -> Age {
        if !self.of.is_empty() && !other.of.is_empty() && self.of != other.of {
            return Age::Unknown;
        }
        let differ = self.numbers.iter().zip(&other.numbers).find(|(one, other)| one != other);
        match differ {
            Some((one, other)) if one < other => Age::Older,
            Some(_) => Age::Newer,
            None if self.numbers.len() == other.numbers.len() => Age::Same,
            None => Age::Unknown,
        }
    }
}

fn ends(text: &str, with: &str) -> bool {
    text.len() > with.len()
        && text.get(text.len() - with.len()..).is_some_and(|end| end.eq_ignore_ascii_case(with))
}

/// What stands behind the last hyphen, if there is a number in it.
fn last_word(text: &str) -> String {
    let last = text.rsplit('-').find(|word| word.contains('.') && !numbers(word).is_empty());
    last.unwrap_or(text).to_owned()
}

/// Cisco's names: what it is for ends at the first dot, or after four characters with P0 in front.
fn split_load(text: &str) -> (String, String) {
    let lower = text.to_ascii_lowercase();
    if ["p003", "p005", "p0s3", "p0m3"].iter().any(|of| lower.starts_with(of)) {
        return (lower[..4].to_owned(), lower[4..].trim_start_matches('-').to_owned());
    }
    match lower.split_once('.') {
        Some((of, rest)) if of.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            (of.to_owned(), rest.to_owned())
        }
        _ => (String::new(), lower),
    }
}

fn numbers(text: &str) -> Vec<u64> {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    runs.map(|run| run.parse().unwrap_or(u64::MAX)).collect()
}

/// `08010200` as old names have it: two digits each.
fn pairs(text: &str) -> Vec<u64> {
    let digits: Vec<u64> = text.chars().filter_map(|c| c.to_digit(10)).map(u64::from).collect();
    if digits.len() < 4 || digits.len() % 2 == 1 {
        return numbers(text);
    }
    digits.chunks(2).map(|pair| pair[0] * 10 + pair[1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Age::{Newer, Older, Same, Unknown};
    use Spelling::{Load, Plain, Platform};

    #[test]
    fn how_releases_stand_to_each_other() {
        let check = |spelling: Spelling, one: &str, age, other: &str| {
            assert_eq!(spelling.compare(one, other), age, "{one} to {other}");
            let back = match age {
                Older => Newer,
                Newer => Older,
                same => same,
            };
            assert_eq!(spelling.compare(other, one), back, "{other} to {one}");
        };
        check(Load, "SIP41.9-4-2SR3-1S", Newer, "SIP41.9-4-2SR2-1S");
        check(Load, "SIP41.9-4-2SR3-1S.loads", Same, "sip41.9-4-2SR3-1S");
        check(Load, "SIP41.8-5-4S", Older, "SIP41.9-4-2SR3-1S");
        check(Load, "SIP41.10-1-1S", Newer, "SIP41.9-4-2SR3-1S");
        check(Load, "SCCP41.9-4-2S", Unknown, "SIP41.8-4-2S");
        check(Load, "SIP45.9-4-2S", Unknown, "SIP41.8-4-2S");
        check(Load, "9.4.2SR3.1S", Same, "SIP41.9-4-2SR3-1S");
        check(Load, "9.4.2", Unknown, "SIP41.9-4-2SR3-1S");
        check(Load, "sip88xx.12-8-1-0001-455", Older, "sip88xx.14-1-1-0001-136");
        check(Load, "P0S3-8-12-00", Newer, "P0S3-08-2-00");
        check(Load, "P00308010200", Older, "P00308010300");
        check(Load, "P0030801SR02", Unknown, "P0S3-8-12-00");
        check(Plain, "5.9.4.3247", Newer, "5.9.4.3246");
        check(Plain, "5.10.0.1", Newer, "5.9.4.3247");
        check(Plain, "5.9.4.3247/sip.ld", Same, "5.9.4.3247");
        check(Plain, "6.4.0.1", Newer, "5.9.4.3247");
        check(Plain, "sip.ld", Unknown, "5.9.4.3247");
        check(Platform, "66.86.0.15", Older, "66.86.0.160");
        check(Platform, "84.86.0.15", Unknown, "66.85.0.5");
        check(Platform, "T46S(T48S,T42S,T41S)-66.86.0.15.rom", Same, "66.86.0.15");
        check(Platform, "T58(T58A)-58.86.0.20.rom", Newer, "58.85.0.5");
    }

    #[test]
    fn the_platform_stands_apart() {
        let check = |spelling: Spelling, text: &str, of: &str, numbers: &[u64]| {
            let version = spelling.read(text).unwrap();
            assert_eq!((version.of.as_str(), &*version.numbers), (of, numbers), "{text}");
        };
        check(Platform, "84.86.0.15", "84", &[86, 0, 15]);
        check(Plain, "5.9.4.3247", "", &[5, 9, 4, 3247]);
        check(Load, "SIP41.9-4-2SR3-1S", "sip41", &[9, 4, 2, 3, 1]);
        check(Load, "P0S3-8-12-00", "p0s3", &[8, 12, 0]);
        check(Load, "P00308010200", "p003", &[8, 1, 2, 0]);
        assert_eq!(Plain.read("unknown"), None);
    }
}
