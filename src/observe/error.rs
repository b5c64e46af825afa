//! Why DHCP can't be observed: one line, with the cure.

use std::io;

/// Why DHCP can't be observed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The settings name an interface that is not there.
    #[error("there is no interface {name} to observe DHCP on; there are: {there}")]
    NoSuchInterface {
        /// As in the settings.
        name: String,
        /// Those that exist, joined.
        there: String,
    },
    /// The system does not let us.
    #[error(
        "no permission to hear frames on {name}; start it by its systemd unit, or once: \
         setcap cap_net_bind_service,cap_net_raw=+ep {program}"
    )]
    Permission {
        /// The interface.
        name: String,
        /// This program.
        program: String,
    },
    /// Anything else.
    #[error("can't observe DHCP on {name}: {error}")]
    Other {
        /// The interface.
        name: String,
        /// What the system said.
        error: io::Error,
    },
}

impl ObserveError {
    /// What the system's error on opening the interface `name` means.
    pub(super) fn of(name: &str, error: io::Error) -> Self {
        let name = name.to_owned();
        let program = || std::env::current_exe().map(|path| path.display().to_string());
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Permission {
                name,
                program: program().unwrap_or_else(|_| "ringup".to_owned()),
            },
            _ => Self::Other { name, error },
        }
    }

    /// The exit code that says the same to a script (`sysexits.h`).
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoSuchInterface { .. } => 78,
            Self::Permission { .. } => 77,
            Self::Other { .. } => 74,
        }
    }
}
