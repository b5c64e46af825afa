//! DHCP that others serve, overheard (RFC 2131): who is there, which address each phone holds, what it was told.
//!
//! ```text
//! observer: frame → wire::{ethernet, arp, frame, dhcp} → Provisioner::client (who is this?) → Watcher (what is new?)
//!   Commit: leases and their ends, through Journal::commit
//!   Record: what happened and what was shown, through the recorder
//!   Ignore: a counter
//! ```
//!
//! No port is bound and nothing is sent. Where another server's answers can be heard (a mirror port, a hub, a bridge that
//! floods), its ACK is the lease. An access port hears broadcasts only: there the phone's REQUEST, which names address
//! and server to everybody, is a provisional lease, and ARP from that phone with that address confirms it. As one more
//! target of a relay, neither ACK nor ARP comes by, and the relayed REQUEST has to do.
//!
//! Whoever can send on the wire can lie here, as to any DHCP server: that a MAC is genuine is the switch's to assure.

mod desk;
mod error;
mod memory;
mod observer;
mod overheard;
mod port;
mod reading;
#[cfg(test)]
mod tests;
mod watcher;

pub use error::ObserveError;
pub use observer::Observer;
