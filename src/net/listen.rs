//! Listening TCP sockets.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds until they are accepted: a building that restarts comes all at once. The kernel
/// cuts it down to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A listening socket that does not block.
///
/// # Errors
///
/// What the system says: no permission, in use, no such address.
pub fn listening(address: SocketAddr) -> io::Result<TcpListener> {
    open(address, None)
}

/// The same, for connections that come in by one interface only.
///
/// # Errors
///
/// As [`listening`].
pub fn listening_on(interface: &str, address: SocketAddr) -> io::Result<TcpListener> {
    open(address, Some(interface))
}

fn open(address: SocketAddr, interface: Option<&str>) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of the last run in TIME_WAIT must not keep the next from starting.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` beside `0.0.0.0` on the same port is two sockets, not a conflict.
        socket.set_only_v6(true)?;
    }
    if let Some(interface) = interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
