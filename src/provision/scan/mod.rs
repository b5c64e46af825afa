//! What a label or a barcode says: a MAC, or plainly what else it is.
//!
//! Made for whatever comes out of a scanner, off a QR code, out of a cell or off a keyboard: prefixes, separators,
//! several fields at once, addresses of web pages, the marks that scanners and GS1 put in front.

mod command;
mod layout;
#[cfg(test)]
mod tests;
mod token;
mod value;

use std::fmt;

use crate::{domain::Mac, profile::Catalog};

use super::labels::is_local;
use token::{Called, Token, tokens};
use value::Value;

pub use command::Command;
pub use layout::{Layout, Misread};
pub(super) use value::is_part_number;

/// The most characters that are looked at: more than any label or QR code on a phone holds.
pub const MAX_TEXT: usize = 1024;

/// What a text says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scan {
    /// At least one MAC; the phone's own first.
    Macs(Vec<Found>),
    /// No MAC as it is written, but one mistake away from exactly one.
    Meant {
        /// What was probably meant.
        mac: Mac,
        /// What is wrong, as it goes on after "is no MAC address: ".
        why: String,
        /// As written.
        text: String,
    },
    /// Hexadecimal digits, but not twelve.
    Length {
        /// How many.
        digits: usize,
    },
    /// Twelve digits with the group bit: multicast or broadcast, no single device.
    Group {
        /// As written.
        text: String,
    },
    /// Twelve digits that stand for none: all zeros, all ones, or a block's prefix with nothing behind.
    Placeholder {
        /// As written.
        text: String,
    },
    /// The serial number.
    Serial {
        /// As written.
        text: String,
    },
    /// A model or part number.
    Part {
        /// As written.
        text: String,
        /// The model by the catalog's name, where a family knows it.
        model: Option<String>,
    },
    /// The article number under a shop's barcode (EAN, UPC).
    Article {
        /// As written.
        text: String,
    },
    /// A command for the bench.
    Command(Command),
    /// Nothing that is known.
    Unknown {
        /// As written, cut.
        text: String,
    },
    /// No text at all.
    Empty,
}

/// A MAC in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The MAC.
    pub mac: Mac,
    /// What stood before it and was taken off, such as `SEP`; empty for nothing.
    pub prefix: String,
    /// What there is to know about it.
    pub notes: Vec<Note>,
}

/// What there is to know about a MAC on a label.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Note {
    /// The label says that it is the radio's. Phones provision under it only when they are on the radio.
    Wireless,
    /// It is a second port's: the label says so, or it follows from another MAC of the same text.
    SecondPort,
    /// The label calls it the serial number; on this vendor's phones these are the same.
    SerialToo,
    /// Locally administered: no maker prints such an address.
    Local,
}

impl Note {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wireless => "wireless",
            Self::SecondPort => "second-port",
            Self::SerialToo => "serial-too",
            Self::Local => "locally-administered",
        }
    }

    /// In plain words, as it goes on after "it is ".
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Wireless => {
                "the MAC of the radio: list the one of the wired port, unless the phone is on Wi-Fi"
            }
            Self::SecondPort => "the MAC of a second port: list the one of the first",
            Self::SerialToo => "printed as the serial number, which is the MAC on these phones",
            Self::Local => "locally administered, and no maker prints such a MAC on a phone",
        }
    }
}

impl Scan {
    /// Reads a text that may be anything. `catalog` knows models and whose prefix a MAC has.
    #[must_use]
    pub fn read(text: &str, catalog: &Catalog) -> Self {
        read(text, Some(catalog), false)
    }

