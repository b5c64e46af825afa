//! Byte formats, both ways and pure: whatever bytes come in, nothing here panics.

pub mod arp;
pub mod dhcp;
pub mod ethernet;
pub mod frame;
pub mod sip;
pub mod tftp;
