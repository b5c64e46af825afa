//! What one field of a label is.

use crate::{
    domain::{Mac, MacError, Timestamp},
    profile::{Catalog, Seen},
};

use super::{
    super::labels::is_placeholder,
    token::{Called, Token},
};

/// How many digits a MAC has.
const DIGITS: usize = 12;

/// The most letters that are taken for digits in a text which nobody called an address: with more it is a word.
const MAX_LETTERS: usize = 4;

/// What a field is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    Mac(Mac),
    /// One mistake away from exactly one MAC.
    Meant {
        mac: Mac,
        why: String,
    },
    Length(usize),
    Group,
    Placeholder,
    Serial,
    Part(Option<String>),
    Article,
    Other,
}

/// The digit that a letter is taken for in print.
pub(super) const fn digit_for(letter: char) -> Option<char> {
    match letter {
        'O' | 'o' | 'Q' | 'q' => Some('0'),
        'I' | 'i' | 'L' | 'l' => Some('1'),
        'S' | 's' => Some('5'),
        'Z' | 'z' => Some('2'),
        'G' | 'g' => Some('6'),
        _ => None,
    }
}

impl Value {
    pub(super) fn of(token: &Token, catalog: Option<&Catalog>) -> Self {
        let compact = token.compact.as_str();
        if token.called == Called::Part {
            let model = catalog.and_then(|catalog| model(&token.text, catalog));
            return Self::Part(model);
        }
        // Poly's part numbers are twelve digits too; their groups tell.
        if is_part_number(&token.text) {
            return Self::Part(catalog.and_then(|catalog| model(&token.text, catalog)));
        }
        let hex = !compact.is_empty() && compact.bytes().all(|octet| octet.is_ascii_hexdigit());
        if hex && compact.len() == DIGITS {
            return Self::twelve(token, catalog);
        }
        if is_cisco_serial(compact) || token.called == Called::Serial && is_number(compact) {
            return Self::Serial;
        }
        if let Some(model) = catalog.and_then(|catalog| model(&token.text, catalog)) {
            return Self::Part(Some(model));
        }
        if hex { Self::other_length(token, catalog) } else { Self::letters(token) }
    }

    /// Twelve digits.
    fn twelve(token: &Token, catalog: Option<&Catalog>) -> Self {
        let mac = match token.compact.parse::<Mac>() {
            Ok(mac) => mac,
            Err(MacError::Zero) => return Self::Placeholder,
            Err(_) if token.called == Called::Serial => return Self::Serial,
            Err(_) if token.compact.bytes().all(|octet| matches!(octet, b'f' | b'F')) => {
                return Self::Placeholder;
            }
            // An article number begins with its country or with 0 and a maker, an address with neither multicast bit.
            Err(_) if token.called != Called::Mac && is_article(&token.compact) => {
                return Self::Article;
            }
            Err(_) => return Self::Group,
        };
        let known = catalog.is_some_and(|catalog| vendor(mac, catalog).is_some());
        if token.called == Called::Serial && !known {
            // Linksys and Sipura have serial numbers of twelve such characters, so only a known prefix makes it a MAC.
            return Self::Serial;
        }
        if is_placeholder(mac) { Self::Placeholder } else { Self::Mac(mac) }
    }

    /// Hexadecimal digits, but not twelve.
    fn other_length(token: &Token, catalog: Option<&Catalog>) -> Self {
        let compact = token.compact.as_str();
        if token.called != Called::Mac && is_article(compact) {
            return Self::Article;
        }
        let vendor = |mac: Mac| catalog.and_then(|catalog| vendor(mac, catalog));
        if compact.len() == DIGITS - 1
            && let Ok(mac) = format!("0{compact}").parse::<Mac>()
            && vendor(mac).is_some()
        {
            return Self::Meant { mac, why: "the 0 in front is missing".to_owned() };
        }
        if compact.len() == DIGITS + 1
            && let Some((mac, digit)) = undoubled(compact, |mac| vendor(mac).is_some())
        {
            return Self::Meant { mac, why: format!("13 digits, and the {digit} stands twice") };
        }
        // Extensions and dates are shorter, IMEIs longer.
        let told = (10..=14).contains(&compact.len()) || token.called == Called::Mac;
        if told { Self::Length(compact.len()) } else { Self::Other }
    }

