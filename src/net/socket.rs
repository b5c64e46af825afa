//! UDP sockets with packet info, frames by `AF_PACKET`, and the kernel's list of interfaces: the only `unsafe` file.

#![expect(
    unsafe_code,
    reason = "socket options, packet addresses and getifaddrs have no safe form in std or socket2"
)]

use std::{
    ffi::{CStr, c_int},
    io::{self, IoSlice},
    mem::{MaybeUninit, size_of, size_of_val},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::AsRawFd,
    ptr,
};

use socket2::{Domain, MaybeUninitSlice, MsgHdr, MsgHdrMut, Protocol, SockAddr, Socket, Type};
use tokio::io::{Interest, unix::AsyncFd};

use super::Interface;

pub(super) mod batch;

/// What a power-return storm may pile up before we read it, in bytes.
const RECEIVE_BUFFER: c_int = 32 << 20;

/// Room for one packet-info message of either family.
const CONTROL: usize = 64;

/// A UDP socket that tells which of our addresses was asked, and answers from a chosen one.
#[derive(Debug)]
pub struct UdpPktInfo {
    socket: AsyncFd<Socket>,
    family: Domain,
}

impl UdpPktInfo {
    /// Binds to an address. A second socket on the same port is refused by the kernel: it would take our datagrams.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::PermissionDenied`] for a port under 1,024 without the capability.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::open(address, None)
    }

    /// Binds to a port of one interface, for what clients without an address broadcast there.
    ///
    /// # Errors
    ///
    /// As [`UdpPktInfo::bind`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn bind_on(interface: &str, port: u16) -> io::Result<Self> {
        Self::bind_at(interface, SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
    }

    /// Binds to an address, for what comes in by one interface only.
    ///
    /// # Errors
    ///
    /// As [`UdpPktInfo::bind`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn bind_at(interface: &str, address: SocketAddr) -> io::Result<Self> {
        Self::open(address, Some(interface))
    }

    fn open(address: SocketAddr, interface: Option<&str>) -> io::Result<Self> {
        let family = Domain::for_address(address);
        let socket = Socket::new(family, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        if let Some(interface) = interface {
            socket.bind_device(Some(interface.as_bytes()))?;
        }
        if family == Domain::IPV4 {
            socket.set_broadcast(true)?;
            set_option(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        } else {
            set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        }
        grow_receive_buffer(&socket);
        socket.bind(&address.into())?;
        Ok(Self { socket: watch(socket)?, family })
    }

    /// The address that it is bound to, with the port that the kernel chose where 0 was asked.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()?.as_socket().ok_or_else(not_ip)
    }

    /// Waits for a datagram: its length in `buffer`, its sender, and which of our addresses it was sent to (for a
    /// broadcast: the address of the interface that it came in by). What exceeds `buffer` is cut.
    ///
    /// Cancel-safe: a datagram is taken only when this returns.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, IpAddr)> {
        self.socket
            .async_io(Interest::READABLE, |socket| receive(socket, self.family, buffer))
            .await
    }

    /// The next datagram if one is there already.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if none is there; else what the system says.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr, IpAddr)> {
        self.socket.try_io(Interest::READABLE, |socket| receive(socket, self.family, buffer))
    }

    /// Waits until there may be something to receive. Cancel-safe.
    pub async fn readable(&self) {
        drop(self.socket.readable().await); // Err: no longer watched; the next call that receives says why.
    }

    /// Sends a datagram, from one of our addresses if `from` is given.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn send(&self, bytes: &[u8], to: SocketAddr, from: Option<IpAddr>) -> io::Result<()> {
        let to = SockAddr::from(to);
        let control = from.map(packet_info);
        let buffers = [IoSlice::new(bytes)];
        let message = || {
            let message = MsgHdr::new().with_addr(&to).with_buffers(&buffers);
            match &control {
                Some((control, length)) => message.with_control(&control.0[..*length]),
                None => message,
            }
        };
        self.socket.async_io(Interest::WRITABLE, |socket| socket.sendmsg(&message(), 0)).await?;
        Ok(())
    }
}

/// Sends ready-made Ethernet frames on one interface, past ARP and the routing table.
#[derive(Debug)]
pub struct FrameSender(AsyncFd<Socket>);

