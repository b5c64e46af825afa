//! What a phone is, by all that somebody saw of it: text as received, from an analyzer, a log or a test.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::{
    domain::{Ground, Identity, Mac, Timestamp, conclude},
    profile::{Catalog, Seen},
};

use super::name::{base, group_in, mac_in, mac_in_query, parts};

/// What was seen of one phone, text as received; any of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// DHCP option 60: its text, or Poly's binary form (RFC 3925) as its octets or in hexadecimal digits.
    pub option_60: Option<String>,
    /// DHCP option 12.
    pub option_12: Option<String>,
    /// The name of a file asked for by TFTP.
    pub file_name: Option<String>,
    /// The path or URL asked for by HTTP.
    pub http_path: Option<String>,
    /// HTTP or SIP User-Agent.
    pub user_agent: Option<String>,
    /// Its MAC, in any spelling.
    pub mac: Option<String>,
}

/// What all of it tells.
#[derive(Debug)]
pub struct Concluded {
    /// What it is, with the grounds.
    pub identity: Identity,
    /// The MAC that it carries, as digits in pairs. A group's address is told too: it names no phone, and whoever looks
    /// for the reason wants to see it.
    pub mac: Option<String>,
}

impl Evidence {
    /// What all of it together tells.
    ///
    /// The MAC is the one given, else one in the query, else the strongest ground's; its prefix is one more ground.
    #[must_use]
    pub fn identify(&self, catalog: &Catalog, now: Timestamp) -> Concluded {
        let given = self.mac.as_ref().and_then(|mac| mac.parse::<Mac>().ok());
        let (path, in_query) = self.http_path.as_deref().map(path).unwrap_or_default();
        let file = self.file_name.as_deref().map(normal);
        let class = self.option_60.as_deref().map(octets);
        let mut seen = Vec::new();
        seen.extend(class.as_deref().map(Seen::Option60));
        seen.extend(self.option_12.as_ref().map(|text| Seen::Option12(text.as_bytes())));
        seen.extend(self.user_agent.as_deref().map(Seen::UserAgent));
        let mut grounds: Vec<Ground> =
            seen.iter().filter_map(|seen| catalog.recognize(seen, now)).collect();
        for name in [file.as_deref(), Some(path.as_str())].into_iter().flatten() {
            grounds.extend(by_name(catalog, name, now));
        }
        let told = || conclude(&grounds).grounds.iter().find_map(|ground| ground.mac);
        // Sites name files as they like: 0004f2aabbcc-registration.cfg is still that phone's.
        let unknown = |name: &&str| catalog.resolve(name).is_empty();
        let asked = || [file.as_deref(), Some(path.as_str())].into_iter().flatten();
        let named = || asked().filter(unknown).find_map(mac_in);
        let mac = given.or(in_query).or_else(told).or_else(named);
        grounds.extend(mac.and_then(|mac| catalog.recognize(&Seen::Prefix(mac), now)));
        let carried = mac.map(|mac| mac.to_string()).or_else(|| asked().find_map(group_in));
        Concluded { identity: conclude(&grounds), mac: carried }
    }
}

/// The octets that a text of option 60 stands for: its own, or, where they begin as Poly's binary form does, those
/// behind its characters (JSON has no other way to write an octet) or its hexadecimal digits (as analyzers print them).
fn octets(text: &str) -> Cow<'_, [u8]> {
    const BINARY: [u8; 4] = [0, 0, 0x36, 0x3d];
    if text.as_bytes().starts_with(&BINARY) {
        // A character beyond one octet was none on the wire.
        let octets = text.chars().map(|octet| u8::try_from(u32::from(octet)).unwrap_or(b'?'));
        return Cow::Owned(octets.collect());
    }
    let digits: String = text.chars().filter(|digit| !matches!(digit, ':' | ' ')).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let octets: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(octet).collect();
    match octets.filter(|octets| octets.starts_with(&BINARY)) {
        Some(octets) => Cow::Owned(octets),
        None => Cow::Borrowed(text.as_bytes()),
    }
}

/// What a name tells: whole, else its last part, because sites put folders before it.
fn by_name(catalog: &Catalog, name: &str, now: Timestamp) -> Option<Ground> {
    let last = Some(base(name)).filter(|last| !last.is_empty())?;
    catalog
        .recognize(&Seen::FileName(name), now)
        .or_else(|| catalog.recognize(&Seen::FileName(last), now))
}

/// A name as the resolver looks it up: no leading slashes, only forward ones.
fn normal(name: &str) -> String {
    parts(name).collect::<Vec<_>>().join("/")
}

/// The file name in a path or URL, and the MAC in its query, which some phones put there.
fn path(text: &str) -> (String, Option<Mac>) {
    let text = text
        .split_once("://")
        .map_or(text, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    (normal(&percent_decode_str(path).decode_utf8_lossy()), mac_in_query(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |text: &str, name: &str, mac: Option<&str>| {
            let (found, found_mac) = path(text);
            assert_eq!(
                (found.as_str(), found_mac.map(Mac::lower).as_deref()),
                (name, mac),
                "{text}"
            );
        };
        check("/SEP001E7AC41022.cnf.xml", "SEP001E7AC41022.cnf.xml", None);
        check("//a/./b%20c.cfg", "a/b c.cfg", None);
        check("http://10.0.0.1:6970/x.cfg?mac=00:15:65:AA:BB:CC", "x.cfg", Some("001565aabbcc"));
        check("/p?a=1&MAC=001565aabbcc", "p", Some("001565aabbcc"));
        check("http://10.0.0.1", "", None);
    }
}
