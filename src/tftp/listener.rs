//! The sockets of the driver: one that hears requests, and one for each answer.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use tokio::net::UdpSocket;

/// Hears requests on one address and knows which of our addresses was asked.
#[derive(Debug)]
pub struct Listener {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Listener {
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next datagram: its length, who sent it, and which of our addresses it was sent to. Cancel-safe.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, IpAddr)> {
        let (length, peer) = self.socket.recv_from(buffer).await?;
        Ok((length, peer, self.address.ip()))
    }
}

/// A socket for one transfer. It answers from the address that was asked, because phones (and firewalls) drop answers
/// from another one; its port is the kernel's random choice, which is all that keeps a forger from acknowledging.
pub fn answering(local: IpAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(SocketAddr::new(local, 0))?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Sends one datagram from the address that was asked. Lost if the system can't take it now: whoever asked, repeats.
pub fn answer_once(local: IpAddr, peer: SocketAddr, packet: &[u8]) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(SocketAddr::new(local, 0))?;
    socket.set_nonblocking(true)?;
    socket.send_to(packet, peer).map(drop)
}
