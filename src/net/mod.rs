//! Sockets that know which address was asked, frames on an interface, and what interfaces there are.

mod answer;
mod filter;
mod interface;
mod listen;
mod socket;
mod tap;

pub use answer::{answer_once, answering};
pub use interface::Interface;
pub use listen::listening;
pub use socket::{FrameSender, UdpPktInfo};
pub use tap::{FrameTap, Heard};
