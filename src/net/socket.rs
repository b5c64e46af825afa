//! Socket calls that neither std nor socket2 has: the only file with unsafe code.
#![expect(
    unsafe_code,
    reason = "IP_PKTINFO and IP_RECVERR have no safe interface; each call is small and says why"
)]

use std::{
    io,
    mem::{size_of, zeroed},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use socket2::{SockAddr, SockRef};

/// Makes [`receive`] tell which of our addresses each datagram was sent to (ip(7), `IP_PKTINFO`).
///
/// # Errors
///
/// What the system says.
pub fn tell_local(socket: &impl AsFd) -> io::Result<()> {
    // A socket for IPv6 hears IPv4 too, unless the system is told otherwise.
    if is_v6(socket)? {
        set(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)?;
    }
    set(socket.as_fd(), libc::IPPROTO_IP, libc::IP_PKTINFO)
}

/// Makes a socket that is not connected tell that nobody listens at the far end: as `ConnectionRefused`, by its next
/// call (ip(7), `IP_RECVERR`).
///
/// # Errors
///
/// What the system says.
pub fn tell_refusals(socket: &impl AsFd) -> io::Result<()> {
    if is_v6(socket)? {
        set(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_RECVERR)?;
    }
    set(socket.as_fd(), libc::IPPROTO_IP, libc::IP_RECVERR)
}

/// Takes one datagram without waiting: its length, its sender, and which of our addresses it was sent to (`None` if
/// [`tell_local`] was not called). What is longer than `buffer` is cut.
///
/// # Errors
///
/// `WouldBlock` if there is none; else what the system says.
pub fn receive(
    socket: &impl AsFd,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr, Option<IpAddr>)> {
    // Of u64, because control messages are aligned like one; room for both kinds of packet info.
    let mut control = [0_u64; 16];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: msghdr is plain data; all zeros means that it has no parts.
    let mut header: libc::msghdr = unsafe { zeroed() };
    (header.msg_iov, header.msg_iovlen) = (&raw mut part, 1);
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer in the header is to a local that outlives the call, with its length; the closure returns Ok
    // only after the kernel has filled in the address and its length.
    let (length, sender) = unsafe {
        SockAddr::try_init(|storage, length| {
            header.msg_name = storage.cast();
            header.msg_namelen = *length;
            let read =
                libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT);
            *length = header.msg_namelen;
            usize::try_from(read).map_err(|_| io::Error::last_os_error())
        })?
    };
    let sender = sender.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    Ok((length, sender, local(&header)))
}

/// The address that a datagram was sent to, from its control messages.
fn local(header: &libc::msghdr) -> Option<IpAddr> {
    // SAFETY: the header is as recvmsg left it, its control buffer is still alive in the caller, and the macros stay
    // within `msg_controllen`; the payload of a message is as long as its type says, and is read unaligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(head) = message.as_ref() {
            let data = libc::CMSG_DATA(message);
            match (head.cmsg_level, head.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // The destination itself, or for a broadcast our own address there.
                    let info: libc::in_pktinfo = data.cast::<libc::in_pktinfo>().read_unaligned();
                    return Some(Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr)).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info: libc::in6_pktinfo = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    return Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical());
                }
                _ => message = libc::CMSG_NXTHDR(header, message),
            }
        }
    }
    None
}

fn is_v6(socket: &impl AsFd) -> io::Result<bool> {
    Ok(SockRef::from(socket).local_addr()?.is_ipv6())
}

/// Switches an option on.
fn set(socket: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of::<libc::c_int>()).map_err(io::Error::other)?;
    // SAFETY: the value is a live int and the length is its own.
    let failed = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length)
    };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
