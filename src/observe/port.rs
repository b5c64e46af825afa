//! One interface that is listened to, and our addresses on it.

use std::{io, net::Ipv4Addr};

use crate::net::{FrameTap, Heard, Interface};

use super::ObserveError;

/// One interface that is listened to.
#[derive(Debug)]
pub(super) struct Port {
    /// The interface.
    pub name: String,
    /// The kernel's number of the interface that `tap` listens on.
    index: u32,
    tap: Option<FrameTap>,
    /// Our addresses, as they were when last looked at. An interface that only listens needs none.
    own: Vec<Ipv4Addr>,
}

impl Port {
    /// An interface that is opened at the next refresh, or whenever it is there.
    pub const fn awaited(name: String) -> Self {
        Self { name, index: 0, tap: None, own: Vec::new() }
    }

    /// Opens an interface.
    pub fn open(name: &str) -> Result<Self, ObserveError> {
        let other = |error| ObserveError::of(name, error);
        let all = Interface::all().map_err(other)?;
        let Some(interface) = all.iter().find(|interface| interface.name == name) else {
            let there: Vec<&str> = all.iter().map(|interface| interface.name.as_str()).collect();
            return Err(ObserveError::NoSuchInterface {
                name: name.to_owned(),
                there: there.join(", "),
            });
        };
        let tap = Some(FrameTap::open(interface.index).map_err(other)?);
        Ok(Self { name: name.to_owned(), index: interface.index, tap, own: own(interface) })
    }

    /// True if this is one of our addresses here.
    pub fn is_ours(&self, address: Ipv4Addr) -> bool {
        self.own.contains(&address)
    }

    /// Waits for a frame. Cancel-safe. Without an interface it waits until somebody drops it.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<Heard> {
        match &self.tap {
            Some(tap) => tap.recv(buffer).await,
            None => std::future::pending().await,
        }
    }

    /// Looks at the interface again: its addresses may have changed, and one that was unplugged and came back is
    /// another one to the kernel. Tells why nothing is heard there, if nothing is.
    pub fn refresh(&mut self) -> Option<String> {
        let name = &self.name;
        let found = match Interface::find(name) {
            Ok(found) => found,
            // What can't be read stays as it was.
            Err(error) => {
                tracing::debug!(%error, interface = name, "can't look at it");
                return None;
            }
        };
        let Some(interface) = found else {
            self.tap = None;
            return Some(format!("DHCP on {name} can't be observed: there is no such interface"));
        };
        self.own = own(&interface);
        if self.tap.is_none() || self.index != interface.index {
            self.tap = None;
            match FrameTap::open(interface.index) {
                Ok(tap) => (self.index, self.tap) = (interface.index, Some(tap)),
                Err(error) => return Some(ObserveError::of(name, error).to_string()),
            }
        }
        let down =
            || format!("DHCP on {name} can't be observed: {name} is down: ip link set {name} up");
        (!interface.up).then(down)
    }
}

fn own(interface: &Interface) -> Vec<Ipv4Addr> {
    interface.addresses.iter().map(|(address, _)| *address).collect()
}
