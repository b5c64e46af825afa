//! Forms of what was recorded about a phone, and of the store's own figures.

use std::{net::Ipv4Addr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    domain::{
        Arrival, Boot, Entry, FamilyName, Ground, Load, Mac, Mistake, Origin, Recalled,
        Registration, Rival, Stage, Timestamp, Told, Transfer, Upgrade, Visit,
    },
    store::Phone,
};

use super::form;

form!(
    Phone => PhoneForm,
    Ground => GroundForm,
    Mistake => MistakeForm,
    Rival => RivalForm,
    Arrival => ArrivalForm,
    Upgrade => UpgradeForm,
    Visit => VisitForm,
);

/// What the store says about itself: how much there is of what. What is not there is noticed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(in crate::store) struct Meta {
    /// The last commit.
    pub(in crate::store) commit: u64,
    /// Phones, listed or seen.
    pub(in crate::store) phones: usize,
    /// Phones with an entry.
    pub(in crate::store) listed: usize,
    pub(in crate::store) leases: usize,
    pub(in crate::store) quarantine: usize,
    pub(in crate::store) numbers: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::store) batches: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::store) places: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A phone without its entry, which has a value of its own: boots change often, entries seldom.
#[derive(Deserialize, Serialize)]
#[serde(remote = "Phone")]
struct PhoneForm {
    #[serde(skip)]
    entry: Option<Arc<Entry>>,
    #[serde(with = "BootForm")]
    boot: Boot,
    #[serde(with = "super::list")]
    grounds: Vec<Ground>,
    #[serde(default, skip_serializing_if = "is_none")]
    given: u64,
    changed: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Stage", rename_all = "kebab-case")]
enum StageForm {
    Silent,
    Discovered,
    Leased,
    Asking,
    Defaulted,
    Configured,
    Upgrading,
    Registering,
    Registered,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Upgrade")]
struct UpgradeForm {
    name: String,
    bytes: u64,
    length: u64,
    #[serde(with = "super::text", default, skip_serializing_if = "is_epoch")]
    moved: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Arrival")]
struct ArrivalForm {
    #[serde(with = "super::text")]
    round: Timestamp,
    #[serde(with = "super::text")]
    at: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Visit")]
struct VisitForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relay: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    port: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    shows: String,
    #[serde(with = "super::text")]
    from: Timestamp,
    #[serde(with = "super::text")]
    until: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Rival")]
struct RivalForm {
    server: Ipv4Addr,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    hardware: Option<Mac>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beside: Option<Ipv4Addr>,
    #[serde(with = "super::text")]
    at: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Mistake")]
struct MistakeForm {
    name: String,
    #[serde(with = "super::text")]
    of: Mac,
    #[serde(with = "super::text")]
    at: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Boot")]
struct BootForm {
    #[serde(with = "StageForm")]
    risen: Stage,
    #[serde(with = "super::text")]
    since: Timestamp,
    #[serde(with = "super::text")]
    round: Timestamp,
    rounds: u32,
    address: Option<Ipv4Addr>,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    upgrade: Option<Upgrade>,
    delivered: u16,
    first: Vec<String>,
    held: Vec<(String, String)>,
    #[serde(with = "super::list")]
    transfers: Vec<Transfer>,
    #[serde(with = "moments", default, skip_serializing_if = "Vec::is_empty")]
    starts: Vec<Timestamp>,
    #[serde(with = "super::text", default, skip_serializing_if = "is_epoch")]
    had: Timestamp,
    #[serde(with = "super::list", default, skip_serializing_if = "Vec::is_empty")]
    arrivals: Vec<Arrival>,
    #[serde(with = "super::list", default, skip_serializing_if = "Vec::is_empty")]
    loads: Vec<Load>,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
    #[serde(with = "super::list", default, skip_serializing_if = "Vec::is_empty")]
    registrations: Vec<Registration>,
    #[serde(with = "super::list", default, skip_serializing_if = "Vec::is_empty")]
    visits: Vec<Visit>,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    rival: Option<Rival>,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    mistake: Option<Mistake>,
    #[serde(with = "super::option", default, skip_serializing_if = "Option::is_none")]
    recalled: Option<Recalled>,
    last: String,
    #[serde(with = "super::text")]
    last_at: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Origin", rename_all = "kebab-case")]
enum OriginForm {
    FileName,
    #[serde(rename = "option-60")]
    Option60,
    SipPnp,
    UserAgent,
    Register,
    Updater,
    #[serde(rename = "option-125")]
    Option125,
    #[serde(rename = "option-12")]
    Option12,
    #[serde(rename = "option-61")]
    Option61,
    #[serde(rename = "option-55")]
    Option55,
    #[serde(rename = "option-82")]
    Option82,
    Prefix,
    Dhcp,
    Registrar,
    List,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Ground")]
struct GroundForm {
    #[serde(with = "OriginForm")]
    from: Origin,
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(with = "family", default, skip_serializing_if = "Option::is_none")]
    family: Option<FamilyName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    firmware: Option<String>,
    #[serde(with = "super::maybe_text", default, skip_serializing_if = "Option::is_none")]
    mac: Option<Mac>,
    #[serde(with = "super::text")]
    at: Timestamp,
}

/// True for a stamp of nothing.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_none(stamp: &u64) -> bool {
    *stamp == 0
}

/// True for a moment that never came.
fn is_epoch(at: &Timestamp) -> bool {
    *at == Timestamp::UNIX_EPOCH
}

/// Moments as text.
mod moments {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    #[expect(clippy::ptr_arg, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        moments: &Vec<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        moments.iter().map(Timestamp::to_string).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Timestamp>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

mod family {
    use super::{Deserialize, Deserializer, FamilyName, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(
        family: &Option<FamilyName>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        family.as_ref().map(FamilyName::as_str).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<FamilyName>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(|name| FamilyName::new(&name)))
    }
}
