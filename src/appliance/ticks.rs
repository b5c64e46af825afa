//! The clock of work that comes round.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};

/// Ticks now and after each period, until it is time to stop.
pub(super) struct Ticks {
    ticks: Interval,
    stop: watch::Receiver<bool>,
}

impl Ticks {
    /// Must run inside a tokio runtime.
    pub fn every(period: Duration, stop: watch::Receiver<bool>) -> Self {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, stop }
    }

    /// Waits for the next tick; false once `stop` is true, or nobody is left who could say so. Cancel-safe.
    pub async fn next(&mut self) -> bool {
        // Both are cancel-safe: a tick that was not waited for comes again.
        tokio::select! {
            _ = self.ticks.tick() => true,
            _ = self.stop.wait_for(|stop| *stop) => false,
        }
    }
}