    /// Reads what a scanner typed: a label, a command, or either of them typed on another keyboard than this computer's.
    /// `known` is the mistake that this scanner was found to make before.
    #[must_use]
    pub fn read_typed(
        text: &str,
        known: Option<(Layout, Layout)>,
        catalog: &Catalog,
    ) -> (Self, Option<Misread>) {
        let text = crate::domain::clip(text, MAX_TEXT);
        if let Some(command) = Command::read(&text) {
            return (Self::Command(command), None);
        }
        let scan = Self::read(&text, catalog);
        let sense = matches!(scan, Self::Macs(_) | Self::Empty | Self::Part { model: Some(_), .. });
        if sense {
            return (scan, None);
        }
        if let Some((misread, scan)) = layout::misread(&text, catalog) {
            return (scan, misread);
        }
        // A number or a name says nothing of the keyboard by itself; what is known of it does.
        let meant = known.and_then(|(here, scanner)| {
            let meant = layout::decoded(&text, here, scanner).filter(|meant| *meant != text)?;
            Some((Self::read(&meant, catalog), Misread { here, scanner, text: meant }))
        });
        meant.map_or((scan, None), |(scan, misread)| (scan, Some(misread)))
    }

    /// True if both say the same thing to do.
    fn is_like(&self, other: &Self) -> bool {
        let said = |scan: &Self| (scan.mac(), scan.model().map(str::to_owned), scan.command());
        said(self) == said(other)
    }

    /// The command for the bench, if it is one.
    #[must_use]
    pub const fn command(&self) -> Option<Command> {
        match self {
            Self::Command(command) => Some(*command),
            _ => None,
        }
    }

    /// Reads a text that is meant to be a MAC, such as a cell in the column of MACs.
    #[must_use]
    pub fn read_mac(text: &str) -> Self {
        read(text, None, true)
    }

    /// The name in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Macs(_) => "mac",
            Self::Meant { .. } => "look-alike",
            Self::Length { .. } => "length",
            Self::Group { .. } => "multicast",
            Self::Placeholder { .. } => "placeholder",
            Self::Serial { .. } => "serial",
            Self::Part { .. } => "part",
            Self::Article { .. } => "article",
            Self::Command(_) => "command",
            Self::Unknown { .. } => "unknown",
            Self::Empty => "empty",
        }
    }

    /// All MACs, the phone's own first.
    #[must_use]
    pub fn found(&self) -> &[Found] {
        match self {
            Self::Macs(found) => found,
            _ => &[],
        }
    }

    /// The one MAC that an operator would list; `None` if there is none, or if several have an equal claim.
    #[must_use]
    pub fn mac(&self) -> Option<Mac> {
        let own = |found: &&Found| {
            !found.notes.contains(&Note::Wireless) && !found.notes.contains(&Note::SecondPort)
        };
        let found = self.found();
        let mut wired = found.iter().filter(own);
        match (wired.next(), wired.next(), found) {
            (Some(only), None, _) | (None, _, [only]) => Some(only.mac),
            _ => None,
        }
    }

    /// The MAC that was probably meant where none is written.
    #[must_use]
    pub const fn meant(&self) -> Option<Mac> {
        match self {
            Self::Meant { mac, .. } => Some(*mac),
            _ => None,
        }
    }

    /// The model that the text names, where a family knows it.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Part { model, .. } => model.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Macs(found) => {
                let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
                write!(f, "{}", texts.join("; "))
            }
            Self::Meant { mac, why, text } => {
                write!(f, "{text} is no MAC address: {why} (is it {mac}?)")
            }
            Self::Length { digits } => {
                let what = match digits {
                    11 => ": one was dropped",
                    13 => ": one was doubled",
                    _ => "",
                };
                write!(f, "{digits} digits where a MAC address has 12{what}")
            }
            Self::Group { text } => {
                write!(f, "{text} is a multicast address, which no single phone has")
            }
            Self::Placeholder { text } => write!(f, "{text} is a placeholder and no phone's MAC"),
            Self::Serial { text } => {
                write!(f, "{text} is the serial number; the MAC is another line of the label")
            }
            Self::Part { text, model: Some(model) } => {
                write!(f, "{text} is the model, a {model}; the MAC is another line of the label")
            }
            Self::Part { text, model: None } => {
                write!(f, "{text} is a part number; the MAC is another line of the label")
            }
            Self::Article { text } => {
                write!(f, "{text} is the article number of a shop; the MAC is another barcode")
            }
            Self::Command(command) => write!(f, "a command: {}", command.text()),
            Self::Unknown { text } => write!(f, "there is no MAC address in `{text}`"),
            Self::Empty => write!(f, "there is no text"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mac)?;
        self.notes.iter().try_for_each(|note| write!(f, ", {}", note.text()))
    }
}

