//! Where in the settings a site's values were set, for an operator who asks.

use std::{collections::BTreeMap, fmt};

use crate::domain::SiteName;

/// `file:line` by a site's key, spelt as in `Site::set_by`.
///
/// No part of what the settings mean: a line further down is no other setting, so that two of these are always equal.
#[derive(Clone, Default)]
pub struct Places(BTreeMap<String, String>);

impl Places {
    /// Remembers the place of a key.
    pub(super) fn note(&mut self, key: String, place: String) {
        self.0.insert(key, place);
    }

    /// These places, and for keys without one those of `base`.
    pub(super) fn over(mut self, base: &Self) -> Self {
        for (key, place) in &base.0 {
            self.0.entry(key.clone()).or_insert_with(|| place.clone());
        }
        self
    }

    /// The place of a key; `None` where it was not noted.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The places of a site that inherits: its own, and for the keys that `by` says `base` set, those of `base`.
    pub(super) fn inherited(
        mut self,
        base: &Self,
        name: &str,
        by: &BTreeMap<String, SiteName>,
    ) -> Self {
        for (key, _) in by.iter().filter(|(_, site)| *site != name) {
            if let Some(place) = base.of(key) {
                self.0.insert(key.clone(), place.to_owned());
            }
        }
        self
    }
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} places", self.0.len())
    }
}
