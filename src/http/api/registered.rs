//! What a PBX tells about a phone's registration: ringup sees no REGISTER that does not pass it.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::{Batch, Change, Event, Rejection, Step, Timestamp, What, printable};

use super::{
    super::operators::Operators,
    phones::{mac, view},
    problem::Details,
    view::PhoneView,
};

/// The most characters of a server's name and of its words.
const MAX_TEXT: usize = 128;

/// What became of a registration. Without a body: the phone is registered.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Registered {
    /// The server, by name or address; `pbx` unless said.
    by: Option<String>,
    /// `accepted` (unless said), `ended`, `rejected` or `asked` (a REGISTER without an answer so far).
    step: Option<String>,
    /// With `rejected`: `challenged` (401 or 407 again), `forbidden` (403), `unknown` (SCCP), `version` or `security`.
    why: Option<String>,
    /// The server's own words.
    text: Option<String>,
}

/// Records what became of a phone's registration.
#[utoipa::path(post, path = "/api/v1/phones/{mac}/registered", tag = "phones", params(("mac" = String, Path)),
    request_body = Registered,
    responses((status = 200, body = PhoneView), (status = 400, body = Details), (status = 404, body = Details)))]
pub async fn registered(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<PhoneView>, Details> {
    let (mac, body) = (mac(&text)?, body?);
    let told =
        if body.is_empty() { Ok(Registered::default()) } else { serde_json::from_slice(&body) };
    let told: Registered = told.map_err(|error| Details::bad(error.to_string()))?;
    let step = told.step()?;
    // A PBX that knows phones which we never heard of brings no strangers into the record.
    view(&operators, mac, false)?;
    let by = told.by.as_deref().map(str::trim).filter(|by| !by.is_empty()).unwrap_or("pbx");
    let event = Event { at: Timestamp::now(), what: What::Registration { by: cut(by), step } };
    operators.service.commit(Batch::from(Change::Happened(mac, event))).await?;
    view(&operators, mac, false).map(Json)
}

fn cut(text: &str) -> String {
    crate::domain::clip(&printable(text.as_bytes()), MAX_TEXT).clone()
}

impl Registered {
    fn step(&self) -> Result<Step, Details> {
        let text = cut(self.text.as_deref().unwrap_or_default());
        let step = match self.step.as_deref().unwrap_or("accepted") {
            "accepted" => Step::Accepted,
            "asked" => Step::Asked,
            "ended" => Step::Ended { text },
            "rejected" => Step::Rejected { why: self.why()?, text },
            other => {
                let other = cut(other);
                let text = format!("`step` can't be {other}: accepted, ended, rejected or asked");
                return Err(Details::bad(text));
            }
        };
        if self.why.is_some() && !matches!(step, Step::Rejected { .. }) {
            return Err(Details::bad("`why` goes with \"step\": \"rejected\" only"));
        }
        Ok(step)
    }

    fn why(&self) -> Result<Rejection, Details> {
        let word = self.why.as_deref().unwrap_or_default();
        Rejection::ALL.into_iter().find(|why| why.as_str() == word).ok_or_else(|| {
            let known = Rejection::ALL.map(Rejection::as_str).join(", ");
            Details::bad(format!("a rejected registration needs `why`, one of: {known}"))
        })
    }
}
