//! Looks at the use of the pools, four times a minute, so that the page can draw it.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{domain::Timestamp, provision::Service};

use super::ticks::Ticks;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(15);

/// Looks now and at every tick until `stop` turns true, at the pools that the settings have by then.
pub(super) async fn sample(service: Arc<Service>, stop: watch::Receiver<bool>) {
    let mut ticks = Ticks::every(EVERY, stop);
    while ticks.next().await {
        let provisioner = service.provisioner();
        let state = service.view.read();
        service.pools.sample(provisioner.settings(), &state, Timestamp::now());
    }
}