/// Reads all that is in a text, and says the most helpful thing about it: a MAC if there is one, else how to get one,
/// else what was scanned instead.
fn read(text: &str, catalog: Option<&Catalog>, as_mac: bool) -> Scan {
    let text = crate::domain::clip(text, MAX_TEXT);
    let tokens = tokens(&text, as_mac);
    let values: Vec<(Token, Value)> = tokens
        .into_iter()
        .map(|token| {
            let value = Value::of(&token, catalog);
            (token, value)
        })
        .collect();
    if text.trim().is_empty() {
        return Scan::Empty;
    }
    let macs = macs(&values);
    if !macs.is_empty() {
        return Scan::Macs(macs);
    }
    let best = values.into_iter().filter_map(|(token, value)| answer(&token, value));
    best.min_by_key(Scan::rank).unwrap_or_else(|| {
        // The name of a model may have blanks in it, and no label to say so.
        let text = crate::domain::clip(text.trim(), 80);
        match catalog.and_then(|catalog| catalog.model(&text)) {
            Some((_, model)) => Scan::Part { text, model: Some(model.name.clone()) },
            None => Scan::Unknown { text },
        }
    })
}

impl Scan {
    /// What to say of several things: the lowest.
    const fn rank(&self) -> u8 {
        match self {
            Self::Macs(_) => 0,
            Self::Meant { .. } => 1,
            Self::Placeholder { .. } => 2,
            Self::Group { .. } => 3,
            Self::Length { .. } => 4,
            Self::Serial { .. } => 5,
            Self::Part { .. } => 6,
            Self::Article { .. } => 7,
            Self::Command(_) => 8,
            Self::Unknown { .. } => 9,
            Self::Empty => 10,
        }
    }
}

fn answer(token: &Token, value: Value) -> Option<Scan> {
    let text = token.text.clone();
    Some(match value {
        Value::Mac(_) | Value::Other => return None,
        Value::Meant { mac, why } => Scan::Meant { mac, why, text },
        Value::Length(digits) => Scan::Length { digits },
        Value::Group => Scan::Group { text },
        Value::Placeholder => Scan::Placeholder { text },
        Value::Serial => Scan::Serial { text },
        Value::Part(model) => Scan::Part { text, model },
        Value::Article => Scan::Article { text },
    })
}

/// All MACs, each once, those of other interfaces behind.
fn macs(values: &[(Token, Value)]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (token, value) in values {
        let Value::Mac(mac) = value else { continue };
        let mut notes: Vec<Note> = token.notes.clone();
        notes.extend((token.called == Called::Serial).then_some(Note::SerialToo));
        notes.extend(is_local(*mac).then_some(Note::Local));
        if let Some(before) = found.iter_mut().find(|one| one.mac == *mac) {
            // A field that says only "MAC" beside one that says "serial number" is no doubt about either.
            before.notes.retain(|note| notes.contains(note));
            continue;
        }
        found.push(Found { mac: *mac, prefix: token.prefix.clone(), notes });
    }
    second_ports(&mut found);
    found.sort_by_key(|one| one.notes.iter().any(|note| *note < Note::SerialToo));
    found
}

/// Marks what follows from another MAC of the same text: the next address, or what a Cisco ATA makes of its own.
fn second_ports(found: &mut [Found]) {
    let all: Vec<Mac> = found.iter().map(|one| one.mac).collect();
    for one in found.iter_mut().filter(|one| one.notes.is_empty()) {
        let own = one.mac.value();
        let follows = |base: &Mac| {
            let base = base.value();
            own == base + 1 || own == (base << 8 | 1) & 0xffff_ffff_ffff
        };
        if all.iter().any(follows) {
            one.notes.push(Note::SecondPort);
        }
    }
}
