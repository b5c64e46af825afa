//! Batches on the bench: opened, filled by scanning, handed over, closed.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::StatusCode,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::{
    domain::{Batch, FindingKind, Purpose, StagingChange, StagingId, Timestamp},
    provision::{Called, StagingArrival, StagingError, inventory},
    store,
};

use super::{
    super::operators::Operators,
    batch_view::{BatchView, BatchesView, ByHand, StagedView},
    phones::mac,
    problem::{Details, Params},
    repair::{Sure, found, remember},
};

/// What is said about a batch. What is left out of a change stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BatchGiven {
    /// What it is called.
    name: Option<String>,
    /// Who stages it.
    operator: Option<String>,
    /// The site that its phones go to; empty for none.
    site: Option<String>,
    /// How many phones are to come; 0 for nobody knows.
    planned: Option<u16>,
    /// True to give slots out in the order of plugging in, not in that of scanning.
    by_plugging: Option<bool>,
}

/// A phone that is scanned into a batch.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScannedIn {
    /// Its MAC in any spelling.
    mac: String,
    /// Its place on the bench, from 1; the next free one unless said.
    slot: Option<u16>,
    /// Who scans; the batch's operator unless said.
    by: Option<String>,
    /// Lists it with this number.
    number: Option<String>,
    /// Lists it with this name.
    name: Option<String>,
    /// Lists it as this model.
    model: Option<String>,
    /// Lists it even if none of these is said.
    list: bool,
}

/// What changes about a phone of a batch.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StagedGiven {
    /// Its place on the bench; 0 for none.
    slot: Option<u16>,
    /// Why it is put aside; empty to take it back.
    failed: Option<String>,
}

impl BatchGiven {
    fn over(self, before: Purpose) -> Purpose {
        Purpose {
            name: self.name.unwrap_or(before.name),
            operator: self.operator.unwrap_or(before.operator),
            site: self.site.or(before.site),
            planned: self.planned.unwrap_or(before.planned),
            by_plugging: self.by_plugging.unwrap_or(before.by_plugging),
        }
    }
}

impl From<StagingError> for Details {
    fn from(error: StagingError) -> Self {
        let status = match error {
            StagingError::NoSuch(_) | StagingError::NotThere { .. } => StatusCode::NOT_FOUND,
            StagingError::Bad(_) => StatusCode::BAD_REQUEST,
            StagingError::Faults(_) => StatusCode::UNPROCESSABLE_ENTITY,
            StagingError::Closed(_)
            | StagingError::HandedOver(_)
            | StagingError::NotHandedOver(_)
            | StagingError::Elsewhere { .. }
            | StagingError::Full
            | StagingError::TooMany
            | StagingError::Unfinished(_) => StatusCode::CONFLICT,
        };
        Self::new(status, error.to_string())
    }
}

fn read<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Details> {
    serde_json::from_slice(&body?).map_err(|error| Details::bad(error.to_string()))
}

/// Commits what `make` works out, one edit at a time: what it is checked against must still hold then.
async fn commit(
    operators: &Operators,
    make: impl FnOnce(&store::State) -> Result<Batch, StagingError>,
) -> Result<(), Details> {
    let _turn = operators.edits.lock().await;
    let batch = make(&operators.service.view.read())?;
    operators.service.commit(batch).await?;
    Ok(())
}

/// A batch as it is now.
fn view(operators: &Operators, id: StagingId) -> Result<BatchView, Details> {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    let staging = state.stagings.get(&id).ok_or(StagingError::NoSuch(id))?;
    Ok(BatchView::whole(&provisioner, &state, (id, staging), Timestamp::now()))
}

/// Lists all batches, the latest first, without their phones.
#[utoipa::path(get, path = "/api/v1/batches", tag = "batches", responses((status = 200, body = BatchesView)))]
pub async fn list(State(operators): State<Operators>) -> Json<BatchesView> {
    let state = operators.service.view.read();
    let latest_first = state.stagings.iter().rev();
    let items = latest_first.map(|(id, staging)| BatchView::of(*id, staging)).collect();
    Json(BatchesView { items, next: None })
}

/// Opens a batch. Several may be open.
#[utoipa::path(post, path = "/api/v1/batches", tag = "batches", request_body = BatchGiven,
    responses((status = 201, body = BatchView), (status = 400, body = Details), (status = 409, body = Details)))]
pub async fn open(
    State(operators): State<Operators>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<BatchView>), Details> {
    let given: BatchGiven = read(body)?;
    let purpose = given.over(Purpose::default());
    let provisioner = operators.service.provisioner();
    let mut opened = 0;
    commit(&operators, |state| {
        let (id, batch) = provisioner.open_staging(state, purpose, Timestamp::now())?;
        opened = id;
        Ok(batch)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(view(&operators, opened)?)))
}

