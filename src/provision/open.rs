//! Turns (name, peer) into bytes ready to send.

use std::{fs::File, io, net::IpAddr, os::unix::fs::FileExt, sync::Arc};

use crate::{
    config::Settings,
    domain::{Asked, Carrier, Entry, Ground, Mac, Timestamp},
    profile::{Catalog, Seen},
    store::View,
};

/// What a carrier knows about a request for a file.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The name as received: percent-decoded for HTTP, otherwise raw. May have leading slashes and backslashes.
    pub name: &'a str,
    /// Who asks.
    pub peer: IpAddr,
    /// Which of our addresses was asked.
    pub local: IpAddr,
    /// How it asks.
    pub carrier: Carrier,
    /// What the request shows about its sender (User-Agent, a `mac` in the query).
    pub seen: &'a [Seen<'a>],
}

/// Content ready to send.
#[derive(Clone, Debug)]
pub enum Body {
    /// Rendered, in memory.
    Bytes(Arc<[u8]>),
    /// A file that was opened when it was loaded.
    File(Arc<File>),
}

impl Body {
    /// Reads at `offset` into `buffer`; short only at the end.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Bytes(bytes) => {
                let rest = usize::try_from(offset)
                    .ok()
                    .and_then(|offset| bytes.get(offset..))
                    .unwrap_or(&[]);
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                Ok(length)
            }
            Self::File(file) => {
                let mut filled = 0;
                while filled < buffer.len() {
                    match file.read_at(&mut buffer[filled..], offset + filled as u64)? {
                        0 => break,
                        read => filled += read,
                    }
                }
                Ok(filled)
            }
        }
    }
}

/// A phone that auto-registration is to list before its file leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Admission {
    /// The phone.
    pub phone: Mac,
    /// The number that it gets.
    pub number: String,
    /// The entry to commit.
    pub entry: Box<Entry>,
}

/// A file that this peer gets.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The bytes.
    pub body: Body,
    /// How many.
    pub length: u64,
    /// Tells the same bytes again; without quotes.
    pub etag: String,
    /// Whose request it is, where that is known.
    pub phone: Option<Mac>,
    /// What the file is to that phone (role, required, first).
    pub asked: Asked,
    /// True if an abort of this transfer is no fault.
    pub abort_is_normal: bool,
    /// Where the bytes come from, for the record: `template cisco-79xx-enterprise/phone.xml.j2`, `file …`, `firmware …`.
    pub source: String,
    /// What the request showed about its sender, to be recorded.
    pub grounds: Vec<Ground>,
    /// Set where this phone is to be listed first; the content is that of the entry it will have.
    pub admit: Option<Admission>,
}

/// A request that is understood and turned down: an outcome, not a fault.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why.
    pub why: Why,
    /// Whose request it was, where that is known.
    pub phone: Option<Mac>,
    /// What it asked for.
    pub asked: Asked,
    /// True for a miss that the family's profile calls normal.
    pub normal: bool,
    /// What the request showed about its sender, to be recorded.
    pub grounds: Vec<Ground>,
}

/// Why a request is turned down. Each carrier picks its own code for it, where the carrier is.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Why {
    /// No family has a file of that name, and neither has the operator.
    #[error("no family has a file named {name}")]
    NoSuchFile {
        /// The name, printable.
        name: String,
    },
    /// The family knows the name and serves nothing for it: normal for trust lists, overrides and the like.
    #[error("there is no {name}")]
    Missing {
        /// The name, printable.
        name: String,
    },
    /// The phone has no entry, and auto-registration is closed.
    #[error("{phone} is not listed, and auto-registration is closed")]
    NotListed {
        /// The phone.
        phone: Mac,
    },
    /// The phone has no entry, the window is open, and no number is left.
    #[error("{phone} is not listed, and no number is left for it in {range}")]
    NoNumbersLeft {
        /// The phone.
        phone: Mac,
        /// The range, as the settings spell it.
        range: String,
    },
    /// A name that fits any phone, from a peer whose phone is not known.
    #[error("{peer} holds no lease, so its phone is unknown")]
    NoLease {
        /// Who asked.
        peer: IpAddr,
    },
    /// A phone's own file, asked for from an address that is not leased to it.
    #[error("{phone} has another address than {peer}, so its file is withheld")]
    NotItsAddress {
        /// Whose file it is.
        phone: Mac,
        /// Who asked.
        peer: IpAddr,
    },
    /// The template failed; the text names the place.
    #[error("{text}")]
    Unrenderable {
        /// Template, line and reason.
        text: String,
    },
}

/// The one resolver. Built anew at a reload; whoever holds the old one finishes with it.
#[derive(Debug)]
pub struct Provisioner {
    settings: Arc<Settings>,
    catalog: Arc<Catalog>,
    view: View,
}

impl Provisioner {
    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The families.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// What is fact.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Finds out what a name means, whose it is, and what is in it.
    ///
    /// Opens no file, waits for nothing and writes nothing, so a carrier may call it while holding a lock.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that says why this peer does not get this file.
    pub fn open(&self, request: &Request<'_>, now: Timestamp) -> Result<Opened, Refusal> {
        let _ = (request, now);
        unimplemented!()
    }
}
