//! `ringup backup`: all state in one file.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{
    client::Client,
    exit::{Done, Exit, Failure},
    output, settings,
};

/// Options of `ringup backup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ringup backup /srv/backup/ringup-$(date +%F).backup\n\n\
    The file holds passwords: only its owner can read it. A running appliance goes on meanwhile.")]
pub struct Backup {
    /// The file to write, which must not be there yet; `-` writes to standard output.
    file: PathBuf,
}

impl Backup {
    /// Runs it.
    pub fn run(&self, config: Option<&Path>) -> Done {
        let client = Client::connect(settings::sound(config)?.loaded.settings)?;
        if self.file.as_os_str() == "-" {
            output::bytes(&client.get("/api/v1/backup")?)?;
            return Ok(Exit::Ok);
        }
        if self.file.exists() {
            return Err(there(&self.file));
        }
        let bytes = client.get("/api/v1/backup")?;
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::AlreadyExists => there(&self.file),
            _ => Failure::file(&self.file, &error),
        };
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        output::note(&format!("{} has {}", self.file.display(), output::size(bytes.len() as u64)));
        Ok(Exit::Ok)
    }
}

fn there(file: &Path) -> Failure {
    Failure::new(Exit::Io, format!("{} is there already", file.display())).help("name another file")
}
