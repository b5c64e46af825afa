//! Other settings for the running appliance.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Problem, Severity},
    provision::{Difference, Reloaded, Unloaded},
};

use super::{
    super::operators::Operators,
    problem::{Details, Params, switch},
    repair::{found_on_benches, remember_all},
};

/// How a reload is to be.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[into_params(parameter_in = Query)]
pub struct How {
    /// Only tell what it would do.
    #[serde(deserialize_with = "switch")]
    dry_run: bool,
}

/// What a reload did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReloadView {
    /// What is not as it was; secrets are masked.
    changes: Vec<DifferenceView>,
    /// What stays as it was until a restart.
    restart: Vec<String>,
    /// What is legal but probably not meant.
    warnings: Vec<ProblemView>,
}

/// A key of the settings, or a file, that is not as it was.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceView {
    key: String,
    /// Null if it was not there.
    old: Option<String>,
    /// Null if it is gone.
    new: Option<String>,
}

/// Something in a file that its author has to fix.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemView {
    file: String,
    line: Option<usize>,
    /// `error` or `warning`.
    severity: &'static str,
    text: String,
    help: String,
}

/// Problem details (RFC 9457) with all that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// All of it, warnings included.
    problems: Vec<ProblemView>,
}

/// Reads the settings, families and files anew and puts them in force; no socket closes and no transfer breaks. If
/// anything is wrong, nothing changes.
#[utoipa::path(post, path = "/api/v1/reload", tag = "appliance", params(How),
    responses((status = 200, body = ReloadView), (status = 422, body = Refused), (status = 503, body = Details)))]
pub async fn reload(
    State(operators): State<Operators>,
    Params(how): Params<How>,
) -> Result<Json<ReloadView>, Response> {
    let nobody = || Details::new(StatusCode::CONFLICT, "no appliance runs that could reload");
    let reload = operators.reload.as_ref().ok_or_else(|| nobody().into_response())?;
    // Firmware that was put there, or a site's settings, may mend phones on the bench.
    let wrong = if how.dry_run { Vec::new() } else { found_on_benches(&operators, None) };
    match reload.ask(how.dry_run).await {
        Ok(reloaded) => {
            remember_all(&operators, wrong).await.map_err(IntoResponse::into_response)?;
            Ok(Json(reloaded.into()))
        }
        Err(Unloaded::Problems(problems)) => Err(Refused::new(problems).into_response()),
        Err(Unloaded::Busy) => {
            let text = "another reload is under way; ask again in a moment";
            Err(Details::new(StatusCode::SERVICE_UNAVAILABLE, text).into_response())
        }
    }
}

impl Refused {
    fn new(problems: Vec<Problem>) -> Self {
        let errors = problems.iter().filter(|one| one.severity == Severity::Error).count();
        Self {
            kind: "about:blank",
            title: "Unprocessable Content",
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            detail: format!("{errors} to mend; nothing has changed"),
            problems: problems.into_iter().map(ProblemView::from).collect(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<Reloaded> for ReloadView {
    fn from(reloaded: Reloaded) -> Self {
        let Reloaded { changes, restart, warnings } = reloaded;
        Self {
            changes: changes.into_iter().map(DifferenceView::from).collect(),
            restart,
            warnings: warnings.into_iter().map(ProblemView::from).collect(),
        }
    }
}

impl From<Difference> for DifferenceView {
    fn from(Difference { key, old, new }: Difference) -> Self {
        Self { key, old, new }
    }
}

impl From<Problem> for ProblemView {
    fn from(problem: Problem) -> Self {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Problem { file, line, text, help, .. } = problem;
        Self { file, line, severity, text, help }
    }
}