impl FrameSender {
    /// Opens the interface of that index. It receives nothing.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::PermissionDenied`] without `CAP_NET_RAW`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(index: u32) -> io::Result<Self> {
        let socket = frames()?;
        // Protocol 0: the kernel queues no frames for a socket that only sends.
        socket.bind(&link_address(index, 0)?)?;
        Ok(Self(watch(socket)?))
    }

    /// Sends one frame, from its destination address to the last octet of its payload.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.0.async_io(Interest::WRITABLE, |socket| socket.send(frame)).await?;
        Ok(())
    }
}

/// Has tokio watch a socket, which stays open as long as it is watched.
fn watch(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: a socket answers always with the descriptor that it owns, and the result owns the socket.
    Ok(unsafe { AsyncFd::register(socket) }?)
}

/// Control messages are written by the kernel as structures that want this alignment.
#[repr(align(8))]
struct Control<T>([T; CONTROL]);

fn receive(
    socket: &Socket,
    family: Domain,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, IpAddr)> {
    let any: SocketAddr = if family == Domain::IPV4 {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let mut peer = SockAddr::from(any);
    let (length, control) = take(socket, buffer, Some(&mut peer), 0)?;
    let local = local_of(&control.0).unwrap_or_else(|| any.ip());
    Ok((length, peer.as_socket().ok_or_else(not_ip)?, local))
}

/// Takes one datagram or frame, with its control messages; what is left of their room is zeros.
fn take(
    socket: &Socket,
    buffer: &mut [u8],
    peer: Option<&mut SockAddr>,
    flags: c_int,
) -> io::Result<(usize, Control<u8>)> {
    let mut control = Control([MaybeUninit::new(0_u8); CONTROL]);
    // SAFETY: initialized octets are valid as possibly uninitialized ones, and recvmsg writes initialized ones only.
    let uninit = unsafe { &mut *(ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) };
    let mut buffers = [MaybeUninitSlice::new(uninit)];
    let mut message = MsgHdrMut::new().with_buffers(&mut buffers).with_control(&mut control.0);
    if let Some(peer) = peer {
        message = message.with_addr(peer);
    }
    let length = socket.recvmsg(&mut message, flags)?;
    // SAFETY: all of it was initialized with zeros above.
    Ok((length, Control(control.0.map(|octet| unsafe { octet.assume_init() }))))
}

/// Takes only what tells about a datagram: its control messages, and its address.
fn receive_flags(socket: &Socket, flags: c_int) -> io::Result<(Control<u8>, Option<SocketAddr>)> {
    let mut peer = socket.local_addr()?;
    let (_, control) = take(socket, &mut [], Some(&mut peer), flags)?;
    Ok((control, peer.as_socket()))
}

/// Finds the local address among control messages.
fn local_of(control: &[u8]) -> Option<IpAddr> {
    // in_pktinfo: interface, the local address to answer from, the destination in the header.
    let v4 = || {
        let content = content_of(control, (libc::IPPROTO_IP, libc::IP_PKTINFO))?.get(4..)?;
        content.first_chunk::<4>().map(|octets| IpAddr::from(*octets))
    };
    // in6_pktinfo: the destination, then the interface.
    let v6 = || {
        let content = content_of(control, (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO))?;
        content.first_chunk::<16>().map(|octets| IpAddr::from(*octets))
    };
    v4().or_else(v6)
}

/// What follows the head of the control message of that level and type: each is a length, a level, a type, and its
/// content. A length of zero is where the messages end.
fn content_of(mut control: &[u8], wanted: (c_int, c_int)) -> Option<&[u8]> {
    const WORD: usize = size_of::<usize>();
    loop {
        let (length, rest) = control.split_first_chunk::<WORD>()?;
        let (level, rest) = rest.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::from_ne_bytes(*length);
        if (c_int::from_ne_bytes(*level), c_int::from_ne_bytes(*kind)) == wanted {
            return Some(rest);
        }
        // Never less than a head, so that this ends whatever the lengths say.
        control = control.get(length.next_multiple_of(WORD).max(WORD)..)?;
    }
}

/// A socket for whole frames that gets none yet: what is bound first hears everything until its filter is in place.
pub(super) fn frames() -> io::Result<Socket> {
    let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Has the frames of the interface of that index come in, those for other stations and those that leave too.
pub(super) fn tap(socket: Socket, index: u32) -> io::Result<AsyncFd<Socket>> {
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
    let everything = libc::packet_mreq {
        mr_ifindex: c_int::try_from(index).unwrap_or(0),
        mr_type: u16::try_from(libc::PACKET_MR_PROMISC).unwrap_or(0),
        mr_alen: 0,
        mr_address: [0; 8],
    };
    // It ends with the socket.
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, everything)?;
    grow_receive_buffer(&socket);
    let all = u16::try_from(libc::ETH_P_ALL).unwrap_or(0);
    socket.bind(&link_address(index, all)?)?;
    watch(socket)
}

/// Has the frames of one `EtherType` come in that are for this station or for everybody.
pub(super) fn listen(socket: Socket, index: u32, kind: u16) -> io::Result<AsyncFd<Socket>> {
    socket.bind(&link_address(index, kind)?)?;
    watch(socket)
}

/// Takes one frame: its length, and false if its UDP checksum is still to be computed (packet(7), `PACKET_AUXDATA`).
pub(super) fn take_frame(socket: &Socket, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
    let (length, control) = take(socket, buffer, None, 0)?;
    let status = content_of(&control.0, (libc::SOL_PACKET, libc::PACKET_AUXDATA))
        .and_then(|auxiliary| auxiliary.first_chunk::<4>())
        .map_or(0, |status| u32::from_ne_bytes(*status));
    Ok((length, status & libc::TP_STATUS_CSUMNOTREADY == 0))
}

/// The control message that chooses the source address, and how much of it is used.
fn packet_info(from: IpAddr) -> (Control<u8>, usize) {
    let mut content = Vec::with_capacity(CONTROL);
    let (level, kind) = match from {
        IpAddr::V4(address) => {
            content.extend([0; 4]);
            content.extend(address.octets());
            content.extend([0; 4]);
            (libc::IPPROTO_IP, libc::IP_PKTINFO)
        }
        IpAddr::V6(address) => {
            content.extend(address.octets());
            content.extend([0; 4]);
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
        }
    };
    let length = size_of::<usize>() + 8 + content.len();
    let parts =
        [&length.to_ne_bytes()[..], &level.to_ne_bytes(), &kind.to_ne_bytes(), &content].concat();
    let mut control = Control([0; CONTROL]);
    control.0[..length].copy_from_slice(&parts);
    (control, length.next_multiple_of(size_of::<usize>()))
}

/// Asks for the large buffer as the administrator, else for what `net.core.rmem_max` grants. Never a reason to stop.
pub(super) fn grow_receive_buffer(socket: &Socket) {
    if set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER).is_err() {
        let size = usize::try_from(RECEIVE_BUFFER).unwrap_or(0);
        if let Err(error) = socket.set_recv_buffer_size(size) {
            tracing::debug!(%error, "receive buffer stays small");
        }
    }
}

