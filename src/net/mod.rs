//! Sockets that know which address was asked, frames on an interface, and what interfaces there are.

mod answer;
mod interface;
mod socket;

pub use answer::{answer_once, answering};
pub use interface::Interface;
pub use socket::{FrameSender, UdpPktInfo};
