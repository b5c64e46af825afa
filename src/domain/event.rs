//! What happened to a phone, as the record keeps it.

use std::{fmt, net::Ipv4Addr};

use super::{Asked, Mac, Outcome, Reply, Role, Step, Timestamp};

/// One thing that happened to one phone at one time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// How a lease came to be acknowledged (RFC 2131 §4.3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Granted {
    /// After our offer.
    Selected,
    /// After a reboot, with the address that it had (INIT-REBOOT).
    Rebooted,
    /// T1: extended by us.
    Renewed,
    /// T2: extended by broadcast.
    Rebound,
}

/// Why a client that asked for an address got no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unserved {
    /// No free address in the pools of its subnet.
    PoolExhausted,
    /// `admit` leaves it out.
    NotAdmitted,
    /// It came from a network that no subnet covers.
    NoSubnet,
}

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum What {
    /// A DISCOVER arrived: the phone has just started.
    Discovered {
        /// The relay that passed it on.
        relay: Option<Ipv4Addr>,
        /// The switch port, as option 82 tells it; empty where nothing does.
        port: String,
        /// What it says that it is (options 60 and 61), printable and cut; empty where it says nothing.
        shows: String,
    },
    /// An offer was sent, by us or, where we only observe, by another server.
    Offered {
        /// The address offered.
        address: Ipv4Addr,
    },
    /// It told everybody which address it takes or keeps. Recorded where we only observe.
    Requested {
        /// The address.
        address: Ipv4Addr,
        /// The server whose offer it takes; `None` where it keeps an address of before.
        server: Option<Ipv4Addr>,
    },
    /// Another server's answer named the servers for its files, or named none.
    Told {
        /// That server.
        by: Ipv4Addr,
        /// Options 66, 150 and 160 as text, by code.
        servers: Vec<(u8, String)>,
    },
    /// A DHCP server answers it that should not: the phone took its offer and not ours, or, where we only observe, it
    /// says something else than the server beside it.
    Rivalled {
        /// That server, as it calls itself (option 54).
        server: Ipv4Addr,
        /// Its hardware address, where it was seen.
        hardware: Option<Mac>,
        /// The server beside it; `None` where that is us.
        beside: Option<Ipv4Addr>,
    },
    /// It asked for the file of another phone, and did not get it.
    Mistaken {
        /// What it asked for.
        name: String,
        /// Whose file that is.
        of: Mac,
    },
    /// An ACK was sent: the lease is fact.
    Leased {
        /// The address.
        address: Ipv4Addr,
        /// Until when.
        until: Timestamp,
        /// In answer to what.
        granted: Granted,
    },
    /// A NAK was sent.
    Nak {
        /// The address that it wanted.
        address: Ipv4Addr,
        /// Why not, in words.
        why: String,
    },
    /// It asked for an address and got none.
    Unserved(Unserved),
    /// It found the address in use (DECLINE).
    Declined {
        /// That address.
        address: Ipv4Addr,
    },
    /// It gave its address back (RELEASE).
    Released {
        /// That address.
        address: Ipv4Addr,
    },
    /// It has an address and asked for the rest (INFORM).
    Informed {
        /// The address that it has.
        address: Ipv4Addr,
    },
    /// It asked for a file from an address that nobody here leased to it: one that somebody typed in.
    Appeared {
        /// The address that it has.
        address: Ipv4Addr,
    },
    /// A file is on its way to it.
    Opened {
        /// What it asked for.
        asked: Asked,
        /// Bytes of the whole file.
        length: u64,
    },
    /// How far a long transfer is. Sent for firmware, at most once a second.
    Progress {
        /// The name as asked.
        name: String,
        /// Bytes that arrived.
        bytes: u64,
        /// Bytes of the whole file.
        length: u64,
    },
    /// A transfer ended, whichever way.
    Ended {
        /// What it asked for.
        asked: Asked,
        /// Bytes that arrived for certain.
        bytes: u64,
        /// Bytes of the whole file.
        length: u64,
        /// Which way.
        outcome: Outcome,
        /// The file's entity tag: tells the same bytes again.
        etag: String,
        /// True for an abort that the family's profile calls normal.
        normal: bool,
        /// Where the bytes came from (`file …`, `template …`, `firmware …`); empty in records of before it was noted.
        source: String,
    },
    /// It asked whether the file that it has is still the right one, and it is (HTTP 304).
    Unchanged {
        /// What it asked for.
        asked: Asked,
        /// The entity tag that it showed.
        etag: String,
    },
    /// A request was understood and turned down.
    Refused {
        /// What it asked for.
        asked: Asked,
        /// Why, in words.
        why: String,
        /// True for a miss that the family's profile calls normal.
        normal: bool,
    },
    /// Auto-registration listed it.
    Admitted {
        /// The number that it got.
        number: String,
    },
    /// Its registration at a server came on, as that server or a PBX told.
    Registration {
        /// The server, printable and cut.
        by: String,
        /// What came of it.
        step: Step,
    },
    /// An operator, or a hand-over by one, had it asked to come again.
    Recalled {
        /// The event of the NOTIFY (`check-sync`).
        event: String,
        /// What it answered.
        reply: Reply,
    },
}

/// How [`What::Told`] ends where there was nothing to tell; what derives from it is a diagnosis.
pub const NOT_TOLD: &str = "names no server for its files";

