//! `/api/v1/summary`: how the rollout goes, in figures.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Stage, Timestamp},
    provision::{Rollout, Tally},
};

use super::{
    super::operators::Operators,
    sweep::{Kept, sweep},
    view::moment,
};

/// The figures of the last moment, for all who ask.
pub type Summaries = Kept<Rollout>;

/// How the rollout goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryView {
    /// Phones, listed or seen.
    pub phones: usize,
    /// Phones that are listed.
    pub listed: usize,
    /// Phones by stage; every stage is there.
    pub stages: BTreeMap<&'static str, usize>,
    /// Listed phones that have all of their configuration.
    pub configured: usize,
    /// Listed phones that are on their way to it, heard of in the last hour, and not stuck.
    pub coming: usize,
    /// Listed phones that were never seen.
    pub unseen: usize,
    /// Phones that reach their configuration, a minute, over the last ten at most; null if none did.
    pub rate: Option<f64>,
    /// When those on their way will be there at this rate.
    pub forecast: Option<String>,
    /// When those never seen will be there too, if they come as fast; null if all were seen.
    pub forecast_all: Option<String>,
    /// How long boots take; null if none got that far in the last 24 hours.
    pub time_to_configured: Option<TookView>,
}

/// How long boots take, from the start of the round to the whole configuration.
#[derive(Debug, Serialize, ToSchema)]
pub struct TookView {
    /// Half of them took no longer, in seconds.
    pub p50: f64,
    /// All but one in twenty took no longer, in seconds.
    pub p95: f64,
    /// Of how many phones, each with its last boot, in the last 24 hours.
    pub count: usize,
}

impl From<&Rollout> for SummaryView {
    fn from(rollout: &Rollout) -> Self {
        let stages = Stage::ALL.iter().map(|stage| stage.as_str()).zip(rollout.stages);
        let took = rollout.took.map(|took| TookView {
            p50: took.p50.as_secs_f64(),
            p95: took.p95.as_secs_f64(),
            count: took.count,
        });
        Self {
            phones: rollout.phones,
            listed: rollout.listed,
            stages: stages.collect(),
            configured: rollout.configured,
            coming: rollout.coming,
            unseen: rollout.unseen,
            // A tenth of a phone a minute is as exact as anybody can use.
            rate: rollout.rate.map(|rate| (rate * 10.0).round() / 10.0),
            forecast: rollout.forecast.map(moment),
            forecast_all: rollout.forecast_all.map(moment),
            time_to_configured: took,
        }
    }
}

/// The figures of now, or of half a second ago.
pub async fn latest(operators: &Operators) -> Arc<Rollout> {
    let count = async || {
        let now = Timestamp::now();
        let mut tally = Tally::new(now);
        sweep(operators, |provisioner, state, mac, phone| {
            tally.add(phone, || provisioner.is_stuck(mac, phone, state, now));
        })
        .await;
        tally.finish()
    };
    operators.summaries.get(operators, count).await
}

/// Tells how the rollout goes: phones by stage, rate, forecast, how long boots take. Cheap, however many phones there
/// are: the figures may be half a second old.
#[utoipa::path(get, path = "/api/v1/summary", tag = "phones", responses((status = 200, body = SummaryView)))]
pub async fn summary(State(operators): State<Operators>) -> Json<SummaryView> {
    Json(SummaryView::from(&*latest(&operators).await))
}
