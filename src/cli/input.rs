//! Files that commands read, standard input among them.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use super::exit::{Exit, Failure};

/// A file as it is; `-` stands for standard input. What its bytes mean is found out where rows are read.
///
/// # Errors
///
/// As [`Failure::file`]; [`Exit::Io`] for standard input.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() != "-" {
        return fs::read(path).map_err(|error| Failure::file(path, &error));
    }
    let mut bytes = Vec::new();
    io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Exit::Io, format!("standard input: {error}")))?;
    Ok(bytes)
}