impl What {
    /// A DISCOVER of which no more is known than the relay.
    #[must_use]
    pub const fn discovered(relay: Option<Ipv4Addr>) -> Self {
        Self::Discovered { relay, port: String::new(), shows: String::new() }
    }

    /// True if a file of its own that makes it configured is on its way to it, or was found to be there.
    #[must_use]
    pub const fn gives_own(&self) -> bool {
        match self {
            Self::Opened { asked, .. } | Self::Unchanged { asked, .. } => {
                matches!(asked.role, Role::Own) && asked.required.is_some()
            }
            _ => false,
        }
    }
}

impl fmt::Display for What {
    /// One plain sentence for the timeline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovered { relay: None, .. } => f.write_str("looks for a DHCP server"),
            Self::Discovered { relay: Some(relay), .. } => {
                write!(f, "looks for a DHCP server through relay {relay}")
            }
            Self::Offered { address } => write!(f, "was offered {address}"),
            Self::Requested { address, server: Some(server) } => {
                write!(f, "takes {address}, which {server} offered")
            }
            Self::Requested { address, server: None } => write!(f, "asks to keep {address}"),
            Self::Rivalled { server, beside: None, .. } => {
                write!(f, "takes the offer of another DHCP server, {server}")
            }
            Self::Rivalled { server, beside: Some(beside), .. } => {
                write!(f, "{server} answers it too, and says something else than {beside}")
            }
            Self::Mistaken { name, of } => write!(f, "asked for {name}, which is for {of}"),
            Self::Told { by, servers } if servers.is_empty() => write!(f, "{by} {NOT_TOLD}"),
            Self::Told { by, servers } => {
                write!(f, "{by} names its server:")?;
                servers.iter().try_for_each(|(code, text)| write!(f, " option {code} {text}"))
            }
            Self::Leased { address, granted, .. } => match granted {
                Granted::Selected => write!(f, "leased {address}"),
                Granted::Rebooted => write!(f, "restarted and keeps {address}"),
                Granted::Renewed => write!(f, "renewed {address}"),
                Granted::Rebound => write!(f, "renewed {address} by broadcast"),
            },
            Self::Nak { address, why } => write!(f, "was denied {address}: {why}"),
            Self::Unserved(why) => write!(f, "got no address: {why}"),
            Self::Declined { address } => write!(f, "declined {address}: somebody else uses it"),
            Self::Released { address } => write!(f, "released {address}"),
            Self::Informed { address } => write!(f, "asked for options at {address}"),
            Self::Appeared { address } => write!(f, "has the address {address}"),
            Self::Opened { asked, .. } => {
                let carrier = asked.carrier.as_str().to_uppercase();
                write!(f, "asked for {} by {carrier}", asked.name)
            }
            Self::Progress { name, bytes, length } => {
                write!(f, "has {bytes} of {length} bytes of {name}")
            }
            Self::Ended { asked, bytes, length, outcome, normal, .. } => match outcome {
                Outcome::Complete => write!(f, "has {} ({length} bytes)", asked.name),
                Outcome::Aborted { .. } | Outcome::TimedOut | Outcome::Failed { .. } => {
                    let normal = if *normal { ", which is normal" } else { "" };
                    let how = outcome.to_string().replacen("timed-out", "timed out", 1);
                    write!(f, "{}: {how} after {bytes} of {length} bytes{normal}", asked.name)
                }
            },
            Self::Unchanged { asked, .. } => write!(f, "has the current {} already", asked.name),
            // Most healthy boots end with one of these: it must not read like a fault.
            Self::Refused { asked, normal: true, .. } => {
                write!(f, "asked for {}, which it can do without", asked.name)
            }
            Self::Refused { asked, why, .. } => write!(f, "was refused {}: {why}", asked.name),
            Self::Admitted { number } => write!(f, "was registered by itself as {number}"),
            Self::Registration { by, step } => write!(f, "at {by}: {step}"),
            Self::Recalled { event, reply } => {
                write!(f, "was asked to come again by `{event}`: {reply}")
            }
        }
    }
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PoolExhausted => "no address is free in its subnet",
            Self::NotAdmitted => "`admit` leaves it out",
            Self::NoSubnet => "no subnet in the settings covers where it asked from",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Carrier, Role};

    #[test]
    fn what_is_normal_does_not_read_like_a_fault() {
        let asked = || Asked {
            name: "a.cfg".into(),
            role: Role::Extra,
            carrier: Carrier::Tftp,
            required: None,
            first: false,
        };
        let refused =
            |normal| What::Refused { asked: asked(), why: "there is no a.cfg".into(), normal };
        let aborted = |normal| {
            let (etag, outcome) = (String::new(), Outcome::Aborted { text: String::new() });
            What::Ended {
                asked: asked(),
                bytes: 4,
                length: 9,
                outcome,
                etag,
                normal,
                source: String::new(),
            }
        };
        let check = |what: What, text: &str| assert_eq!(what.to_string(), text);
        check(refused(true), "asked for a.cfg, which it can do without");
        check(refused(false), "was refused a.cfg: there is no a.cfg");
        check(aborted(true), "a.cfg: aborted after 4 of 9 bytes, which is normal");
        check(aborted(false), "a.cfg: aborted after 4 of 9 bytes");
    }
}
