//! Live news of commits.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::domain::Commit;

/// How many commits a slow watcher may be behind before it is told that it missed some.
pub const CAPACITY: usize = 4096;

/// Live news of commits. Whoever is too slow misses some and is told so; nobody ever waits for a watcher.
#[derive(Clone, Debug)]
pub struct Feed(broadcast::Sender<Arc<Commit>>);

impl Feed {
    /// A feed that nobody watches yet.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }

    /// Listens from the next commit on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Arc<Commit>> {
        self.0.subscribe()
    }

    pub(super) fn announce(&self, commit: Arc<Commit>) {
        // Nobody watching is the usual case and no fault.
        let _ = self.0.send(commit);
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new()
    }
}
