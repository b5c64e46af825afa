//! TFTP packets, both ways: bytes to [`Packet`] and back, without state or I/O (RFC 1350, RFC 2347).

/// The longest request that the RFC allows (RFC 2347 §2), in bytes. Longer ones are read all the same.
pub const REQUEST_LIMIT: usize = 512;

/// At most this many options of one packet are read; the rest is ignored, as unknown options are.
pub const OPTIONS_LIMIT: usize = 32;

const RRQ: u16 = 1;
const WRQ: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OACK: u16 = 6;

/// One TFTP packet, borrowed from the datagram that it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Packet<'a> {
    /// RRQ: the peer wants to read.
    Read(Request<'a>),
    /// WRQ: the peer wants to write.
    Write(Request<'a>),
    /// DATA: one block. A block shorter than the block size ends the transfer.
    Data {
        /// Its number modulo 65,536; the first is 1.
        block: u16,
        /// Its bytes.
        data: &'a [u8],
    },
    /// ACK of everything up to this block; of the OACK where it is 0.
    Ack {
        /// The block's number modulo 65,536.
        block: u16,
    },
    /// ERROR: the transfer is over (RFC 1350 §7), except with [`ErrorCode::UNKNOWN_TRANSFER`].
    Error {
        /// What kind.
        code: ErrorCode,
        /// The sender's words, as sent: neither UTF-8 nor printable for certain.
        text: &'a [u8],
    },
    /// OACK: the options that the server grants (RFC 2347).
    OptionsAck(Vec<Setting<'a>>),
}

/// What an RRQ or a WRQ carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request<'a> {
    /// The name as sent: any bytes but NUL, never empty.
    pub name: &'a [u8],
    /// How the bytes are to be sent.
    pub mode: Mode<'a>,
    /// Options in the order of the packet, with what is repeated or unknown.
    pub options: Vec<Setting<'a>>,
}

/// One option and its value (RFC 2347).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Setting<'a> {
    /// Its name as sent; compared without case. Never empty.
    pub name: &'a [u8],
    /// Its value as sent. Never empty: an option without value says nothing and is dropped.
    pub value: &'a [u8],
}

/// How file content is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode<'a> {
    /// Bytes as they are.
    Octet,
    /// Text with CR LF as the line end and CR NUL for a lone CR (RFC 764).
    Netascii,
    /// To a user's mailbox: obsolete, always refused.
    Mail,
    /// Something no RFC knows.
    Other(&'a [u8]),
}

/// The number of a TFTP error (RFC 1350, appendix; RFC 2347 for 8).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ErrorCode(pub u16);

impl ErrorCode {
    /// See the text.
    pub const NOT_DEFINED: Self = Self(0);
    /// File not found.
    pub const FILE_NOT_FOUND: Self = Self(1);
    /// Access violation.
    pub const ACCESS_VIOLATION: Self = Self(2);
    /// Disk full or allocation exceeded.
    pub const DISK_FULL: Self = Self(3);
    /// Illegal TFTP operation.
    pub const ILLEGAL_OPERATION: Self = Self(4);
    /// Unknown transfer ID: the one error that does not end the receiver's transfer.
    pub const UNKNOWN_TRANSFER: Self = Self(5);
    /// File already exists.
    pub const FILE_EXISTS: Self = Self(6);
    /// No such user.
    pub const NO_SUCH_USER: Self = Self(7);
    /// The options are not acceptable.
    pub const OPTION_REFUSED: Self = Self(8);
}

/// Why bytes are no TFTP packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than the fixed part of its kind.
    #[error("a TFTP packet that ends too early")]
    Short,
    /// An operation that no RFC knows.
    #[error("TFTP operation {0} does not exist")]
    Operation(u16),
    /// A request whose name is empty.
    #[error("a TFTP request without a file name")]
    NoName,
    /// A request that ends behind its name.
    #[error("a TFTP request without a mode")]
    NoMode,
}

