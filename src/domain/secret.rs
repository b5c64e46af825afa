//! A text that never shows itself.

use std::fmt;

/// A password or key. It prints as `••••` wherever it is formatted.
///
/// It leaves inside a configuration file for its own phone, and for an operator who asks for it; [`Secret::reveal`]
/// is the only way out and easy to search for. It has no serialization of its own.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Every call is a place where a secret leaves.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// True if there is nothing to hide.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_nothing() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "•••• •••• Some(••••)");
        assert_eq!(secret.reveal(), "hunter2");
    }
}
