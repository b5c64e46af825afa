//! What network interfaces there are, and their addresses.

use std::{fs, io, net::Ipv4Addr};

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
    /// True if it has a link: a cable with something on its other end.
    pub link: bool,
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

    /// The VLAN that this interface is (802.1Q): as the kernel tells, else as its name ends (`eth1.20`).
    #[must_use]
    pub fn vlan(&self) -> Option<u16> {
        // Through `self`, which a service that sees nothing but its own processes still has.
        let told = fs::read_to_string(format!("/proc/self/net/vlan/{}", self.name)).ok();
        told.as_deref().and_then(vlan_told).or_else(|| self.name.rsplit_once('.')?.1.parse().ok())
    }
}

/// What `/proc/net/vlan/NAME` says: `eth1.20  VID: 20  REORDER_HDR: 1  dev->priv_flags: 1021`.
fn vlan_told(text: &str) -> Option<u16> {
    text.split_once("VID:")?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlans() {
        let named = |name: &str| Interface { name: name.to_owned(), ..Interface::default() }.vlan();
        assert_eq!(
            (named("nowhere9.20"), named("nowhere9"), named("nowhere9.x")),
            (Some(20), None, None)
        );
        let told = "voice  VID: 20\t REORDER_HDR: 1  dev->priv_flags: 1021\n";
        assert_eq!((vlan_told(told), vlan_told("")), (Some(20), None));
    }

    #[test]
    fn loopback_is_always_there() {
        let loopback = Interface::find("lo").unwrap().unwrap();
        assert!(loopback.up && loopback.index > 0);
        assert!(loopback.addresses.contains(&(Ipv4Addr::LOCALHOST, 8)));
        assert_eq!(loopback.hardware, [0; 6]);
        assert_eq!(Interface::find("no-such-one").unwrap(), None);
    }
}
