//! A dead phone replaced, and a proposed repair accepted: one call each, one commit, and `undo` takes it back.

use std::collections::BTreeSet;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Change, Finding, Mac, StagingChange, Timestamp},
    provision::{self, Accepted, Swap, SwapError, inventory},
    store,
};

use super::{
    super::operators::Operators,
    phones::{mac, view},
    problem::{Details, Params, switch},
    view::PhoneView,
};

/// Which phone takes the place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// The new phone's MAC, in any spelling.
    by: String,
}

/// Whether to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub struct Sure {
    /// Do it even if something speaks against it, such as a new phone that is not like the old one.
    #[serde(deserialize_with = "switch")]
    pub(super) confirm: bool,
    /// Change nothing, and tell what would come of it: differences are no refusal then.
    #[serde(deserialize_with = "switch")]
    dry_run: bool,
}

/// A phone that was replaced.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replaced {
    /// The old phone, not listed any more; its record stays.
    old: String,
    /// The new phone, with the entry, the lines, the reservation and the number of the old one.
    new: PhoneView,
    /// In what the new phone differs.
    differences: Vec<String>,
    /// What is to know.
    notes: Vec<String>,
    /// How many lines have a new SIP password, which their registrar has to learn.
    renewed: usize,
    /// The number of the commit, for `undo`; null after a dry run.
    commit: Option<u64>,
}

/// Which finding's repair to accept.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Kind {
    /// Its kind, such as `wrong-model`; the first that proposes one unless said.
    kind: Option<String>,
}

/// Puts another phone in the place of one. A difference of model is a 409 that says it, unless `confirm`; `dry-run` only
/// tells what would come of it.
#[utoipa::path(post, path = "/api/v1/phones/{mac}/replace", tag = "phones", params(("mac" = String, Path), Sure),
    request_body = By,
    responses((status = 200, body = Replaced), (status = 404, body = Details), (status = 409, body = Details)))]
