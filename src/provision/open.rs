//! Turns (name, peer) into bytes ready to send.

use std::{
    fmt,
    fs::File,
    io,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::FileExt,
    sync::Arc,
};

use crate::{
    config::Settings,
    domain::{
        Asked, Carrier, Entry, Ground, Mac, Role, SiteName, StagingId, Timestamp, printable,
        wave::Place,
    },
    profile::{Catalog, Seen, Speaks, TransferRule},
    store::View,
};

use super::{
    Library,
    cache::{Cache, Flaw},
    identify::Subject,
    kept::Kept,
    name,
    peers::Peers,
    resolve::{self, Target},
    waves::{Offered, Seat},
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
    /// What the request shows about its sender: its User-Agent, and a `mac` in the query as [`Seen::Prefix`].
    pub seen: &'a [Seen<'a>],
}

/// Content ready to send.
#[derive(Clone)]
pub enum Body {
    /// Rendered, in memory.
    Bytes(Arc<[u8]>),
    /// A file that was opened when it was loaded.
    File(Arc<File>),
}

/// Without the octets, which may hold passwords.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} octets", bytes.len()),
            Self::File(file) => file.fmt(f),
        }
    }
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
    /// How the phone's family takes files over TFTP.
    pub tftp: TransferRule,
    /// Where the bytes come from, for the record: `template cisco-79xx-enterprise/phone.xml.j2`, `file …`, `firmware …`.
    pub source: String,
    /// What the request showed about its sender, to be recorded.
    pub grounds: Vec<Ground>,
    /// Set where this is a file of the phone's own in its production form, and the phone's batch is handed over.
    pub seals: Option<StagingId>,
    /// Set where this phone is to have a place in a wave first; the content names the load that it will have then.
    pub seat: Option<Seat>,
    /// Set where this phone is seen to run the load that it was told to take.
    pub there: Option<Box<Place>>,
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
    /// Other makers' phones have a file of that name, and this phone is none of theirs.
    #[error("there is no {name} for phones by {vendor}")]
    Foreign {
        /// The name, printable.
        name: String,
        /// Whose phone it is.
        vendor: String,
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
    /// A load of which parts are missing or altered: a phone would stop half way, time and again.
    #[error("{name} is not whole: something is wrong with {}", lacking.join(", "))]
    Incomplete {
        /// The name, printable.
        name: String,
        /// What is missing or altered.
        lacking: Vec<String>,
    },
    /// A load under a name that all releases share, while this phone is to keep what it runs.
    #[error("{name} is held back: {why}")]
    Waits {
        /// The name, printable.
        name: String,
        /// Why, in words.
        why: String,
    },
    /// The template failed; the text names the place.
    #[error("{text}")]
    Unrenderable {
        /// Template, line and reason.
        text: String,
    },
}

impl Why {
    /// The name of its counter.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoSuchFile { .. } => "no-such-file",
            Self::Missing { .. } => "missing",
            Self::Foreign { .. } => "foreign",
            Self::NotListed { .. } => "not-listed",
            Self::NoNumbersLeft { .. } => "no-numbers-left",
            Self::NoLease { .. } => "no-lease",
            Self::NotItsAddress { .. } => "not-its-address",
            Self::Incomplete { .. } => "incomplete",
            Self::Waits { .. } => "waits",
            Self::Unrenderable { .. } => "unrenderable",
        }
    }
}

/// The one resolver. Built anew at a reload; whoever holds the old one finishes with it.
#[derive(Debug)]
pub struct Provisioner {
    settings: Arc<Settings>,
    catalog: Arc<Catalog>,
    pub(super) library: Arc<Library>,
    view: View,
    /// Shared with the resolver that replaces this one.
    pub(super) peers: Arc<Peers>,
    /// What it found out about kinds of phones.
    pub(super) kept: Kept,
    /// What was rendered of these settings, families and files.
    pub(super) cache: Cache,
}

/// For whom a file is opened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    /// The peer of the request.
    Peer,
    /// An operator who looks at what a phone would get.
    Operator {
        /// That phone.
        phone: Mac,
        /// With secrets.
        reveal: bool,
    },
    /// Whoever hands a batch over, and wants to know whether this phone's files can be made in production form.
    HandOver {
        /// That phone.
        phone: Mac,
    },
}

/// One request with all that was found out about it.
#[derive(Clone, Debug)]
pub(super) struct Case<'a> {
    pub request: Request<'a>,
    pub asker: Asker,
    pub subject: Subject,
    pub target: Target<'a>,
    /// Whose values and files count.
    pub site: SiteName,
    pub speaks: Speaks,
    /// What becomes of the load that its site wants.
    pub offered: Offered,
    pub now: Timestamp,
}

