//! How long a family may take, and what helps its phones: from `[patience]` and `[advice]` of a profile.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::domain::Stage;

/// How long the stages of a healthy boot take at most, where a family differs from what phones usually take.
///
/// Seconds by stage, as the profile writes them; the usual times are with those who wait.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Patience {
    discovered: Option<u32>,
    leased: Option<u32>,
    asking: Option<u32>,
    defaulted: Option<u32>,
    configured: Option<u32>,
    upgrading: Option<u32>,
    registering: Option<u32>,
    restart: Option<u32>,
    reboots: Option<u32>,
}

impl Patience {
    /// How long this stage takes at most; `None` where this family is like the others.
    #[must_use]
    pub fn of(&self, stage: Stage) -> Option<Duration> {
        let seconds = match stage {
            Stage::Silent | Stage::Registered => None,
            Stage::Discovered => self.discovered,
            Stage::Leased => self.leased,
            Stage::Asking => self.asking,
            Stage::Defaulted => self.defaulted,
            Stage::Configured => self.configured,
            Stage::Upgrading => self.upgrading,
            Stage::Registering => self.registering,
        };
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// How long it takes at most from the last byte of a load to the restart: it writes its flash in between.
    #[must_use]
    pub fn restart(&self) -> Option<Duration> {
        self.restart.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// How often it starts over after a load until it runs it: twice where an updater goes first.
    #[must_use]
    pub fn reboots(&self) -> u32 {
        self.reboots.unwrap_or(1)
    }
}

/// What to do at a phone of this family, in plain words; empty where nobody wrote it down.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Advice {
    /// How DHCP is switched on or off at the phone.
    pub dhcp: String,
    /// How to clear a server that somebody typed in.
    pub server: String,
    /// How to erase what an old call manager left of its security.
    pub trust: String,
    /// What to do where one load can't be reached from another in one step.
    pub firmware: String,
    /// What at the phone turns a NOTIFY down or lets it pass, by the name that its settings have for it.
    pub resync: String,
    /// What else to look at before a phone that was never seen is sent back, by model in the catalog's spelling.
    pub silent: BTreeMap<String, String>,
}
