//! Firmware: what is here, whether it is whole, and who asks for what.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Mac, Role},
    store,
};

use super::super::operators::Operators;

/// Phones that are named for one file; the rest is a number.
const NAMED: usize = 20;

/// The most names that are told although no file has them: a phone can ask for anything.
const MAX_MISSING: usize = 500;

/// The firmware directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirmwareList {
    /// By name.
    pub items: Vec<FirmwareView>,
    next: Option<String>,
    /// What phones asked for of late and is not here, by name; 500 at most.
    pub missing: Vec<MissingView>,
}

/// A file of the firmware directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirmwareView {
    /// As phones ask for it.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Parts that it names and that are not here or empty: the load is not whole.
    pub lacking: Vec<String>,
    /// Phones that asked for it among their last files.
    pub asked: AskedView,
}

/// A file that phones asked for and that is not here.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingView {
    /// As they asked for it.
    pub name: String,
    /// Who did.
    pub asked: AskedView,
}

/// Who asked for a file.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct AskedView {
    /// How many phones.
    pub phones: usize,
    /// Their MACs; 20 at most.
    pub macs: Vec<String>,
}

impl AskedView {
    fn add(&mut self, mac: Mac) {
        self.phones += 1;
        if self.macs.len() < NAMED {
            self.macs.push(mac.to_string());
        }
    }
}

/// Lists the files of the firmware directory by the names that phones ask for, and what they asked for in vain.
#[utoipa::path(get, path = "/api/v1/firmware", tag = "firmware", responses((status = 200, body = FirmwareList)))]
pub async fn firmware(State(operators): State<Operators>) -> Json<FirmwareList> {
    Json(list(&operators))
}

/// All of it.
#[must_use]
pub fn list(operators: &Operators) -> FirmwareList {
    let provisioner = operators.service.provisioner();
    let library = provisioner.library();
    let (mut asked, missing) = asked(&operators.service.view.read());
    let items = library.firmware_files().map(|(name, bytes)| FirmwareView {
        name: name.to_owned(),
        bytes,
        lacking: library.lacking(name).to_vec(),
        asked: asked.remove(&name.to_lowercase()).unwrap_or_default(),
    });
    let items = items.collect();
    // What was put here since is asked for again, and then it is found.
    let missing = missing.into_iter().filter(|(name, _)| library.firmware(name).is_none());
    let missing = missing.map(|(_, view)| view).take(MAX_MISSING).collect();
    FirmwareList { items, next: None, missing }
}

type Asked = BTreeMap<String, AskedView>;

/// Who asked for which file of firmware among his last ones, by name in lower case: what he got, and what he did not.
fn asked(state: &store::State) -> (Asked, BTreeMap<String, MissingView>) {
    let (mut got, mut missing) = (Asked::new(), BTreeMap::<String, MissingView>::new());
    for (mac, phone) in &state.phones {
        let mut seen = Vec::new();
        let firmware = phone.boot.transfers.iter().rev();
        for one in firmware.filter(|one| one.role == Role::Firmware && !one.normal) {
            let name = one.name.rsplit_once('/').map_or(one.name.as_str(), |(_, base)| base);
            let key = name.to_lowercase();
            if seen.contains(&key) {
                continue;
            }
            if one.refused.is_none() {
                got.entry(key.clone()).or_default().add(*mac);
            } else if missing.len() < MAX_MISSING || missing.contains_key(&key) {
                let new = || MissingView { name: name.to_owned(), asked: AskedView::default() };
                missing.entry(key.clone()).or_insert_with(new).asked.add(*mac);
            }
            seen.push(key);
        }
    }
    (got, missing)
}
