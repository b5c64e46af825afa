//! The DHCP client of a simulated phone: its messages, and what it makes of the answers. No I/O.
//!
//! The phone sits behind a relay of its own (RFC 3046) that is not on port 67: the relay says so with the relay source
//! port sub-option (RFC 8357 §5.1), and the server answers to the port that it was asked from.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::{Subject, Way};
use crate::wire::dhcp::{Kind, Message, Request, code};

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
    message(subject, Request::discover(subject.mac, xid))
}

/// The REQUEST that takes an offer (RFC 2131 §4.3.2, SELECTING).
pub fn request(subject: &Subject, xid: u32, offer: &Grant) -> Vec<u8> {
    let server = offer.address_of(code::SERVER_ID).unwrap_or(Ipv4Addr::UNSPECIFIED);
    message(subject, Request::select(subject.mac, xid, offer.address, server))
}

/// The REQUEST that takes the offer of another server.
pub fn request_of(subject: &Subject, xid: u32, offer: &Grant, server: Ipv4Addr) -> Vec<u8> {
    message(subject, Request::select(subject.mac, xid, offer.address, server))
}

/// The DECLINE of an address that somebody uses.
pub fn decline(subject: &Subject, xid: u32, grant: &Grant) -> Vec<u8> {
    let server = grant.address_of(code::SERVER_ID).unwrap_or(Ipv4Addr::UNSPECIFIED);
    message(subject, Request::decline(subject.mac, xid, grant.address, server))
}

/// The REQUEST of a phone that restarts with the address that it had (RFC 2131 §4.3.2, INIT-REBOOT).
pub fn reboot(subject: &Subject, xid: u32, address: Ipv4Addr) -> Vec<u8> {
    message(subject, Request::reboot(subject.mac, xid, address))
}

/// What the phone says of itself, and behind it what its relay adds (RFC 3046 §2.1).
fn message(subject: &Subject, request: Request) -> Vec<u8> {
    let make = subject.make;
    let request = request
        .option(code::CLASS, make.option_60())
        .option(code::HOST_NAME, make.option_12(subject.mac))
        .option(code::ASKED, make.asks);
    match subject.way {
        Way::OddPort(relay) => request.relayed(relay),
        Way::Relay(giaddr) => Request { giaddr, ..request },
        Way::Station => request,
    }
    .encode()
}

/// Reads a datagram; `None` if it is no answer to this phone's exchange.
pub fn answer(datagram: &[u8], subject: &Subject, xid: u32) -> Option<Answer> {
    let message = Message::reply(datagram).ok()?;
    // A server that drops the relay's option leaves a real relay without a way to the phone (RFC 3046 §2.2).
    let way_back = !matches!(subject.way, Way::OddPort(_))
        || message.relay_option(code::RELAY_SOURCE_PORT).is_some();
    let mine = message.xid() == xid && message.mac() == subject.mac && way_back;
    let grant = Grant {
        address: message.yiaddr(),
        next_server: message.siaddr(),
        options: message.options().map(|(code, content)| (code, content.to_vec())).collect(),
    };
    match message.kind() {
        Kind::Offer => Some(Answer::Offer(grant)),
        Kind::Ack => Some(Answer::Ack(grant)),
        Kind::Nak => Some(Answer::Nak),
        Kind::Discover | Kind::Request | Kind::Decline | Kind::Release | Kind::Inform => None,
    }
    .filter(|_| mine)
}

impl Grant {
    /// Option 150, then 66 as a bare address, then the next-server field. A URL in 66 is no address to a Cisco.
    pub fn cisco_server(&self) -> Option<Server> {
        let addresses = self.address_of(code::TFTP_ADDRESSES);
        let bare = || self.text(code::TFTP_NAME)?.parse().ok();
        let next = || Some(self.next_server).filter(|address| !address.is_unspecified());
        addresses.or_else(bare).or_else(next).map(Server::Tftp)
    }

    /// Option 160, then 66; a bare host means FTP, which these phones tried first.
    pub fn poly_server(&self) -> Option<Server> {
        let text = self.text(160).or_else(|| self.text(code::TFTP_NAME))?;
        server(&text).or_else(|| text.parse().ok().map(Server::Ftp))
    }

    /// Option 66, then 43; a bare host means TFTP.
    pub fn yealink_server(&self) -> Option<Server> {
        let text = self.text(code::TFTP_NAME).or_else(|| self.text(code::VENDOR))?;
        server(&text).or_else(|| text.parse().ok().map(Server::Tftp))
    }

    /// The first address in an option.
    pub fn address_of(&self, code: u8) -> Option<Ipv4Addr> {
        let octets = self.options.get(&code)?.first_chunk::<4>()?;
        Some(Ipv4Addr::from(*octets))
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
