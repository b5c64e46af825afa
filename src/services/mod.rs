//! The time and the names that phones ask for where nobody else answers: an isolated bench.
//!
//! A phone that waits for a name server's silence boots minutes late, and one that never hears the time shows 1970 and
//! refuses certificates. `time` and `names` decide, without a socket or a clock; `server` carries their answers.
//! Nothing here asks anybody else: a name is known or it is not.

mod names;
mod server;
mod time;

pub use names::{BadName, Names};
pub use server::{Place, Services, ServicesError};
