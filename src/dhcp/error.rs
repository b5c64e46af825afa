//! Why DHCP can't be served: one line, with the cure.

use std::io;

/// Why DHCP can't be served.
#[derive(Debug, thiserror::Error)]
pub enum DhcpError {
    /// The settings name an interface that is not there.
    #[error("there is no interface {name} to serve DHCP on; there are: {there}")]
    NoSuchInterface {
        /// As in the settings.
        name: String,
        /// Those that exist, joined.
        there: String,
    },
    /// An interface without an IPv4 address has nothing to answer from.
    #[error(
        "{name} has no IPv4 address to serve DHCP from; give it one of its subnet: ip address add ADDRESS/PREFIX dev {name}"
    )]
    NoAddress {
        /// The interface.
        name: String,
    },
    /// The system does not let us.
    #[error(
        "no permission for DHCP on {place}; start it by its systemd unit, or once: \
         setcap cap_net_bind_service,cap_net_raw=+ep {program}, or try `ringup lab`"
    )]
    Permission {
        /// Interface or address.
        place: String,
        /// This program.
        program: String,
    },
    /// Somebody else has the port.
    #[error(
        "another program serves DHCP on {place} (port {port} is in use); stop it first: ss -lunp sport = :{port}"
    )]
    InUse {
        /// Interface or address.
        place: String,
        /// The port.
        port: u16,
    },
    /// Anything else.
    #[error("can't serve DHCP on {place}: {error}")]
    Other {
        /// Interface or address.
        place: String,
        /// What the system said.
        error: io::Error,
    },
}

impl DhcpError {
    /// What the system's error on binding `place` means.
    pub(super) fn of(place: &str, port: u16, error: io::Error) -> Self {
        let place = place.to_owned();
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Permission { place, program: program() },
            io::ErrorKind::AddrInUse => Self::InUse { place, port },
            _ => Self::Other { place, error },
        }
    }

    /// True if it may pass without anybody correcting the settings: interfaces come late, addresses later.
    #[must_use]
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self, Self::NoSuchInterface { .. } | Self::NoAddress { .. })
    }

    /// The exit code that says the same to a script (`sysexits.h`).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoSuchInterface { .. } | Self::NoAddress { .. } => 78,
            Self::Permission { .. } => 77,
            Self::InUse { .. } => 69,
            Self::Other { .. } => 74,
        }
    }
}

fn program() -> String {
    std::env::current_exe().map_or_else(|_| "ringup".to_owned(), |path| path.display().to_string())
}