/// Makes a socket that is not connected tell that nobody listens at a far end: as `ConnectionRefused`, by its next call
/// (ip(7), `IP_RECVERR`).
pub(super) fn tell_refusals(socket: &Socket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv6() {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)
    } else {
        set_option(socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1)
    }
}

/// The largest packet from a connected socket to its peer, in octets with all headers (ip(7), `IP_MTU`).
pub(super) fn path_mtu(socket: &Socket) -> io::Result<usize> {
    let (level, name) = if socket.peer_addr()?.is_ipv6() {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU)
    } else {
        (libc::IPPROTO_IP, libc::IP_MTU)
    };
    let (mut value, mut length) = (c_int::default(), libc::socklen_t::try_from(4).unwrap_or(0));
    // SAFETY: the kernel writes a live integer and its length in octets, and no more.
    let result = unsafe {
        let value = ptr::from_mut(&mut value).cast();
        libc::getsockopt(socket.as_raw_fd(), level, name, value, &raw mut length)
    };
    if result == 0 {
        Ok(usize::try_from(value).unwrap_or(0))
    } else {
        Err(io::Error::last_os_error())
    }
}

fn set_option<T: Copy>(socket: &Socket, level: c_int, name: c_int, value: T) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    // SAFETY: the pointer is to a live value of the length given, and the kernel only reads it.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(&value).cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The address of an interface, for frames of that `EtherType`; 0 for none.
fn link_address(index: u32, kind: u16) -> io::Result<SockAddr> {
    // SAFETY: the closure fills the storage with a sockaddr_ll, for which all zeros is valid, and sets that length.
    let ((), address) = unsafe {
        SockAddr::try_init(|storage, length| {
            let link = storage.cast::<libc::sockaddr_ll>();
            (*link).sll_family = u16::try_from(libc::AF_PACKET).unwrap_or(0);
            (*link).sll_protocol = kind.to_be();
            (*link).sll_ifindex = c_int::try_from(index).unwrap_or(0);
            *length = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap_or(0);
            Ok(())
        })
    }?;
    Ok(address)
}