    /// Letters among digits.
    fn letters(token: &Token) -> Self {
        let letters: Vec<(char, char)> =
            token.compact.chars().filter_map(|c| Some((c, digit_for(c)?))).collect();
        let repaired: String = token.compact.chars().map(|c| digit_for(c).unwrap_or(c)).collect();
        let few = token.called == Called::Mac || letters.len() <= MAX_LETTERS;
        match repaired.parse::<Mac>() {
            Ok(mac) if few && !is_placeholder(mac) => {
                let mut named: Vec<String> = letters
                    .iter()
                    .map(|(letter, digit)| format!("{letter} stands for {digit}"))
                    .collect();
                named.dedup();
                Self::Meant { mac, why: named.join(", ") }
            }
            _ => Self::Other,
        }
    }
}

/// Whose prefix it is.
fn vendor(mac: Mac, catalog: &Catalog) -> Option<String> {
    catalog.recognize(&Seen::Prefix(mac), Timestamp::UNIX_EPOCH)?.vendor
}

/// A Cisco serial number: three letters of the plant, four digits of year and week, four characters (Cisco's guide to
/// locating serial numbers). Yields to twelve digits, which it can't be: it has eleven characters.
fn is_cisco_serial(compact: &str) -> bool {
    let octets = compact.as_bytes();
    octets.len() == 11
        && octets[..3].iter().all(u8::is_ascii_alphabetic)
        && octets[3..7].iter().all(u8::is_ascii_digit)
        && octets[7..].iter().all(u8::is_ascii_alphanumeric)
}

/// True for what may be a number at all: a word behind `Serial` is none.
fn is_number(compact: &str) -> bool {
    compact.len() >= 4 && compact.contains(|c: char| c.is_ascii_digit())
}

/// A Poly part number, `2200-48400-025`; or what Cisco orders by, `CP-8841-K9`.
pub fn is_part_number(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits =
        |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    match parts.as_slice() {
        [one, two, three] if digits(one, 4) && digits(two, 5) && digits(three, 3) => true,
        [first, .., last] => first.eq_ignore_ascii_case("CP") || last.eq_ignore_ascii_case("K9"),
        _ => false,
    }
}

/// The model of a spelling or of a part number. Poly's number of a boxed phone differs from that of the phone inside in
/// the first group and the last; the one in the middle is the model's.
fn model(text: &str, catalog: &Catalog) -> Option<String> {
    // Shorter ones are numbers of rooms, and a name without a digit is a vendor's.
    if !text.contains(|c: char| c.is_ascii_digit()) || text.len() < 4 {
        return None;
    }
    if let Some((_, model)) = catalog.model(text) {
        return Some(model.name.clone());
    }
    let middle = text.split('-').nth(1).filter(|_| is_part_number(text))?;
    let models = catalog.families().flat_map(|family| family.models.values());
    let mut of_part = models.filter(|model| {
        model.part.as_deref().is_some_and(|part| part.split('-').nth(1) == Some(middle))
    });
    let found = of_part.next()?;
    of_part.next().is_none().then(|| found.name.clone())
}

/// A number with the check digit of GS1 (General Specifications, 7.9): EAN-8, UPC-A, EAN-13, GTIN-14.
fn is_article(compact: &str) -> bool {
    let digits: Option<Vec<u32>> = compact.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| matches!(digits.len(), 8 | 12 | 13 | 14)) else {
        return false;
    };
    let weights = [1, 3].into_iter().cycle();
    let sum: u32 = digits.iter().rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
    sum.is_multiple_of(10)
}

/// The MAC that is left when one of two equal neighbours goes, if that is one MAC whichever pair it is, or if only one of
/// them has a prefix that is known.
fn undoubled(compact: &str, is_known: impl Fn(Mac) -> bool) -> Option<(Mac, char)> {
    let digits: Vec<char> = compact.chars().collect();
    let doubled = (1..digits.len()).filter(|at| digits[*at] == digits[*at - 1]);
    let left = doubled.filter_map(|at| {
        let rest: String = [&digits[..at], &digits[at + 1..]].concat().into_iter().collect();
        Some((rest.parse::<Mac>().ok()?, digits[at]))
    });
    let mut left: Vec<(Mac, char)> = left.collect();
    left.dedup();
    if left.len() > 1 {
        left.retain(|(mac, _)| is_known(*mac));
    }
    match left.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
