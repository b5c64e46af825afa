//! Forms of batches on the bench.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{Kept, Mac, Purpose, Staged, Staging, StagingChange, Timestamp};

use super::form;

form!(Staging => StagingForm, StagingChange => StagingChangeForm, Staged => StagedForm, Kept => KeptForm);

#[derive(Deserialize, Serialize)]
#[serde(remote = "Purpose")]
struct PurposeForm {
    name: String,
    operator: String,
    site: Option<String>,
    planned: u16,
    by_plugging: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Staging")]
struct StagingForm {
    #[serde(with = "PurposeForm")]
    purpose: Purpose,
    #[serde(with = "super::text")]
    start: Timestamp,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    handed_over: Option<Timestamp>,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    end: Option<Timestamp>,
    #[serde(with = "phones")]
    phones: BTreeMap<Mac, Staged>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    ports: BTreeMap<String, u16>,
    changed: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Staged")]
struct StagedForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<u16>,
    by: String,
    #[serde(with = "super::text")]
    at: Timestamp,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    booted: Option<Timestamp>,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    ready: Option<Timestamp>,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    registered: Option<Timestamp>,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    settled: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    produced: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "is_none_yet")]
    delivered: u16,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    solved: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    port: String,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Kept")]
struct KeptForm {
    model: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    listed: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<String>,
    firmware: String,
    number: String,
    name: String,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    ready: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_none_yet(delivered: &u16) -> bool {
    *delivered == 0
}

/// Phones by MAC.
mod phones {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{super::As, BTreeMap, Mac, Staged};

    pub(super) fn serialize<S: Serializer>(
        phones: &BTreeMap<Mac, Staged>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_map(phones.iter().map(|(mac, one)| (mac.to_string(), As(one))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Mac, Staged>, D::Error> {
        let phones = BTreeMap::<String, As<Staged>>::deserialize(from)?.into_iter();
        phones.map(|(mac, As(one))| Ok((mac.parse().map_err(super::super::refuse)?, one))).collect()
    }
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "StagingChange", rename_all = "kebab-case")]
enum StagingChangeForm {
    Opened {
        #[serde(with = "PurposeForm")]
        purpose: Purpose,
        ports: BTreeMap<String, u16>,
        #[serde(with = "super::text")]
        at: Timestamp,
    },
    Described(#[serde(with = "PurposeForm")] Purpose),
    Scanned {
        #[serde(with = "super::text")]
        phone: Mac,
        by: String,
        #[serde(with = "super::text")]
        at: Timestamp,
        slot: Option<u16>,
    },
    Placed(#[serde(with = "super::text")] Mac, Option<u16>),
    Removed(#[serde(with = "super::text")] Mac),
    Failed(#[serde(with = "super::text")] Mac, Option<String>),
    Solved(#[serde(with = "super::text")] Mac, String),
    Settled(#[serde(with = "super::text")] Mac, #[serde(with = "super::text")] Timestamp),
    Produced {
        #[serde(with = "super::text")]
        phone: Mac,
        name: String,
        etag: String,
    },
    HandedOver(#[serde(with = "super::text")] Timestamp),
    TakenBack,
    Closed {
        #[serde(with = "super::text")]
        at: Timestamp,
        #[serde(with = "kept")]
        kept: Vec<(Mac, Kept)>,
    },
}

/// What is known of phones, in their order.
mod kept {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{super::As, Kept, Mac};

    pub(super) fn serialize<S: Serializer>(kept: &[(Mac, Kept)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(kept.iter().map(|(mac, one)| (mac.to_string(), As(one))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(Mac, Kept)>, D::Error> {
        let kept = Vec::<(String, As<Kept>)>::deserialize(from)?.into_iter();
        kept.map(|(mac, As(one))| Ok((mac.parse().map_err(super::super::refuse)?, one))).collect()
    }
}
