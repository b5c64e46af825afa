//! Sockets that know which address was asked, frames on an interface, and what interfaces there are.

mod interface;
mod socket;

pub use interface::Interface;
pub use socket::{FrameSender, UdpPktInfo};
