//! Replies that wait for the disk, or for the word of the wire.

use std::{collections::HashSet, future::Future, sync::Arc};

use tokio::task::JoinSet;

use crate::{
    domain::{Commit, Mac},
    store::CommitError,
    telemetry::Counters,
    wire::dhcp::Kind,
};

use super::{
    port::Port,
    server::{Parcel, send_all},
};

/// The most replies of a port that wait. What comes then waits in the ring, and clients send again.
const MAX_PENDING: usize = 4096;

/// What a client sends again unchanged when the answer is late.
pub(super) type Transaction = (Mac, u32, Kind);

/// Replies that wait: a task for all of a round.
#[derive(Debug, Default)]
pub(super) struct Pending {
    tasks: JoinSet<Vec<Transaction>>,
    transactions: HashSet<Transaction>,
}

impl Pending {
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub fn has_room(&self) -> bool {
        self.transactions.len() < MAX_PENDING && self.tasks.len() < MAX_PENDING
    }

    /// Remembers that an answer to this waits; false if one does already.
    pub fn begin(&mut self, transaction: Transaction) -> bool {
        self.transactions.insert(transaction)
    }

    /// Starts what brings about the answers to these transactions, and forgets them when it is through.
    pub fn push(
        &mut self,
        transactions: Vec<Transaction>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.transactions.extend(&transactions);
        self.tasks.spawn(async move {
            task.await;
            transactions
        });
    }

    /// Waits for one of them. Cancel-safe.
    pub async fn one(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(done)) => {
                for transaction in done {
                    self.transactions.remove(&transaction);
                }
            }
            Some(Err(error)) => {
                tracing::error!(%error, "a reply broke");
                // Which ones is not told; forgetting all costs at most an ACK too many.
                self.transactions.clear();
            }
            None => {}
        }
    }
}

/// Waits until batches are fact, then sends the replies to those that are; for one that does not become fact, nothing
/// leaves.
pub(super) async fn settle(
    facts: impl Future<Output = Vec<Result<Arc<Commit>, CommitError>>>,
    parcels: Vec<Option<Parcel>>,
    port: &Port,
    counters: &Counters,
) {
    let facts = facts.await.into_iter().zip(parcels);
    let due = facts.filter_map(|(fact, parcel)| match fact {
        Ok(_) => parcel,
        Err(CommitError::Taken(claim)) => {
            // Another client was faster. This one asks again, and learns it then.
            counters.count("dhcp", "taken");
            tracing::debug!(?claim, "no ACK");
            None
        }
        Err(error) => {
            counters.count("dhcp", "not-committed");
            tracing::debug!(%error, "no ACK");
            None
        }
    });
    let due: Vec<Parcel> = due.collect();
    send_all(port, counters, &due).await;
}
