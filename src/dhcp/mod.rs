//! DHCP for phones (RFC 2131): a pure responder, and a thin driver around it.
//!
//! ```text
//! server: datagram → wire::dhcp::Message → Provisioner::client (who is this?) → Responder::decide (what is due?)
//!   Answer: reply now, what happened goes to the recorder
//!   Bind:   Journal::commit first; the reply leaves when the lease is fact (RFC 2131 §3.1 step 4)
//!   Ignore: a counter, and at most one report a minute per client
//! ```
//!
//! What is fact is in the state; offers are promises and live in memory only. Which options a family gets, and what is
//! no phone at all, is decided in `provision`: here is no `if` about a family.

mod addresses;
mod ahead;
mod arrival;
mod conflict;
mod desk;
mod error;
mod offers;
mod port;
mod probe;
mod rehearsal;
mod replies;
mod responder;
mod server;
mod shares;
mod silence;
mod stock;
mod tally;
#[cfg(test)]
mod tests;

pub use desk::all_there;
pub use error::DhcpError;
pub use probe::{Other, other_server};
pub use rehearsal::{Due, Rehearsal};
pub use server::{Dhcp, Late};
