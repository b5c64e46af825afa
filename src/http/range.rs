//! Conditional and partial requests (RFC 9110 §13 and §14), decided without I/O.

use std::ops::Range;

/// Which part of a file an answer carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The octets of this range: not empty, within the file.
    Some(Range<u64>),
    /// The range begins behind the last octet: 416.
    Beyond,
}

/// Decides what a `Range` header asks for.
///
/// What is not one well-formed range of octets is ignored, as RFC 9110 §14.2 lets a server do: several ranges at once
/// gain a phone nothing and cost a multipart body. `If-Range` with anything but the current strong tag asks for the
/// whole file (§13.1.5); dates are never current, because no `Last-Modified` is ever sent.
#[must_use]
pub fn part(range: Option<&str>, if_range: Option<&str>, etag: &str, length: u64) -> Part {
    if if_range.is_some_and(|tag| unquoted(tag.trim()) != Some(etag)) {
        return Part::Whole;
    }
    let Some((first, last)) = range.and_then(single) else { return Part::Whole };
    match (first, last) {
        (Some(first), _) if first >= length => Part::Beyond,
        (Some(first), last) => {
            Part::Some(first..last.map_or(length, |last| last.saturating_add(1).min(length)))
        }
        // The last so many octets; none of them is unsatisfiable.
        (None, Some(0)) => Part::Beyond,
        (None, Some(_)) if length == 0 => Part::Beyond,
        (None, Some(count)) => Part::Some(length.saturating_sub(count)..length),
        (None, None) => Part::Whole,
    }
}

/// `bytes=FIRST-LAST` with either end optional; `None` for anything else.
fn single(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let is_number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if !unit.trim().eq_ignore_ascii_case("bytes") || !is_number(first) || !is_number(last) {
        return None;
    }
    match (first, last) {
        ("", "") => None,
        ("", last) => Some((None, Some(last.parse().ok()?))),
        (first, "") => Some((Some(first.parse().ok()?), None)),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some((Some(first), Some(last)))
        }
    }
}

/// True if an `If-None-Match` header names this tag, so that the asker has these very bytes.
///
/// The comparison is the weak one (RFC 9110 §13.1.2): a proxy may have marked our strong tag as weak. `*` is not taken
/// for a match: it would tell a phone that it has a file which it may never have seen.
#[must_use]
pub fn has(if_none_match: &str, etag: &str) -> bool {
    if_none_match.split(',').any(|tag| {
        let tag = tag.trim();
        unquoted(tag.strip_prefix("W/").unwrap_or(tag)) == Some(etag)
    })
}

fn unquoted(tag: &str) -> Option<&str> {
    tag.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_octets() {
        let check = |range: &str, expected: Part| {
            assert_eq!(part(Some(range), None, "tag", 10), expected, "{range}");
        };
        check("bytes=0-3", Part::Some(0..4));
        check("bytes=4-", Part::Some(4..10));
        check("bytes=-3", Part::Some(7..10));
        check("bytes=-30", Part::Some(0..10));
        check("bytes=9-99", Part::Some(9..10));
        check("BYTES = 2-2", Part::Some(2..3));
        check("bytes=10-", Part::Beyond);
        check("bytes=-0", Part::Beyond);
        check("bytes=0-1,4-5", Part::Whole);
        check("bytes=5-2", Part::Whole);
        check("bytes=-", Part::Whole);
        check("bytes=a-b", Part::Whole);
        check("bytes=+1-3", Part::Whole);
        check("lines=0-3", Part::Whole);
        check("bytes=99999999999999999999-", Part::Whole);
        check("bytes=0-18446744073709551615", Part::Some(0..10));
    }

    #[test]
    fn an_empty_file_has_no_ranges() {
        for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(part(Some(range), None, "tag", 0), Part::Beyond, "{range}");
        }
    }

    #[test]
    fn only_the_current_tag_resumes() {
        let check = |if_range: &str, expected: Part| {
            assert_eq!(part(Some("bytes=4-"), Some(if_range), "tag", 10), expected, "{if_range}");
        };
        check("\"tag\"", Part::Some(4..10));
        check("\"other\"", Part::Whole);
        check("W/\"tag\"", Part::Whole);
        check("Fri, 20 Nov 2026 09:00:00 GMT", Part::Whole);
    }

    #[test]
    fn tags_that_tell_the_same_bytes() {
        let check = |header: &str, expected| assert_eq!(has(header, "a1"), expected, "{header}");
        check("\"a1\"", true);
        check("W/\"a1\"", true);
        check("\"b2\", \"a1\"", true);
        check("\"b2\"", false);
        check("a1", false);
        check("*", false);
        check("", false);
    }
}
