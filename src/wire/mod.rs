//! wire
pub mod tftp;
