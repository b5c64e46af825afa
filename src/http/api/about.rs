//! What the appliance says about itself.

use axum::{Extension, Json, extract::State};
use serde::Serialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::{domain::Timestamp, store};

use super::{
    super::{operators::Operators, trust::Guard},
    problem::Details,
    view::moment,
};

/// The appliance itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AboutView {
    /// Of the binary.
    pub version: String,
    /// Since when it runs.
    pub since: String,
    /// The settings file; null where the defaults hold.
    pub settings: Option<String>,
    /// The state directory.
    pub state: String,
    /// Octets of the store; null where it can't be measured.
    pub bytes: Option<u64>,
    /// Stores that could not be read and were set aside, with their octets.
    pub set_aside: Vec<(String, u64)>,
    /// The number of the last commit.
    pub commit: u64,
    /// Phones that are listed.
    pub listed: usize,
    /// Phones, listed or seen.
    pub phones: usize,
    /// Leases that are active.
    pub leases: usize,
    /// Families that ringup provisions.
    pub families: usize,
    /// Families that it only recognizes.
    pub recognized: usize,
    /// What an operator should know as long as it holds.
    pub notices: Vec<String>,
    /// Who may use this page and the API.
    pub access: AccessView,
}

/// Who may use the page and the API.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct AccessView {
    /// Whoever has the password.
    pub password: bool,
    /// Whoever has the token.
    pub token: bool,
    /// Names under which it is reached, besides its addresses and `localhost`.
    pub hosts: Vec<String>,
}

/// Tells version, sizes, notices, and who may log in.
#[utoipa::path(get, path = "/api/v1/about", tag = "appliance",
    responses((status = 200, body = AboutView), (status = 500, body = Details)))]
pub async fn about(
    State(operators): State<Operators>,
    guard: Option<Extension<Guard>>,
) -> Result<Json<AboutView>, Details> {
    view(operators, guard.map(|Extension(guard)| guard)).await.map(Json)
}

/// All of it. Without a guard nobody is asked for anything.
///
/// # Errors
///
/// 500 if measuring breaks; a directory that can't be read is no error.
pub async fn view(operators: Operators, guard: Option<Guard>) -> Result<AboutView, Details> {
    let directory = operators.service.provisioner().settings().appliance.state.clone();
    let state = directory.display().to_string();
    // The disk may be slow, and a page that says where it is must come up then too.
    let size = spawn_blocking(move || store::size(&directory)).await;
    let size = size.map_err(|fault| Details::fault(fault.to_string()))?.ok();
    let provisioner = operators.service.provisioner();
    let (mut families, mut recognized) = (0, 0);
    for family in provisioner.catalog().families() {
        *(if family.provisions { &mut families } else { &mut recognized }) += 1;
    }
    let notices = operators.about.notices.iter().cloned();
    let now = Timestamp::now();
    let facts = operators.service.view.read();
    Ok(AboutView {
        version: operators.about.version.clone(),
        since: moment(operators.started),
        settings: operators.about.settings.clone(),
        state,
        bytes: size.as_ref().map(|size| size.store),
        set_aside: size
            .into_iter()
            .flat_map(|size| size.set_aside)
            .map(|(path, octets)| (path.display().to_string(), octets))
            .collect(),
        commit: facts.commit,
        listed: facts.listed(),
        phones: facts.phones.len(),
        leases: facts.leases.values().filter(|lease| lease.is_active(now)).count(),
        families,
        recognized,
        notices: notices.chain(operators.service.notices.texts()).collect(),
        access: guard.map(|guard| guard.network().access()).unwrap_or_default(),
    })
}
