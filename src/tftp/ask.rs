//! A request understood, or the ERROR that it gets; and the options that we grant (RFC 2347, 2348, 2349, 7440).

use std::{num::NonZeroU16, time::Duration};

use crate::{
    profile::TransferRule,
    wire::tftp::{ErrorCode, Mode, Packet, Request, Setting, decimal},
};

/// The block size without an option, in bytes (RFC 1350 §2).
pub const DEFAULT_BLOCK: u16 = 512;

/// The block sizes that may be asked for, in bytes (RFC 2348). What is asked beyond is answered with the upper end.
const BLOCK_RANGE: (u64, u64) = (8, 65_464);

/// Blocks in flight at most, whatever is asked (RFC 7440 allows 65,535): beyond this nothing gets faster on a LAN.
const WINDOW_LIMIT: u16 = 64;

/// The part of a DATA packet that is not content, in bytes.
const HEADER: usize = 4;

/// Bytes in flight at most. A window of large blocks is cut to it, because a burst beyond a socket's usual buffer of
/// 208 KiB is lost in the kernel of the slower side, and because it is what a forged request could draw.
const FLIGHT_LIMIT: u64 = 65_536;

/// What a peer may be granted at most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of a block.
    pub block: u16,
    /// Blocks of a window.
    pub window: u16,
}

impl Limits {
    /// What fits into datagrams of `room` octets on the way to the peer, unless its family is known to want more: old
    /// boot ROMs don't put fragments together again, and a lost fragment costs the whole block.
    pub fn new(room: usize, rule: TransferRule) -> Self {
        let fits = u16::try_from(room.saturating_sub(HEADER)).unwrap_or(u16::MAX);
        let block = rule.block.map_or(fits.max(DEFAULT_BLOCK), NonZeroU16::get);
        let window = rule.window.map_or(WINDOW_LIMIT, |window| window.get().min(WINDOW_LIMIT));
        // Below the least that may be asked for, no answer would be right.
        Self { block: block.max(8), window }
    }
}

/// A request to read that we can serve, if the file is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ask {
    /// The name as sent.
    pub name: String,
    /// How the content is sent.
    pub encoding: Encoding,
    wishes: Vec<Wish>,
}

/// How content is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// As it is.
    Octet,
    /// With line ends translated.
    Netascii,
}

/// A request that is answered with an ERROR whatever is on the shelf.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct No {
    /// The number.
    pub code: ErrorCode,
    /// The words, short enough for a phone's screen.
    pub text: &'static str,
}

/// An option that we know, with a value that is possible.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Wish {
    /// As the peer spells it: the answer repeats it, for boot ROMs that compare letter by letter.
    name: Vec<u8>,
    what: What,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum What {
    BlockSize(u16),
    Timeout(u8),
    Size,
    Window(u64),
}

/// What both sides agreed on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// Bytes in each block but the last.
    pub block_size: u16,
    /// Blocks sent before an acknowledgement is awaited.
    pub window: u64,
    /// The longest wait before sending again, where the peer set one.
    pub timeout: Option<Duration>,
    /// Bytes on the wire, where that is known: netascii changes the size.
    pub length: Option<u64>,
    /// The OACK, if one is due.
    pub offer: Option<Vec<u8>>,
}

impl Ask {
    /// Understands an RRQ.
    ///
    /// # Errors
    ///
    /// [`No`]: a name that is not UTF-8 (no file of ours has one), a mode that nobody uses, an impossible option.
    pub fn read(request: &Request<'_>) -> Result<Self, No> {
        let Ok(name) = std::str::from_utf8(request.name) else {
            return Err(No { code: ErrorCode::FILE_NOT_FOUND, text: "File not found" });
        };
        let encoding = match request.mode {
            Mode::Octet => Encoding::Octet,
            Mode::Netascii => Encoding::Netascii,
            Mode::Mail | Mode::Other(_) => {
                return Err(No { code: ErrorCode::ILLEGAL_OPERATION, text: "Mode is not served" });
            }
        };
        Ok(Self { name: name.to_owned(), encoding, wishes: wishes(&request.options)? })
    }

