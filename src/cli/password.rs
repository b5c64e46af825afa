//! `ringup password`: the hash that the settings take.

use std::io::{self, IsTerminal};

use argon2::{Argon2, password_hash::PasswordHasher};

use super::{
    exit::{Done, Exit, Failure},
    output,
};

/// The shortest password taken: whoever guesses it can change every phone.
const MIN_LENGTH: usize = 8;

/// Options of `ringup password`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    ringup password                                   asks for it twice, without showing it\n  \
    pwgen -s 24 1 | tee /dev/tty | ringup password > /etc/ringup/password-hash\n\n\
    The line that it prints goes into the settings:\n  \
    [http]\n  password-hash = '$argon2id$…'\n\
    or into a file that password-hash-file names.")]
pub struct Password {}

impl Password {
    /// Runs it.
    #[expect(clippy::unused_self, reason = "all commands are called alike")]
    pub fn run(&self) -> Done {
        let password = if io::stdin().is_terminal() { typed()? } else { piped()? };
        if password.chars().count() < MIN_LENGTH {
            let text = format!("a password of at least {MIN_LENGTH} characters, please");
            return Err(Failure::new(Exit::Data, text));
        }
        // Argon2id with the parameters of RFC 9106's successor advice (OWASP): 19 MiB, 2 passes, a random salt.
        let hash = Argon2::default()
            .hash_password(password.as_bytes())
            .map_err(|error| Failure::new(Exit::Io, format!("can't hash it: {error}")))?;
        output::line(&hash.to_string())?;
        Ok(Exit::Ok)
    }
}

fn typed() -> Result<String, Failure> {
    let ask = |prompt| {
        rpassword::prompt_password(prompt).map_err(|error| {
            Failure::new(Exit::Io, format!("can't read from the terminal: {error}"))
        })
    };
    let password = ask("Password: ")?;
    if password != ask("Once more: ")? {
        return Err(Failure::new(Exit::Data, "these are two different passwords"));
    }
    Ok(password)
}

/// The first line of what is not a terminal.
fn piped() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .map_err(|error| Failure::new(Exit::Io, format!("standard input: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
