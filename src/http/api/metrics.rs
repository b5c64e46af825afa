//! `/metrics` and `/healthz`.

use std::{collections::BTreeMap, fmt::Write};

use axum::{
    extract,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Stage, Timestamp};

use super::super::operators::Operators;

/// Liveness.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `failed` where nothing can become fact any more.
    status: &'static str,
    version: String,
    commit: u64,
    /// Why the store takes nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// All counters, and how many phones are in which stage, in the `OpenMetrics` text form.
#[utoipa::path(get, path = "/metrics", tag = "appliance", responses((status = 200, content_type = "text/plain")))]
pub async fn metrics(extract::State(operators): extract::State<Operators>) -> impl IntoResponse {
    let counters = operators.counters.text();
    let mut text = counters.strip_suffix("# EOF\n").unwrap_or(&counters).to_owned();
    gauges(&operators, &mut text);
    text.push_str("# EOF\n");
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

fn gauges(operators: &Operators, text: &mut String) {
    let (stages, leases, commit) = {
        let state = operators.service.view.read();
        let now = Timestamp::now();
        let leases = state.leases.values().filter(|lease| lease.is_active(now)).count();
        (stages(&state.phones), leases, state.commit)
    };
    let failed = u8::from(operators.service.journal.fault().is_some());
    text.push_str("# HELP ringup_phones Phones by stage.\n# TYPE ringup_phones gauge\n");
    for (stage, count) in stages {
        // Writing to a string can't fail.
        let _ = writeln!(text, "ringup_phones{{stage=\"{}\"}} {count}", stage.as_str());
    }
    let _ = writeln!(
        text,
        "# HELP ringup_leases Active leases.\n# TYPE ringup_leases gauge\nringup_leases {leases}\n\
         # HELP ringup_commit Number of the last commit.\n# TYPE ringup_commit gauge\nringup_commit {commit}\n\
         # HELP ringup_store_failed 1 where nothing can become fact any more.\n\
         # TYPE ringup_store_failed gauge\nringup_store_failed {failed}"
    );
}

/// How many phones are in which stage; every stage has its line.
fn stages(phones: &BTreeMap<crate::domain::Mac, crate::store::Phone>) -> Vec<(Stage, usize)> {
    let mut counts = BTreeMap::new();
    for phone in phones.values() {
        *counts.entry(phone.boot.stage()).or_insert(0) += 1;
    }
    Stage::ALL.iter().map(|stage| (*stage, counts.get(stage).copied().unwrap_or(0))).collect()
}

/// Says that the appliance lives, and at which commit it is; 503 where its store has failed: what phones had before
/// they get, but no lease, no entry and no progress becomes fact before a restart.
#[utoipa::path(get, path = "/healthz", tag = "appliance",
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub async fn healthz(
    extract::State(operators): extract::State<Operators>,
) -> (StatusCode, axum::Json<Health>) {
    let commit = operators.service.view.read().commit;
    let fault = operators.service.journal.fault().map(str::to_owned);
    let (code, status) = match fault {
        None => (StatusCode::OK, "ok"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    let version = operators.about.version.clone();
    (code, axum::Json(Health { status, version, commit, fault }))
}
