//! `ringup restore`: a backup becomes the state.

use std::path::{Path, PathBuf};

use crate::store;

use super::{
    exit::{Done, Exit, Failure},
    output, settings,
};

/// Options of `ringup restore`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    systemctl stop ringup\n  mv /var/lib/ringup /var/lib/ringup.old\n  ringup restore ringup.backup\n  systemctl start ringup\n\n\
    The file is read and checked to its end before anything is written. The state directory must hold no store: \
    nothing is ever overwritten.")]
pub struct Restore {
    /// What `ringup backup` wrote.
    file: PathBuf,
}

impl Restore {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        if !self.file.exists() {
            return Err(Failure::new(
                Exit::NoInput,
                format!("{}: there is no such file", self.file.display()),
            ));
        }
        let state = settings::sound(config)?.loaded.settings.appliance.state;
        let restored = store::restore(&self.file, &state)?;
        output::note(&format!(
            "{} phones, {} leases and {} events are in {}",
            restored.phones,
            restored.leases,
            restored.events,
            state.display()
        ));
        Ok(Exit::Ok)
    }
}
