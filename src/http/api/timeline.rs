//! A phone's timeline as JSON.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::{Asked, Event, Step, What};

use super::view::moment;

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
        What::Discovered { relay } => ("discovered", json!({ "relay": relay })),
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
