//! The way to ask for other settings while everything runs: what the operators' port asks and the appliance answers.

use tokio::sync::{mpsc, oneshot};

use crate::{config::Difference, domain::Problem};

/// Reloads that may wait: operators ask one at a time, and one more is told to come again.
const MAX_WAITING: usize = 4;

/// What a reload did, or would do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reloaded {
    /// What is not as it was: keys of the settings, and files.
    pub changes: Vec<Difference>,
    /// What stays as it was until a restart, each with its reason.
    pub restart: Vec<String>,
    /// What is legal but probably not meant.
    pub warnings: Vec<Problem>,
}

/// Why nothing was changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unloaded {
    /// The settings, the families or what they want bound have these problems.
    Problems(Vec<Problem>),
    /// Nobody is there to do it, or too many wait already.
    Busy,
}

/// One request for a reload.
#[derive(Debug)]
pub struct Ask {
    /// Only tell what it would do.
    pub dry_run: bool,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Reloaded, Unloaded>>,
}

/// Asks a running appliance to read its settings anew. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reload(mpsc::Sender<Ask>);

impl Reload {
    /// The way to ask, and where the questions arrive.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<Ask>) {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        (Self(sender), receiver)
    }

    /// Asks and waits. Dropping the future takes nothing back.
    ///
    /// # Errors
    ///
    /// [`Unloaded`]: then nothing has changed.
    pub async fn ask(&self, dry_run: bool) -> Result<Reloaded, Unloaded> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Ask { dry_run, answer }).map_err(|_| Unloaded::Busy)?;
        answered.await.unwrap_or(Err(Unloaded::Busy))
    }
}
