//! Sockets that answer: bound to the address that was asked, for one peer, on a port of their own.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use socket2::SockRef;
use tokio::net::UdpSocket;

use super::socket::{path_mtu, tell_refusals};

/// A socket that answers from one of our addresses, from a port that the kernel chooses at random: that is all that
/// keeps a forger from acknowledging. If nobody listens at a far end any more, the next call fails with
/// `ConnectionRefused`, which does not say whose far end it was. Must be called within a tokio runtime.
///
/// # Errors
///
/// What the system says.
pub fn answering(local: IpAddr) -> io::Result<UdpSocket> {
    let socket = nonblocking(local)?;
    tell_refusals(&SockRef::from(&socket))?;
    UdpSocket::from_std(socket)
}

/// Sends one datagram from one of our addresses. It is lost if the system can't take it now.
///
/// # Errors
///
/// What the system says.
pub fn answer_once(local: IpAddr, peer: SocketAddr, datagram: &[u8]) -> io::Result<()> {
    nonblocking(local)?.send_to(datagram, peer).map(drop)
}

/// How many octets of content fit into one datagram from us to `peer` without being cut in pieces on the way, as far as
/// the kernel knows the way.
///
/// # Errors
///
/// What the system says, as if there is no way to there.
pub fn datagram_room(local: IpAddr, peer: SocketAddr) -> io::Result<usize> {
    // Connecting sends nothing; it looks the way up.
    let socket = nonblocking(local)?;
    socket.connect(peer)?;
    let headers = if peer.is_ipv6() { 48 } else { 28 };
    Ok(path_mtu(&SockRef::from(&socket))?.saturating_sub(headers))
}

fn nonblocking(local: IpAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind((local, 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn answers_come_from_the_address_given() {
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let local = IpAddr::from([127, 20, 3, 4]);
        answer_once(local, client.local_addr().unwrap(), b"yes").unwrap();
        assert_eq!(client.recv_from(&mut [0; 4]).unwrap().1.ip(), local);
    }

    #[test]
    fn the_way_through_loopback_has_room_for_its_mtu() {
        let mtu = std::fs::read_to_string("/sys/class/net/lo/mtu").unwrap();
        let mtu: usize = mtu.trim().parse().unwrap();
        // No IPv4 packet is larger than its length field can say.
        for (host, mtu, headers) in [("127.0.0.1", mtu.min(65_535), 28), ("::1", mtu, 48)] {
            let host: IpAddr = host.parse().unwrap();
            assert_eq!(datagram_room(host, (host, 69).into()).unwrap(), mtu - headers, "{host}");
        }
    }

    #[tokio::test]
    async fn a_far_end_that_is_gone_is_told() {
        for host in ["127.0.0.1", "::1"] {
            let host: IpAddr = host.parse().unwrap();
            let gone = std::net::UdpSocket::bind((host, 0)).unwrap().local_addr().unwrap();
            let socket = answering(host).unwrap();
            socket.send_to(b"x", gone).await.unwrap();
            let mut buffer = [0; 4];
            let answer =
                tokio::time::timeout(Duration::from_secs(5), socket.recv_from(&mut buffer));
            let error = answer.await.expect("told").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
    }
}
