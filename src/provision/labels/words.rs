//! The difference between two MACs in words.

use crate::domain::Mac;

use super::distance::{Digits, digits};

/// What sets a phone's MAC apart from the one that is listed: `differs in one digit: 8 for B`, the phone's digit first.
pub(super) fn difference(listed: Mac, seen: Mac) -> String {
    let both = [listed.value(), seen.value()];
    let [one, other] = both.map(digits);
    let wrong: Vec<usize> = (0..12).filter(|at| one[*at] != other[*at]).collect();
    let named = |at: usize| format!("{:X} for {:X}", other[at], one[at]);
    match wrong.as_slice() {
        [at] => format!("differs in one digit: {}", named(*at)),
        [at, next] if at + 1 == *next && one[*at] == other[*next] && one[*next] == other[*at] => {
            let (a, b) = (one[*at], one[*next]);
            format!("has two digits the other way round: {b:X}{a:X} for {a:X}{b:X}")
        }
        _ if both[0].abs_diff(both[1]) == 1 => "is the next address".to_owned(),
        _ if Digits::new(listed).is_second_port(Digits::new(seen)) => {
            "differs as the two ports of one adapter do".to_owned()
        }
        few if few.len() <= 5 && !is_moved(one, other) => {
            let all: Vec<String> = few.iter().map(|at| named(*at)).collect();
            format!("differs in {} digits: {}", few.len(), all.join(", "))
        }
        _ => "differs as if one digit was left out and another read twice".to_owned(),
    }
}

/// True if three digits or more stand one place off.
fn is_moved(one: [u8; 12], other: [u8; 12]) -> bool {
    let wrong = (0..12).filter(|at| one[*at] != other[*at]).count();
    let up = (1..12).filter(|at| one[*at] != other[*at] && one[*at] == other[*at - 1]).count();
    let down = (1..12).filter(|at| one[*at] != other[*at] && one[*at - 1] == other[*at]).count();
    wrong > 2 && up.max(down) + 1 >= wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences() {
        let check = |listed: &str, seen: &str, expected: &str| {
            assert_eq!(difference(listed.parse().unwrap(), seen.parse().unwrap()), expected);
        };
        check("0004f2aabbcb", "0004f2aabbc8", "differs in one digit: 8 for B");
        check("0004f2aabb12", "0004f2aabb21", "has two digits the other way round: 21 for 12");
        check("0004f2aabb12", "0004f2aabb34", "differs in 2 digits: 3 for 1, 4 for 2");
        check("0004f2abbfff", "0004f2abc000", "is the next address");
        check("001a2b3c4d5e", "1a2b3c4d5e01", "differs as the two ports of one adapter do");
        let moved = "differs as if one digit was left out and another read twice";
        check("0004f2123456", "0004f2112345", moved);
        check("0004f2123456", "0004f2234567", moved);
    }
}
