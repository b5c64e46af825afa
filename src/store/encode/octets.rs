//! The small words of the journal: numbers, texts, moments and addresses in as few octets as they need.
//!
//! A lease is written while its phone waits, so nothing here makes text of anything: a moment costs six octets and a few
//! nanoseconds, its text form 20 octets and 150 ns.

use std::net::Ipv4Addr;

use serde::{Serialize, de::DeserializeOwned};

use crate::domain::{Mac, Timestamp};

use super::BadValue;

/// Writes to the end of a record.
pub(super) struct Writing<'a>(pub(super) &'a mut Vec<u8>);

impl Writing<'_> {
    pub(super) fn octet(&mut self, octet: u8) {
        self.0.push(octet);
    }

    /// Seven bits an octet, the lowest first.
    #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are meant")]
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn octets(&mut self, octets: &[u8]) {
        self.number(octets.len() as u64);
        self.0.extend_from_slice(octets);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.octets(text.as_bytes());
    }

    /// What may be absent: an octet that says whether it is there, then the thing.
    pub(super) fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.octet(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(super) fn mac(&mut self, mac: Mac) {
        self.0.extend_from_slice(&mac.octets());
    }

    pub(super) fn address(&mut self, address: Ipv4Addr) {
        self.0.extend_from_slice(&address.octets());
    }

    /// Seconds and nanoseconds; both are negative before 1970.
    pub(super) fn moment(&mut self, at: Timestamp) {
        self.number(zigzag(at.as_second()));
        self.number(zigzag(at.subsec_nanosecond().into()));
    }

    /// What is rare, in the form and with the version that it has among the rows.
    pub(super) fn row(&mut self, value: &impl Serialize) -> Result<(), BadValue> {
        let row = super::write(value)?;
        self.octets(&row);
        Ok(())
    }
}

/// Reads what [`Writing`] wrote, to its end.
pub(super) struct Reading<'a>(pub(super) &'a [u8]);

impl<'a> Reading<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], BadValue> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(ends)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn octet(&mut self) -> Result<u8, BadValue> {
        self.take::<1>().map(|[octet]| octet)
    }

    pub(super) fn flag(&mut self) -> Result<bool, BadValue> {
        match self.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(BadValue::broken("neither yes nor no")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, BadValue> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            number |= u64::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                return Ok(number);
            }
        }
        Err(BadValue::broken("a number without an end"))
    }

    pub(super) fn octets(&mut self) -> Result<&'a [u8], BadValue> {
        let length = usize::try_from(self.number()?).map_err(BadValue::broken)?;
        let (octets, rest) = self.0.split_at_checked(length).ok_or_else(ends)?;
        self.0 = rest;
        Ok(octets)
    }

    pub(super) fn text(&mut self) -> Result<String, BadValue> {
        std::str::from_utf8(self.octets()?).map(str::to_owned).map_err(BadValue::broken)
    }

    pub(super) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, BadValue>,
    ) -> Result<Option<T>, BadValue> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    pub(super) fn mac(&mut self) -> Result<Mac, BadValue> {
        Mac::new(self.take()?).map_err(BadValue::broken)
    }

    pub(super) fn address(&mut self) -> Result<Ipv4Addr, BadValue> {
        self.take::<4>().map(Ipv4Addr::from)
    }

    pub(super) fn moment(&mut self) -> Result<Timestamp, BadValue> {
        let second = unzigzag(self.number()?);
        let nanosecond = i32::try_from(unzigzag(self.number()?)).map_err(BadValue::broken)?;
        Timestamp::new(second, nanosecond).map_err(BadValue::broken)
    }

    pub(super) fn row<T: DeserializeOwned>(&mut self) -> Result<T, BadValue> {
        super::read(self.octets()?)
    }
}

fn ends() -> BadValue {
    BadValue::broken("it ends too early")
}

/// Small numbers of either sign as small numbers.
const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}
