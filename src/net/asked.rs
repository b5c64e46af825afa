//! UDP as a server of many addresses needs it: which of them was asked, and answers from that one.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use socket2::SockRef;
use tokio::{io::Interest, net::UdpSocket};

use super::socket;

/// The receive buffer that a listening socket asks for, in bytes. The usual 208 KiB hold 280 requests: when a floor of
/// phones gets its power back, the rest waits for its own timer. The system may grant less (`net.core.rmem_max`).
const RECEIVE_BUFFER: usize = 8 << 20;

/// A UDP socket that knows which of our addresses each datagram was sent to.
#[derive(Debug)]
pub struct AskedUdp {
    socket: UdpSocket,
    address: SocketAddr,
}

impl AskedUdp {
    /// Listens on an address. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = nonblocking(address)?;
        socket::tell_local(&socket)?;
        // A smaller buffer is no reason not to serve.
        let _ = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        let address = socket.local_addr()?;
        Ok(Self { socket: UdpSocket::from_std(socket)?, address })
    }

    /// Where it listens, with the port that the system chose for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next datagram: its length, its sender, and which of our addresses it was sent to. Cancel-safe.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, IpAddr)> {
        let receive = || socket::receive(&self.socket, buffer);
        let (length, sender, local) = self.socket.async_io(Interest::READABLE, receive).await?;
        // An IPv4 sender at a socket for both protocols is spelt as IPv6, and could not be answered over IPv4.
        let sender = SocketAddr::new(sender.ip().to_canonical(), sender.port());
        Ok((length, sender, local.unwrap_or(self.address.ip())))
    }
}

/// A socket that answers from one of our addresses, from a port that the kernel chooses at random: that is all that
/// keeps a forger from acknowledging. If nobody listens at a far end any more, the next call fails with
/// `ConnectionRefused`, which does not say whose far end it was.
///
/// # Errors
///
/// What the system says.
pub fn answering(local: IpAddr) -> io::Result<UdpSocket> {
    let socket = nonblocking(SocketAddr::new(local, 0))?;
    socket::tell_refusals(&socket)?;
    UdpSocket::from_std(socket)
}

/// Sends one datagram from one of our addresses. It is lost if the system can't take it now.
///
/// # Errors
///
/// What the system says.
pub fn answer_once(local: IpAddr, peer: SocketAddr, datagram: &[u8]) -> io::Result<()> {
    nonblocking(SocketAddr::new(local, 0))?.send_to(datagram, peer).map(drop)
}

fn nonblocking(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    #[tokio::test]
    async fn which_address_was_asked() {
        let server = AskedUdp::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut buffer = [0; 4];
        for asked in [[127, 0, 0, 1], [127, 0, 0, 2], [127, 20, 3, 4]].map(Ipv4Addr::from) {
            client.send_to(b"cut off", (asked, server.address().port())).unwrap();
            let (length, sender, local) = server.receive(&mut buffer).await.unwrap();
            assert_eq!(sender, client.local_addr().unwrap());
            assert_eq!((local, &buffer[..length]), (IpAddr::V4(asked), &b"cut "[..]));
            answer_once(local, sender, b"yes").unwrap();
            assert_eq!(client.recv_from(&mut buffer).unwrap().1.ip(), IpAddr::V4(asked));
        }
    }

    #[tokio::test]
    async fn a_socket_for_both_protocols_tells_plain_ipv4() {
        let server = AskedUdp::bind("[::]:0".parse().unwrap()).unwrap();
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        client.send_to(b"x", ("127.0.0.7", server.address().port())).unwrap();
        let (_, sender, local) = server.receive(&mut [0; 4]).await.unwrap();
        assert_eq!(local, IpAddr::from([127, 0, 0, 7]));
        answer_once(local, sender, b"yes").unwrap();
        assert_eq!(client.recv_from(&mut [0; 4]).unwrap().1.ip(), local);
    }

    #[tokio::test]
    async fn a_far_end_that_is_gone_is_told() {
        let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let socket = answering([127, 0, 0, 1].into()).unwrap();
        socket.send_to(b"x", gone).await.unwrap();
        let mut buffer = [0; 4];
        let answer = tokio::time::timeout(Duration::from_secs(5), socket.recv_from(&mut buffer));
        let error = answer.await.expect("told").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
