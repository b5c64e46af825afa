//! What a label says, for scanners and for the page.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{Repair, Timestamp},
    provision::scan::{Found, Note, Scan},
};

use super::{
    super::operators::Operators,
    problem::Details,
    view::{PhoneView, RepairView},
};

/// What was scanned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scanned {
    /// The text of a label, the content of a barcode or QR code, or a MAC in any spelling.
    text: String,
}

/// What it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanView {
    /// `mac`, `look-alike`, `length`, `multicast`, `placeholder`, `serial`, `part`, `article`, `unknown` or `empty`.
    kind: &'static str,
    /// The one MAC to list; null if there is none, or if several have an equal claim.
    mac: Option<String>,
    /// The answer in plain words.
    text: String,
    /// The MAC that was probably meant, where none is written.
    repair: Option<RepairView>,
    /// The model that the text names, by the catalog's name.
    model: Option<String>,
    /// All MACs of the text, the phone's own first.
    macs: Vec<FoundView>,
    /// The phone of this MAC (or of the one that was meant), if it is listed or was seen.
    phone: Option<PhoneView>,
}

/// A MAC of the text.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundView {
    mac: String,
    /// What was taken off in front, such as `SEP`.
    prefix: String,
    /// `wireless`, `second-port`, `serial-too`, `locally-administered`.
    notes: Vec<&'static str>,
}

/// Reads a label, a barcode or a QR code: a MAC, or plainly what else it is. Changes nothing.
#[utoipa::path(post, path = "/api/v1/scan", tag = "phones", request_body = Scanned,
    responses((status = 200, body = ScanView), (status = 400, body = Details)))]
pub async fn scan(
    State(operators): State<Operators>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ScanView>, Details> {
    let scanned: Scanned =
        serde_json::from_slice(&body?).map_err(|error| Details::bad(error.to_string()))?;
    let provisioner = operators.service.provisioner();
    let scan = Scan::read(&scanned.text, provisioner.catalog());
    let state = operators.service.view.read();
    let known = scan.mac().or(scan.meant());
    let phone =
        known.and_then(|mac| PhoneView::of(&provisioner, &state, mac, false, Timestamp::now()));
    drop(state);
    Ok(Json(ScanView {
        kind: scan.kind(),
        mac: scan.mac().map(|mac| mac.to_string()),
        text: scan.to_string(),
        repair: scan
            .meant()
            .map(|mac| RepairView::from(&Repair { mac: Some(mac), ..Repair::default() })),
        model: scan.model().map(str::to_owned),
        macs: scan.found().iter().map(FoundView::from).collect(),
        phone,
    }))
}

impl From<&Found> for FoundView {
    fn from(found: &Found) -> Self {
        Self {
            mac: found.mac.to_string(),
            prefix: found.prefix.clone(),
            notes: found.notes.iter().copied().map(Note::as_str).collect(),
        }
    }
}
