//! How commands end: the exit codes that scripts rely on, and the text that goes with a failure.

use std::{fmt, io};

use crate::domain::{Problem, Severity};

/// How a command ended. The numbers above 1 are those of sysexits(3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// As asked.
    Ok = 0,
    /// Something worth a look was found.
    Found = 1,
    /// The command line makes no sense (`EX_USAGE`).
    Usage = 64,
    /// What was given is not right: a refused row, a backup that is none (`EX_DATAERR`).
    Data = 65,
    /// What was named is not there (`EX_NOINPUT`).
    NoInput = 66,
    /// Somebody else has the port, or the appliance does not answer (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// Reading or writing failed (`EX_IOERR`).
    Io = 74,
    /// Not allowed (`EX_NOPERM`).
    Permission = 77,
    /// The settings have errors (`EX_CONFIG`).
    Config = 78,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The exit of that number; what has no name here was reading or writing.
    #[must_use]
    pub const fn of(code: u8) -> Self {
        match code {
            0 => Self::Ok,
            1 => Self::Found,
            64 => Self::Usage,
            65 => Self::Data,
            66 => Self::NoInput,
            69 => Self::Unavailable,
            77 => Self::Permission,
            78 => Self::Config,
            _ => Self::Io,
        }
    }
}

/// What every command returns.
pub type Done = Result<Exit, Failure>;

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The code to end with.
    pub exit: Exit,
    /// What to print on standard error; empty for a closed pipe, which nobody wants to hear of.
    pub text: String,
}

impl Failure {
    /// A failure with its text.
    pub fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self { exit, text: text.into() }
    }

    /// The same with a remedy on a line of its own.
    #[must_use]
    pub fn help(mut self, help: impl fmt::Display) -> Self {
        self.text = format!("{}\n  help: {help}", self.text);
        self
    }

    /// A file that can't be read or written.
    #[must_use]
    pub fn file(path: &std::path::Path, error: &io::Error) -> Self {
        let exit = match error.kind() {
            io::ErrorKind::NotFound => Exit::NoInput,
            io::ErrorKind::PermissionDenied => Exit::Permission,
            _ => Exit::Io,
        };
        Self::new(exit, format!("{}: {error}", path.display()))
    }

    /// Settings or other files with errors in them.
    #[must_use]
    pub fn problems(problems: &[Problem]) -> Self {
        let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let errors = problems.iter().any(|problem| problem.severity == Severity::Error);
        Self::new(if errors { Exit::Config } else { Exit::Found }, text.join("\n"))
    }
}

impl From<io::Error> for Failure {
    /// Output that can't be written. A closed pipe means that the reader has seen enough: that is no failure.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Ok, ""),
            _ => Self::new(Exit::Io, format!("can't write: {error}")),
        }
    }
}