impl<'a> Packet<'a> {
    /// Reads one datagram.
    ///
    /// Tolerant where phones and boot ROMs are sloppy: requests padded with NULs, a last string without its NUL, an
    /// option without a value, any case in mode and options, names in any encoding.
    ///
    /// # Errors
    ///
    /// [`Malformed`] where not even the fixed part can be read. Never panics, whatever the bytes.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let (operation, rest) = number(datagram)?;
        match operation {
            RRQ => Request::decode(rest).map(Self::Read),
            WRQ => Request::decode(rest).map(Self::Write),
            DATA => number(rest).map(|(block, data)| Self::Data { block, data }),
            ACK => number(rest).map(|(block, _)| Self::Ack { block }),
            ERROR => number(rest)
                .map(|(code, text)| Self::Error { code: ErrorCode(code), text: string(text).0 }),
            OACK => Ok(Self::OptionsAck(settings(rest))),
            unknown => Err(Malformed::Operation(unknown)),
        }
    }

    /// The datagram that says this.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(64);
        self.encode_into(&mut datagram);
        datagram
    }

    /// Appends the datagram that says this, so that a sender of many packets can keep one buffer.
    ///
    /// A NUL inside a name, an option or a text ends it: the format has no way to carry one.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Self::Read(request) => request.encode_into(RRQ, out),
            Self::Write(request) => request.encode_into(WRQ, out),
            Self::Data { block, data } => {
                out.extend(data_header(*block));
                out.extend_from_slice(data);
            }
            Self::Ack { block } => {
                out.extend(ACK.to_be_bytes());
                out.extend(block.to_be_bytes());
            }
            Self::Error { code, text } => {
                out.extend(ERROR.to_be_bytes());
                out.extend(code.0.to_be_bytes());
                put(text, out);
            }
            Self::OptionsAck(settings) => {
                out.extend(OACK.to_be_bytes());
                put_settings(settings, out);
            }
        }
    }
}

/// The four bytes before the content of a DATA packet, for senders that read content straight into the datagram.
#[must_use]
pub fn data_header(block: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (DATA.to_be_bytes(), block.to_be_bytes());
    [a, b, c, d]
}

impl<'a> Request<'a> {
    /// The value of an option, by its name in any case; the first one where it is repeated.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'a [u8]> {
        find(&self.options, name)
    }

    fn decode(rest: &'a [u8]) -> Result<Self, Malformed> {
        let (name, rest) = string(rest);
        if name.is_empty() {
            return Err(Malformed::NoName);
        }
        let (mode, rest) = string(rest);
        if mode.is_empty() {
            return Err(Malformed::NoMode);
        }
        Ok(Self { name, mode: Mode::from(mode), options: settings(rest) })
    }

    fn encode_into(&self, operation: u16, out: &mut Vec<u8>) {
        out.extend(operation.to_be_bytes());
        put(self.name, out);
        put(self.mode.as_bytes(), out);
        put_settings(&self.options, out);
    }
}

/// The value of an option among those of a request or an OACK, by its name in any case; the first where it is repeated.
#[must_use]
pub fn find<'a>(settings: &[Setting<'a>], name: &str) -> Option<&'a [u8]> {
    settings.iter().find(|s| s.name.eq_ignore_ascii_case(name.as_bytes())).map(|s| s.value)
}

/// A decimal option value. `None` for anything but digits, or a number beyond 64 bits.
#[must_use]
pub fn decimal(value: &[u8]) -> Option<u64> {
    // `parse` alone would take a leading `+`.
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

impl<'a> Mode<'a> {
    /// The mode as a client writes it.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::Octet => b"octet",
            Self::Netascii => b"netascii",
            Self::Mail => b"mail",
            Self::Other(text) => text,
        }
    }
}

impl<'a> From<&'a [u8]> for Mode<'a> {
    fn from(text: &'a [u8]) -> Self {
        let known = [Mode::Octet, Mode::Netascii, Mode::Mail];
        let same = |mode: &Mode<'_>| mode.as_bytes().eq_ignore_ascii_case(text);
        known.into_iter().find(same).unwrap_or(Mode::Other(text))
    }
}

fn number(bytes: &[u8]) -> Result<(u16, &[u8]), Malformed> {
    let (head, rest) = bytes.split_first_chunk().ok_or(Malformed::Short)?;
    Ok((u16::from_be_bytes(*head), rest))
}

