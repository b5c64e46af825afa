//! Looks at the phones of open batches every few seconds: who is ready, and what was wrong and is not any more.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::provision::{Service, StagingWatch};

use super::ticks::Ticks;

/// How often it is looked at. Being ready comes with time alone, so no event tells it.
const EVERY: Duration = Duration::from_secs(5);

/// Looks now and at every tick until `stop` turns true.
pub(super) async fn watch(service: Arc<Service>, stop: watch::Receiver<bool>) {
    let (mut ticks, mut seen) = (Ticks::every(EVERY, stop), StagingWatch::default());
    while ticks.next().await {
        let news = seen.look(&service).await;
        if !news.is_empty()
            && let Err(error) = service.commit(news.into()).await
        {
            // A store that takes nothing says so itself, and louder.
            tracing::debug!(%error, "what became of phones on the bench is not kept");
        }
    }
}
