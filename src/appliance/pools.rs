//! Looks at the use of the pools, four times a minute, so that the page can draw it.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{domain::Timestamp, provision::Service};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(15);

/// Looks now and at every tick until `stop` turns true, at the pools that the settings have by then.
pub(super) async fn sample(service: Arc<Service>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Both are cancel-safe: a tick that was not waited for comes again.
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let provisioner = service.provisioner();
        let state = service.view.read();
        service.pools.sample(provisioner.settings(), &state, Timestamp::now());
    }
}
