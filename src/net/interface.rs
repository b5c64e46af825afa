//! What network interfaces there are, and their addresses.

use std::{io, net::Ipv4Addr};

use super::socket;

/// A network interface, as it is now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Interface {
    /// Name.
    pub name: String,
    /// The kernel's number for it.
    pub index: u32,
    /// Hardware address; zeros where it has none (loopback).
    pub hardware: [u8; 6],
    /// True if it is administratively up.
    pub up: bool,
    /// IPv4 addresses with prefix lengths, the primary one first.
    pub addresses: Vec<(Ipv4Addr, u8)>,
}

impl Interface {
    /// Every interface of this network namespace.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn all() -> io::Result<Vec<Self>> {
        socket::interfaces()
    }

    /// The interface of that name, if there is one.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn find(name: &str) -> io::Result<Option<Self>> {
        Ok(Self::all()?.into_iter().find(|interface| interface.name == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_always_there() {
        let loopback = Interface::find("lo").unwrap().unwrap();
        assert!(loopback.up && loopback.index > 0);
        assert!(loopback.addresses.contains(&(Ipv4Addr::LOCALHOST, 8)));
        assert_eq!(loopback.hardware, [0; 6]);
        assert_eq!(Interface::find("no-such-one").unwrap(), None);
    }
}
