//! What a storm may touch: which servers are near enough, and which addresses of this machine are borrowed for it.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    sync::{Mutex, PoisonError},
};

use crate::net::{Interface, link};

/// Which hosts may be asked.
#[derive(Debug, Default)]
pub struct Reach {
    attached: Mutex<BTreeSet<(u32, u8)>>,
    all: bool,
}

impl Reach {
    /// Loopback and the networks that this machine is attached to; with `all`, every host.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn here(all: bool) -> io::Result<Self> {
        let reach = Self { attached: Mutex::default(), all };
        for (address, prefix) in Interface::all()?.into_iter().flat_map(|found| found.addresses) {
            reach.attach(address, prefix);
        }
        Ok(reach)
    }

    /// One more network is attached: that of a lease.
    pub fn attach(&self, address: Ipv4Addr, prefix: u8) {
        let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        attached.insert((network(address, prefix), prefix));
    }

    /// True if that host may be asked.
    #[must_use]
    pub fn allows(&self, host: Ipv4Addr) -> bool {
        let attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        let mut near = attached.iter();
        // A host route to one address says nothing about a network, and a prefix of 0 is none.
        self.all
            || host.is_loopback()
            || near.any(|(net, prefix)| (1..32).contains(prefix) && network(host, *prefix) == *net)
    }
}

fn network(address: Ipv4Addr, prefix: u8) -> u32 {
    let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
    u32::from(address) & !host
}

/// The address that this machine would use towards `host`.
///
/// # Errors
///
/// What the system says: there may be no route.
pub fn own_address(host: Ipv4Addr) -> io::Result<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // No datagram leaves: the kernel only looks at its routes.
    socket.connect((host, 9))?;
    match socket.local_addr()?.ip() {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

/// Leased addresses that an interface of this machine has for the time of a storm. Dropping it takes them away.
#[derive(Debug)]
pub(super) struct Borrowed {
    index: u32,
    taken: Mutex<BTreeSet<(Ipv4Addr, u8)>>,
}

impl Borrowed {
    pub fn on(index: u32) -> Self {
        Self { index, taken: Mutex::default() }
    }

    /// Gives the interface an address; one that it has already is left as it is, then and at the end.
    pub fn take(&self, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
        match link::add_address(self.index, address, prefix) {
            Ok(()) => {
                let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
                taken.insert((address, prefix));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let taken = self.taken.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (address, prefix) in std::mem::take(taken) {
            // With the first address of a network the kernel may take the others away by itself.
            let _ = link::remove_address(self.index, address, prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near() {
        let near = Reach { attached: Mutex::default(), all: false };
        near.attach(Ipv4Addr::new(10, 20, 3, 4), 22);
        near.attach(Ipv4Addr::new(192, 0, 2, 1), 32);
        near.attach(Ipv4Addr::new(198, 51, 100, 1), 0);
        let check = |host: [u8; 4], expected: bool| {
            assert_eq!(near.allows(host.into()), expected, "{host:?}");
        };
        check([10, 20, 0, 1], true);
        check([10, 20, 3, 255], true);
        check([10, 20, 4, 1], false);
        check([127, 20, 0, 1], true);
        check([192, 0, 2, 2], false);
        check([8, 8, 8, 8], false);
        assert!(Reach { attached: Mutex::default(), all: true }.allows([8, 8, 8, 8].into()));
    }

    #[test]
    fn loopback_is_reached_from_loopback() {
        let own = own_address(Ipv4Addr::new(127, 9, 9, 9)).unwrap();
        assert!(own.is_loopback(), "{own}");
        assert!(Reach::here(false).unwrap().allows(own));
    }
}
