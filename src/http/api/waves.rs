//! Waves of firmware, shown and braked.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        Batch, Change, Timestamp,
        wave::{Brake, Standing},
    },
    provision::{Crowd, Member},
};

use super::{super::operators::Operators, problem::Details, view::moment};

/// Phones that are looked at under one lock.
const AT_ONCE: usize = 256;

/// Waves of firmware.
#[derive(Debug, Serialize, ToSchema)]
pub struct WavesView {
    /// How many phones at a time; null: all.
    pub wave: Option<usize>,
    /// How many phones take a load before an operator is asked; null: nobody is asked.
    pub canary: Option<usize>,
    /// Nobody else is told to take a load.
    pub paused: bool,
    /// By load.
    pub items: Vec<WaveView>,
    next: Option<String>,
}

/// The phones that are to run one load.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaveView {
    /// The load, as the sites name it.
    pub load: String,
    /// They have no place yet.
    pub waiting: StandingView,
    /// They were told to take it, and are not back.
    pub under_way: StandingView,
    /// They run it.
    pub done: StandingView,
    /// They were told to take it and do not get there. They keep their places until an operator says `next`.
    pub failed: StandingView,
    /// True while the rest waits for an operator to say that the first ones are well.
    pub canary_out: bool,
    /// When the last one will be there, if all take as long as the others did.
    pub forecast: Option<String>,
}

/// Phones that stand alike.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct StandingView {
    /// How many.
    pub phones: usize,
    /// Their MACs; 20 at most.
    pub macs: Vec<String>,
}

/// What is to become of the waves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WavesWanted {
    /// Pauses the waves, or lets them go on. Whoever was told to take a load is still told so.
    #[serde(default)]
    paused: Option<bool>,
    /// A load to go on with: beyond its canary, and without waiting for the phones that failed. These wait again.
    #[serde(default)]
    next: Option<String>,
}

/// Shows who waits for a load, who takes it, and who has it.
#[utoipa::path(get, path = "/api/v1/firmware/waves", tag = "firmware", responses((status = 200, body = WavesView)))]
pub async fn show(State(operators): State<Operators>) -> Json<WavesView> {
    Json(waves(&operators).await)
}

/// Pauses the waves, lets them go on, or lets the next phones take a load.
#[utoipa::path(put, path = "/api/v1/firmware/waves", tag = "firmware", request_body = WavesWanted,
    responses((status = 200, body = WavesView), (status = 400, body = Details)))]
pub async fn put(
    State(operators): State<Operators>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<WavesView>, Details> {
    let wanted: WavesWanted =
        serde_json::from_slice(&body?).map_err(|error| Details::bad(error.to_string()))?;
    let mut changes = Vec::new();
    {
        let (provisioner, now) = (operators.service.provisioner(), Timestamp::now());
        let state = operators.service.view.read();
        let mut brake = state.brake.clone();
        brake.paused = wanted.paused.unwrap_or(brake.paused);
        if let Some(load) = &wanted.next {
            let load = load.to_lowercase();
            let sites = provisioner.settings().sites.values();
            let mut named = sites.flat_map(|site| site.firmware.values());
            let placed = state.places.values().any(|place| place.load.eq_ignore_ascii_case(&load));
            if !placed && !named.any(|named| named.eq_ignore_ascii_case(&load)) {
                return Err(Details::bad(format!("no site wants a load called `{load}`")));
            }
            let failed = provisioner.failed(&load, &state, now);
            changes.extend(failed.into_iter().map(|mac| Change::Placed(mac, None)));
            brake.passed.insert(load);
            while brake.passed.len() > Brake::MAX_PASSED {
                brake.passed.pop_first();
            }
        }
        if brake != state.brake {
            changes.push(Change::Braked(Box::new(brake)));
        }
    }
    if !changes.is_empty() {
        operators.service.commit(Batch::from(changes)).await?;
    }
    Ok(show(State(operators)).await)
}

/// All of it, a few hundred phones at a time: no lease waits for a page.
pub async fn waves(operators: &Operators) -> WavesView {
    let (provisioner, now) = (operators.service.provisioner(), Timestamp::now());
    let macs: Vec<_> = operators.service.view.read().phones.keys().copied().collect();
    let mut crowds: BTreeMap<String, Crowd> = BTreeMap::new();
    for some in macs.chunks(AT_ONCE) {
        {
            let state = operators.service.view.read();
            for mac in some {
                if let Some(phone) = state.phones.get(mac) {
                    provisioner.gather(&mut crowds, (*mac, phone), &state, now);
                }
            }
        }
        tokio::task::yield_now().await;
    }
    let rules = provisioner.settings().firmware;
    let state = operators.service.view.read();
    let placed = |load: &str| {
        state.places.values().filter(|place| place.load.eq_ignore_ascii_case(load)).count()
    };
    let items = crowds.into_iter().map(|(load, crowd)| {
        let passed = state.brake.passed.contains(&load.to_lowercase());
        let out = rules.canary.is_some_and(|canary| !passed && placed(&load) >= canary);
        let held = state.brake.paused || out;
        let view = |standing| crowd.by.get(&standing).map(StandingView::of).unwrap_or_default();
        WaveView {
            waiting: view(Standing::Waiting),
            under_way: view(Standing::UnderWay),
            done: view(Standing::Done),
            failed: view(Standing::Failed),
            canary_out: out && crowd.count(Standing::Waiting) > 0,
            forecast: crowd.forecast(rules.wave, now).filter(|_| !held).map(moment),
            load,
        }
    });
    let items = items.collect();
    let (wave, canary, paused) = (rules.wave, rules.canary, state.brake.paused);
    WavesView { wave, canary, paused, items, next: None }
}

impl StandingView {
    fn of(member: &Member) -> Self {
        let macs = member.phones.iter().map(ToString::to_string).collect();
        Self { phones: member.count, macs }
    }
}
