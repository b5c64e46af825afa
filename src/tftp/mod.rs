//! Files to phones over TFTP: our own transfer engine, because knowing when the last block arrived is the product.
//!
//! | file | what it is |
//! |---|---|
//! | `ask` | a request understood, or the ERROR that it gets; the options that we grant |
//! | `transfer` | one transfer as a decider: packets and time in, packets and an outcome out; no I/O |
//! | `rto` | how long to wait before sending again |
//! | `content` | bytes of a file as they go on the wire: octet or netascii |
//! | `sessions` | which transfers run, and which of them makes way |
//! | `shelf` | where files come from: `provision`, or memory in tests |
//! | `pantry` | files read once, shared by all transfers that carry them |
//! | `server` | the driver that listens; `session`: from a request to a transfer under way |
//! | `port` | the driver of transfers: a port that answers many peers, in batches; `line`: one transfer of its |

mod ask;
mod content;
mod error;
mod line;
mod pantry;
mod port;
mod rto;
mod server;
mod session;
mod sessions;
mod shelf;
mod transfer;

pub use error::TftpError;
pub use server::Tftp;
pub use shelf::{Loan, Opening, Report, Shelf};