/// Shows a batch with its phones.
#[utoipa::path(get, path = "/api/v1/batches/{id}", tag = "batches", params(("id" = u32, Path)),
    responses((status = 200, body = BatchView), (status = 404, body = Details)))]
pub async fn one(
    State(operators): State<Operators>,
    Path(id): Path<String>,
) -> Result<Json<BatchView>, Details> {
    view(&operators, number(&id)?).map(Json)
}

/// Changes what is said about a batch.
#[utoipa::path(patch, path = "/api/v1/batches/{id}", tag = "batches", params(("id" = u32, Path)),
    request_body = BatchGiven,
    responses((status = 200, body = BatchView), (status = 404, body = Details), (status = 409, body = Details)))]
pub async fn describe(
    State(operators): State<Operators>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<BatchView>, Details> {
    let (id, given): (_, BatchGiven) = (number(&id)?, read(body)?);
    let provisioner = operators.service.provisioner();
    commit(&operators, |state| {
        let before = state.stagings.get(&id).map(|one| one.purpose.clone()).unwrap_or_default();
        provisioner.describe_staging(state, id, given.over(before))
    })
    .await?;
    view(&operators, id).map(Json)
}

/// Scans a phone into a batch; with a number, a name or a model it is listed as well.
#[utoipa::path(post, path = "/api/v1/batches/{id}/phones", tag = "batches", params(("id" = u32, Path)),
    request_body = ScannedIn,
    responses((status = 200, body = StagedView), (status = 404, body = Details), (status = 409, body = Details),
        (status = 422, body = Details)))]
pub async fn scan_in(
    State(operators): State<Operators>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<StagedView>, Details> {
    let (id, given): (_, ScannedIn) = (number(&id)?, read(body)?);
    let phone = inventory::mac(&given.mac).map_err(|fault| Details::bad(fault.to_string()))?;
    let provisioner = operators.service.provisioner();
    let mut wrong = found(&operators, phone);
    // That it was not listed is remembered by who lists it on the bench.
    let seen = operators.service.view.read().phones.get(&phone).is_some_and(|it| it.boot.is_seen());
    // A scan proves no label either: who it is mistaken for may change by it, and no more.
    wrong.retain(|one| one.kind != FindingKind::NotListed);
    wrong.retain(|one| seen || one.kind != FindingKind::BadLabel);
    commit(&operators, |state| {
        let operator = state.stagings.get(&id).map(|one| one.purpose.operator.clone());
        let mut fields: Vec<(String, String)> =
            [("number", given.number), ("name", given.name), ("model", given.model)]
                .into_iter()
                .filter_map(|(field, value)| Some((field.to_owned(), value?)))
                .collect();
        if given.list && fields.is_empty() {
            fields.push(("note".to_owned(), String::new()));
        }
        let by = given.by.or(operator).unwrap_or_default();
        let arrival = StagingArrival { by, slot: given.slot.filter(|slot| *slot > 0), fields };
        provisioner.stage_phone(state, (id, phone), arrival, Timestamp::now())
    })
    .await?;
    remember(&operators, phone, wrong).await?;
    staged(&operators, id, phone)
}

fn staged(
    operators: &Operators,
    id: StagingId,
    phone: crate::domain::Mac,
) -> Result<Json<StagedView>, Details> {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    let staging = state.stagings.get(&id).ok_or(StagingError::NoSuch(id))?;
    let view = StagedView::of(&provisioner, &state, staging, phone, Timestamp::now());
    let missing = || Details::from(StagingError::NotThere { phone, batch: id });
    view.map(Json).ok_or_else(missing)
}

/// Moves a phone of a batch to another slot, puts it aside, or takes it back.
#[utoipa::path(patch, path = "/api/v1/batches/{id}/phones/{mac}", tag = "batches",
    params(("id" = u32, Path), ("mac" = String, Path)), request_body = StagedGiven,
    responses((status = 200, body = StagedView), (status = 404, body = Details), (status = 409, body = Details)))]
pub async fn restage(
    State(operators): State<Operators>,
    Path((id, text)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<StagedView>, Details> {
    let (id, phone, given): (_, _, StagedGiven) = (number(&id)?, mac(&text)?, read(body)?);
    let provisioner = operators.service.provisioner();
    let slot = given.slot.map(|slot| StagingChange::Placed(phone, Some(slot).filter(|it| *it > 0)));
    let failed = given.failed.map(|why| Some(why).filter(|why| !why.trim().is_empty()));
    let failed = failed.map(|why| StagingChange::Failed(phone, why));
    let wanted: Vec<_> = slot.into_iter().chain(failed).collect();
    commit(&operators, |state| {
        let mut batch = Batch::default();
        for one in wanted {
            batch.changes.extend(provisioner.restage(state, id, one)?.changes);
        }
        Ok(batch)
    })
    .await?;
    staged(&operators, id, phone)
}

/// Takes a phone out of a batch that should not have been scanned. Its entry stays.
#[utoipa::path(delete, path = "/api/v1/batches/{id}/phones/{mac}", tag = "batches",
    params(("id" = u32, Path), ("mac" = String, Path)),
    responses((status = 204), (status = 404, body = Details), (status = 409, body = Details)))]
