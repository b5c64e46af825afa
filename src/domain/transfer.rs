//! Files on their way to phones.

use std::fmt;

use super::Timestamp;

/// What carries a file.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Carrier {
    /// TFTP (RFC 1350).
    Tftp,
    /// HTTP on the phones' ports.
    Http,
}

impl Carrier {
    /// The name in JSON, logs and the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tftp => "tftp",
            Self::Http => "http",
        }
    }
}

/// What a file is to the phone that asks for it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// This phone's own configuration: may carry credentials, goes to nobody else.
    Own,
    /// The same for every phone of a family, without credentials.
    Common,
    /// What a phone asks for when it has no file of its own (SEPDEFAULT.cnf, XMLDefault.cnf.xml).
    Fallback,
    /// Trust lists (CTL, ITL).
    Trust,
    /// Loads and their parts.
    Firmware,
    /// Ring tones, locales, directories, licences: nice to have.
    Extra,
}

impl Role {
    /// The name in JSON, profiles and the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Common => "common",
            Self::Fallback => "fallback",
            Self::Trust => "trust",
            Self::Firmware => "firmware",
            Self::Extra => "extra",
        }
    }
}

/// Which of the files that a phone must have this one is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Required {
    /// Its number among the required ones, from 0; below `of`.
    pub slot: u8,
    /// How many there are; at most 16.
    pub of: u8,
}

/// What a phone asked for, and what that file is to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The name as the phone spelt it, printable and cut.
    pub name: String,
    /// How it asked.
    pub carrier: Carrier,
    /// What the file is to this phone. [`Role::Extra`] where nothing is known.
    pub role: Role,
    /// Set where the phone is configured only once this file was delivered.
    pub required: Option<Required>,
    /// True if the family's boot begins with this file.
    pub first: bool,
}

/// How a transfer ended. Reported exactly once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The last block was acknowledged, or the kernel took the last byte (HTTP).
    Complete,
    /// The phone ended it, with the text of its TFTP ERROR where it sent one.
    Aborted {
        /// The phone's own words; empty for a closed connection.
        text: String,
    },
    /// Nothing came back for longer than this transfer's patience.
    TimedOut,
    /// The server could not go on (a read error, a shutdown).
    Failed {
        /// Why.
        text: String,
    },
}

impl Outcome {
    /// The name in JSON, logs and the page.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted { .. } => "aborted",
            Self::TimedOut => "timed-out",
            Self::Failed { .. } => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted { text } | Self::Failed { text } if !text.is_empty() => {
                write!(f, "{}: {text}", self.as_str())
            }
            _ => f.write_str(self.as_str()),
        }
    }
}

/// One file's way to a phone, as the record keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transfer {
    /// The name as asked.
    pub name: String,
    /// How it went.
    pub carrier: Carrier,
    /// What the file is.
    pub role: Role,
    /// Bytes that the phone has for certain.
    pub bytes: u64,
    /// Bytes of the whole file.
    pub length: u64,
    /// `None` while it runs; a refusal is kept as `refused` text.
    pub outcome: Option<Outcome>,
    /// Why it was turned down, where it was.
    pub refused: Option<String>,
    /// True for a refusal or an abort that the family's profile calls normal.
    pub normal: bool,
    /// Where the bytes came from; empty while it runs, and in records of before it was noted.
    pub source: String,
    /// When it began.
    pub at: Timestamp,
}
