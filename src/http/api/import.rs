//! The operators' list, in and out.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Batch, Change, Entry, Severity, Timestamp},
    provision::inventory::{
        self, Fault, Foreign, Import, ImportOptions, Instead, Offer, RowVerdict, Verdict,
    },
};

use super::{
    super::operators::Operators,
    problem::{Details, Params, pairs, switch},
    repair::{found_on_benches, remember_all},
};

/// The most octets of a list.
pub const MAX_LIST: usize = 16 * 1024 * 1024;

/// How long the files of phones with keys and unusual values are looked through; `ringup check` looks through the rest.
const PATIENCE: Duration = Duration::from_secs(10);

/// The name of a list in messages: what an API is given has none of its own.
const NAME: &str = "list";

/// How to take a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of a query, each by its name")]
pub struct Wanted {
    /// Tell what would happen, and change nothing.
    #[serde(deserialize_with = "switch")]
    dry_run: bool,
    /// Take the good rows of a list that has refused ones.
    #[serde(deserialize_with = "switch")]
    partial: bool,
    /// Leave columns out that nobody knows.
    #[serde(deserialize_with = "switch")]
    ignore_unknown: bool,
    /// Remove the entries of `site` that the list lacks.
    #[serde(deserialize_with = "switch")]
    prune: bool,
    /// Which site's entries `prune` may remove.
    site: Option<String>,
    /// Whose export it is: `freepbx`, `3cx` or `cucm`. Told by the header unless said.
    from: Option<String>,
}

/// A list in JSON, with what an operator puts in the place of some of its cells.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Its text.
    #[serde(default)]
    list: String,
    /// Its octets as they are in the file, in base64, where there is no `list`.
    #[serde(default)]
    base64: String,
    /// What to take in the place of cells.
    #[serde(default)]
    repairs: Vec<InsteadView>,
}

/// A value in the place of a cell.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InsteadView {
    /// The line of its row, as verdicts tell it.
    line: usize,
    /// Its column, as verdicts tell it.
    column: String,
    /// What it is to say.
    value: String,
}

/// What became of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    rows: Vec<RowView>,
    added: usize,
    changed: usize,
    same: usize,
    refused: usize,
    /// Phones that pruning takes off the list.
    removed: Vec<String>,
    /// What is wrong with the list as a whole.
    problems: Vec<ProblemView>,
    /// Its columns; none where it is another system's export.
    columns: Vec<ColumnView>,
    /// True if anything became fact.
    applied: bool,
    /// The number of its commit.
    commit: Option<u64>,
}

/// A column of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    /// As the list calls it.
    name: String,
    /// As it is called here; null for one that nobody knows, or that is left out.
    field: Option<String>,
    /// What it probably is.
    near: Option<&'static str>,
}

/// A repair of a cell that is proposed: sent back as one of `repairs` it is taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferView {
    column: String,
    /// What the cell probably meant.
    value: String,
    /// What is wrong with it as it is.
    why: String,
}

/// A row with its verdict.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowView {
    line: usize,
    mac: String,
    /// Its number, as written.
    number: String,
    /// Its name, as written.
    name: String,
    /// Its model, as written.
    model: String,
    /// `added`, `changed`, `same` or `refused`.
    verdict: &'static str,
    /// Where the first fault is; empty if there is none.
    column: String,
    /// What it is.
    reason: String,
    /// What was probably meant, or what to do.
    repair: String,
    /// The MAC that was probably meant: in place of the first fault's cell it mends the row. Null if there is none.
    meant: Option<String>,
    /// All faults of a refused row.
    faults: Vec<FaultView>,
    /// The fields that change.
    fields: Vec<String>,
    /// What is odd and taken all the same.
    warnings: Vec<String>,
    /// What would mend it.
    repairs: Vec<OfferView>,
}

/// What is wrong with one cell.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultView {
    column: String,
    reason: String,
    repair: String,
    meant: Option<String>,
}

/// What is wrong with a list as a whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemView {
    severity: &'static str,
    line: Option<usize>,
    text: String,
    help: String,
}

/// Takes a list of phones, all or nothing, with a verdict per row. `?map=FILE=OURS` names columns anew, any number of
/// times; `?map=FILE=` leaves one out. As `application/json` the list comes with repairs of its cells.
#[utoipa::path(post, path = "/api/v1/phones/import", tag = "phones", params(Wanted),
    request_body(content((String = "text/csv"), (Listing = "application/json"))),
    responses((status = 200, body = Imported), (status = 422, body = Imported, description = "nothing was taken")))]
pub async fn import(
    State(operators): State<Operators>,
    Params(wanted): Params<Wanted>,
    axum::extract::OriginalUri(uri): axum::extract::OriginalUri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Imported>), Details> {
    let mut options = wanted.options(uri.query().unwrap_or_default())?;
    let body = listing(&headers, body?, &mut options)?;
    let (dry_run, partial) = (options.dry_run, options.partial);
    let _turn = operators.edits.lock().await;
    let service = std::sync::Arc::clone(&operators.service);
    let planned = spawn_blocking(move || {
        // A copy, so that no lease waits while a long list is worked out; entries in it are shared, not copied.
        let state = service.view.read().clone();
        let provisioner = service.provisioner();
        let (catalog, settings) = (provisioner.catalog(), provisioner.settings());
        let begun = Instant::now();
        let odd = |phone, entry: &Entry| {
            if begun.elapsed() > PATIENCE {
                return Vec::new();
            }
            provisioner.oddities(phone, entry, Timestamp::now())
        };
        inventory::plan(&body, NAME, &state, (catalog, settings), &options, &odd)
    });
    let mut import = planned.await.map_err(|fault| Details::fault(fault.to_string()))?;
    let commit = match import.batch.take().filter(|_| !dry_run) {
        Some(batch) => Some(take(&operators, batch).await?),
        None => None,
    };
    if let Some(commit) = commit {
        let counts = ["added", "changed", "refused"].map(|verdict| import.count(verdict));
        let ([added, changed, refused], removed) = (counts, import.removed.len());
        tracing::info!(commit, added, changed, refused, removed, "an operator imported a list");
    }
    let broken = import.problems.iter().any(|problem| problem.severity == Severity::Error);
    let refused = !dry_run && (broken || import.has_refusals() && !partial);
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(Imported::new(&import, commit))))
}

