//! One place where messages come in, and the way that replies leave by: an interface, or a listener for relays.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use crate::{
    net::{ArpTap, FrameSender, Inbox, Interface, Outbox, UdpPktInfo},
    wire::{
        arp::Arp,
        dhcp::{CLIENT_PORT, SERVER_PORT},
        frame::{self, Frame},
    },
};

use super::{DhcpError, arrival::To, conflict::Probes};

/// The longest ARP frame: two tags, and padded to Ethernet's shortest.
const MAX_ARP: usize = 68;

/// One place where messages come in.
#[derive(Debug)]
pub(super) struct Port {
    /// For the log: the interface's name or the listener's address.
    pub name: String,
    /// Addresses that the wire is being asked about.
    pub probes: Probes,
    socket: UdpPktInfo,
    wire: Option<Wire>,
}

/// An interface that replies leave by without ARP.
#[derive(Debug)]
struct Wire {
    frames: FrameSender,
    arp: ArpTap,
    /// As it was when last looked at.
    now: RwLock<Interface>,
    vlan: Option<u16>,
}

/// What became of an interface since it was last looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Presence {
    /// It serves.
    Here,
    /// It is there and can't serve, for this reason; it may come back by itself.
    Idle(String),
    /// It is gone, or another one has its name: a new socket is needed.
    Gone,
}

impl Port {
    /// Opens an interface.
    pub fn on_interface(name: &str) -> Result<Self, DhcpError> {
        let other = |error| DhcpError::of(name, SERVER_PORT, error);
        let all = Interface::all().map_err(other)?;
        let Some(interface) = all.iter().find(|interface| interface.name == name) else {
            let there: Vec<&str> = all.iter().map(|interface| interface.name.as_str()).collect();
            return Err(DhcpError::NoSuchInterface {
                name: name.to_owned(),
                there: there.join(", "),
            });
        };
        if interface.addresses.is_empty() {
            return Err(DhcpError::NoAddress { name: name.to_owned() });
        }
        let wire = Wire {
            frames: FrameSender::open(interface.index).map_err(other)?,
            arp: ArpTap::open(interface.index).map_err(other)?,
            vlan: interface.vlan(),
            now: RwLock::new(interface.clone()),
        };
        let socket = UdpPktInfo::bind_on(name, SERVER_PORT).map_err(other)?;
        let probes = Probes::default();
        Ok(Self { name: name.to_owned(), probes, socket, wire: Some(wire) })
    }

    /// Opens a listener for relays only.
    pub fn for_relays(listen: SocketAddr) -> Result<Self, DhcpError> {
        let name = listen.to_string();
        let other = |error| DhcpError::of(&name, listen.port(), error);
        let socket = UdpPktInfo::bind(listen).map_err(other)?;
        Ok(Self { name, probes: Probes::default(), socket, wire: None })
    }

    /// Our addresses here, with prefix lengths.
    pub fn own(&self) -> Vec<(Ipv4Addr, u8)> {
        self.wire.as_ref().map(|wire| wire.now().addresses.clone()).unwrap_or_default()
    }

    /// The VLAN that the interface is, if it is one.
    pub fn vlan(&self) -> Option<u16> {
        self.wire.as_ref()?.vlan
    }

    /// Looks at the interface again: an operator may have changed its addresses, taken it down or made it anew. What
    /// can't be read stays as it was.
    pub fn refresh(&self) -> Presence {
        let Some(wire) = &self.wire else { return Presence::Here };
        let Ok(found) = Interface::find(&self.name) else { return Presence::Here };
        let Some(found) = found.filter(|found| found.index == wire.now().index) else {
            return Presence::Gone;
        };
        let name = &self.name;
        let idle = match (found.up, found.addresses.is_empty()) {
            (false, _) => Some(format!("{name} is down: ip link set {name} up")),
            (true, true) => Some(DhcpError::NoAddress { name: name.clone() }.to_string()),
            (true, false) => None,
        };
        *wire.now.write().unwrap_or_else(PoisonError::into_inner) = found;
        idle.map_or(Presence::Here, Presence::Idle)
    }

