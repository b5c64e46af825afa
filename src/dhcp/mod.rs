//! DHCP for phones (RFC 2131): a pure responder, and a thin driver around it.
//!
//! ```text
//! server: datagrams → ring (known phones first, repetitions once) → rounds of up to 64
//! round:  wire::dhcp::Message → Provisioner::look, client_in (who is this?) → Responder::decide (what is due?)
//!   Answer: replies now, all of a round in one call; what happened goes to the recorder
//!   Bind:   Service::commit_all first; the replies leave when the leases are fact (RFC 2131 §3.1 step 4)
//!   Ignore: a counter, and at most one report a minute per client
//! ```
//!
//! A round holds the lock of the offers and the guard of the state once. What the options of a kind of phone are is found
//! out for the first of it and kept with the resolver in force, octets and all.
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
mod pending;
mod port;
mod probe;
mod rehearsal;
mod replies;
mod responder;
mod ring;
mod round;
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