    /// The block size that is asked for, in bytes.
    pub fn block_size(&self) -> Option<u16> {
        self.wishes.iter().find_map(|wish| match wish.what {
            What::BlockSize(bytes) => Some(bytes),
            What::Timeout(_) | What::Size | What::Window(_) => None,
        })
    }

    /// True if it wants several blocks on their way at once.
    pub fn asks_window(&self) -> bool {
        self.wishes.iter().any(|wish| matches!(wish.what, What::Window(2..)))
    }

    /// The terms for a file of `length` bytes. Never more than is asked.
    pub fn grant(&self, length: u64, limits: Limits) -> Terms {
        let length = (self.encoding == Encoding::Octet).then_some(length);
        let mut terms =
            Terms { block_size: DEFAULT_BLOCK, window: 1, timeout: None, length, offer: None };
        for wish in &self.wishes {
            match wish.what {
                What::BlockSize(bytes) => terms.block_size = bytes.min(limits.block),
                What::Timeout(seconds) => {
                    terms.timeout = Some(Duration::from_secs(seconds.into()));
                }
                What::Window(blocks) => terms.window = blocks,
                What::Size => {}
            }
        }
        // Only now: the block size may have come behind the window size.
        let fits = (FLIGHT_LIMIT / u64::from(terms.block_size)).max(1);
        terms.window = terms.window.min(limits.window.into()).min(fits);
        terms.offer = self.offer(&terms);
        terms
    }

    /// The OACK, in the order of the request; none if nothing that we know was asked (RFC 2347 §2).
    fn offer(&self, terms: &Terms) -> Option<Vec<u8>> {
        let values: Vec<(&[u8], String)> = self
            .wishes
            .iter()
            .filter_map(|wish| {
                let value = match wish.what {
                    What::BlockSize(_) => terms.block_size.to_string(),
                    What::Timeout(seconds) => seconds.to_string(),
                    What::Window(_) => terms.window.to_string(),
                    // Nothing is a better answer than a wrong size, and netascii's is not known yet.
                    What::Size => terms.length?.to_string(),
                };
                Some((wish.name.as_slice(), value))
            })
            .collect();
        let settings: Vec<_> =
            values.iter().map(|(name, value)| Setting { name, value: value.as_bytes() }).collect();
        (!settings.is_empty()).then(|| Packet::OptionsAck(settings).encode())
    }
}

/// The options that we know, each once.
fn wishes(settings: &[Setting<'_>]) -> Result<Vec<Wish>, No> {
    let mut wishes: Vec<Wish> = Vec::new();
    for setting in settings {
        let Some(what) = wish(setting)? else { continue };
        // An option may come only once (RFC 2347 §2): the first one counts.
        if !wishes.iter().any(|wish| wish.name.eq_ignore_ascii_case(setting.name)) {
            wishes.push(Wish { name: setting.name.to_vec(), what });
        }
    }
    Ok(wishes)
}

/// What one option asks for; `None` if it is unknown, which is no reason to fail (RFC 2347 §2; some phones send their
/// model this way).
fn wish(setting: &Setting<'_>) -> Result<Option<What>, No> {
    let refused = |text| No { code: ErrorCode::OPTION_REFUSED, text };
    let value = decimal(setting.value);
    let what = match setting.name.to_ascii_lowercase().as_slice() {
        b"blksize" => {
            let bytes = value.filter(|&bytes| bytes >= BLOCK_RANGE.0);
            let bytes = bytes.ok_or(refused("blksize is 8 to 65464"))?.min(BLOCK_RANGE.1);
            What::BlockSize(u16::try_from(bytes).unwrap_or(DEFAULT_BLOCK))
        }
        b"timeout" => {
            let seconds = value.and_then(|seconds| u8::try_from(seconds).ok()).filter(|&s| s > 0);
            What::Timeout(seconds.ok_or(refused("timeout is 1 to 255"))?)
        }
        b"windowsize" => {
            let blocks = value.filter(|&blocks| blocks > 0);
            What::Window(blocks.ok_or(refused("windowsize is 1 to 65535"))?)
        }
        // In an RRQ its value says nothing (RFC 2349).
        b"tsize" => What::Size,
        _ => return Ok(None),
    };
    Ok(Some(what))
}

#[cfg(test)]
mod tests;
