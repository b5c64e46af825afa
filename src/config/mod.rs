//! Settings: `ringup.toml`, read, checked as a whole and made ready to use.

mod settings;

pub use settings::{
    Admit, Appliance, AutoRegistration, Dhcp, DhcpMode, Failover, ForFamily, Http, NumberRange,
    Option82, PeerRule, Protocol, RawOption, ReadyWhen, Registrar, Secrets, Settings, Site, Srtp,
    Subnet, Tftp, Transport,
};

use std::path::{Path, PathBuf};

use crate::domain::Problem;

/// Settings as read, with what is legal but probably not meant.
#[derive(Debug)]
pub struct Loaded {
    /// Ready to use.
    pub settings: Settings,
    /// Warnings only.
    pub warnings: Vec<Problem>,
    /// Where they came from; `None` for the defaults.
    pub path: Option<PathBuf>,
}

/// Reads the settings: `path` if given, else `./ringup.toml`, else `/etc/ringup/ringup.toml`, else the defaults.
///
/// # Errors
///
/// Every problem of every file at once, each with line and remedy.
pub fn load(path: Option<&Path>) -> Result<Loaded, Vec<Problem>> {
    let _ = path;
    unimplemented!()
}
