//! What else there is to list: findings, leases, families, firmware.

use std::{net::Ipv4Addr, ops::Bound};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::{Mac, Timestamp};

use super::{
    super::operators::Operators,
    phones::{MAX_LIMIT, mac},
    problem::{Details, Params},
    view::{FindingView, LeaseView},
};

/// Phones looked at under one lock.
const AT_A_TIME: usize = 256;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only behind this one: the `next` of the page before.
    after: Option<String>,
    /// At most so many; 1000 at most, and unless said.
    limit: Option<usize>,
}

impl Page {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT)
    }
}

/// A page of findings.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingPage {
    items: Vec<FindingView>,
    next: Option<String>,
}

/// A page of leases.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeasePage {
    items: Vec<LeaseView>,
    next: Option<String>,
}

/// All families.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileList {
    items: Vec<ProfileView>,
    next: Option<String>,
}

/// A phone family.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileView {
    family: String,
    vendor: String,
    title: String,
    /// False for a family that is only recognized.
    provisions: bool,
    models: Vec<String>,
    files: Vec<FileView>,
    resync: String,
    /// What to press to give it back its factory settings; empty if no source says.
    reset: String,
    sources: Vec<String>,
    /// Facts that no source confirms.
    unverified: Vec<String>,
}

/// A file that a family asks for.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileView {
    name: String,
    role: &'static str,
    required: bool,
    template: Option<String>,
    note: String,
}

/// Lists all findings, phone by phone. A page ends with a whole phone, so it may be a little longer than asked.
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings", params(Page),
    responses((status = 200, body = FindingPage)))]
pub async fn findings(
    State(operators): State<Operators>,
    Params(page): Params<Page>,
) -> Result<Json<FindingPage>, Details> {
    let mut after = page.after.as_deref().filter(|after| !after.is_empty()).map(mac).transpose()?;
    let mut items = Vec::new();
    loop {
        after = scan(&operators, after, page.limit(), &mut items);
        if after.is_none() || items.len() >= page.limit() {
            return Ok(Json(FindingPage { items, next: after.map(|mac| mac.to_string()) }));
        }
        tokio::task::yield_now().await;
    }
}

/// Findings of the next phones; the last phone looked at, or `None` if there are no more.
fn scan(
    operators: &Operators,
    after: Option<Mac>,
    limit: usize,
    items: &mut Vec<FindingView>,
) -> Option<Mac> {
    let (provisioner, now) = (operators.service.provisioner(), Timestamp::now());
    let state = operators.service.view.read();
    let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut last = None;
    for (looked, (mac, phone)) in state.phones.range((behind, Bound::Unbounded)).enumerate() {
        if looked >= AT_A_TIME || items.len() >= limit {
            return last;
        }
        let report = provisioner.report(*mac, phone, &state, now);
        items.extend(report.findings.iter().map(|finding| FindingView::new(Some(*mac), finding)));
        last = Some(*mac);
    }
    None
}

/// Lists leases by address, ended ones included until somebody else gets the address.
#[utoipa::path(get, path = "/api/v1/leases", tag = "leases", params(Page),
    responses((status = 200, body = LeasePage)))]
pub async fn leases(
    State(operators): State<Operators>,
    Params(page): Params<Page>,
) -> Result<Json<LeasePage>, Details> {
    let after: Option<Ipv4Addr> = match page.after.as_deref().filter(|after| !after.is_empty()) {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Details::bad("`after` is no IPv4 address"))?),
    };
    let (now, state) = (Timestamp::now(), operators.service.view.read());
    let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut rest = state.leases.range((behind, Bound::Unbounded));
    let items: Vec<_> = rest
        .by_ref()
        .take(page.limit())
        .map(|(address, lease)| (*address, LeaseView::new(lease, now)))
        .collect();
    let next = rest.next().and(items.last()).map(|(address, _)| address.to_string());
    drop(state);
    Ok(Json(LeasePage { items: items.into_iter().map(|(_, lease)| lease).collect(), next }))
}

/// Lists the phone families.
#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles", responses((status = 200, body = ProfileList)))]
pub async fn profiles(State(operators): State<Operators>) -> Json<ProfileList> {
    let provisioner = operators.service.provisioner();
    let items = provisioner.catalog().families().map(|family| ProfileView {
        family: family.name.to_string(),
        vendor: family.vendor.clone(),
        title: family.title.clone(),
        provisions: family.provisions,
        models: family.models.keys().cloned().collect(),
        files: family
            .files
            .iter()
            .map(|file| FileView {
                name: file.name.clone(),
                role: file.role.as_str(),
                required: file.required,
                template: file.template.clone(),
                note: file.note.clone(),
            })
            .collect(),
        resync: family.resync.clone(),
        reset: family.reset.clone(),
        sources: family.sources.clone(),
        unverified: family.unverified.clone(),
    });
    Json(ProfileList { items: items.collect(), next: None })
}

/// The firmware directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirmwareList {
    items: Vec<FirmwareView>,
    next: Option<String>,
}

/// A file of the firmware directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct FirmwareView {
    name: String,
    bytes: u64,
}

/// Lists the files of the firmware directory by the names that phones ask for.
#[utoipa::path(get, path = "/api/v1/firmware", tag = "firmware", responses((status = 200, body = FirmwareList)))]
pub async fn firmware(State(operators): State<Operators>) -> Json<FirmwareList> {
    let provisioner = operators.service.provisioner();
    let held = provisioner.library().firmware_files();
    let items = held.map(|(name, bytes)| FirmwareView { name: name.to_owned(), bytes }).collect();
    Json(FirmwareList { items, next: None })
}
