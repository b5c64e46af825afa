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
    /// another one to the kernel. What can't be read stays as it was.
    pub fn refresh(&mut self) {
        let Ok(found) = Interface::find(&self.name) else { return };
        let Some(interface) = found else {
            if self.tap.take().is_some() {
                tracing::warn!(interface = self.name, "the interface is gone; waiting for it");
            }
            return;
        };
        self.own = own(&interface);
        if self.tap.is_some() && self.index == interface.index {
            return;
        }
        match FrameTap::open(interface.index) {
            Ok(tap) => {
                tracing::info!(interface = self.name, "the interface is back");
                (self.index, self.tap) = (interface.index, Some(tap));
            }
            Err(error) => tracing::debug!(%error, interface = self.name, "can't listen yet"),
        }
    }
}

fn own(interface: &Interface) -> Vec<Ipv4Addr> {
    interface.addresses.iter().map(|(address, _)| *address).collect()
}
