//! `/api/v1/outage`: who was ready before a moment and is not back.

use std::{ops::Bound, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::Timestamp,
    provision::{Counts, Outage, Sight, outage as who_is_missing},
};

use super::{
    super::operators::Operators,
    phones::mac,
    problem::{Details, Params},
    sweep::{Kept, sweep},
    view::moment,
};

/// What was seen of all phones in the last moment, for all who ask.
pub type Outages = Kept<Vec<Sight>>;

/// Phones in one page: a power cut is looked at whole.
const MAX_LIMIT: usize = 10_000;

/// Since when, and which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Before which moment they were ready, RFC 3339; the last mass reboot unless said.
    since: Option<String>,
    /// Only behind this MAC: the `next` of the page before.
    after: Option<String>,
    /// At most so many; 10,000 at most, and unless said.
    limit: Option<usize>,
}

/// Who is not back.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutageView {
    /// Before which moment they were ready; null if there was no mass reboot.
    since: Option<String>,
    #[serde(flatten)]
    counts: CountsView,
    /// The same by site and switch, those with the most missing first.
    groups: Vec<GroupView>,
    /// Those that are not back, by MAC.
    items: Vec<MissingView>,
    next: Option<String>,
}

/// How many phones, by what became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountsView {
    /// Ready before the moment.
    expected: usize,
    /// Heard since, with what their site asks for.
    back: usize,
    /// Heard since, and not there yet.
    on_their_way: usize,
    /// Not heard since though their site or switch restarted, or their lease or registration is over.
    missing: usize,
    /// Not heard since, and nothing says that they are gone; counted with `since` only.
    unheard: usize,
}

/// Phones of one switch.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    site: String,
    /// As option 82 names it; null where none told.
    switch: Option<String>,
    #[serde(flatten)]
    counts: CountsView,
}

/// A phone that is not back.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingView {
    mac: String,
    /// `missing`, `on-its-way` or `unheard`.
    #[serde(rename = "return")]
    what: &'static str,
}

impl From<Counts> for CountsView {
    fn from(Counts { expected, back, coming, missing, unheard }: Counts) -> Self {
        Self { expected, back, on_their_way: coming, missing, unheard }
    }
}

fn groups(outage: &Outage) -> Vec<GroupView> {
    let mut groups: Vec<_> = outage.groups.iter().collect();
    groups.sort_by_key(|(_, counts)| (usize::MAX - counts.missing, usize::MAX - counts.coming));
    let view = |((site, switch), counts): (&(String, String), &Counts)| GroupView {
        site: site.clone(),
        switch: Some(switch.clone()).filter(|switch| !switch.is_empty()),
        counts: (*counts).into(),
    };
    groups.into_iter().map(view).collect()
}

async fn sights(operators: &Operators) -> Arc<Vec<Sight>> {
    let look = async || {
        let (now, mut sights) = (Timestamp::now(), Vec::new());
        sweep(operators, |provisioner, state, mac, phone| {
            sights.extend(Sight::of(provisioner, mac, phone, state, now));
        })
        .await;
        sights
    };
    operators.outages.get(operators, look).await
}

/// Tells who was ready before a moment (the last mass reboot, unless `since` names another) and is not back.
#[utoipa::path(get, path = "/api/v1/outage", tag = "phones", params(Wanted),
    responses((status = 200, body = OutageView), (status = 400, body = Details)))]
pub async fn outage(
    State(operators): State<Operators>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<OutageView>, Details> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let since = given(wanted.since)
        .map(|text| text.parse::<Timestamp>())
        .transpose()
        .map_err(|_| Details::bad("`since` is no moment such as 2026-11-20T06:50:00Z"))?;
    let after = given(wanted.after).as_deref().map(mac).transpose()?;
    let limit = wanted.limit.unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT);
    let sights = sights(&operators).await;
    let found = tokio::task::spawn_blocking(move || who_is_missing(&sights, since)).await;
    let found = found.map_err(|error| Details::fault(error.to_string()))?;
    let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut rest = found.phones.range((behind, Bound::Unbounded));
    let item = |(mac, what): (&crate::domain::Mac, &crate::provision::Return)| MissingView {
        mac: mac.to_string(),
        what: what.as_str(),
    };
    let items: Vec<_> = rest.by_ref().take(limit).map(item).collect();
    let next = rest.next().and(items.last()).map(|last| last.mac.clone());
    let (since, counts) = (found.since.map(moment), found.counts.into());
    Ok(Json(OutageView { since, counts, groups: groups(&found), items, next }))
}
