//! What is printed of a batch: its report and its labels.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    domain::{Staged, StagingId, Timestamp},
    provision::{StagingError, inventory},
};

use super::{
    super::{operators::Operators, page},
    batch_view::BatchView,
    batches::number,
    problem::{Details, Params},
    view::moment,
};

/// In which form.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Form {
    /// `html` or `csv` for a report, `html` or `zpl` for labels; `html` unless said.
    format: Option<String>,
}

/// One phone in a report.
#[derive(Clone, Debug, Default)]
pub struct ReportRow {
    /// Its place on the bench.
    pub slot: String,
    /// Its MAC.
    pub mac: String,
    /// Vendor and model.
    pub model: String,
    /// The firmware that it runs.
    pub firmware: String,
    /// Its number.
    pub number: String,
    /// The name on it.
    pub name: String,
    port: String,
    took: String,
    sealed: String,
    solved: String,
    failed: String,
    open: String,
    listed: String,
}

impl ReportRow {
    /// The columns of a report.
    pub const HEADS: [&str; 13] = [
        "Slot",
        "MAC",
        "Model",
        "Firmware",
        "Number",
        "Name",
        "Switch port",
        "Time to ready",
        "Sealed",
        "Findings solved",
        "Put aside",
        "Findings open",
        "Listed as",
    ];

    /// Its cells, in the order of [`Self::HEADS`].
    #[must_use]
    pub fn cells(&self) -> [&str; 13] {
        let Self { slot, mac, model, firmware, number, name, port, took, .. } = self;
        let Self { sealed, solved, failed, open, listed, .. } = self;
        [slot, mac, model, firmware, number, name, port, took, sealed, solved, failed, open, listed]
    }
}

/// A batch with what there is to report of its phones, by slot.
fn rows(operators: &Operators, id: StagingId) -> Result<(BatchView, Vec<ReportRow>), Details> {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    let staging = state.stagings.get(&id).ok_or(StagingError::NoSuch(id))?;
    let now = Timestamp::now();
    let mut order: Vec<_> = staging.phones.iter().collect();
    order.sort_by_key(|(mac, one)| (one.slot.unwrap_or(u16::MAX), one.at, **mac));
    let row = |mac: &crate::domain::Mac, one: &Staged| {
        let kept = one.kept.clone().unwrap_or_else(|| provisioner.kept(&state, *mac, now));
        ReportRow {
            slot: one.slot.map(|slot| slot.to_string()).unwrap_or_default(),
            mac: mac.to_string(),
            model: kept.model,
            firmware: kept.firmware,
            number: kept.number,
            name: kept.name,
            port: one.port.replace(" | ", " ").trim().to_owned(),
            took: took(one),
            sealed: one.sealed.map_or_else(|| "no".to_owned(), moment),
            solved: one.solved.join("; "),
            failed: one.failed.clone().unwrap_or_default(),
            open: kept.open.join("; "),
            listed: kept.listed,
        }
    };
    let rows = order.into_iter().map(|(mac, one)| row(mac, one)).collect();
    Ok((BatchView::of(id, staging), rows))
}

/// How long it took until a phone was ready, in minutes and seconds.
fn took(one: &Staged) -> String {
    let took = one.time_to_ready().map(|seconds| format!("{}:{:02}", seconds / 60, seconds % 60));
    took.unwrap_or_default()
}

/// The hand-over report of a batch, to print or as CSV.
#[utoipa::path(get, path = "/api/v1/batches/{id}/report", tag = "batches", params(("id" = u32, Path), Form),
    responses((status = 200, content_type = "text/html"), (status = 400, body = Details), (status = 404, body = Details)))]
pub async fn report(
    State(operators): State<Operators>,
    Path(id): Path<String>,
    Params(form): Params<Form>,
) -> Result<Response, Details> {
    let id = number(&id)?;
    match form.format.as_deref() {
        None | Some("" | "html") => {
            let (batch, rows) = rows(&operators, id)?;
            Ok(page::report(&operators, &batch, &rows).into_response())
        }
        Some("csv") => {
            let (_, rows) = rows(&operators, id)?;
            let cells = rows.iter().map(|row| row.cells().map(str::to_owned).to_vec());
            let text = inventory::plain_csv(&ReportRow::HEADS, cells);
            Ok(file(text, "text/csv; charset=utf-8", &format!("batch-{id}.csv")))
        }
        Some(_) => Err(Details::bad("`format` is html or csv")),
    }
}

/// Labels for the desks of a batch's phones, as a sheet to print or for a label printer. Phones put aside get none.
#[utoipa::path(get, path = "/api/v1/batches/{id}/labels", tag = "batches", params(("id" = u32, Path), Form),
    responses((status = 200, content_type = "text/html"), (status = 400, body = Details), (status = 404, body = Details)))]
pub async fn labels(
    State(operators): State<Operators>,
    Path(id): Path<String>,
    Params(form): Params<Form>,
) -> Result<Response, Details> {
    let id = number(&id)?;
    let (batch, mut rows) = rows(&operators, id)?;
    rows.retain(|row| row.failed.is_empty());
    match form.format.as_deref() {
        None | Some("" | "html") => Ok(page::labels(&operators, &batch, &rows).into_response()),
        Some("zpl") => {
            let name = format!("batch-{id}.zpl");
            Ok(file(page::zpl(&rows), "text/plain; charset=utf-8", &name))
        }
        Some(_) => Err(Details::bad("`format` is html or zpl")),
    }
}

fn file(text: String, kind: &'static str, name: &str) -> Response {
    let name = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, text).into_response()
}
