//! Progress reports on their way to the journal: batched, bounded, and dropped before they would stall a boot.

use crate::domain::{Change, Outcome};

/// Takes progress reports without ever waiting.
///
/// At most 16,384 wait at a time; one more is dropped and counted, because losing a progress report is better than
/// stalling a boot. Leases and inventory edits never go this way.
#[derive(Clone, Debug)]
pub struct Recorder {}

impl Recorder {
    /// Queues one change; drops it if the journal is that far behind.
    pub fn record(&self, change: Change) {
        let _ = change;
        unimplemented!()
    }
}

/// One transfer's report: made when the file is opened, sent exactly once, when it is dropped.
#[derive(Debug)]
pub struct Delivery {}

impl Delivery {
    /// How many bytes arrived for certain so far. Reports firmware progress at most once a second.
    pub fn advance(&mut self, bytes: u64) {
        let _ = bytes;
        unimplemented!()
    }

    /// Sets how it ended and reports it. A delivery that is dropped without this was aborted by the phone.
    pub fn finish(mut self, outcome: Outcome) {
        let _ = (&mut self, outcome);
        unimplemented!()
    }
}
