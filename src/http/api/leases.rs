//! Leases of another DHCP server, taken over.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::Timestamp,
    provision::leases::{self, Planned, Row, Verdict},
    store::CommitError,
};

use super::{
    super::operators::Operators,
    problem::{Details, Params, switch},
};

/// How often an import is planned anew after a phone took one of its addresses meanwhile.
const MAX_TRIES: usize = 8;

/// How to take leases over.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Tell what would happen, and change nothing.
    #[serde(deserialize_with = "switch")]
    dry_run: bool,
}

/// What became of a lease file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Taken {
    /// `ISC dhcpd`, `Kea` or `dnsmasq`.
    format: &'static str,
    rows: Vec<LeaseRow>,
    imported: usize,
    same: usize,
    skipped: usize,
    refused: usize,
    /// True if anything became fact.
    applied: bool,
    /// The number of its commit.
    commit: Option<u64>,
}

/// A lease with its verdict.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeaseRow {
    line: usize,
    address: Option<String>,
    mac: Option<String>,
    /// `imported`, `same`, `skipped` or `refused`.
    verdict: &'static str,
    reason: String,
}

/// Takes over the active leases of `dhcpd.leases`, Kea's memfile or `dnsmasq.leases`, with a verdict on each. A lease
/// that is refused does not keep the others out.
#[utoipa::path(post, path = "/api/v1/leases/import", tag = "leases", params(Wanted),
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = Taken), (status = 422, body = Details, description = "no lease file")))]
pub async fn import(
    State(operators): State<Operators>,
    Params(wanted): Params<Wanted>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Taken>, Details> {
    let body = body?;
    let document = leases::read(&body)
        .map_err(|why| Details::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
    let document = std::sync::Arc::new(document);
    let _turn = operators.edits.lock().await;
    for _ in 0..MAX_TRIES {
        let (service, file) = (operators.service.clone(), document.clone());
        let planned = spawn_blocking(move || {
            // A copy, so that no phone waits while a long file is worked out.
            let state = service.view.read().clone();
            leases::plan(&file, &state, service.provisioner().settings(), Timestamp::now())
        });
        let mut planned = planned.await.map_err(|fault| Details::fault(fault.to_string()))?;
        let Some(batch) = planned.batch.take().filter(|_| !wanted.dry_run) else {
            return Ok(Json(Taken::new(document.format.as_str(), &planned, None)));
        };
        match operators.service.journal.commit(batch).await {
            Ok(commit) => {
                let number = Some(commit.number);
                return Ok(Json(Taken::new(document.format.as_str(), &planned, number)));
            }
            // A phone was faster. What is fact now decides anew.
            Err(CommitError::Taken(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Details::new(
        StatusCode::CONFLICT,
        "phones keep taking addresses of this file: stop the old server first, then try again",
    ))
}

impl Taken {
    fn new(format: &'static str, planned: &Planned, commit: Option<u64>) -> Self {
        Self {
            format,
            rows: planned.rows.iter().map(LeaseRow::from).collect(),
            imported: planned.count(Verdict::Imported),
            same: planned.count(Verdict::Same),
            skipped: planned.count(Verdict::Skipped),
            refused: planned.count(Verdict::Refused),
            applied: commit.is_some(),
            commit,
        }
    }
}

impl From<&Row> for LeaseRow {
    fn from(row: &Row) -> Self {
        Self {
            line: row.line,
            address: row.address.map(|address| address.to_string()),
            mac: row.mac.map(|mac| mac.to_string()),
            verdict: row.verdict.as_str(),
            reason: row.reason.clone(),
        }
    }
}
