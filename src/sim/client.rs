//! The DHCP client of a simulated phone: its messages, and what it makes of the answers. No I/O.
//!
//! The phone sits behind a relay of its own (RFC 3046) that is not on port 67: the relay says so with the relay source
//! port sub-option (RFC 8357 §5.1), and the server answers to the port that it was asked from.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::Subject;

const BOOT_REQUEST: u8 = 1;
const BOOT_REPLY: u8 = 2;
const ETHERNET: u8 = 1;
const COOKIE: [u8; 4] = [99, 130, 83, 99];

const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const REQUEST: u8 = 3;
const ACK: u8 = 5;
const NAK: u8 = 6;

/// Relay source port: empty, because the UDP header carries the port (RFC 8357 §5.1).
const RELAY_SOURCE_PORT: [u8; 2] = [19, 0];

/// Fields at fixed places of the BOOTP header (RFC 2131 §2).
mod field {
    use std::ops::Range;

    pub(super) const XID: Range<usize> = 4..8;
    pub(super) const YIADDR: Range<usize> = 16..20;
    pub(super) const SIADDR: Range<usize> = 20..24;
    pub(super) const GIADDR: Range<usize> = 24..28;
    pub(super) const CHADDR: Range<usize> = 28..34;
    pub(super) const HEADER: usize = 236;
}

/// What an answer says, as far as a phone cares.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// An address is offered.
    Offer(Grant),
    /// The address is its own.
    Ack(Grant),
    /// It may not have that address.
    Nak,
}

/// An address and what came with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The address.
    pub address: Ipv4Addr,
    /// The next-server field of the header.
    pub next_server: Ipv4Addr,
    /// Options by code.
    pub options: BTreeMap<u8, Vec<u8>>,
}

/// Where the files are, as the phone understood its options.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Server {
    /// TFTP on the usual port.
    Tftp(Ipv4Addr),
    /// HTTP.
    Http {
        /// Host.
        host: Ipv4Addr,
        /// Port, where the URL has one.
        port: Option<u16>,
        /// The path in front of every name, with slashes around it.
        path: String,
    },
    /// FTP, because an old Poly reads a bare host that way. Nobody answers there.
    Ftp(Ipv4Addr),
}

/// A DISCOVER.
pub fn discover(subject: &Subject, xid: u32) -> Vec<u8> {
    message(subject, xid, DISCOVER, &[])
}

/// The REQUEST that takes an offer (RFC 2131 §4.3.2, SELECTING).
pub fn request(subject: &Subject, xid: u32, offer: &Grant) -> Vec<u8> {
    let server = offer.options.get(&54).cloned().unwrap_or_default();
    message(subject, xid, REQUEST, &[(50, &offer.address.octets()), (54, &server)])
}

/// The REQUEST of a phone that restarts with the address that it had (RFC 2131 §4.3.2, INIT-REBOOT).
pub fn reboot(subject: &Subject, xid: u32, address: Ipv4Addr) -> Vec<u8> {
    message(subject, xid, REQUEST, &[(50, &address.octets())])
}

fn message(subject: &Subject, xid: u32, kind: u8, more: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; field::HEADER];
    // The last of the four is the hop that the relay added.
    bytes[..4].copy_from_slice(&[BOOT_REQUEST, ETHERNET, 6, 1]);
    bytes[field::XID].copy_from_slice(&xid.to_be_bytes());
    bytes[field::GIADDR].copy_from_slice(&subject.relay.octets());
    bytes[field::CHADDR].copy_from_slice(&subject.mac.octets());
    bytes.extend(COOKIE);
    let make = subject.make;
    put(&mut bytes, 53, &[kind]);
    more.iter().for_each(|(code, content)| put(&mut bytes, *code, content));
    put(&mut bytes, 60, &make.option_60());
    put(&mut bytes, 12, make.option_12(subject.mac).as_bytes());
    put(&mut bytes, 55, make.asks);
    // Option 82 is the last one: relays add it behind what the client sent (RFC 3046 §2.1).
    put(&mut bytes, 82, &RELAY_SOURCE_PORT);
    bytes.push(255);
    bytes
}

fn put(bytes: &mut Vec<u8>, code: u8, content: &[u8]) {
    let length = content.len().min(255);
    bytes.push(code);
    bytes.push(u8::try_from(length).unwrap_or(u8::MAX));
    bytes.extend_from_slice(&content[..length]);
}

