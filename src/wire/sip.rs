//! SIP messages (RFC 3261) as far as a NOTIFY outside any dialog needs them: the request out, the answer back.

mod challenge;
#[cfg(test)]
mod tests;

use std::{fmt::Write as _, net::SocketAddrV4};

use crate::domain::{clip, printable};

pub use challenge::Challenge;

/// The port that phones listen on (RFC 3261 §19.1.2).
pub const PORT: u16 = 5060;

/// What a branch begins with, so that it is unique by itself (RFC 3261 §8.1.1.7).
pub const COOKIE: &str = "z9hG4bK";

/// The most characters of a reason phrase that are kept.
const MAX_REASON: usize = 60;

/// The method.
pub const METHOD: &str = "NOTIFY";

/// A NOTIFY that nobody subscribed to, as PBXs send it to make a phone read its files again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notify<'a> {
    /// The user of the phone's first line; empty for none.
    pub user: &'a str,
    /// Where the phone listens.
    pub peer: SocketAddrV4,
    /// Where the answer is to go.
    pub local: SocketAddrV4,
    /// The event with its parameters: `check-sync;reboot=false`.
    pub event: &'a str,
    /// Names this transaction, without [`COOKIE`].
    pub branch: &'a str,
    /// Names this call together with the tag: the same in a second attempt.
    pub call: &'a str,
    /// The tag of `From`.
    pub tag: &'a str,
    /// 1, and 2 for an attempt with credentials.
    pub sequence: u32,
    /// A header with credentials: its name and value.
    pub credentials: Option<(&'a str, &'a str)>,
}

impl Notify<'_> {
    /// The Request-URI, which credentials are about too.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("sip:{}{}", user(self.user), self.peer)
    }

    /// The request as it travels.
    ///
    /// `Subscription-State: terminated` although there never was a subscription: RFC 3265 §7.2.3 wants the header, and
    /// Asterisk (`res_pjsip_notify.c`, `chan_sip.c`) sends this one, which is what phones are tested with.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { local, peer, call, tag, sequence, branch, .. } = self;
        let (uri, host) = (self.uri(), local.ip());
        let to = format!("sip:{}{}", user(self.user), peer.ip());
        // No line break of a profile's ends a header.
        let event: String = self.event.chars().filter(char::is_ascii_graphic).collect();
        let mut text = format!(
            "{METHOD} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch={COOKIE}{branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:ringup@{host}>;tag={tag}\r\n\
             To: <{to}>\r\n\
             Call-ID: {call}@{host}\r\n\
             CSeq: {sequence} {METHOD}\r\n\
             Contact: <sip:ringup@{local}>\r\n\
             Event: {event}\r\n\
             Subscription-State: terminated\r\n\
             User-Agent: ringup\r\n"
        );
        if let Some((name, value)) = self.credentials {
            // Writing to a text never fails.
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("Content-Length: 0\r\n\r\n");
        text.into_bytes()
    }
}

/// The user part of a URI with what it can't carry escaped (RFC 3261 §25.1, `user-unreserved` without `;?/`, which some
/// phones take for something else).
fn user(user: &str) -> String {
    let mut text = String::new();
    for octet in user.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&octet) {
            text.push(char::from(octet));
        } else {
            let _ = write!(text, "%{octet:02X}");
        }
    }
    if text.is_empty() { text } else { text + "@" }
}

/// An answer, as far as it says whose it is and what it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// 100 to 699.
    pub code: u16,
    /// The phrase behind it, printable and cut.
    pub reason: String,
    /// The branch of the topmost `Via`, without [`COOKIE`].
    pub branch: String,
    /// The number and the method of `CSeq`.
    pub sequence: (u32, String),
    /// What it wants credentials for, with 401 and 407.
    pub challenge: Option<Challenge>,
}

impl Answer {
    /// Reads an answer; `None` for anything else, and for one that does not say whose it is.
    #[must_use]
    pub fn decode(datagram: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(datagram);
        let lines = unfolded(&text);
        let (first, headers) = lines.split_first()?;
        let (code, reason) = status(first)?;
        let find = |names: [&str; 2]| {
            let mut all = headers.iter().filter_map(|line| line.split_once(':'));
            let is = |name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name.trim()));
            all.find(|(name, _)| is(name)).map(|(_, value)| value.trim())
        };
        let via = find(["Via", "v"])?.split(',').next()?;
        let branch = via.split(';').skip(1).find_map(|one| {
            let (name, value) = one.split_once('=')?;
            name.trim().eq_ignore_ascii_case("branch").then_some(value.trim())
        })?;
        let (number, method) = find(["CSeq", "CSeq"])?.split_once(char::is_whitespace)?;
        let wanted = match code {
            401 => Some(("WWW-Authenticate", "Authorization")),
            407 => Some(("Proxy-Authenticate", "Proxy-Authorization")),
            _ => None,
        };
        let challenges = headers.iter().filter_map(|line| {
            let ((asks, answers), (name, value)) = (wanted?, line.split_once(':')?);
            let is_it = name.trim().eq_ignore_ascii_case(asks);
            is_it.then(|| Challenge::decode(answers, value)).flatten()
        });
        let challenge = challenges.into_iter().next();
        Some(Self {
            code,
            reason,
            branch: branch.strip_prefix(COOKIE)?.to_owned(),
            sequence: (number.parse().ok()?, method.trim().to_owned()),
            challenge,
        })
    }
}

/// The lines of a message's head, with folded ones put together (RFC 3261 §7.3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if line.is_empty() {
            break;
        }
        match lines.last_mut() {
            Some(before) if line.starts_with([' ', '\t']) => {
                before.push(' ');
                before.push_str(line.trim());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// `SIP/2.0 200 OK`.
fn status(line: &str) -> Option<(u16, String)> {
    let (version, rest) = line.split_once(' ')?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let digits = code.len() == 3 && code.bytes().all(|octet| octet.is_ascii_digit());
    let code = code.parse().ok().filter(|code| digits && (100..700).contains(code))?;
    let reason = clip(&printable(reason.trim().as_bytes()), MAX_REASON);
    version.eq_ignore_ascii_case("SIP/2.0").then_some((code, reason))
}
