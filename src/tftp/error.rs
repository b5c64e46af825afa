//! Why TFTP can't be served, each with its cure.

use std::{io, net::SocketAddr};

/// Why TFTP can't be served on an address. The text names the cure.
#[derive(Debug, thiserror::Error)]
pub enum TftpError {
    /// A port below 1024 and no right to it.
    #[error(
        "can't listen on {address} for TFTP: no permission; start ringup as its systemd unit, or give it the right with \
         `setcap cap_net_bind_service,cap_net_raw=+ep $(command -v ringup)`, or look around first with `ringup lab`"
    )]
    Permission {
        /// What was to be listened on.
        address: SocketAddr,
    },
    /// Another server has the port.
    #[error(
        "can't listen on {address} for TFTP: another program has the port; find it with `ss -lunp 'sport = :{port}'` and \
         stop it (often tftpd-hpa, atftpd or dnsmasq), or set `listen` in [tftp] to another address",
        port = address.port()
    )]
    InUse {
        /// What was to be listened on.
        address: SocketAddr,
    },
    /// No interface has the address.
    #[error(
        "can't listen on {address} for TFTP: this machine does not have that address; see `ip -brief address`, then set \
         `listen` in [tftp]"
    )]
    NoSuchAddress {
        /// What was to be listened on.
        address: SocketAddr,
    },
    /// Something else.
    #[error("can't listen on {address} for TFTP; see `listen` in [tftp]")]
    Other {
        /// What was to be listened on.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

impl TftpError {
    /// The error that the system's answer means.
    pub(super) fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => Self::Permission { address },
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress { address },
            _ => Self::Other { address, source },
        }
    }

    /// What the system calls this, for the exit code.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Permission { .. } => io::ErrorKind::PermissionDenied,
            Self::InUse { .. } => io::ErrorKind::AddrInUse,
            Self::NoSuchAddress { .. } => io::ErrorKind::AddrNotAvailable,
            Self::Other { source, .. } => source.kind(),
        }
    }
}
