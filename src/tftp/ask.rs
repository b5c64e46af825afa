//! A request understood, or the ERROR that it gets; and the options that we grant (RFC 2347, 2348, 2349, 7440).

use std::time::Duration;

use crate::wire::tftp::{ErrorCode, Mode, Packet, Request, Setting, decimal};

/// The block size without an option, in bytes (RFC 1350 §2).
pub const DEFAULT_BLOCK: u16 = 512;

/// The block sizes that may be asked for, in bytes (RFC 2348). What is asked beyond is answered with the upper end.
const BLOCK_RANGE: (u64, u64) = (8, 65_464);

/// Blocks in flight at most, whatever is asked (RFC 7440 allows 65,535): beyond this nothing gets faster on a LAN.
const WINDOW_LIMIT: u64 = 64;

/// Bytes in flight at most. A window of large blocks is cut to it, because a burst beyond a socket's usual buffer of
/// 208 KiB is lost in the kernel of the slower side, and because it is what a forged request could draw.
const FLIGHT_LIMIT: u64 = 65_536;

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

    /// The terms for a file of `length` bytes.
    pub fn grant(&self, length: u64) -> Terms {
        let length = (self.encoding == Encoding::Octet).then_some(length);
        let mut terms =
            Terms { block_size: DEFAULT_BLOCK, window: 1, timeout: None, length, offer: None };
        for wish in &self.wishes {
            match wish.what {
                What::BlockSize(bytes) => terms.block_size = bytes,
                What::Timeout(seconds) => {
                    terms.timeout = Some(Duration::from_secs(seconds.into()));
                }
                What::Window(blocks) => terms.window = blocks,
                What::Size => {}
            }
        }
        // Only now: the block size may have come behind the window size.
        let fits = (FLIGHT_LIMIT / u64::from(terms.block_size)).max(1);
        terms.window = terms.window.min(WINDOW_LIMIT).min(fits);
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
                    What::BlockSize(bytes) => bytes.to_string(),
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
mod tests {
    use super::*;

    /// `OPTION=VALUE …` of an RRQ → `block window timeout | OACK` or the ERROR, for a file of 100,000 bytes.
    fn granted(mode: &[u8], options: &str) -> String {
        let settings = options
            .split_whitespace()
            .filter_map(|option| option.split_once('='))
            .map(|(name, value)| Setting { name: name.as_bytes(), value: value.as_bytes() })
            .collect();
        let request = Request { name: b"load.bin", mode: Mode::from(mode), options: settings };
        let terms = match Ask::read(&request) {
            Ok(ask) => ask.grant(100_000),
            Err(no) => return format!("ERROR {}", no.code.0),
        };
        let timeout = terms.timeout.map_or(0, |timeout| timeout.as_secs());
        let offer = terms.offer.map_or("no OACK".into(), |offer| match Packet::decode(&offer) {
            Ok(Packet::OptionsAck(settings)) => settings
                .iter()
                .map(|s| format!("{}={}", lossy(s.name), lossy(s.value)))
                .collect::<Vec<_>>()
                .join(" "),
            other => format!("{other:?}"),
        });
        format!("{} {} {timeout} | {offer}", terms.block_size, terms.window)
    }

    fn lossy(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn options_as_they_are_granted() {
        let check =
            |asked: &str, terms: &str| assert_eq!(granted(b"octet", asked), terms, "{asked}");
        check("", "512 1 0 | no OACK");
        // RFC 2347: case, order, unknown ones, repeated ones.
        check("BlkSize=1428", "1428 1 0 | BlkSize=1428");
        check("tsize=0 blksize=1428", "1428 1 0 | tsize=100000 blksize=1428");
        check("grandstream_MODEL=GXP1625 multicast=x", "512 1 0 | no OACK");
        check("rollover=0 blksize=1428", "1428 1 0 | blksize=1428");
        check("blksize=512 blksize=1428", "512 1 0 | blksize=512");
        // RFC 2348.
        check("blksize=8", "8 1 0 | blksize=8");
        check("blksize=8192", "8192 1 0 | blksize=8192");
        check("blksize=65464", "65464 1 0 | blksize=65464");
        check("blksize=65535", "65464 1 0 | blksize=65464");
        check("blksize=7", "ERROR 8");
        check("blksize=0", "ERROR 8");
        check("blksize=-5", "ERROR 8");
        check("blksize=big", "ERROR 8");
        // RFC 2349.
        check("timeout=1", "512 1 1 | timeout=1");
        check("timeout=255", "512 1 255 | timeout=255");
        check("timeout=0", "ERROR 8");
        check("timeout=300", "ERROR 8");
        check("tsize=0", "512 1 0 | tsize=100000");
        check("tsize=x", "512 1 0 | tsize=100000");
        // RFC 7440: never more than asked, 64 blocks, 64 KiB.
        check("windowsize=4", "512 4 0 | windowsize=4");
        check("windowsize=65535", "512 64 0 | windowsize=64");
        check("windowsize=16 blksize=1468", "1468 16 0 | windowsize=16 blksize=1468");
        check("windowsize=64 blksize=1468", "1468 44 0 | windowsize=44 blksize=1468");
        check("windowsize=16 blksize=8192", "8192 8 0 | windowsize=8 blksize=8192");
        check("windowsize=16 blksize=65464", "65464 1 0 | windowsize=1 blksize=65464");
        check("windowsize=0", "ERROR 8");
    }

    #[test]
    fn modes() {
        let check =
            |mode: &str, terms: &str| assert_eq!(granted(mode.as_bytes(), "tsize=0"), terms);
        check("octet", "512 1 0 | tsize=100000");
        check("OCTET", "512 1 0 | tsize=100000");
        check("netascii", "512 1 0 | no OACK");
        check("mail", "ERROR 4");
        check("binary", "ERROR 4");
    }

    #[test]
    fn a_name_that_is_not_utf8_is_not_found() {
        let request = Request { name: b"\xff\xfe", mode: Mode::Octet, options: Vec::new() };
        assert_eq!(Ask::read(&request).map_err(|no| no.code), Err(ErrorCode::FILE_NOT_FOUND));
    }
}
