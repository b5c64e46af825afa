//! How Poly phones read their files.
//!
//! Order as in server logs of a SoundPoint IP 670, an IP 550 and a VVX 500: the whole round runs twice, first by the
//! updater, then by the application.

use super::{Ask, Method, Purpose, Reached, Read, Script, Step};
use crate::domain::Mac;

/// How much of a load the phone reads before it sees that it runs it already.
const LOAD_HEADER: usize = 64 * 1024;

pub(super) fn begin(mac: Mac, application: bool) -> Vec<Ask> {
    let master = Ask::new(format!("{}.cfg", mac.lower()), Purpose::Master);
    if application {
        vec![master]
    } else {
        let log = Ask::optional(format!("{}-boot.log", mac.lower()));
        vec![Ask { method: Method::Put, ..log }, master]
    }
}

/// What follows the configuration files: overrides, licences, lists, all of them usually missing.
fn end(mac: Mac, application: bool) -> Vec<Ask> {
    let mac = mac.lower();
    let names = [
        format!("{mac}-phone.cfg"),
        format!("{mac}-web.cfg"),
        "000000000000-license.cfg".to_owned(),
        format!("{mac}-license.cfg"),
        format!("{mac}-calls.xml"),
        format!("{mac}-directory.xml"),
        "000000000000-directory.xml".to_owned(),
    ];
    let mut asks: Vec<Ask> = names.into_iter().map(Ask::optional).collect();
    if application {
        let log = Ask::optional(format!("{mac}-app.log"));
        asks.push(Ask { method: Method::Head, ..log.clone() });
        asks.push(Ask { method: Method::Put, ..log });
    }
    asks
}

impl Script {
    pub(super) fn poly(&mut self, ask: &Ask, bytes: Option<&[u8]>, part: &str) -> Step {
        let mac = self.subject.mac;
        match (ask.purpose, bytes) {
            (Purpose::Master, Some(master)) => {
                let own = ask.name.starts_with(&mac.lower());
                self.reach(if own { Reached::Configured } else { Reached::Asked });
                let mut asks = self.named(&String::from_utf8_lossy(master), part);
                asks.extend(end(mac, self.application));
                self.first(asks);
            }
            (Purpose::Master, None) if ask.name.starts_with(&mac.lower()) => {
                self.first(vec![Ask::new("000000000000.cfg", Purpose::Master)]);
            }
            // No master at all: it runs on what it has stored.
            (Purpose::Master, None) => self.first(end(mac, self.application)),
            (Purpose::Own, Some(_)) if ask.name.to_lowercase().contains(&mac.lower()) => {
                self.reach(Reached::Configured);
            }
            // A split package is missing: the phone tries the combined one.
            (Purpose::Load, None) if ask.name.starts_with(part) => {
                let name = ask.name.trim_start_matches(part).trim_start_matches('.').to_owned();
                self.first(vec![Ask { name, purpose: Purpose::Optional, ..ask.clone() }]);
            }
            (
                Purpose::Own
                | Purpose::Load
                | Purpose::Optional
                | Purpose::Fallback
                | Purpose::BootFile,
                _,
            ) => {}
        }
        if self.queue.is_empty() && !self.application {
            self.application = true;
            self.queue = begin(mac, true).into();
        }
        self.proceed()
    }

    /// The files that a master names: firmware with the part number in front, then the configuration files.
    fn named(&self, master: &str, part: &str) -> Vec<Ask> {
        let mut asks = Vec::new();
        if let Some(load) = attribute(master, "APP_FILE_PATH").filter(|load| !load.is_empty()) {
            let ask = Ask::new(format!("{part}.{load}"), Purpose::Load);
            asks.push(Ask { read: Read::Start(LOAD_HEADER), ..ask });
        }
        let lists = ["MISC_FILES", "CONFIG_FILES"].map(|name| attribute(master, name));
        for name in lists.iter().flatten().flat_map(|list| list.split(',')) {
            let name = name.trim().replace("[PHONE_MAC_ADDRESS]", &self.subject.mac.lower());
            let name = name.replace("[PHONE_PART_NUMBER]", part);
            if !name.is_empty() {
                asks.push(Ask::new(name, Purpose::Own));
            }
        }
        asks
    }
}

/// The value of the first attribute of that name.
fn attribute(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!(" {name}=\"")).or_else(|| {
        // Attributes may also stand on lines of their own.
        xml.split_once(&format!("\n{name}=\"")).or_else(|| xml.split_once(&format!("\t{name}=\"")))
    })?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&amp;", "&"))
}
