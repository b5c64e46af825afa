//! Logging and counters.

mod counters;
mod log;

pub use counters::Counters;
pub use log::{FilterError, init};