/// Commits a list. Batches on the bench remember what it mends of their phones. The number of the commit.
async fn take(operators: &Operators, batch: Batch) -> Result<u64, Details> {
    let about: BTreeSet<_> = batch.changes.iter().filter_map(Change::phone).collect();
    let wrong = found_on_benches(operators, Some(&about));
    let number = operators.service.journal.commit(batch).await?.number;
    remember_all(operators, wrong).await?;
    Ok(number)
}

/// The octets of the list, out of whatever carries them.
fn listing(
    headers: &HeaderMap,
    body: Bytes,
    options: &mut ImportOptions,
) -> Result<Bytes, Details> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Ok(body);
    }
    let Listing { list, base64, repairs } =
        serde_json::from_slice(&body).map_err(|error| Details::bad(error.to_string()))?;
    let instead = |InsteadView { line, column, value }| Instead { line, column, value };
    options.instead = repairs.into_iter().map(instead).collect();
    if base64.is_empty() {
        return Ok(list.into());
    }
    let octets = STANDARD.decode(&base64);
    octets.map(Bytes::from).map_err(|_| Details::bad("`base64` is no base64"))
}

impl Wanted {
    fn options(self, query: &str) -> Result<ImportOptions, Details> {
        let prune_site = match (self.prune, self.site) {
            (true, None) => {
                return Err(Details::bad("`prune` needs `site`: which site's entries may go"));
            }
            (true, site) => site,
            (false, _) => None,
        };
        let from = self.from.as_deref().filter(|from| !from.is_empty()).map(|from| {
            let known =
                || format!("`from` is one of {}", Foreign::ALL.map(Foreign::as_str).join(", "));
            Foreign::named(from).ok_or_else(|| Details::bad(known()))
        });
        let named = pairs(query).filter(|(key, _)| key == "map").map(|(_, map)| {
            let (theirs, ours) =
                map.rsplit_once('=').ok_or_else(|| Details::bad("`map` is FILE=OURS"))?;
            Ok((theirs.to_owned(), ours.to_owned()))
        });
        Ok(ImportOptions {
            dry_run: self.dry_run,
            partial: self.partial,
            prune_site,
            ignore_unknown: self.ignore_unknown,
            map: named.collect::<Result<_, Details>>()?,
            from: from.transpose()?,
            instead: Vec::new(),
        })
    }
}

impl Imported {
    fn new(import: &Import, commit: Option<u64>) -> Self {
        Self {
            rows: import.rows.iter().map(RowView::from).collect(),
            added: import.count("added"),
            changed: import.count("changed"),
            same: import.count("same"),
            refused: import.count("refused"),
            removed: import.removed.iter().map(ToString::to_string).collect(),
            problems: import
                .problems
                .iter()
                .map(|problem| ProblemView {
                    severity: if problem.severity == Severity::Error { "error" } else { "warning" },
                    line: problem.line,
                    text: problem.text.clone(),
                    help: problem.help.clone(),
                })
                .collect(),
            columns: import
                .headings
                .iter()
                .map(|heading| ColumnView {
                    name: heading.name.clone(),
                    field: heading.field.clone(),
                    near: heading.near,
                })
                .collect(),
            applied: commit.is_some(),
            commit,
        }
    }
}

impl From<&RowVerdict> for RowView {
    fn from(row: &RowVerdict) -> Self {
        let (fields, faults) = match &row.verdict {
            Verdict::Changed { fields } => (fields.clone(), &[][..]),
            Verdict::Refused { faults } => (Vec::new(), &faults[..]),
            Verdict::Added | Verdict::Same => (Vec::new(), &[][..]),
        };
        let first =
            |part: fn(&Fault) -> &String| faults.first().map(part).cloned().unwrap_or_default();
        let [number, name, model] = row.about.clone();
        Self {
            line: row.line,
            mac: row.mac.clone(),
            number,
            name,
            model,
            repairs: row.offers.iter().map(OfferView::from).collect(),
            verdict: row.verdict.as_str(),
            column: first(|fault| &fault.column),
            reason: first(|fault| &fault.reason),
            repair: first(|fault| &fault.repair),
            meant: faults.first().and_then(|fault| fault.meant).map(|mac| mac.to_string()),
            faults: faults.iter().map(FaultView::from).collect(),
            fields,
            warnings: row.warnings.clone(),
        }
    }
}

impl From<&Offer> for OfferView {
    fn from(offer: &Offer) -> Self {
        Self { column: offer.column.clone(), value: offer.value.clone(), why: offer.why.clone() }
    }
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        Self {
            column: fault.column.clone(),
            reason: fault.reason.clone(),
            repair: fault.repair.clone(),
            meant: fault.meant.map(|mac| mac.to_string()),
        }
    }
}