pub async fn remove(
    State(operators): State<Operators>,
    Path((id, text)): Path<(String, String)>,
) -> Result<StatusCode, Details> {
    let (id, phone) = (number(&id)?, mac(&text)?);
    let provisioner = operators.service.provisioner();
    let removed = StagingChange::Removed(phone);
    commit(&operators, |state| provisioner.restage(state, id, removed)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the use of staging values: phones get production values from now on, are told to come again where ringup can,
/// and are sealed once they have them. Phones
/// that can't be sealed, because they have no entry or their file can't be made, are a 409 that says so, unless `confirm`.
#[utoipa::path(post, path = "/api/v1/batches/{id}/hand-over", tag = "batches", params(("id" = u32, Path), Sure),
    responses((status = 200, body = BatchView), (status = 404, body = Details), (status = 409, body = Details)))]
pub async fn hand_over(
    State(operators): State<Operators>,
    Path(id): Path<String>,
    Params(sure): Params<Sure>,
) -> Result<Json<BatchView>, Details> {
    let id = number(&id)?;
    let provisioner = operators.service.provisioner();
    let broken = if sure.confirm {
        Vec::new()
    } else {
        provisioner.rehearse_hand_over(id, Timestamp::now())
    };
    if let Some((phone, why)) = broken.first() {
        let count = broken.len();
        let text = format!("{count} of its phones have no production file: {phone}, {why}");
        return Err(StagingError::Unfinished(text).into());
    }
    commit(&operators, |state| provisioner.hand_over(state, id, sure.confirm, Timestamp::now()))
        .await?;
    let phones: Vec<_> = {
        let state = operators.service.view.read();
        let staging = state.stagings.get(&id).into_iter();
        let phones = staging.flat_map(|one| &one.phones);
        phones.filter(|(_, one)| one.failed.is_none()).map(|(mac, _)| *mac).collect()
    };
    let left = phones.into_iter().filter_map(|mac| {
        let why = match operators.service.resync(mac) {
            Called::Asked { .. } => return None,
            Called::Later => "too many were asked at once".to_owned(),
            Called::Restart(why) => why.to_string(),
        };
        Some(ByHand { mac: mac.to_string(), why })
    });
    let left: Vec<_> = left.collect();
    let restart = left.len();
    tracing::info!(batch = id, restart, "an operator handed a batch over");
    let view = view(&operators, id)?;
    Ok(Json(BatchView { restart: Some(restart), by_hand: Some(left), ..view }))
}

/// Takes a hand-over back: phones get staging values again, and none is sealed.
#[utoipa::path(post, path = "/api/v1/batches/{id}/take-back", tag = "batches", params(("id" = u32, Path)),
    responses((status = 200, body = BatchView), (status = 404, body = Details), (status = 409, body = Details)))]
pub async fn take_back(
    State(operators): State<Operators>,
    Path(id): Path<String>,
) -> Result<Json<BatchView>, Details> {
    let id = number(&id)?;
    let provisioner = operators.service.provisioner();
    commit(&operators, |state| provisioner.restage(state, id, StagingChange::TakenBack)).await?;
    view(&operators, id).map(Json)
}

/// Closes a batch. Phones that are not sealed are a 409 that says how many, unless `confirm`.
#[utoipa::path(post, path = "/api/v1/batches/{id}/close", tag = "batches", params(("id" = u32, Path), Sure),
    responses((status = 200, body = BatchView), (status = 404, body = Details), (status = 409, body = Details)))]
pub async fn close(
    State(operators): State<Operators>,
    Path(id): Path<String>,
    Params(sure): Params<Sure>,
) -> Result<Json<BatchView>, Details> {
    let id = number(&id)?;
    let provisioner = operators.service.provisioner();
    commit(&operators, |state| {
        provisioner.close_staging(state, id, sure.confirm, Timestamp::now())
    })
    .await?;
    tracing::info!(batch = id, "an operator closed a batch");
    view(&operators, id).map(Json)
}

/// Reads the number of a batch out of a path.
///
/// # Errors
///
/// 400 for anything else.
pub fn number(text: &str) -> Result<StagingId, Details> {
    let bad =
        || Details::bad(format!("`{}` is no number of a batch", crate::domain::clip(text, 40)));
    text.parse().map_err(|_| bad())
}
