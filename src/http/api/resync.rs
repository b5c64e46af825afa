//! Phones told to come again: one at once, or all that a filter names, so many a second.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::provision::{Called, Rate, Running};

use super::{
    super::operators::Operators,
    phones::{self, Wanted, mac, unknown},
    problem::{Details, Params, switch},
};

/// What came of asking a phone to come again. What it answers is told on its record, as the event `recalled`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalledView {
    /// `asked`, or `restart` where nothing here reaches it.
    called: &'static str,
    /// Where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// The event that it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// In plain words.
    text: String,
}

/// Which phones, and how fast. The filters are those of the list of phones; one of them, or `all`, has to be there.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Whom {
    /// Only this stage.
    stage: Option<String>,
    /// Only with a finding of this kind.
    finding: Option<String>,
    /// Only of this site.
    site: Option<String>,
    /// Only where this text is in the MAC, number, name, model, address, location or note.
    q: Option<String>,
    /// All phones that there are.
    #[serde(deserialize_with = "switch")]
    all: bool,
    /// How many: `2/s` (unless said), `30/min`, `100/h`.
    rate: Option<String>,
}

/// A run through many phones.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunView {
    /// True while a phone waits to be asked, or to answer.
    running: bool,
    /// True if it was stopped before its end.
    stopped: bool,
    /// How fast.
    rate: String,
    /// How many phones it is about.
    total: usize,
    /// Not asked yet.
    waiting: usize,
    /// Asked, no answer so far.
    asked: usize,
    /// Come.
    accepted: usize,
    /// Will not; each one's record says why.
    refused: usize,
    /// Did not answer.
    silent: usize,
    /// Nothing here reaches them: to be restarted by hand.
    restart: usize,
    /// The first of these by MAC, 1,000 at most.
    by_hand: Vec<String>,
}

/// The most phones in [`RunView::by_hand`].
const MAX_NAMED: usize = 1000;

impl From<Running> for RunView {
    fn from(run: Running) -> Self {
        let count = run.count;
        Self {
            running: run.runs,
            stopped: run.stopped,
            rate: run.rate.to_string(),
            total: count.waiting
                + count.asked
                + count.accepted
                + count.refused
                + count.silent
                + count.restart,
            waiting: count.waiting,
            asked: count.asked,
            accepted: count.accepted,
            refused: count.refused,
            silent: count.silent,
            restart: count.restart,
            by_hand: run.restart.iter().take(MAX_NAMED).map(ToString::to_string).collect(),
        }
    }
}

/// Asks a phone to come again: to read its files anew, in its family's own way. What it answers is on its record within
/// 32 s.
#[utoipa::path(post, path = "/api/v1/phones/{mac}/resync", tag = "phones", params(("mac" = String, Path)),
    responses((status = 200, body = CalledView), (status = 404, body = Details), (status = 503, body = Details)))]
pub async fn one(
    State(operators): State<Operators>,
    Path(text): Path<String>,
) -> Result<Json<CalledView>, Details> {
    let mac = mac(&text)?;
    if !operators.service.view.read().phones.contains_key(&mac) {
        return Err(unknown(mac));
    }
    let called = operators.service.resync(mac);
    let (name, mut place) = (called.as_str(), None);
    let text = match called {
        Called::Asked { address, event } => {
            let text = format!("asked at {address} by `{event}`");
            place = Some((address.to_string(), event));
            text
        }
        Called::Later => {
            let text = "too many phones wait to be asked: try again in a moment";
            return Err(Details::new(StatusCode::SERVICE_UNAVAILABLE, text));
        }
        Called::Restart(why) => format!("restart it by hand: {why}"),
    };
    tracing::info!(phone = %mac, called = name, "an operator made a phone come again");
    let (address, event) = place.unzip();
    Ok(Json(CalledView { called: name, address, event, text }))
}

/// Asks all phones that fit to come again, so many a second, and returns at once. One run at a time.
#[utoipa::path(post, path = "/api/v1/phones/resync", tag = "phones", params(Whom),
    responses((status = 202, body = RunView), (status = 400, body = Details), (status = 409, body = Details)))]
pub async fn begin(
    State(operators): State<Operators>,
    Params(whom): Params<Whom>,
) -> Result<(StatusCode, Json<RunView>), Details> {
    let rate: Rate = match whom.rate.as_deref() {
        None => Rate::default(),
        Some(rate) => rate.parse().map_err(|bad| Details::bad(format!("{bad}")))?,
    };
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let [stage, finding, site, q] = [whom.stage, whom.finding, whom.site, whom.q].map(given);
    // A call that was meant for some phones must not restart a building.
    let narrows = stage.is_some() || finding.is_some() || site.is_some() || q.is_some();
    if narrows == whom.all {
        let text = "say which phones: `stage`, `finding`, `site` or `q`; or `all` by itself for all of them";
        return Err(Details::bad(text));
    }
    let wanted = Wanted { stage, finding, site, q, ..Wanted::default() };
    let macs = phones::matching(&operators, &wanted).await?;
    let count = macs.len();
    let Some(run) = operators.service.recall(macs, rate) else {
        let text = "a run is under way; stop it first (DELETE, `ringup phones resync --stop`)";
        return Err(Details::new(StatusCode::CONFLICT, text));
    };
    tracing::info!(count, %rate, "an operator made phones come again");
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

fn none() -> Details {
    Details::missing("no phones were asked to come again since ringup started")
}

/// Shows the last run.
#[utoipa::path(get, path = "/api/v1/phones/resync", tag = "phones",
    responses((status = 200, body = RunView), (status = 404, body = Details)))]
pub async fn standing(State(operators): State<Operators>) -> Result<Json<RunView>, Details> {
    operators.service.recalls.standing().map(RunView::from).map(Json).ok_or_else(none)
}

/// Stops the run: who was not asked yet is left alone.
#[utoipa::path(delete, path = "/api/v1/phones/resync", tag = "phones",
    responses((status = 200, body = RunView), (status = 404, body = Details)))]
pub async fn stop(State(operators): State<Operators>) -> Result<Json<RunView>, Details> {
    if operators.service.recalls.stop() {
        tracing::info!("an operator stopped asking phones to come again");
    }
    standing(State(operators)).await
}
