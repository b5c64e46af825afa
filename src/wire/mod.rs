//! Byte formats, both ways and pure: whatever bytes come in, nothing here panics.

pub mod dhcp;
pub mod frame;
pub mod tftp;
