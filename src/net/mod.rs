//! Sockets: what the appliance needs of the system beyond std and tokio.

mod asked;
mod socket;

pub use asked::{AskedUdp, answer_once, answering};