/// The bytes before the next NUL, or all of them: some phones leave the last NUL away.
fn string(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&byte| byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

/// Pairs of strings up to the end or to an empty name: that is where padding begins.
fn settings(mut rest: &[u8]) -> Vec<Setting<'_>> {
    let mut settings = Vec::new();
    while settings.len() < OPTIONS_LIMIT {
        let (name, behind) = string(rest);
        if name.is_empty() {
            break;
        }
        let (value, behind) = string(behind);
        if !value.is_empty() {
            settings.push(Setting { name, value });
        }
        rest = behind;
    }
    settings
}

fn put(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(string(text).0);
    out.push(0);
}

fn put_settings(settings: &[Setting<'_>], out: &mut Vec<u8>) {
    for setting in settings {
        put(setting.name, out);
        put(setting.value, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A datagram as text: what it says, or why it says nothing. `name mode option=value …`
    fn said(datagram: &[u8]) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let list = |settings: &[Setting<'_>]| {
            settings
                .iter()
                .map(|s| format!(" {}={}", text(s.name), text(s.value)))
                .collect::<Vec<_>>()
                .concat()
        };
        let request =
            |r: &Request<'_>| format!("{} {:?}{}", text(r.name), r.mode, list(&r.options));
        match Packet::decode(datagram) {
            Ok(Packet::Read(r)) => format!("read {}", request(&r)),
            Ok(Packet::Write(r)) => format!("write {}", request(&r)),
            Ok(Packet::Data { block, data }) => format!("data {block} {}", text(data)),
            Ok(Packet::Ack { block }) => format!("ack {block}"),
            Ok(Packet::Error { code, text: words }) => format!("error {} {}", code.0, text(words)),
            Ok(Packet::OptionsAck(settings)) => format!("oack{}", list(&settings)),
            Err(malformed) => malformed.to_string(),
        }
    }

    #[test]
    fn packets_as_phones_send_them() {
        let check = |datagram: &[u8], says: &str| assert_eq!(said(datagram), says, "{datagram:?}");
        check(b"\0\x01SEP001E7AC41022.cnf.xml\0octet\0", "read SEP001E7AC41022.cnf.xml Octet");
        check(b"\0\x01a\0OcTeT\0BlkSize\x001428\0", "read a Octet BlkSize=1428");
        check(b"\0\x01a\0octet\0tsize\x000\0blksize\x00512\0", "read a Octet tsize=0 blksize=512");
        check(b"\0\x02boot.log\0octet\0", "write boot.log Octet");
        check(b"\0\x01a\0NETASCII\0", "read a Netascii");
        check(b"\0\x01a\0mail\0", "read a Mail");
        check(b"\0\x01a\0binary\0", "read a Other([98, 105, 110, 97, 114, 121])");
        check(b"\0\x03\0\x07hello", "data 7 hello");
        check(b"\0\x03\xff\xff", "data 65535 ");
        check(b"\0\x04\0\x01", "ack 1");
        check(b"\0\x04\0\x01trailing", "ack 1");
        check(b"\0\x05\0\x01File Not Found\0", "error 1 File Not Found");
        check(b"\0\x05\0\0stop", "error 0 stop");
        check(b"\0\x05\0\0", "error 0 ");
        check(b"\0\x06blksize\x001428\0", "oack blksize=1428");
        check(b"\0\x06", "oack");
    }

    #[test]
    fn sloppy_requests_are_read() {
        let check = |datagram: &[u8], says: &str| assert_eq!(said(datagram), says, "{datagram:?}");
        check(b"\0\x01a\0octet", "read a Octet");
        check(b"\0\x01a\0octet\0\0", "read a Octet");
        check(b"\0\x01a\0octet\0\0\0", "read a Octet");
        check(b"\0\x01a\0octet\0blksize", "read a Octet");
        check(b"\0\x01a\0octet\0blksize\0", "read a Octet");
        check(b"\0\x01a\0octet\0blksize\0\0\0\0", "read a Octet");
        check(b"\0\x01a\0octet\0blksize\x001428", "read a Octet blksize=1428");
        check(b"\0\x01/spa504G.cfg\0octet\0", "read /spa504G.cfg Octet");
        check(b"\0\x01Communicator\\x\0octet\0", "read Communicator\\x Octet");
        let mut padded = b"\0\x01a\0octet\0tsize\x000\0".to_vec();
        padded.resize(REQUEST_LIMIT, 0);
        check(&padded, "read a Octet tsize=0");
    }

    #[test]
    fn what_is_no_packet() {
        let check =
            |datagram: &[u8], why: Malformed| assert_eq!(Packet::decode(datagram), Err(why));
        check(b"", Malformed::Short);
        check(b"\0", Malformed::Short);
        check(b"\0\x03\0", Malformed::Short);
        check(b"\0\x04", Malformed::Short);
        check(b"\0\x05\0", Malformed::Short);
        check(b"\0\0", Malformed::Operation(0));
        check(b"\0\x07", Malformed::Operation(7));
        check(b"\x01\0a\0octet\0", Malformed::Operation(256));
        check(b"\0\x01", Malformed::NoName);
        check(b"\0\x01\0octet\0", Malformed::NoName);
        check(b"\0\x01a", Malformed::NoMode);
        check(b"\0\x01a\0\0\0", Malformed::NoMode);
    }

    #[test]
    fn names_are_lossless() {
        let Ok(Packet::Read(request)) = Packet::decode(b"\0\x01\xff\xfe\x80\0octet\0") else {
            panic!("not a read");
        };
        assert_eq!(request.name, b"\xff\xfe\x80");
    }

    #[test]
    fn options_are_found_in_any_case_and_the_first_counts() {
        let datagram = b"\0\x01a\0octet\0BLKSIZE\x00512\0blksize\x001428\0";
        let Ok(Packet::Read(request)) = Packet::decode(datagram) else { panic!("not a read") };
        assert_eq!(request.option("blksize"), Some(b"512".as_slice()));
        assert_eq!(request.option("tsize"), None);
    }

    #[test]
    fn option_values_are_digits() {
        let check = |text: &str, value| assert_eq!(decimal(text.as_bytes()), value, "{text}");
        check("1428", Some(1428));
        check("007", Some(7));
        check("18446744073709551615", Some(u64::MAX));
        check("18446744073709551616", None);
        check("+8", None);
        check("-8", None);
        check(" 8", None);
        check("", None);
        check("0x8", None);
    }

    #[test]
    fn too_many_options_are_cut() {
        let mut datagram = b"\0\x01a\0octet\0".to_vec();
        for _ in 0..200 {
            datagram.extend(b"x\0y\0");
        }
        let Ok(Packet::Read(request)) = Packet::decode(&datagram) else { panic!("not a read") };
        assert_eq!(request.options.len(), OPTIONS_LIMIT);
    }

    /// Strings as the format can carry them.
    fn field() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(1..=u8::MAX, 1..40)
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut datagram in prop::collection::vec(any::<u8>(), 0..600), code in 0..8u8) {
            let _ = Packet::decode(&datagram);
            // Few random datagrams begin like a packet; these all do.
            if let Some(head) = datagram.first_chunk_mut::<2>() {
                *head = [0, code];
            }
            if let Ok(packet) = Packet::decode(&datagram) {
                let again = packet.encode();
                prop_assert_eq!(Packet::decode(&again), Ok(packet));
            }
        }

        #[test]
        fn what_is_encoded_is_decoded(
            name in field(), mode in field(), options in prop::collection::vec((field(), field()), 0..8),
            block: u16, data in prop::collection::vec(any::<u8>(), 0..600), write: bool,
        ) {
            let options: Vec<_> = options.iter().map(|(name, value)| Setting { name, value }).collect();
            let request = Request { name: &name, mode: Mode::from(&mode[..]), options: options.clone() };
            let packets = [
                if write { Packet::Write(request) } else { Packet::Read(request) },
                Packet::Data { block, data: &data },
                Packet::Ack { block },
                Packet::Error { code: ErrorCode(block), text: &name },
                Packet::OptionsAck(options),
            ];
            for packet in packets {
                let datagram = packet.encode();
                prop_assert_eq!(Packet::decode(&datagram), Ok(packet));
            }
        }
    }
}
