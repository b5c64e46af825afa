//! The operators' list handed out, in our form and in those of PBXs.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;

use crate::{
    domain::{Entry, Mac},
    provision::inventory::{self, Fault, Pbx},
    store,
};

use super::{
    super::operators::Operators,
    phones::unprocessable,
    problem::{Details, Params, switch},
};

/// In which form to hand the list out.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `csv`, unless said, or `json`; `pjsip`, `freeswitch` or `3cx` for the accounts only.
    format: Option<String>,
    /// Only of this site.
    site: Option<String>,
    /// With passwords in clear.
    #[serde(deserialize_with = "switch")]
    secrets: bool,
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    Json,
    Pbx(Pbx),
}

impl Form {
    fn named(name: Option<&str>) -> Option<Self> {
        Some(match name {
            None | Some("" | "csv") => Self::Csv,
            Some("json") => Self::Json,
            Some("pjsip") => Self::Pbx(Pbx::Asterisk),
            Some("freeswitch") => Self::Pbx(Pbx::FreeSwitch),
            Some("3cx") => Self::Pbx(Pbx::ThreeCx),
            Some(_) => return None,
        })
    }

    /// The type of the bytes, and what a browser calls the file.
    const fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => ("text/csv; charset=utf-8", "phones.csv"),
            Self::Json => ("application/json", "phones.json"),
            Self::Pbx(Pbx::Asterisk) => ("text/plain; charset=utf-8", "pjsip_phones.conf"),
            Self::Pbx(Pbx::FreeSwitch) => ("application/xml", "phones.xml"),
            Self::Pbx(Pbx::ThreeCx) => ("text/csv; charset=utf-8", "3cx-extensions.csv"),
        }
    }
}

/// Hands out the list of phones, in the form that an import takes, or its SIP accounts in the form of a PBX.
#[utoipa::path(get, path = "/api/v1/phones/export", tag = "phones", params(Wanted),
    responses((status = 200, content_type = "text/csv"), (status = 400, body = Details), (status = 422, body = Details)))]
pub async fn export(
    State(operators): State<Operators>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Details> {
    let form = Form::named(wanted.format.as_deref())
        .ok_or_else(|| Details::bad("`format` is csv, json, pjsip, freeswitch or 3cx"))?;
    if wanted.secrets {
        operators.revealed("an export");
    }
    let text = spawn_blocking(move || written(&operators, form, &wanted));
    let text = text.await.map_err(|fault| Details::fault(fault.to_string()))?;
    let text = text.map_err(|faults| unprocessable(&faults))?;
    let (kind, name) = form.kind();
    let name = format!("attachment; filename=\"{name}\"");
    let kind = kind.to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], text).into_response())
}

fn written(operators: &Operators, form: Form, wanted: &Wanted) -> Result<String, Vec<Fault>> {
    // A copy, so that no lease waits; entries in it are shared, not copied.
    let state: store::State = operators.service.view.read().clone();
    let (site, secrets) = (wanted.site.as_deref(), wanted.secrets);
    let filter = |_: Mac, entry: &Entry| site.is_none() || entry.site.as_deref() == site;
    match form {
        Form::Csv => Ok(inventory::export_csv(&state, &filter, secrets)),
        Form::Json => Ok(inventory::export_json(&state, &filter, secrets)),
        Form::Pbx(pbx) => {
            let provisioner = operators.service.provisioner();
            let known = (&**provisioner.settings(), &**provisioner.catalog());
            inventory::export_pbx(pbx, &state, known, &filter, secrets)
        }
    }
}
