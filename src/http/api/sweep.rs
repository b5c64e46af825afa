//! Looking at every phone without holding anybody up, and keeping what came of it for a moment.

use std::{
    ops::Bound,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::{
    domain::Mac,
    provision::Provisioner,
    store::{Phone, State},
};

use super::super::operators::Operators;

/// Phones looked at under one lock: short enough that no ACK waits for an operator's figures.
const AT_A_TIME: usize = 512;

/// Figures this fresh are given again, whatever happened meanwhile: a storm of boots and a hundred open pages cost no
/// more than one look at all phones in this time.
const FRESH: Duration = Duration::from_millis(500);

/// Figures of the same commit are given again for so long: they depend on the time a little.
const SAME: Duration = Duration::from_secs(5);

/// Looks at all phones in the order of their MACs. What changes meanwhile is seen as it is when its turn comes.
pub async fn sweep(
    operators: &Operators,
    mut look: impl FnMut(&Provisioner, &State, Mac, &Phone) + Send,
) {
    let provisioner = operators.service.provisioner();
    let mut after = None;
    loop {
        after = {
            let state = operators.service.view.read();
            let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
            let mut last = None;
            for (mac, phone) in state.phones.range((behind, Bound::Unbounded)).take(AT_A_TIME) {
                look(&provisioner, &state, *mac, phone);
                last = Some(*mac);
            }
            last
        };
        if after.is_none() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// What was worked out last, and from what. Whoever asks while somebody works it out waits for that one.
#[derive(Debug)]
pub struct Kept<T>(Mutex<Option<(Instant, u64, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Kept<T> {
    /// What was worked out lately, else what `make` works out now.
    pub async fn get(&self, operators: &Operators, make: impl AsyncFnOnce() -> T) -> Arc<T> {
        let mut kept = self.0.lock().await;
        let commit = operators.service.view.read().commit;
        if let Some((at, of, value)) = kept.as_ref() {
            let (age, same) = (at.elapsed(), *of == commit);
            if age < FRESH || same && age < SAME {
                return Arc::clone(value);
            }
        }
        let value = Arc::new(make().await);
        *kept = Some((Instant::now(), commit, Arc::clone(&value)));
        value
    }
}
