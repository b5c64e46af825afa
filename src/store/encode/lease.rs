//! Forms of leases, addresses set aside, numbers, the auto-registration window and places in waves.

use std::{collections::BTreeSet, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::domain::{
    ClientKey, Lease, Mac, Quarantine, Timestamp, Window,
    wave::{Brake, Place},
};

use super::form;

form!(Lease => LeaseForm, Quarantine => QuarantineForm, Window => WindowForm);
form!(Place => PlaceForm, Brake => BrakeForm);

#[derive(Deserialize, Serialize)]
#[serde(remote = "Lease")]
struct LeaseForm {
    address: Ipv4Addr,
    #[serde(with = "client")]
    client: ClientKey,
    #[serde(with = "super::text")]
    mac: Mac,
    #[serde(with = "super::text")]
    since: Timestamp,
    #[serde(with = "super::text")]
    until: Timestamp,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Quarantine")]
struct QuarantineForm {
    address: Ipv4Addr,
    #[serde(with = "super::text")]
    until: Timestamp,
    times: u32,
    #[serde(with = "super::text")]
    by: Mac,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Window")]
struct WindowForm {
    enabled: bool,
    #[serde(with = "super::maybe_text")]
    until: Option<Timestamp>,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Place")]
struct PlaceForm {
    load: String,
    #[serde(with = "super::text")]
    since: Timestamp,
    round: u32,
    #[serde(with = "super::maybe_text")]
    done: Option<Timestamp>,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Brake")]
struct BrakeForm {
    paused: bool,
    passed: BTreeSet<String>,
}

mod client {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::ClientKey;

    pub(super) fn serialize<S: Serializer>(client: &ClientKey, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::super::hex(client.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ClientKey, D::Error> {
        let text = String::deserialize(from)?;
        super::super::unhex(&text)
            .map(|octets| ClientKey::from_bytes(&octets))
            .map_err(super::super::refuse)
    }
}