pub async fn replace(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    Params(sure): Params<Sure>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Replaced>, Details> {
    let old = mac(&text)?;
    let by: By = serde_json::from_slice(&body?).map_err(|error| Details::bad(error.to_string()))?;
    let new = inventory::mac(&by.by).map_err(|fault| Details::bad(fault.to_string()))?;
    // One edit at a time: what it is checked against must still hold when it is committed.
    let _turn = operators.edits.lock().await;
    let swap = {
        let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
        provisioner.replace(&state, (old, new), Timestamp::now(), provision::password)?
    };
    if sure.dry_run {
        let preview = would_be(&operators, new, &swap);
        return Ok(Json(Replaced::new((old, preview), swap, None)));
    }
    if !swap.differences.is_empty() && !sure.confirm {
        let text =
            format!("{}; `confirm` (--yes) replaces it all the same", swap.differences.join("; "));
        return Err(Details::new(StatusCode::CONFLICT, text));
    }
    let commit = operators.service.journal.commit(swap.batch.clone()).await?.number;
    let renewed = swap.renewed;
    tracing::info!(%old, %new, renewed, commit, "an operator replaced a phone");
    let new = view(&operators, new, false)?;
    Ok(Json(Replaced::new((old, new), swap, Some(commit))))
}

/// The new phone as it would be with the entry of the old one.
fn would_be(operators: &Operators, new: Mac, swap: &Swap) -> PhoneView {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    let mut phone = state.phones.get(&new).cloned().unwrap_or_default();
    let entry = swap.batch.changes.iter().find_map(|change| match change {
        Change::Listed(mac, entry) if *mac == new => Some(entry),
        _ => None,
    });
    phone.entry = entry.map(|entry| entry.as_ref().clone().into());
    let report = provisioner.report(new, &phone, &state, Timestamp::now());
    PhoneView::new(new, &phone, &report, false)
}

impl Replaced {
    fn new((old, new): (Mac, PhoneView), swap: Swap, commit: Option<u64>) -> Self {
        let Swap { differences, notes, renewed, .. } = swap;
        Self { old: old.to_string(), new, differences, notes, renewed, commit }
    }
}

impl From<SwapError> for Details {
    fn from(error: SwapError) -> Self {
        let status = match error {
            SwapError::NotListed(_) => StatusCode::NOT_FOUND,
            SwapError::Listed { .. } => StatusCode::CONFLICT,
            SwapError::Same(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// What is wrong with a phone of an open batch; nothing for another phone.
pub fn found(operators: &Operators, mac: Mac) -> Vec<Finding> {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    let staged = state.phones.get(&mac).filter(|_| state.staging_of(mac).is_some());
    let report = staged.map(|phone| provisioner.report(mac, phone, &state, Timestamp::now()));
    report.map(|report| report.findings).unwrap_or_default()
}

/// What is wrong with the phones of open batches, before something changes for many of them at once: those of `about`, or
/// all. Only as many as batches hold.
pub fn found_on_benches(
    operators: &Operators,
    about: Option<&BTreeSet<Mac>>,
) -> Vec<(Mac, Vec<Finding>)> {
    let staged: Vec<Mac> = {
        let state = operators.service.view.read();
        let open = state.stagings.values().filter(|one| one.end.is_none());
        let phones = open.flat_map(|one| one.phones.keys().copied());
        phones.filter(|mac| about.is_none_or(|about| about.contains(mac))).collect()
    };
    let wrong = staged.into_iter().map(|mac| (mac, found(operators, mac)));
    wrong.filter(|(_, wrong)| !wrong.is_empty()).collect()
}

/// Lets the batches of phones remember what was mended, as [`remember`] does for one.
///
/// # Errors
///
/// Where the store takes nothing.
pub async fn remember_all(
    operators: &Operators,
    before: Vec<(Mac, Vec<Finding>)>,
) -> Result<(), Details> {
    let changes: Vec<_> =
        before.into_iter().flat_map(|(mac, wrong)| mended(operators, mac, wrong)).collect();
    if !changes.is_empty() {
        operators.service.commit(changes.into()).await?;
    }
    Ok(())
}

/// Lets the batch of a phone remember what an edit of its entry mended: of what was wrong before, what is not any more.
///
/// # Errors
///
/// Where the store takes nothing.
pub async fn remember(
    operators: &Operators,
    mac: Mac,
    before: Vec<Finding>,
) -> Result<(), Details> {
    remember_all(operators, vec![(mac, before)]).await
}

/// What the batch of a phone remembers: of what was wrong before, what is not any more.
fn mended(operators: &Operators, mac: Mac, before: Vec<Finding>) -> Vec<Change> {
    let after = found(operators, mac);
    let gone = before.into_iter().filter(|one| after.iter().all(|other| other.kind != one.kind));
    let state = operators.service.view.read();
    let Some((id, _)) = state.staging_of(mac) else { return Vec::new() };
    let text = |one: Finding| format!("{}: {}", one.kind.as_str(), one.text);
    let solved = gone.map(|one| StagingChange::Solved(mac, text(one)));
    solved.map(|solved| Change::Staging(id, Box::new(solved))).collect()
}

/// What a batch on the bench remembers of a repair, if one has the phone.
fn solved(state: &store::State, mac: Mac, accepted: &Accepted) -> Option<Change> {
    let staging_of = |mac: Mac| state.staging_of(mac).map(|(id, _)| (id, mac));
    let (id, phone) = staging_of(accepted.phone).or_else(|| staging_of(mac))?;
    let text = format!("{}: {}", accepted.finding.kind.as_str(), accepted.finding.text);
    Some(Change::Staging(id, Box::new(StagingChange::Solved(phone, text))))
}

/// A phone after a repair.
#[derive(Debug, Serialize, ToSchema)]
pub struct Repaired {
    /// The phone.
    #[serde(flatten)]
    phone: PhoneView,
    /// The number of the commit, for `undo`.
    commit: u64,
}

/// Accepts the repair that a finding proposes, such as the model that the phone says it is. Answers with the phone under
/// the MAC that it is listed by then.
#[utoipa::path(post, path = "/api/v1/phones/{mac}/accept", tag = "phones", params(("mac" = String, Path)),
    request_body = Kind,
    responses((status = 200, body = Repaired), (status = 409, body = Details, description = "nothing is proposed")))]
pub async fn accept(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Repaired>, Details> {
    let (mac, body) = (mac(&text)?, body?);
    let wanted = if body.is_empty() { Ok(Kind::default()) } else { serde_json::from_slice(&body) };
    let wanted: Kind = wanted.map_err(|error| Details::bad(error.to_string()))?;
    let _turn = operators.edits.lock().await;
    let accepted = {
        let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
        let accepted = provisioner.accept(&state, mac, wanted.kind.as_deref(), Timestamp::now());
        let mut accepted = accepted.map_err(|text| Details::new(StatusCode::CONFLICT, text))?;
        accepted.batch.changes.extend(solved(&state, mac, &accepted));
        accepted
    };
    let commit = operators.service.journal.commit(accepted.batch).await?.number;
    let kind = accepted.finding.kind.as_str();
    tracing::info!(phone = %mac, kind, commit, "an operator accepted a repair");
    Ok(Json(Repaired { phone: view(&operators, accepted.phone, false)?, commit }))
}
