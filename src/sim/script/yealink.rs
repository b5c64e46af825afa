//! How Yealink phones read their files.
//!
//! `{mac}.boot`, then `y000000000000.boot`; without either the old scheme: the model's y-file, then the MAC file.
//! Order as in wazo-provd-plugins@2321a3f and Yealink's auto-provisioning guide.

use super::{Ask, Purpose, Reached, Script, Step};
use crate::domain::Mac;

const COMMON_BOOT: &str = "y000000000000.boot";

pub(super) fn begin(mac: Mac) -> Vec<Ask> {
    vec![Ask::new(format!("{}.boot", mac.lower()), Purpose::BootFile)]
}

impl Script {
    pub(super) fn yealink(&mut self, ask: &Ask, bytes: Option<&[u8]>, code: &str) -> Step {
        let mac = self.subject.mac.lower();
        match (ask.purpose, bytes) {
            (Purpose::BootFile, Some(boot)) => {
                let names = included(&String::from_utf8_lossy(boot), self.subject.mac);
                let mut asks: Vec<Ask> =
                    names.into_iter().map(|name| Ask::new(name, Purpose::Own)).collect();
                asks.push(Ask::optional(format!("{mac}-local.cfg")));
                self.first(asks);
            }
            (Purpose::BootFile, None) if ask.name != COMMON_BOOT => {
                self.first(vec![Ask::new(COMMON_BOOT, Purpose::BootFile)]);
            }
            (Purpose::BootFile, None) => self.first(vec![
                Ask::optional(format!("y{code:0>12}.cfg")),
                Ask::new(format!("{mac}.cfg"), Purpose::Own),
                Ask::optional(format!("{mac}-local.cfg")),
            ]),
            (Purpose::Own, Some(_)) if ask.name.to_lowercase().contains(&mac) => {
                self.reach(Reached::Configured);
            }
            (
                Purpose::Own
                | Purpose::Optional
                | Purpose::Fallback
                | Purpose::Load
                | Purpose::Master,
                _,
            ) => {}
        }
        self.proceed()
    }
}

/// The files that a `.boot` file includes, with its macros filled in.
fn included(boot: &str, mac: Mac) -> Vec<String> {
    let lines = boot.lines().filter_map(|line| line.trim().strip_prefix("include:config"));
    lines
        .map(|name| name.trim().trim_matches(['"', '<', '>']))
        .map(|name| name.replace("$mac", &mac.lower()).replace("$MAC", &mac.upper()))
        .filter(|name| !name.is_empty())
        .collect()
}
