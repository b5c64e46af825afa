//! What a phone is, by what somebody saw of it.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Ground, Timestamp},
    profile::Catalog,
    provision::{Concluded, Evidence},
};

use super::{super::operators::Operators, problem::Details};

/// What it is; null where nothing is known.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct IdentifiedView {
    vendor: Option<String>,
    model: Option<String>,
    firmware: Option<String>,
    /// The MAC that the evidence carries.
    mac: Option<String>,
    family: Option<String>,
    /// The strongest first.
    grounds: Vec<GroundOf>,
}

/// One thing that tells.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroundOf {
    /// Where it was seen: `option-60`, `user-agent`, `file-name` …
    from: &'static str,
    /// What was seen.
    value: String,
}

impl IdentifiedView {
    /// The answer in JSON's words.
    #[must_use]
    pub fn new(catalog: &Catalog, found: &Concluded) -> Self {
        let Concluded { identity, mac } = found;
        let ground =
            |ground: &Ground| GroundOf { from: ground.from.as_str(), value: ground.value.clone() };
        Self {
            vendor: identity.vendor.clone(),
            model: catalog.worded(identity),
            firmware: identity.firmware.clone(),
            mac: mac.clone(),
            family: identity.family.as_ref().map(ToString::to_string),
            grounds: identity.grounds.iter().map(ground).collect(),
        }
    }
}

/// Tells what a phone is, by any of `option_60`, `option_12`, `file_name`, `http_path`, `user_agent` and `mac`, as
/// received. Changes nothing.
#[utoipa::path(post, path = "/api/v1/identify", tag = "phones",
    request_body(content = std::collections::BTreeMap<String, String>, description = "What was seen, as received"),
    responses((status = 200, body = IdentifiedView), (status = 400, body = Details)))]
pub async fn identify(
    State(operators): State<Operators>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<IdentifiedView>, Details> {
    let evidence: Evidence =
        serde_json::from_slice(&body?).map_err(|error| Details::bad(error.to_string()))?;
    let provisioner = operators.service.provisioner();
    let catalog = provisioner.catalog();
    Ok(Json(IdentifiedView::new(catalog, &evidence.identify(catalog, Timestamp::now()))))
}
