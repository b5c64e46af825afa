//! Tells the time (RFC 5905, as a server of RFC 4330 does it): one answer of 48 octets for one question.

use crate::domain::Timestamp;

/// Octets of a message without extensions, which is all that is sent, whatever the question carried behind it: an answer
/// is never longer than its question.
const LENGTH: usize = 48;

/// Seconds from 1900, where NTP begins, to 1970.
const TO_1970: i64 = 2_208_988_800;

/// How far we are from a real clock. The host's own clock is the source, and whether that one is right is not known here:
/// this is where ntpd and chrony put a clock of their own that nobody disciplines.
const STRATUM: u8 = 10;

/// The source: 127.127.1.1, which is how such a clock is named at a stratum above 1.
const REFERENCE: [u8; 4] = [127, 127, 1, 1];

/// About a microsecond, as a power of two of seconds.
const PRECISION: i8 = -20;

/// A quarter of a second in units of 1/65,536 s: clients turn away from sources that claim a second or more.
const DISPERSION: u32 = 1 << 14;

/// Answers a client's question. `received` is when it came, `sent` when the answer leaves.
///
/// `None` for whatever is no question of a client of versions 1 to 4: answers above all, so that two servers never talk
/// to each other for ever.
pub(super) fn answer(
    datagram: &[u8],
    received: Timestamp,
    sent: Timestamp,
) -> Option<[u8; LENGTH]> {
    let question = datagram.first_chunk::<LENGTH>()?;
    let (version, mode) = (question[0] >> 3 & 0x07, question[0] & 0x07);
    if mode != 3 || !(1..=4).contains(&version) {
        return None;
    }
    let mut answer = [0; LENGTH];
    // No leap second is announced (leap indicator 0); mode 4 is a server's.
    answer[0] = version << 3 | 4;
    answer[1] = STRATUM;
    answer[2] = question[2];
    answer[3] = PRECISION.to_be_bytes()[0];
    answer[8..12].copy_from_slice(&DISPERSION.to_be_bytes());
    answer[12..16].copy_from_slice(&REFERENCE);
    // A clock that is its own reference was set now; ntpdate turns away from servers that never were.
    answer[16..24].copy_from_slice(&stamp(received));
    // What the client called its time comes back untouched: that is how it knows its own answer.
    answer[24..32].copy_from_slice(&question[40..48]);
    answer[32..40].copy_from_slice(&stamp(received));
    answer[40..48].copy_from_slice(&stamp(sent));
    Some(answer)
}

/// Seconds and fractions of NTP. Seconds begin anew in 2036, and clients know (RFC 5905 §6).
fn stamp(at: Timestamp) -> [u8; 8] {
    let nanoseconds = at.as_nanosecond() + i128::from(TO_1970) * 1_000_000_000;
    let fractions = (nanoseconds << 32) / 1_000_000_000;
    let mut stamp = [0; 8];
    // What lies above is the era.
    stamp.copy_from_slice(&fractions.to_be_bytes()[8..]);
    stamp
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECEIVED: &str = "2026-11-20T09:00:00Z";
    const SENT: &str = "2026-11-20T09:00:00.5Z";

    fn ask(datagram: &[u8]) -> Option<[u8; LENGTH]> {
        answer(datagram, RECEIVED.parse().unwrap(), SENT.parse().unwrap())
    }

    fn question(first: u8) -> [u8; LENGTH] {
        let mut question = [0; LENGTH];
        (question[0], question[2]) = (first, 6);
        question[40..].copy_from_slice(b"whenever");
        question
    }

    #[test]
    fn who_is_answered() {
        let check = |first: u8, length: usize, first_back: Option<u8>| {
            let datagram = [&question(first)[..], &[0; 20]].concat();
            let back = ask(&datagram[..length]).map(|answer| answer[0]);
            assert_eq!(back, first_back, "{first:08b} {length}");
        };
        // Versions 4, 3 and 1, with whatever the client thinks of leap seconds.
        check(0b00_100_011, 48, Some(0b00_100_100));
        check(0b11_011_011, 48, Some(0b00_011_100));
        check(0b00_001_011, 48, Some(0b00_001_100));
        // With a key and a digest behind it.
        check(0b00_100_011, 68, Some(0b00_100_100));
        // Too short, no such version, and everything that is no client: servers, peers, broadcasts, control, ntpdc.
        check(0b00_100_011, 47, None);
        check(0b00_000_011, 48, None);
        check(0b00_101_011, 48, None);
        for mode in [0, 1, 2, 4, 5, 6, 7] {
            check(0b00_100_000 | mode, 48, None);
        }
    }

    #[test]
    fn what_is_answered() {
        let answer = ask(&question(0b00_100_011)).unwrap();
        // 2026-11-20T09:00:00Z is 1,795,251,600 s after 1970.
        let seconds = u32::try_from(1_795_165_200_i64 + TO_1970).unwrap().to_be_bytes();
        assert_eq!(answer[1..4], [10, 6, 0xec]);
        assert_eq!(answer[24..32], *b"whenever");
        assert_eq!((&answer[32..36], &answer[36..40]), (&seconds[..], &[0; 4][..]));
        assert_eq!((&answer[40..44], &answer[44..48]), (&seconds[..], &[0x80, 0, 0, 0][..]));
        // The last second of the first era, and the first of the second.
        let at = |text: &str| stamp(text.parse().unwrap());
        assert_eq!(at("2036-02-07T06:28:15Z"), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        assert_eq!(at("2036-02-07T06:28:16Z"), [0; 8]);
    }

    proptest! {
        #[test]
        fn never_panics_and_never_answers_an_answer(datagram in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(answer) = ask(&datagram) {
                prop_assert!(answer.len() <= datagram.len());
                prop_assert_eq!(ask(&answer), None);
            }
        }
    }
}
