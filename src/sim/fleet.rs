//! Many simulated phones at once.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

use super::{
    Habit, Network, Subject,
    phone::{self, Kept},
    script::Reached,
};
use crate::domain::Mac;

/// How far one phone believes that it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// Which phone.
    pub mac: Mac,
    /// How far.
    pub reached: Reached,
}

/// Many simulated phones and the network that they are on.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Where the servers are.
    pub network: Network,
    /// The phones.
    pub phones: Vec<Subject>,
    /// What lies between the power-on of one phone and that of the next; zero for all at once.
    pub stagger: Duration,
    /// How many boot at the same time; the rest wait for their turn, as behind one switch that is powered on in steps.
    pub at_once: usize,
    /// What lies between two futile cycles of one phone.
    pub pause: Duration,
    /// What lies between a phone's end of one boot and its next power cycle; `None` for phones that boot once.
    pub restart: Option<Duration>,
}

impl Fleet {
    /// Boots every phone, telling each outcome as it comes, until all are through or `stop` turns true.
    ///
    /// `outcomes` is not waited for: one that nobody reads in time is dropped, as it is for show only.
    pub async fn run(self, outcomes: mpsc::Sender<Outcome>, mut stop: watch::Receiver<bool>) {
        let turns = Arc::new(Semaphore::new(self.at_once.max(1)));
        let mut tasks = JoinSet::new();
        for (number, subject) in (0_u32..).zip(self.phones) {
            let (network, pause, turns) = (self.network, self.pause, Arc::clone(&turns));
            // Power cycles are spread, so that the page shows one phone after another and not all at once.
            let restart = self.restart.map(|restart| restart + restart / 16 * (number % 16));
            let live = live(subject, network, pause, restart, turns, outcomes.clone());
            let powered = self.stagger.saturating_mul(number);
            tasks.spawn(async move {
                tokio::time::sleep(powered).await;
                live.await;
            });
        }
        drop(outcomes);
        tokio::select! {
            // Either way the set is dropped next, which ends every phone where it stands: as if its power were cut.
            () = async { while tasks.join_next().await.is_some() {} } => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

async fn live(
    subject: Subject,
    network: Network,
    pause: Duration,
    restart: Option<Duration>,
    turns: Arc<Semaphore>,
    outcomes: mpsc::Sender<Outcome>,
) {
    let mut kept = Kept::default();
    loop {
        let Ok(turn) = turns.acquire().await else { return };
        let reached = phone::boot(&subject, &network, &mut kept, pause).await;
        drop(turn);
        // For show only: a full channel loses a line, not a phone.
        let _ = outcomes.try_send(Outcome { mac: subject.mac, reached });
        // What broke in a certain way stays so, to be looked at.
        let again = restart.filter(|_| !matches!(subject.habit, Habit::Acts(_)));
        let Some(restart) = again else { return };
        tokio::time::sleep(restart).await;
    }
}