impl Case<'_> {
    /// What the record keeps of the request.
    pub fn asked(&self) -> Asked {
        self.target.asked(self.request.carrier, self.speaks)
    }

    /// The model: as the name gives it away, else as the phone showed it; empty if nothing told.
    pub fn model(&self) -> &str {
        let named = self.target.found.and_then(|found| found.model);
        named.map_or_else(|| self.subject.model().unwrap_or_default(), |model| &model.name)
    }

    /// Why there is nothing under this name.
    pub fn missing(&self) -> Why {
        let name = self.target.name.clone();
        match &self.target.foreign {
            Some(vendor) => Why::Foreign { name, vendor: vendor.clone() },
            None => Why::Missing { name },
        }
    }

    /// Why there is nothing under this name, where its template says so.
    pub fn flawed(&self, flaw: Flaw) -> Why {
        match flaw {
            Flaw::Absent => self.missing(),
            Flaw::Unrenderable(text) => Why::Unrenderable { text },
        }
    }

    /// Turns the request down. What came from an address that is not the phone's is no evidence about the phone, and
    /// starts no round of its boot.
    pub fn refuse(&self, why: Why) -> Refusal {
        let strange = matches!(why, Why::NotItsAddress { .. } | Why::NoLease { .. });
        let mut asked = self.asked();
        asked.first &= !strange;
        let waits = matches!(why, Why::Waits { .. });
        let normal = waits || matches!(why, Why::Missing { .. }) && self.is_normal_miss();
        let grounds = if strange { Vec::new() } else { self.subject.grounds.clone() };
        Refusal { why, phone: self.subject.mac, asked, normal, grounds }
    }

    /// A phone that is not listed misses its own file on the way to the fallback, and that is how it should be.
    fn is_normal_miss(&self) -> bool {
        let on_its_way = self.target.role == Role::Own && self.subject.entry.is_none();
        self.target.normal().miss || on_its_way
    }
}

impl Provisioner {
    /// A resolver for these settings, families and files.
    #[must_use]
    pub fn new(
        settings: Arc<Settings>,
        catalog: Arc<Catalog>,
        library: Arc<Library>,
        view: View,
    ) -> Self {
        let (peers, kept, cache) = Default::default();
        Self { settings, catalog, library, view, peers, kept, cache }
    }

    /// The operator's files and the firmware.
    #[must_use]
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

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
        self.answer(*request, Asker::Peer, now)
    }

    /// What a phone would get for a name, for an operator who looks: secrets are masked unless `reveal`, and nobody
    /// need hold a lease. The operator's own files are shown as they are. `local` is our address as the phone sees it.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that says why the phone would not get this file.
    pub fn preview(
        &self,
        phone: Mac,
        name: &str,
        local: IpAddr,
        reveal: bool,
        now: Timestamp,
    ) -> Result<Opened, Refusal> {
        self.answer(self.imagined(phone, name, local), Asker::Operator { phone, reveal }, now)
    }

    /// Why a file of a phone can't be made in production form.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that the phone would get.
    pub(super) fn rehearse(&self, phone: Mac, name: &str, now: Timestamp) -> Result<(), Refusal> {
        let request = self.imagined(phone, name, IpAddr::V4(Ipv4Addr::LOCALHOST));
        self.answer(request, Asker::HandOver { phone }, now).map(drop)
    }

    /// The request that a phone would make, for an operator who looks.
    pub(super) fn imagined<'a>(&self, phone: Mac, name: &'a str, local: IpAddr) -> Request<'a> {
        let address = self.view.read().phones.get(&phone).and_then(|phone| phone.boot.address);
        let peer = IpAddr::V4(address.unwrap_or(Ipv4Addr::UNSPECIFIED));
        Request { name, peer, local, carrier: Carrier::Http, seen: &[] }
    }

    fn answer(
        &self,
        request: Request<'_>,
        asker: Asker,
        now: Timestamp,
    ) -> Result<Opened, Refusal> {
        let (case, admit) = self.case(request, asker, now)?;
        self.build(&case, admit).map_err(|why| case.refuse(why))
    }

    /// Finds out what a name means and whose it is, and whether this peer may have it.
    pub(super) fn case<'a>(
        &'a self,
        request: Request<'a>,
        asker: Asker,
        now: Timestamp,
    ) -> Result<(Case<'a>, Option<Admission>), Refusal> {
        let name = name::normalize(request.name).ok_or_else(|| unknown(&request, None))?;
        let (found, told) = self.catalog.understand(&name, now);
        let state = self.view.read();
        let subject = match asker {
            Asker::Peer => self.identify((&name, &found, told), &request, &state, now),
            Asker::Operator { phone, .. } => self.look_at(phone, &found, &state, request.peer),
            Asker::HandOver { phone } => {
                Subject { staging: None, ..self.look_at(phone, &found, &state, request.peer) }
            }
        };
        let speaks = self.speaks(&subject.site, subject.is_staged());
        let place = (&*self.library, subject.site.as_str());
        let clues = subject.clues(&self.catalog);
        let Some(target) = resolve::target(name, found, &clues, speaks, place) else {
            return Err(unknown(&request, Some(subject)));
        };
        let site = match target.role {
            Role::Common => self.common_site(&subject, request.peer),
            _ => subject.site.clone(),
        };
        let offered = Offered::default();
        let mut case = Case { request, asker, subject, target, site, speaks, offered, now };
        let offered = self.offered(&case, &state);
        case.offered = offered;
        let admit = self.permit(&case, &state).and_then(|()| self.entitle(&case, &state));
        // Rendering needs no state: a writer does not wait for it.
        drop(state);
        match admit {
            Ok(admit) => Ok((case, admit)),
            Err(why) => Err(case.refuse(why)),
        }
    }
}

fn unknown(request: &Request<'_>, subject: Option<Subject>) -> Refusal {
    let name = printable(request.name.as_bytes());
    let asked = resolve::unknown(&name, request.carrier);
    let subject = subject.unwrap_or_default();
    let why = Why::NoSuchFile { name };
    Refusal { why, phone: subject.mac, asked, normal: false, grounds: subject.grounds }
}
