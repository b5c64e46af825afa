//! Sockets that know which address was asked, frames on an interface, what interfaces there are, and their addresses.

mod answer;
mod filter;
mod interface;
pub mod link;
mod listen;
mod socket;
mod tap;

pub use answer::{answer_once, answering, datagram_room};
pub use interface::Interface;
pub use listen::{listening, listening_on};
pub use socket::batch::{Inbox, Outbox, UdpBatch};
pub use socket::{FrameSender, UdpPktInfo};
pub use tap::{ArpTap, FrameTap, Heard};
