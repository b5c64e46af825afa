//! How a family takes files over TFTP, where it differs from the others: from `[tftp]` of a profile.

use std::{num::NonZeroU16, time::Duration};

use serde::Deserialize;

/// What the phones of a family are granted and forgiven during a transfer. What is not set is as with other phones; the
/// usual values are with those who carry.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TransferRule {
    /// The largest block that is granted, in bytes, even where it takes several packets on the way.
    pub block: Option<NonZeroU16>,
    /// The largest window that is granted, in blocks.
    pub window: Option<NonZeroU16>,
    /// Seconds of silence that end a transfer that was under way.
    patience: Option<u32>,
    /// The same for firmware: old phones erase their flash in the middle of it.
    firmware_patience: Option<u32>,
}

impl TransferRule {
    /// The silence that ends a transfer of firmware, or of any other file; `None` where this family is like the others.
    #[must_use]
    pub fn patience(&self, firmware: bool) -> Option<Duration> {
        let seconds = if firmware { self.firmware_patience } else { self.patience };
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }
}