    /// Waits for datagrams and takes as many as there are and `inbox` holds. Cancel-safe.
    pub async fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        self.socket.receive(inbox).await
    }

    /// The same for what is there already; 0 where that is nothing.
    pub fn try_receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        match self.socket.try_receive(inbox) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            received => received,
        }
    }

    /// Asks the wire who uses an address, in nobody's name (RFC 5227 §2.1.1): no station learns anything from it.
    pub async fn probe(&self, address: Ipv4Addr) -> io::Result<()> {
        let Some(wire) = &self.wire else { return Err(unreachable()) };
        let probe = Arp { hardware: wire.now().hardware, address: Ipv4Addr::UNSPECIFIED };
        wire.frames.send(&probe.request(address)).await
    }

    /// True if the other end of the wire can hear us.
    pub fn has_link(&self) -> bool {
        self.wire.as_ref().is_some_and(|wire| wire.now().link)
    }

    /// Takes in the next ARP frame of the wire, and tells what somebody else says in it. Cancel-safe; without a wire it
    /// waits until somebody drops it.
    pub async fn hear(&self) -> io::Result<Option<Arp>> {
        let Some(wire) = &self.wire else { return std::future::pending().await };
        let mut frame = [0; MAX_ARP];
        let length = wire.arp.recv(&mut frame).await?;
        Ok(self.probes.hear(&frame[..length], wire.now().hardware))
    }

    /// Sends replies, each from one of our addresses: how many did not leave, and why the last of them did not. Those to
    /// one client leave in order.
    pub async fn send_all(
        &self,
        replies: impl Iterator<Item = (&[u8], To, Ipv4Addr)> + Send,
    ) -> (usize, Option<io::Error>) {
        let (mut routed, mut frames) = (Outbox::default(), Vec::new());
        let (mut lost, mut why) = (0, None);
        let hardware = self.wire.as_ref().map(|wire| wire.now().hardware);
        for (bytes, to, from) in replies {
            match (to, hardware) {
                (To::Routed(to), _) => {
                    let way = (IpAddr::V4(from), SocketAddr::V4(to));
                    let Ok(()) = routed.push(way, bytes.len(), |room| {
                        room.copy_from_slice(bytes);
                        Ok::<usize, Infallible>(bytes.len())
                    });
                }
                (to, hardware) => match framed(bytes, to, from, hardware) {
                    Ok(frame) => frames.push(frame),
                    Err(error) => (lost, why) = (lost + 1, Some(error)),
                },
            }
        }
        if !routed.is_empty() {
            let (more, error) = self.socket.send_all(&mut routed).await;
            (lost, why) = (lost + more, error.or(why));
        }
        if let Some(wire) = self.wire.as_ref().filter(|_| !frames.is_empty()) {
            let (more, error) = wire.frames.send_all(&frames).await;
            (lost, why) = (lost + more, error.or(why));
        }
        (lost, why)
    }
}

/// The frame that carries a reply, from the interface with this hardware address.
fn framed(bytes: &[u8], to: To, from: Ipv4Addr, hardware: Option<[u8; 6]>) -> io::Result<Vec<u8>> {
    let (station, address) = match to {
        To::Station { hardware, address } => (hardware, address),
        To::Everybody | To::Routed(_) => (frame::BROADCAST, Ipv4Addr::BROADCAST),
    };
    let frame = Frame {
        from: hardware.ok_or_else(unreachable)?,
        to: station,
        source: SocketAddrV4::new(from, SERVER_PORT),
        destination: SocketAddrV4::new(address, CLIENT_PORT),
        payload: bytes,
    };
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "longer than a datagram");
    frame.encode().ok_or_else(too_long)
}

fn unreachable() -> io::Error {
    io::Error::new(io::ErrorKind::NetworkUnreachable, "only relays are served here")
}

impl Wire {
    fn now(&self) -> RwLockReadGuard<'_, Interface> {
        self.now.read().unwrap_or_else(PoisonError::into_inner)
    }
}
