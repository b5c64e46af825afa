//! The EUI-48 address that names one phone.

use std::{fmt, str::FromStr};

/// The EUI-48 address of one phone.
///
/// A `Mac` always names a single station: the all-zero address and group addresses are refused at construction, so no
/// later code checks for them. It displays as `00:15:65:aa:bb:cc` and orders by its octets.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mac([u8; 6]);

/// Why a text or a group of octets names no phone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MacError {
    /// Not twelve hexadecimal digits once the separators are gone.
    #[error("{digits} hexadecimal digits where a MAC address has 12")]
    Length {
        /// How many digits were found.
        digits: usize,
    },
    /// A character that is neither a hexadecimal digit nor a separator.
    #[error("`{found}` is not a hexadecimal digit")]
    Digit {
        /// The first such character.
        found: char,
    },
    /// All zeros: a placeholder, never a phone.
    #[error("all zeros name no phone")]
    Zero,
    /// The group bit is set: multicast or broadcast.
    #[error("a group address names no single phone")]
    Group,
}

impl Mac {
    /// The first one in their order.
    pub const LOWEST: Self = Self([0, 0, 0, 0, 0, 1]);

    /// Takes six octets as received.
    ///
    /// # Errors
    ///
    /// [`MacError::Zero`] and [`MacError::Group`].
    pub const fn new(octets: [u8; 6]) -> Result<Self, MacError> {
        if octets[0] & 1 == 1 {
            return Err(MacError::Group);
        }
        if matches!(octets, [0, 0, 0, 0, 0, 0]) {
            return Err(MacError::Zero);
        }
        Ok(Self(octets))
    }

    /// The octets in transmission order.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The 48 bits as a number.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0.iter().fold(0, |value, octet| value << 8 | u64::from(*octet))
    }

    /// Twelve lower-case digits without separators, as Poly and Yealink spell it.
    #[must_use]
    pub fn lower(self) -> String {
        format!("{self:x}")
    }

    /// Twelve upper-case digits without separators, as Cisco spells it.
    #[must_use]
    pub fn upper(self) -> String {
        format!("{self:X}")
    }

    /// True for the address under which a Cisco ATA asks for the file of its second port: the octets of the first
    /// moved one to the left, and 01 behind them (`0123456789AB` becomes `23456789AB01`).
    #[must_use]
    pub fn is_second_port_of(self, first: Self) -> bool {
        self.0[..5] == first.0[1..] && self.0[5] == 1
    }

    /// The first three octets as six lower-case digits: the registry's prefix, one weak vote for a vendor.
    #[must_use]
    pub fn prefix(self) -> String {
        self.lower()[..6].to_owned()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, octet) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ":" };
            write!(f, "{separator}{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::LowerHex for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::UpperHex for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl FromStr for Mac {
    type Err = MacError;

    /// Reads any usual spelling: with `:`, `-`, `.`, `_` or blanks between the digits, or none; in any case.
    fn from_str(text: &str) -> Result<Self, MacError> {
        let mut octets = [0_u8; 6];
        let mut digits = 0;
        for found in text.trim().chars().filter(|c| !matches!(c, ':' | '-' | '.' | '_' | ' ')) {
            let digit = found.to_digit(16).ok_or(MacError::Digit { found })?;
            if let Some(octet) = octets.get_mut(digits / 2) {
                *octet = *octet << 4 | u8::try_from(digit).unwrap_or_default();
            }
            digits += 1;
        }
        if digits == 12 { Self::new(octets) } else { Err(MacError::Length { digits }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_port_of_an_adapter() {
        let check = |first: &str, other: &str, is: bool| {
            let (first, other): (Mac, Mac) = (first.parse().unwrap(), other.parse().unwrap());
            assert_eq!(other.is_second_port_of(first), is, "{first} {other}");
        };
        check("001e7ac41022", "1e7ac4102201", true);
        check("001e7ac41022", "1e7ac4102202", false);
        check("001e7ac41022", "1e7ac4102301", false);
        check("001e7ac41022", "001e7ac41022", false);
    }

    #[test]
    fn any_spelling() {
        for text in [
            "00:15:65:aa:bb:cc",
            "00-15-65-AA-BB-CC",
            "0015.65aa.bbcc",
            "001565AABBCC",
            " 001565aabbcc ",
        ] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "00:15:65:aa:bb:cc", "{text}");
        }
    }

    #[test]
    fn what_is_no_phone() {
        let check = |text: &str, expected| assert_eq!(text.parse::<Mac>(), Err(expected), "{text}");
        check("000000000000", MacError::Zero);
        check("ffffffffffff", MacError::Group);
        check("010000000001", MacError::Group);
        check("00156", MacError::Length { digits: 5 });
        check("001565aabbccd", MacError::Length { digits: 13 });
        check("O01565aabbcc", MacError::Digit { found: 'O' });
        check("", MacError::Length { digits: 0 });
    }
}
