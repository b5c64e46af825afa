//! What an operator should know as long as it holds: an interface that is waited for, settings that were not taken.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Notices by what they are about. Cheap to clone; all clones are one.
///
/// Who sets a notice takes it back. What they are about comes out of the settings, never from a peer: that bounds them.
#[derive(Clone, Debug, Default)]
pub struct Notices(Arc<Mutex<BTreeMap<String, String>>>);

impl Notices {
    /// Says something about `about`, or takes back what was said; true if that changes anything.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers only say; few want to know if it is news"
    )]
    pub fn set(&self, about: &str, text: Option<String>) -> bool {
        let mut notices = self.lock();
        match text {
            Some(text) if notices.get(about) == Some(&text) => false,
            Some(text) => {
                notices.insert(about.to_owned(), text);
                true
            }
            None => notices.remove(about).is_some(),
        }
    }

    /// What holds now.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_is_news() {
        let notices = Notices::default();
        let text = |text: &str| Some(text.to_owned());
        assert!(notices.set("b", text("late")) && !notices.set("b", text("late")));
        assert!(notices.set("a", text("down")) && notices.set("b", text("later")));
        assert_eq!(notices.clone().texts(), ["down", "later"]);
        assert!(notices.set("a", None) && !notices.set("a", None));
        assert_eq!(notices.texts(), ["later"]);
    }
}
