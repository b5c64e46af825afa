//! Keys and values on disk and in a backup: how they are spelt, and in which version.
//!
//! A key is one octet that names the kind, then the parts big-endian, so that the order of keys is the order of things.
//! A value is one octet with the version of its form, then JSON: an operator with a dead store can still read it.

mod commit;
mod entry;
mod event;
mod lease;
mod octets;
mod phone;
mod rows;
mod staging;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use crate::domain::{Mac, hex};

pub(super) use commit::{Spot, Spots, Undoes, VERSION, read_commits, read_event, write_commit};
pub(super) use entry::{Listed, Replaced};
pub(super) use phone::Meta;
pub(super) use rows::{Loader, Row, rows, undo_rows};

/// The version of the forms in this module. Every value says which one it has.
///
/// A field that is added with a default, and left out where it has that default, is no new version: what was written
/// before it reads as it did, and what is written now can be read without it. Anything else is one.
///
/// 2: events may tell of registrations. All that 1 could say is said the same way.
///
/// 3: there are batches, and events tell what phones showed of where they are plugged in.
///
/// 4: phones have places in waves of firmware, and operators brake these.
///
/// 5: events tell what phones answered that were asked to come again.
pub(super) const SCHEMA: u8 = 5;

/// The oldest version that still reads.
pub(super) const OLDEST: u8 = 1;

/// Kinds of keys: their first octet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Kind {
    Batch = b'b',
    Brake = b'k',
    Entry = b'e',
    Lease = b'l',
    Meta = b'm',
    Number = b'n',
    Phone = b'p',
    Place = b's',
    Quarantine = b'q',
    Event = b't',
    Undo = b'u',
    Window = b'w',
}

impl Kind {
    /// All kinds that are part of the state.
    pub(super) const STATE: [Self; 10] = [
        Self::Meta,
        Self::Entry,
        Self::Phone,
        Self::Lease,
        Self::Quarantine,
        Self::Number,
        Self::Window,
        Self::Batch,
        Self::Place,
        Self::Brake,
    ];

    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let all = Self::STATE.into_iter().chain([Self::Event, Self::Undo]);
        all.into_iter().find(|kind| Some(kind.octet()) == key.first().copied())
    }

    pub(super) const fn octet(self) -> u8 {
        self as u8
    }

    pub(super) fn key(self, rest: &[u8]) -> Vec<u8> {
        [&[self.octet()], rest].concat()
    }
}

/// Why a value can't be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum BadValue {
    /// In a form of a later version.
    #[error("a value has the form of schema {0}")]
    Newer(u8),
    /// In no form.
    #[error("{0}")]
    Broken(String),
}

impl BadValue {
    #[expect(clippy::needless_pass_by_value, reason = "goes into `map_err` as it is")]
    pub(super) fn broken(text: impl ToString) -> Self {
        Self::Broken(text.to_string())
    }
}

/// A value with its version in front.
pub(super) fn write(value: &impl Serialize) -> Result<Vec<u8>, BadValue> {
    let mut octets = vec![SCHEMA];
    serde_json::to_writer(&mut octets, value).map_err(BadValue::broken)?;
    Ok(octets)
}

/// Reads what [`write()`] wrote.
pub(super) fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, BadValue> {
    serde_json::from_slice(json(octets)?).map_err(BadValue::broken)
}

/// The JSON behind the version, once the version is known.
pub(super) fn json(octets: &[u8]) -> Result<&[u8], BadValue> {
    match octets.split_first() {
        Some((&(OLDEST..=SCHEMA), json)) => Ok(json),
        Some((&version, _)) if version > SCHEMA => Err(BadValue::Newer(version)),
        _ => Err(BadValue::broken("a value has no version")),
    }
}

/// The key of an event: phone, commit, place in the commit.
pub(super) fn event_key(mac: Mac, commit: u64, index: usize) -> Vec<u8> {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    let parts = [&mac.octets()[..], &commit.to_be_bytes(), &index.to_be_bytes()];
    Kind::Event.key(&parts.concat())
}

/// Phone and commit of an event's key.
pub(super) fn read_event_key(key: &[u8]) -> Result<(Mac, u64), BadValue> {
    let parts = key.strip_prefix(&[Kind::Event.octet()]).filter(|rest| rest.len() == 18);
    let (mac, rest) = parts.and_then(|rest| rest.split_first_chunk()).ok_or_else(bad_key)?;
    let (commit, _) = rest.split_first_chunk().ok_or_else(bad_key)?;
    Ok((Mac::new(*mac).map_err(BadValue::broken)?, u64::from_be_bytes(*commit)))
}

fn bad_key() -> BadValue {
    BadValue::broken("a key has the wrong length")
}

/// A noun that has a form here. The nouns themselves know nothing of forms.
pub(super) trait Form: Sized {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;
}

/// Gives a noun the form that a mirror type declares (`serde(remote)`).
macro_rules! form {
    ($($Noun:ty => $Mirror:ident),+ $(,)?) => { $(
        impl $crate::store::encode::Form for $Noun {
            fn write<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $Mirror::serialize(self, to)
            }
            fn read<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $Mirror::deserialize(from)
            }
        }
    )+ };
}
use form;

/// A noun, or a reference to one, as serde sees it.
pub(super) struct As<T>(pub(super) T);

impl<T: Form> Serialize for As<&T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.write(to)
    }
}

impl<'de, T: Form> Deserialize<'de> for As<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::read(from).map(Self)
    }
}

/// Fields that hold `Option<noun>`.
mod option {
    use super::{As, Deserialize, Deserializer, Form, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<T: Form, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(As).serialize(to)
    }

    pub(super) fn deserialize<'de, T: Form, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<As<T>>::deserialize(from)?.map(|value| value.0))
    }
}

/// Fields that hold `Vec<noun>`.
mod list {
    use super::{As, Deserialize, Deserializer, Form, Serializer};

    pub(super) fn serialize<T: Form, S: Serializer>(
        values: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(As))
    }

    pub(super) fn deserialize<'de, T: Form, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<As<T>>::deserialize(from)?.into_iter().map(|value| value.0).collect())
    }
}

/// Fields that read back what they print: addresses, moments.
mod text {
    use std::{fmt::Display, str::FromStr};

    use super::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(super::refuse)
    }
}

/// The same for fields that may be empty.
mod maybe_text {
    use std::{fmt::Display, str::FromStr};

    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(to)
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(super::refuse)).transpose()
    }
}

fn refuse<E: serde::de::Error>(text: impl std::fmt::Display) -> E {
    E::custom(text)
}

/// Octets from what [`hex`] wrote.
pub(super) fn unhex(text: &str) -> Result<Vec<u8>, BadValue> {
    let digits = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let octets = text.as_bytes().chunks(2).map(|pair| digits(pair).filter(|_| pair.len() == 2));
    octets.collect::<Option<_>>().ok_or_else(|| BadValue::broken("not hexadecimal digits"))
}
