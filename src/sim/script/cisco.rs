//! How Cisco phones read their files.
//!
//! Orders as seen in server logs of 7942 and 78xx phones, in Cisco's boot descriptions and, for the oldest phones, in
//! the community's boot and registration guide.

use super::{Ask, Boot, MAX_ASKS, Purpose, Reached, Script, Step};
use crate::domain::Mac;

/// What every SIP load of a 7960 reads before its own file; it may name a load.
const COMMON: &str = "SIPDefault.cnf";

/// What parts of loads end in.
const PARTS: [&str; 4] = [".sbn", ".sb2", ".sebn", ".bin"];

pub(super) fn legacy(mac: Mac) -> Vec<Ask> {
    vec![Ask::new(format!("SEP{}.cnf", mac.upper()), Purpose::Own)]
}

pub(super) fn skinny_7960(mac: Mac) -> Vec<Ask> {
    let mac = mac.upper();
    vec![
        Ask::optional(format!("CTLSEP{mac}.tlv")),
        Ask::new(format!("SEP{mac}.cnf.xml"), Purpose::Own),
    ]
}

/// The SIP load reads its own text form last; what is in front of it may all be missing.
pub(super) fn sip_7960(mac: Mac) -> Vec<Ask> {
    let mac = mac.upper();
    vec![
        Ask::optional("OS79XX.TXT"),
        Ask::optional(format!("CTLSEP{mac}.tlv")),
        Ask::optional(format!("SEP{mac}.cnf.xml")),
        Ask::new(COMMON, Purpose::Load),
        Ask::new(format!("SIP{mac}.cnf"), Purpose::Own),
        Ask::optional("RINGLIST.DAT"),
        Ask::optional("dialplan.xml"),
    ]
}

pub(super) fn xml(mac: Mac, http_first: bool, locale: &str) -> Vec<Ask> {
    let mac = mac.upper();
    let own = Ask::new(format!("SEP{mac}.cnf.xml"), Purpose::Own);
    vec![
        Ask::optional(format!("CTLSEP{mac}.tlv")),
        Ask::optional(format!("ITLSEP{mac}.tlv")),
        Ask::optional("ITLFile.tlv"),
        Ask { cisco_http: http_first, ..own },
        Ask::optional(format!("/{locale}")),
        Ask::optional("/g3-tones.xml"),
        Ask::optional("dialplan.xml"),
    ]
}

/// What a phone asks that trusts no list that it finds: never anything else.
pub(super) fn trust_lists(mac: Mac) -> Vec<Ask> {
    let mac = mac.upper();
    let names = [format!("CTLSEP{mac}.tlv"), format!("ITLSEP{mac}.tlv"), "ITLFile.tlv".to_owned()];
    names.iter().cycle().take(24).cloned().map(Ask::optional).collect()
}

impl Script {
    pub(super) fn cisco(&mut self, ask: &Ask, bytes: Option<&[u8]>) -> Step {
        match (ask.purpose, bytes) {
            (Purpose::Own, Some(bytes)) => {
                self.reach(Reached::Configured);
                self.want_load(bytes);
                self.proceed()
            }
            // Newer loads ask by HTTP and, whatever comes of it, by TFTP.
            (Purpose::Own, None) if ask.cisco_http => {
                self.first(vec![Ask { cisco_http: false, ..ask.clone() }]);
                self.proceed()
            }
            (Purpose::Own, None) => match self.fallback() {
                Some(name) => {
                    self.queue = [Ask::new(name, Purpose::Fallback)].into();
                    self.proceed()
                }
                // The SIP load of a 7960 goes on with what it has in flash.
                None => self.proceed(),
            },
            (Purpose::Fallback, Some(_)) => {
                self.reach(Reached::Defaulted);
                self.proceed()
            }
            (Purpose::Fallback, None) => self.again(),
            (Purpose::Load, Some(bytes)) => {
                self.loaded(ask, bytes);
                self.proceed()
            }
            (Purpose::Load, None) if self.takes_parts && ask.name != COMMON => {
                // A load with a part missing is thrown away.
                self.written = None;
                self.proceed()
            }
            (Purpose::Load | Purpose::Optional | Purpose::Master | Purpose::BootFile, _) => {
                self.proceed()
            }
        }
    }

    fn fallback(&self) -> Option<&'static str> {
        match self.subject.make.boot {
            Boot::CiscoLegacy => Some("SEPDEFAULT.cnf"),
            Boot::Cisco7960Skinny | Boot::CiscoXml { .. } => Some("XMLDefault.cnf.xml"),
            Boot::Cisco7960Sip | Boot::Poly { .. } | Boot::Yealink { .. } => None,
        }
    }

    /// Asks for the load that the configuration names, unless it runs already.
    fn want_load(&mut self, config: &[u8]) {
        let config = String::from_utf8_lossy(config);
        let load = element(&config, "loadInformation").or_else(|| value(&config, "image_version"));
        if let Some(load) = load.filter(|load| !load.is_empty() && *load != self.running.as_str()) {
            self.first(vec![Ask::new(format!("{load}.loads"), Purpose::Load)]);
        }
    }

    fn loaded(&mut self, ask: &Ask, bytes: &[u8]) {
        match ask.name.strip_suffix(".loads") {
            Some(load) => {
                self.written = Some(load.to_owned());
                if self.takes_parts {
                    let asks = parts(bytes).into_iter().map(|name| Ask::new(name, Purpose::Load));
                    self.first(asks.collect());
                }
            }
            None if ask.name != COMMON => {}
            None => self.want_load(bytes),
        }
    }
}

/// The names of parts in a load's list: plain text within a signature of unknown form, so found by their endings.
fn parts(list: &[u8]) -> Vec<String> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let words = list.split(|byte| !in_name(byte)).map(String::from_utf8_lossy);
    let is_part = |word: &str| PARTS.iter().any(|end| word.to_ascii_lowercase().ends_with(end));
    words.filter(|word| is_part(word)).take(MAX_ASKS / 2).map(String::from).collect()
}

/// The text of the first element of that name, attributes or not.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}"))?;
    let (attributes, rest) = rest.split_once('>')?;
    let text = if attributes.ends_with('/') { "" } else { rest.split_once('<')?.0 };
    Some(text.trim())
}

/// The value of a `key: "value"` line.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line =
        text.lines().find_map(|line| line.trim().strip_prefix(key)?.trim().strip_prefix(':'))?;
    Some(line.trim().trim_matches('"'))
}
