//! Hears the DHCP and the ARP of an interface, whoever it is for, and takes part in nothing.

use std::io;

use socket2::Socket;
use tokio::io::{Interest, unix::AsyncFd};

use super::{filter, socket};

/// Hears the DHCP and the ARP of an interface, also between others: the interface is promiscuous as long as this is
/// open. No port is bound, and everything else stays in the kernel.
#[derive(Debug)]
pub struct FrameTap(AsyncFd<Socket>);

/// Hears the ARP of an interface that is for this station or for everybody.
#[derive(Debug)]
pub struct ArpTap(AsyncFd<Socket>);

impl ArpTap {
    /// Listens on the interface of that index.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::PermissionDenied`] without `CAP_NET_RAW`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(index: u32) -> io::Result<Self> {
        let kind = u16::try_from(libc::ETH_P_ARP).unwrap_or(0);
        let frames = socket::frames()?;
        // Where power returns everybody asks for everybody; an answer that is lost here is taken for silence.
        socket::grow_receive_buffer(&frames);
        socket::listen(frames, index, kind).map(Self)
    }

    /// Waits for a frame: its length in the buffer. Cancel-safe: a frame is taken only when this returns.
    ///
    /// # Errors
    ///
    /// What the system says; an interface that went down is told once.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let take = |from: &Socket| socket::take_frame(from, buffer);
        Ok(self.0.async_io(Interest::READABLE, take).await?.0)
    }
}

/// A frame that was heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Heard {
    /// Its length in the buffer; what exceeded it was cut.
    pub length: usize,
    /// False for a frame of this machine, or of a virtual one on it, whose UDP checksum is still to be computed.
    pub summed: bool,
}

impl FrameTap {
    /// Listens on the interface of that index.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::PermissionDenied`] without `CAP_NET_RAW`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(index: u32) -> io::Result<Self> {
        let frames = socket::frames()?;
        frames.attach_filter(&filter::dhcp_and_arp())?;
        socket::tap(frames, index).map(Self)
    }

    /// Waits for a frame. An interface that went down is told once, as an error, and heard again when it is up.
    ///
    /// Cancel-safe: a frame is taken only when this returns.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<Heard> {
        let take = |from: &Socket| socket::take_frame(from, buffer);
        let (length, summed) = self.0.async_io(Interest::READABLE, take).await?;
        Ok(Heard { length, summed })
    }
}
