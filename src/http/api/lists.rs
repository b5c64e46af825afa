//! What else there is to list: findings, leases, families.

use std::{net::Ipv4Addr, ops::Bound};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::Timestamp,
    profile::{Form, ServerOption},
    provision::Found,
};

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

/// Which leases, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct WantedLeases {
    /// Only where this text is in the address, the MAC, or the number, name or model of its phone.
    q: Option<String>,
    /// Only leases that are active (`true`), or only ended ones (`false`).
    active: Option<bool>,
    /// Only behind this address: the `next` of the page before.
    after: Option<String>,
    /// At most so many; 1000 at most, and unless said.
    limit: Option<usize>,
}

/// A page of leases.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeasePage {
    items: Vec<LeaseRow>,
    next: Option<String>,
}

/// A lease and whose phone it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeaseRow {
    #[serde(flatten)]
    lease: LeaseView,
    /// Number and name that are listed for it; empty for a stranger.
    label: String,
    /// The model that it showed, else the listed one.
    model: String,
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
    /// DHCP options that name its server, in the order in which it honours them, as ringup writes them.
    options: Vec<ServerOptionView>,
    resync: String,
    /// What to press to give it back its factory settings; empty if no source says.
    reset: String,
    sources: Vec<String>,
    /// Facts that no source confirms.
    unverified: Vec<String>,
}

/// A DHCP option that names a family's server.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerOptionView {
    /// Its code; of a sub-option inside option 43, such as `43.2`.
    pub option: String,
    /// What it carries.
    pub text: String,
}

impl From<&ServerOption> for ServerOptionView {
    fn from(server: &ServerOption) -> Self {
        let option = match server.sub {
            Some(sub) => format!("{}.{sub}", server.code),
            None => server.code.to_string(),
        };
        let text = match server.form {
            Form::Addresses => "the addresses of all servers".to_owned(),
            Form::Bare => "the first server's address as text".to_owned(),
            Form::Text => server.text.clone(),
        };
        Self { option, text }
    }
}

/// A file that a family asks for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FileView {
    name: String,
    role: &'static str,
    required: bool,
    template: Option<String>,
    /// Asking for it in vain is no fault.
    normal_miss: bool,
    note: String,
}

/// Lists all findings, phone by phone. A page ends with a whole phone, so it may be a little longer than asked.
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings", params(Page),
    responses((status = 200, body = FindingPage)))]
pub async fn findings(
    State(operators): State<Operators>,
    Params(page): Params<Page>,
) -> Result<Json<FindingPage>, Details> {
    let after = page.after.as_deref().filter(|after| !after.is_empty()).map(mac).transpose()?;
    let ledger = &operators.service.ledger;
    ledger.refresh(&operators.service).await;
    let found = ledger.page(after, page.limit());
    let last = found.last().map(|(mac, _)| *mac);
    let next = last.filter(|last| !ledger.page(Some(*last), 1).is_empty());
    let of_one = |(mac, findings): &Found| {
        findings.iter().map(|finding| FindingView::new(Some(*mac), finding)).collect::<Vec<_>>()
    };
    let items = found.iter().flat_map(of_one).collect();
    Ok(Json(FindingPage { items, next: next.map(|mac| mac.to_string()) }))
}

/// Lists leases by address, ended ones included until somebody else gets the address.
#[utoipa::path(get, path = "/api/v1/leases", tag = "leases", params(WantedLeases),
    responses((status = 200, body = LeasePage)))]
pub async fn leases(
    State(operators): State<Operators>,
    Params(wanted): Params<WantedLeases>,
) -> Result<Json<LeasePage>, Details> {
    let mut after: Option<Ipv4Addr> =
        match wanted.after.as_deref().filter(|after| !after.is_empty()) {
            None => None,
            Some(text) => {
                Some(text.parse().map_err(|_| Details::bad("`after` is no IPv4 address"))?)
            }
        };
    let limit = wanted.limit.unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT);
    let words = wanted.q.as_deref().unwrap_or_default().trim().to_lowercase();
    let mut items = Vec::new();
    loop {
        after = leased(&operators, after, limit, (&words, wanted.active), &mut items);
        if after.is_none() || items.len() >= limit {
            return Ok(Json(LeasePage { items, next: after.map(|address| address.to_string()) }));
        }
        tokio::task::yield_now().await;
    }
}

/// The next leases that fit; the last address looked at, or `None` if there are no more.
fn leased(
    operators: &Operators,
    after: Option<Ipv4Addr>,
    limit: usize,
    (words, active): (&str, Option<bool>),
    items: &mut Vec<LeaseRow>,
) -> Option<Ipv4Addr> {
    let (now, state) = (Timestamp::now(), operators.service.view.read());
    let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut last = None;
    for (looked, (address, lease)) in state.leases.range((behind, Bound::Unbounded)).enumerate() {
        if looked >= AT_A_TIME || items.len() >= limit {
            return last;
        }
        last = Some(*address);
        if active.is_some_and(|active| active != lease.is_active(now)) {
            continue;
        }
        let phone = state.phones.get(&lease.mac);
        let entry = phone.and_then(|phone| phone.entry.as_deref());
        let line = entry.and_then(|entry| entry.lines.first());
        let label = line.map(|line| format!("{} {}", line.number, line.name).trim().to_owned());
        let label = label.unwrap_or_default();
        let shown = phone.and_then(|phone| phone.grounds.iter().find_map(|one| one.model.clone()));
        let model = shown.or_else(|| entry.map(|entry| entry.model.clone())).unwrap_or_default();
        let (mac, bare) = (lease.mac.to_string(), lease.mac.lower());
        let hay = format!("{address}\n{mac}\n{bare}\n{label}\n{model}").to_lowercase();
        if words.split_whitespace().all(|word| hay.contains(word)) {
            items.push(LeaseRow { lease: LeaseView::new(lease, now), label, model });
        }
    }
    None
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
                normal_miss: file.normal.miss,
                note: file.note.clone(),
            })
            .collect(),
        options: family.dhcp.servers.iter().map(ServerOptionView::from).collect(),
        resync: family.resync.clone(),
        reset: family.reset.clone(),
        sources: family.sources.clone(),
        unverified: family.unverified.clone(),
    });
    Json(ProfileList { items: items.collect(), next: None })
}
