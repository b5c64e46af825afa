//! The name of a phone family.

use std::{borrow::Borrow, fmt, sync::Arc};

/// The name of a phone family: its folder under `profiles/`, such as `cisco-79xx-enterprise`.
///
/// Cheap to clone. Any text is accepted: whether a family of that name exists is the catalog's knowledge.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FamilyName(Arc<str>);

impl FamilyName {
    /// Takes a name as it is.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FamilyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for FamilyName {
    fn borrow(&self) -> &str {
        &self.0
    }
}
