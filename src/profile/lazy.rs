//! Regular expressions that are compiled once a text comes that may fit them.
//!
//! The shipped families have hundreds of them, and to compile them all took longer than all else of a start. A phone
//! needs few: most expressions demand a beginning that its texts do not have, and that is told without compiling them.

use std::sync::OnceLock;

use regex::{Captures, Error, Regex, RegexBuilder};

use super::opening::{Opening, openings};

/// The most octets of a compiled expression, where nothing else is said: what the engine itself allows.
const MAX_SIZE: usize = 10 << 20;

/// An expression, compiled or not yet.
#[derive(Clone, Debug)]
pub(super) struct Lazy {
    text: String,
    size: usize,
    /// What a text has to begin with; empty where it may begin with anything.
    openings: OnceLock<Vec<Opening>>,
    /// `None` for what is no expression, which fits nothing.
    compiled: OnceLock<Option<Regex>>,
}

impl Lazy {
    /// An expression that nobody has looked at yet.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::bounded(text, MAX_SIZE)
    }

    /// The same with so many octets at most, once it is compiled.
    pub(super) fn bounded(text: impl Into<String>, size: usize) -> Self {
        let (openings, compiled) = (OnceLock::new(), OnceLock::new());
        Self { text: text.into(), size, openings, compiled }
    }

    /// Compiles it now.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn compile(&self) -> Result<(), Error> {
        let regex = self.build()?;
        self.compiled.get_or_init(|| Some(regex));
        Ok(())
    }

    pub(super) fn openings(&self) -> &[Opening] {
        self.openings.get_or_init(|| openings(&self.text))
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.may_fit(text) && self.regex().is_some_and(|regex| regex.is_match(text))
    }

    pub(super) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        if self.may_fit(text) { self.regex()?.captures(text) } else { None }
    }

    /// The same for a text whose beginning the caller knows to be right.
    pub(super) fn captures_begun<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.regex()?.captures(text)
    }

    fn may_fit(&self, text: &str) -> bool {
        // Beginnings know no letters but ASCII's, where expressions fold the Kelvin sign into `k`.
        let is_open = |all: &[Opening]| all.is_empty() || all.iter().any(|one| one.begins(text));
        !text.is_ascii() || is_open(self.openings())
    }

    fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| self.build().ok()).as_ref()
    }

    fn build(&self) -> Result<Regex, Error> {
        RegexBuilder::new(&self.text).size_limit(self.size).build()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::profile::Catalog;

    /// Shipped profiles are taken at their word when ringup starts. As an operator's they are looked through: every
    /// expression, name and template is compiled.
    #[test]
    fn shipped_profiles_hold_together() {
        let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles"));
        let (catalog, problems) = Catalog::load(Some(shipped));
        assert!(problems.is_empty(), "{problems:#?}");
        assert!(catalog.families().count() > 30);
    }

    #[test]
    fn what_is_no_expression_fits_nothing() {
        let broken = Lazy::new("^(phone");
        assert!(broken.compile().is_err());
        assert!(!broken.is_match("(phone"));
        assert!(Lazy::bounded(r"\w{100}", 1000).compile().is_err());
    }

    #[test]
    fn only_what_may_fit_is_compiled() {
        let lazy = Lazy::new("^(?i:kirk)[ .](?P<model>[0-9]+)$");
        assert!(!lazy.is_match("Spectralink 8440"));
        assert!(lazy.compiled.get().is_none());
        assert!(lazy.captures("KIRK.8440").is_some());
        assert!(lazy.is_match("\u{212a}IRK 8440"), "the Kelvin sign is a k");
    }

    proptest! {
        /// A beginning that is looked at first changes no answer.
        #[test]
        fn as_the_expression_itself(text in "(Cisco|cisco|snom|SNOM|Yealink|yea)[ -]?(SPA|T4|)[0-9]{0,3}.{0,3}") {
            for expression in [
                r"^(?i:cisco) (?P<model>SPA\d{3}[A-Za-z]*\d?)$", r"^(?:Cisco )?(?:SPA)?\d{3}",
                r"(?:^|[ (;])(?P<vendor>(?i:snom))\b", r"^(?i:yealink)[ -](?P<model>[A-Za-z0-9_]+)", "^(?:yea|snom)",
            ] {
                let expected = Regex::new(expression).unwrap().is_match(&text);
                prop_assert_eq!(Lazy::new(expression).is_match(&text), expected, "{}", expression);
            }
        }
    }
}
