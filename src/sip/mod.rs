//! Phones told to come again: a NOTIFY by UDP to each, as PBXs send it, and what they answer put on record.
//!
//! `transaction` says when a request is sent anew and when it is given up, `digest` answers a challenge, `calls` keeps
//! what is under way; none of them has a socket or a clock. `notifier` is the task that has both. No port is open until
//! an operator asks for the first phone. The registrar is not here yet.

mod calls;
mod digest;
mod notifier;
mod transaction;

pub use notifier::{Notifier, Orders};