fn not_ip() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not an IP address")
}

/// Every interface of this network namespace, with its IPv4 addresses.
pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    let mut first = ptr::null_mut();
    // SAFETY: the kernel's list is stored in `first`, or an error is returned.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found: Vec<Interface> = Vec::new();
    let mut next = first;
    // SAFETY: entries of the list are valid until it is freed below; each `ifa_next` is one of them or null.
    while let Some(entry) = unsafe { next.as_ref() } {
        next = entry.ifa_next;
        // SAFETY: the name is a C string that lives as long as its entry.
        let label = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy();
        // A second address may be listed under a label such as `eth1:0`.
        let name = label.split(':').next().unwrap_or(&label);
        let at = found.iter().position(|interface| interface.name == name).unwrap_or_else(|| {
            let up = entry.ifa_flags & u32::try_from(libc::IFF_UP).unwrap_or(0) != 0;
            let link = entry.ifa_flags & u32::try_from(libc::IFF_RUNNING).unwrap_or(0) != 0;
            found.push(Interface { name: name.to_owned(), up, link, ..Interface::default() });
            found.len() - 1
        });
        // SAFETY: the addresses of an entry are of the family that they say, or null.
        unsafe { learn(&mut found[at], entry) };
    }
    // SAFETY: the list came from getifaddrs and nothing refers to it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// Takes what one entry tells about its interface.
///
/// # Safety
///
/// `entry` is one of a live list of `getifaddrs`.
unsafe fn learn(interface: &mut Interface, entry: &libc::ifaddrs) {
    // SAFETY: a socket address may be null, and begins with its family.
    let Some(address) = (unsafe { entry.ifa_addr.as_ref() }) else { return };
    match c_int::from(address.sa_family) {
        libc::AF_INET => {
            let (address, mask) = (entry.ifa_addr, entry.ifa_netmask);
            if mask.is_null() {
                return;
            }
            // SAFETY: the family says sockaddr_in, and the mask of such an entry has the same form.
            let [address, mask] = [address, mask].map(|from| unsafe {
                u32::from_be(from.cast::<libc::sockaddr_in>().read_unaligned().sin_addr.s_addr)
            });
            let prefix = u8::try_from(mask.leading_ones()).unwrap_or(32);
            interface.addresses.push((address.into(), prefix));
        }
        libc::AF_PACKET => {
            // SAFETY: the family says sockaddr_ll.
            let link = unsafe { entry.ifa_addr.cast::<libc::sockaddr_ll>().read_unaligned() };
            interface.index = u32::try_from(link.sll_ifindex).unwrap_or(0);
            interface.hardware.copy_from_slice(&link.sll_addr[..6]);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn next(socket: &UdpPktInfo) -> (Vec<u8>, SocketAddr, IpAddr) {
        let mut buffer = vec![0; 16];
        let received = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut buffer));
        let (length, peer, local) = received.await.unwrap().unwrap();
        buffer.truncate(length);
        (buffer, peer, local)
    }

    #[tokio::test]
    async fn answers_from_the_address_that_was_asked() {
        let server = UdpPktInfo::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let port = server.local_addr().unwrap().port();
        let client = UdpPktInfo::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        for asked in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 20, 0, 9)] {
            client.send(b"hello", (asked, port).into(), None).await.unwrap();
            let (bytes, peer, local) = next(&server).await;
            assert_eq!((&bytes[..], local), (&b"hello"[..], IpAddr::from(asked)));
            assert_eq!(peer, client.local_addr().unwrap());
            server.send(b"answer", peer, Some(local)).await.unwrap();
            let (bytes, peer, _) = next(&client).await;
            assert_eq!((&bytes[..], peer.ip()), (&b"answer"[..], IpAddr::from(asked)));
        }
        assert_eq!(server.try_recv(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_port_in_use_is_refused() {
        let first = UdpPktInfo::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let second = UdpPktInfo::bind(first.local_addr().unwrap());
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
