//! Phone families as data: how each is recognized, what it asks for, and the templates that answer.

mod family;

pub use family::{DhcpRule, Family, FileRule, Form, Format, Model, Normal, ServerOption, Speaks};

use std::path::Path;

use crate::domain::{Ground, Mac, Problem, Timestamp};

/// Something that a phone showed about itself, as it came.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// DHCP option 60, octets as received (text, text with a trailing NUL, or Poly's binary RFC 3925 form).
    Option60(&'a [u8]),
    /// DHCP option 12, octets as received.
    Option12(&'a [u8]),
    /// DHCP option 55, the codes in order.
    Option55(&'a [u8]),
    /// DHCP option 61, octets as received, type octet included.
    Option61(&'a [u8]),
    /// DHCP option 124 or 125, octets as received.
    Option125(&'a [u8]),
    /// HTTP or SIP User-Agent.
    UserAgent(&'a str),
    /// The name of a file asked for, as normalized by the resolver.
    FileName(&'a str),
    /// The hardware address itself.
    Prefix(Mac),
}

/// A file of a family that a name fits.
#[derive(Clone, Copy, Debug)]
pub struct FileMatch<'a> {
    /// The family.
    pub family: &'a Family,
    /// The file.
    pub file: &'a FileRule,
    /// The MAC in the name.
    pub mac: Option<Mac>,
    /// The model that this name gives away.
    pub model: Option<&'a Model>,
}

/// Why a template gave no bytes.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RenderError {
    /// The template asks for something that is not there, or is broken.
    #[error("{template}:{line}: {text}")]
    Template {
        /// `family/file`.
        template: String,
        /// Line from 1; 0 if unknown.
        line: usize,
        /// What the engine said.
        text: String,
    },
    /// A value that this format can't carry, such as a line break in an ini value.
    #[error("{template}: {text}")]
    Value {
        /// `family/file`.
        template: String,
        /// Which and why.
        text: String,
    },
}

/// All families: the shipped ones, overridden file by file by the operator's.
#[derive(Debug)]
pub struct Catalog {}

impl Catalog {
    /// Loads the shipped families and, over them, those of `overrides` (which may be absent).
    ///
    /// A family with problems is left out unless its shipped form is whole; every problem is told.
    #[must_use]
    pub fn load(overrides: Option<&Path>) -> (Self, Vec<Problem>) {
        let _ = overrides;
        unimplemented!()
    }

    /// Families by name.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        std::iter::empty()
    }

    /// A family by name.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Family> {
        let _ = name;
        unimplemented!()
    }

    /// The families that a name stands for: one family, or all of a vendor. Case does not count.
    #[must_use]
    pub fn expand(&self, family_or_vendor: &str) -> Vec<&Family> {
        let _ = family_or_vendor;
        unimplemented!()
    }

    /// Every file that a wire name fits, best first. The name has no leading slash and only forward slashes.
    #[must_use]
    pub fn resolve(&self, name: &str) -> Vec<FileMatch<'_>> {
        let _ = name;
        unimplemented!()
    }

    /// A model in any usual spelling (`CP-7961G-GE`, `7961g`, `VVX 401`, `SIP-T46S`), same products under one name.
    #[must_use]
    pub fn model(&self, spelling: &str) -> Option<(&Family, &Model)> {
        let _ = spelling;
        unimplemented!()
    }

    /// True if both spell the same product (7961 = 7961G; 7961G-GE is another). Unknown spellings compare as text.
    #[must_use]
    pub fn same_product(&self, one: &str, other: &str) -> bool {
        let _ = (one, other);
        unimplemented!()
    }

    /// What one piece of evidence tells; `None` if it tells nothing.
    #[must_use]
    pub fn recognize(&self, seen: &Seen<'_>, at: Timestamp) -> Option<Ground> {
        let _ = (seen, at);
        unimplemented!()
    }

    /// What a client is, if it is known not to be a phone ("Windows", "PXE boot ROM" …).
    #[must_use]
    pub fn not_a_phone(&self, seen: &Seen<'_>) -> Option<&str> {
        let _ = seen;
        unimplemented!()
    }

    /// Renders a file's template. The result is well-formed in the family's format.
    ///
    /// # Errors
    ///
    /// [`RenderError`].
    pub fn render(
        &self,
        family: &Family,
        file: &FileRule,
        values: &minijinja::Value,
    ) -> Result<Vec<u8>, RenderError> {
        let _ = (family, file, values);
        unimplemented!()
    }
}
