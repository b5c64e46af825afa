//! How full the pools are, now and over the last day.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::Timestamp, provision::Pool};

use super::{super::operators::Operators, view::moment};

/// All pools.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolList {
    items: Vec<PoolView>,
    next: Option<String>,
}

/// The pool of a subnet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PoolView {
    /// Its subnet, such as `10.20.0.0/22`.
    subnet: String,
    site: String,
    /// Ranges, first and last inclusive.
    ranges: Vec<String>,
    /// Addresses in them.
    size: u64,
    /// Leased now.
    used: u64,
    /// Kept for an entry that reserves them, and not leased now.
    reserved: u64,
    /// Set aside because somebody was found using them.
    set_aside: u64,
    /// Free for anybody.
    free: u64,
    /// Use over the last day, since the start at most; oldest first, a point wherever it changed.
    points: Vec<PointView>,
}

/// How many addresses were in use from a moment on.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointView {
    at: String,
    used: u32,
}

/// Lists the pools with their use, now and over the last day. Empty where the settings have no subnet.
#[utoipa::path(get, path = "/api/v1/pools", tag = "leases", responses((status = 200, body = PoolList)))]
pub async fn pools(State(operators): State<Operators>) -> Json<PoolList> {
    let items = all(&operators).into_iter().map(PoolView::from).collect();
    Json(PoolList { items, next: None })
}

/// All pools as they are now.
#[must_use]
pub fn all(operators: &Operators) -> Vec<Pool> {
    let provisioner = operators.service.provisioner();
    let state = operators.service.view.read();
    operators.service.pools.all(provisioner.settings(), &state, Timestamp::now())
}

impl From<Pool> for PoolView {
    fn from(pool: Pool) -> Self {
        let Pool { network, prefix, site, ranges, size, used, reserved, set_aside, free, points } =
            pool;
        Self {
            subnet: format!("{network}/{prefix}"),
            site,
            ranges: ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect(),
            size,
            used,
            reserved,
            set_aside,
            free,
            points: points
                .iter()
                .map(|point| PointView { at: moment(point.at), used: point.used })
                .collect(),
        }
    }
}
