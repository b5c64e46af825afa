//! A phone's timeline as JSON, a page at a time.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Asked, Event, Mac, Step, What},
    store::Place,
};

use super::{
    super::operators::Operators,
    phones::{MAX_LIMIT, mac, unknown},
    problem::{Details, Params},
    view::moment,
};

/// Events in one page of a timeline, unless asked otherwise; [`MAX_LIMIT`] is the most.
const USUAL_EVENTS: usize = 200;

/// Which page of a timeline.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only what lies before this: the `next` of the page after it. Left out: the newest.
    pub before: Option<String>,
    /// At most so many; 200 unless said, 1000 at most.
    pub limit: Option<usize>,
}

/// A page of a phone's timeline.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// Oldest first.
    items: Vec<EventView>,
    /// What to pass as `before` for the page of older ones; null at the beginning.
    next: Option<String>,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventView {
    /// The number of the commit in which it became fact.
    pub commit: u64,
    /// When.
    pub at: String,
    /// What, as a kebab-case name.
    pub kind: &'static str,
    /// What, in plain words.
    pub text: String,
    /// Its particulars, by kind.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// Shows a phone's timeline, the newest events unless `before`; within a page oldest first.
#[utoipa::path(get, path = "/api/v1/phones/{mac}/events", tag = "phones", params(("mac" = String, Path), Page),
    responses((status = 200, body = Timeline), (status = 400, body = Details), (status = 404, body = Details)))]
pub async fn events(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    Params(page): Params<Page>,
) -> Result<Json<Timeline>, Details> {
    let mac = mac(&text)?;
    let (limit, before) = (page.limit.unwrap_or(USUAL_EVENTS), page.before.as_deref());
    let (events, next) = timeline(&operators, mac, before, limit).await?;
    let items = events.iter().map(|(commit, event)| EventView::new(*commit, event)).collect();
    Ok(Json(Timeline { items, next }))
}

/// A page of the events of a phone with their commits, oldest first, and the `before` of the page of older ones.
///
/// # Errors
///
/// 400 for a `before` that is none; 404 for a phone that is neither listed nor seen; 500 if the disk fails.
pub async fn timeline(
    operators: &Operators,
    mac: Mac,
    before: Option<&str>,
    limit: usize,
) -> Result<(Vec<(u64, Event)>, Option<String>), Details> {
    let before = before.filter(|before| !before.is_empty()).map(place).transpose()?;
    if !operators.service.view.read().phones.contains_key(&mac) {
        return Err(unknown(mac));
    }
    let (journal, limit) = (operators.service.journal.clone(), limit.clamp(1, MAX_LIMIT));
    let read = tokio::task::spawn_blocking(move || journal.timeline_before(mac, before, limit));
    let (events, next) = read.await.map_err(|fault| Details::fault(fault.to_string()))??;
    Ok((events, next.map(|(commit, index)| format!("{commit}-{index}"))))
}

/// Reads what [`timeline`] wrote as `next`.
fn place(text: &str) -> Result<Place, Details> {
    let parts = text.split_once('-');
    let place = parts.and_then(|(commit, index)| Some((commit.parse().ok()?, index.parse().ok()?)));
    place.ok_or_else(|| Details::bad("`before` is the `next` of another page, such as 1200-0"))
}

impl EventView {
    /// An event out of a commit.
    #[must_use]
    pub fn new(commit: u64, event: &Event) -> Self {
        let (kind, data) = parts(&event.what);
        Self { commit, at: moment(event.at), kind, text: event.what.to_string(), data }
    }
}

/// Name and particulars. No wildcard arm: what is new does not compile until it has a name here.
fn parts(what: &What) -> (&'static str, Value) {
    match what {
        What::Discovered { relay, port, shows } => {
            ("discovered", json!({ "relay": relay, "port": port, "shows": shows }))
        }
        What::Rivalled { server, hardware, beside } => {
            let hardware = hardware.map(|mac| mac.to_string());
            ("rivalled", json!({ "server": server, "hardware": hardware, "beside": beside }))
        }
        What::Mistaken { name, of } => ("mistaken", json!({ "name": name, "of": of.to_string() })),
        What::Offered { address } => ("offered", json!({ "address": address })),
        What::Requested { address, server } => {
            ("requested", json!({ "address": address, "server": server }))
        }
        What::Told { by, servers } => {
            let servers: Vec<_> = servers
                .iter()
                .map(|(code, text)| json!({ "option": code, "text": text }))
                .collect();
            ("told", json!({ "by": by, "servers": servers }))
        }
        What::Leased { address, until, granted } => {
            let granted = format!("{granted:?}").to_ascii_lowercase();
            ("leased", json!({ "address": address, "until": moment(*until), "granted": granted }))
        }
        What::Nak { address, why } => ("nak", json!({ "address": address, "why": why })),
        What::Unserved(why) => ("unserved", json!({ "why": why.to_string() })),
        What::Declined { address } => ("declined", json!({ "address": address })),
        What::Released { address } => ("released", json!({ "address": address })),
        What::Informed { address } => ("informed", json!({ "address": address })),
        What::Appeared { address } => ("appeared", json!({ "address": address })),
        What::Opened { asked, length } => {
            ("opened", with(file(asked), json!({ "length": length })))
        }
        What::Progress { name, bytes, length } => {
            ("progress", json!({ "name": name, "bytes": bytes, "length": length }))
        }
        What::Ended { asked, bytes, length, outcome, etag, normal, source } => {
            let text = outcome.to_string();
            let rest = json!({ "bytes": bytes, "length": length, "outcome": outcome.as_str(), "text": text,
                "etag": etag, "normal": normal, "source": source });
            ("ended", with(file(asked), rest))
        }
        What::Unchanged { asked, etag } => {
            ("unchanged", with(file(asked), json!({ "etag": etag })))
        }
        What::Refused { asked, why, normal } => {
            ("refused", with(file(asked), json!({ "why": why, "normal": normal })))
        }
        What::Admitted { number } => ("admitted", json!({ "number": number })),
        What::Registration { by, step } => {
            let why = match step {
                Step::Rejected { why, .. } => Some(why.as_str()),
                Step::Asked | Step::Accepted | Step::Ended { .. } => None,
            };
            let text = step.to_string();
            ("registration", json!({ "by": by, "step": step.as_str(), "why": why, "text": text }))
        }
        What::Recalled { event, reply } => {
            let (code, text) = (reply.code(), reply.to_string());
            let reply = reply.as_str();
            ("recalled", json!({ "event": event, "reply": reply, "code": code, "text": text }))
        }
    }
}

fn file(asked: &Asked) -> Value {
    json!({ "name": asked.name, "carrier": asked.carrier.as_str(), "role": asked.role.as_str() })
}

fn with(mut object: Value, rest: Value) -> Value {
    if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
        object.extend(rest);
    }
    object
}
