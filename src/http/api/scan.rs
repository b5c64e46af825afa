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
    provision::scan::{Command, Found, Layout, Misread, Note, Scan},
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
    /// The `layout.id` that an earlier scan of this scanner was answered with; for numbers, which do not tell by themselves.
    #[serde(default)]
    layout: Option<String>,
}

/// A scanner that types on another keyboard than the computer reads.
#[derive(Debug, Serialize, ToSchema)]
pub struct LayoutView {
    /// To send with further scans.
    id: String,
    /// The keyboard that the computer has.
    computer: &'static str,
    /// The keyboard that the scanner is set to.
    scanner: &'static str,
    /// What is so, and what to do about it.
    text: String,
}

/// What it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanView {
    /// `mac`, `look-alike`, `length`, `multicast`, `placeholder`, `serial`, `part`, `article`, `command`,
    /// `unknown` or `empty`.
    kind: &'static str,
    /// The one MAC to list; null if there is none, or if several have an equal claim.
    mac: Option<String>,
    /// The answer in plain words.
    text: String,
    /// The text as it stands on the label, whatever keyboard the scanner typed it on.
    read: String,
    /// Set where that is another than the computer's.
    layout: Option<LayoutView>,
    /// `undo`, `next-slot`, `replace`, `fail` or `list`, where it is a command for the bench.
    command: Option<&'static str>,
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
    let known = scanned.layout.as_deref().and_then(pair);
    let (scan, misread) = Scan::read_typed(&scanned.text, known, provisioner.catalog());
    let state = operators.service.view.read();
    let known = scan.mac().or(scan.meant());
    let phone =
        known.and_then(|mac| PhoneView::of(&provisioner, &state, mac, false, Timestamp::now()));
    drop(state);
    Ok(Json(ScanView {
        kind: scan.kind(),
        mac: scan.mac().map(|mac| mac.to_string()),
        text: scan.to_string(),
        read: misread.as_ref().map_or(&scanned.text, |it| &it.text).trim().to_owned(),
        layout: misread.as_ref().map(LayoutView::from),
        command: scan.command().map(Command::as_str),
        repair: scan
            .meant()
            .map(|mac| RepairView::from(&Repair { mac: Some(mac), ..Repair::default() })),
        model: scan.model().map(str::to_owned),
        macs: scan.found().iter().map(FoundView::from).collect(),
        phone,
    }))
}

impl From<&Misread> for LayoutView {
    fn from(misread: &Misread) -> Self {
        let (computer, scanner) = (misread.here.as_str(), misread.scanner.as_str());
        let text = format!(
            "the scanner types on a {scanner} keyboard and this computer reads a {computer} one: read all the same; set \
             the scanner to {computer} to end this"
        );
        Self {
            id: format!("{}/{}", misread.here.id(), misread.scanner.id()),
            computer,
            scanner,
            text,
        }
    }
}

/// The two keyboards that an id names: the computer's and the scanner's.
fn pair(id: &str) -> Option<(Layout, Layout)> {
    let (computer, scanner) = id.split_once('/')?;
    Layout::named(computer).zip(Layout::named(scanner))
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