/// Reads a datagram; `None` if it is no answer to this phone's exchange.
pub fn answer(datagram: &[u8], subject: &Subject, xid: u32) -> Option<Answer> {
    let header = datagram.get(..field::HEADER)?;
    let mine = header[0] == BOOT_REPLY
        && header[field::XID] == xid.to_be_bytes()
        && header[field::CHADDR] == subject.mac.octets();
    let options = datagram.get(field::HEADER..)?.strip_prefix(&COOKIE).filter(|_| mine)?;
    let grant = Grant {
        address: address(&header[field::YIADDR])?,
        next_server: address(&header[field::SIADDR])?,
        options: options_of(options),
    };
    // A server that drops the relay's option would leave the relay deaf (RFC 3046 §2.2).
    if grant.options.get(&82).is_none_or(|relay| *relay != RELAY_SOURCE_PORT) {
        return None;
    }
    match grant.options.get(&53)?.first()? {
        &OFFER => Some(Answer::Offer(grant)),
        &ACK => Some(Answer::Ack(grant)),
        &NAK => Some(Answer::Nak),
        _ => None,
    }
}

/// Options by code; content of a code that comes twice is joined (RFC 3396).
fn options_of(mut rest: &[u8]) -> BTreeMap<u8, Vec<u8>> {
    let mut options: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    while let [code, tail @ ..] = rest {
        match (*code, tail) {
            (0, _) => rest = tail,
            (255, _) => break,
            (code, [length, tail @ ..]) => {
                let (content, behind) = tail.split_at(tail.len().min(usize::from(*length)));
                options.entry(code).or_default().extend_from_slice(content);
                rest = behind;
            }
            (_, []) => break,
        }
    }
    options
}

fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    bytes.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets))
}

impl Grant {
    /// Option 150, then 66 as a bare address, then the next-server field. A URL in 66 is no address to a Cisco.
    pub fn cisco_server(&self) -> Option<Server> {
        let addresses = self.options.get(&150).and_then(|bytes| address(bytes));
        let bare = || self.text(66)?.parse().ok();
        let next = || Some(self.next_server).filter(|address| !address.is_unspecified());
        addresses.or_else(bare).or_else(next).map(Server::Tftp)
    }

    /// Option 160, then 66; a bare host means FTP, which these phones tried first.
    pub fn poly_server(&self) -> Option<Server> {
        let text = self.text(160).or_else(|| self.text(66))?;
        server(&text).or_else(|| text.parse().ok().map(Server::Ftp))
    }

    /// Option 66, then 43; a bare host means TFTP.
    pub fn yealink_server(&self) -> Option<Server> {
        let text = self.text(66).or_else(|| self.text(43))?;
        server(&text).or_else(|| text.parse().ok().map(Server::Tftp))
    }

    fn text(&self, code: u8) -> Option<String> {
        let text = String::from_utf8(self.options.get(&code)?.clone()).ok()?;
        Some(text.trim_end_matches('\0').to_owned()).filter(|text| !text.is_empty())
    }
}

/// A server URL with an address for its host; the lab has no name server.
fn server(url: &str) -> Option<Server> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match host.split_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (host, None),
    };
    let host = host.parse().ok()?;
    match scheme {
        "tftp" => Some(Server::Tftp(host)),
        "http" => {
            let path = path.trim_matches('/');
            let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
            Some(Server::Http { host, port, path })
        }
        "ftp" => Some(Server::Ftp(host)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(options: &[(u8, &[u8])]) -> Grant {
        let options = options.iter().map(|(code, bytes)| (*code, bytes.to_vec())).collect();
        Grant { address: Ipv4Addr::new(10, 0, 0, 9), next_server: Ipv4Addr::UNSPECIFIED, options }
    }

    #[test]
    fn where_each_vendor_goes() {
        let check = |options: &[(u8, &[u8])], cisco: &str, poly: &str, yealink: &str| {
            let grant = grant(options);
            let show = |server: Option<Server>| match server {
                None => "-".to_owned(),
                Some(Server::Tftp(host)) => format!("tftp {host}"),
                Some(Server::Ftp(host)) => format!("ftp {host}"),
                Some(Server::Http { host, port, path }) => format!("http {host} {port:?} {path}"),
            };
            let seen = (
                show(grant.cisco_server()),
                show(grant.poly_server()),
                show(grant.yealink_server()),
            );
            assert_eq!((&*seen.0, &*seen.1, &*seen.2), (cisco, poly, yealink), "{options:?}");
        };
        check(&[], "-", "-", "-");
        check(
            &[(150, &[10, 0, 0, 1, 10, 0, 0, 2]), (66, b"10.0.0.3")],
            "tftp 10.0.0.1",
            "ftp 10.0.0.3",
            "tftp 10.0.0.3",
        );
        check(
            &[(66, b"http://10.0.0.1:8081/\0")],
            "-",
            "http 10.0.0.1 Some(8081) /",
            "http 10.0.0.1 Some(8081) /",
        );
        check(
            &[(66, b"tftp://10.0.0.1"), (160, b"http://10.0.0.2/a")],
            "-",
            "http 10.0.0.2 None /a/",
            "tftp 10.0.0.1",
        );
        check(&[(160, b"http://name/")], "-", "-", "-");
    }
}
