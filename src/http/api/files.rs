//! The files that a phone would get: which, and the bytes of one.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Mac, Timestamp},
    net::Interface,
    provision::{Due, Subnet, Why},
};

use super::{
    super::{
        operators::{Caller, Operators},
        trust::NOBODY,
    },
    explain::ExplainedView,
    phones::{mac, unknown},
    problem::{Details, Params, switch},
};

/// The most octets of a file that is shown to an operator: firmware is not for looking at.
const MAX_SHOWN: u64 = 16 * 1024 * 1024;

/// How a file is to be shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Looked {
    /// Show secrets.
    #[serde(deserialize_with = "switch")]
    pub reveal: bool,
    /// Not its bytes, but where each of its values comes from, as JSON.
    #[serde(deserialize_with = "switch")]
    pub explain: bool,
    /// Our address as the phone would see it, where it has none yet that would tell.
    #[param(value_type = Option<String>)]
    pub server: Option<IpAddr>,
}

/// The files that a phone would ask for.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileList {
    /// In the order in which its family asks for them.
    items: Vec<DueView>,
    /// Always null: no family asks for more than a page of them.
    next: Option<String>,
    /// What its entry asks for and these files can't say: a value that they can't carry, a key without a button.
    oddities: Vec<String>,
}

/// A file that a phone would ask for.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueView {
    /// Its name, as the phone spells it.
    name: String,
    /// `own`, `common`, `fallback`, `trust`, `firmware` or `extra`.
    role: &'static str,
    /// The phone is configured only with it.
    required: bool,
    /// What answers: `template …`, `file …`, `firmware …`; null if nothing does.
    source: Option<String>,
    /// Its bytes; null if nothing answers.
    length: Option<u64>,
    /// Why nothing answers.
    missing: Option<String>,
    /// True if getting nothing is no fault.
    normal: bool,
    /// What there is to know about it.
    note: String,
}

impl From<Due> for DueView {
    fn from(due: Due) -> Self {
        let missing = due.answer.as_ref().err().map(Why::to_string);
        let (source, length) = due.answer.ok().unzip();
        let Due { name, role, required, note, normal, .. } = due;
        Self { name, role: role.as_str(), required, source, length, missing, normal, note }
    }
}

/// Lists the files that a phone would ask for, and what would answer each. Empty while its family is not known.
#[utoipa::path(get, path = "/api/v1/phones/{mac}/files", tag = "phones", params(("mac" = String, Path)),
    responses((status = 200, body = FileList), (status = 404, body = Details)))]
pub async fn list(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    caller: Option<Extension<Caller>>,
) -> Result<Json<FileList>, Details> {
    let mac = mac(&text)?;
    let entry = match operators.service.view.read().phones.get(&mac) {
        Some(phone) => phone.entry.clone(),
        None => return Err(unknown(mac)),
    };
    let asked = caller.map_or(NOBODY, |Extension(caller)| caller.local);
    let local = local(&operators, mac, asked);
    let provisioner = operators.service.provisioner();
    // A dozen templates are rendered: no other connection waits for that.
    let looked = tokio::task::spawn_blocking(move || {
        let now = Timestamp::now();
        let odd = entry.map(|entry| provisioner.oddities(mac, &entry, now));
        (provisioner.files_of(mac, local, now), odd.unwrap_or_default())
    });
    let (due, oddities) = looked.await.map_err(|fault| Details::fault(fault.to_string()))?;
    let items = due.into_iter().map(DueView::from).collect();
    Ok(Json(FileList { items, next: None, oddities }))
}

/// Shows the bytes that a phone would get for a name, or with `explain` where their values come from. Secrets in what is
/// rendered are masked unless `reveal`.
#[utoipa::path(get, path = "/api/v1/phones/{mac}/files/{name}", tag = "phones",
    params(("mac" = String, Path), ("name" = String, Path), Looked),
    responses((status = 200, content((Vec<u8> = "application/octet-stream"), (ExplainedView = "application/json"))),
        (status = 404, body = Details)))]
pub async fn file(
    State(operators): State<Operators>,
    Path((text, name)): Path<(String, String)>,
    caller: Option<Extension<Caller>>,
    Params(shown): Params<Looked>,
) -> Result<Response, Details> {
    let mac = mac(&text)?;
    if shown.reveal {
        operators.revealed(&format!("a file of {mac}"));
    }
    let provisioner = operators.service.provisioner();
    let asked = caller.map_or(NOBODY, |Extension(caller)| caller.local);
    let local = shown.server.unwrap_or_else(|| local(&operators, mac, asked));
    if shown.explain {
        let explained = provisioner.explain(mac, &name, local, shown.reveal, Timestamp::now());
        let explained = explained.map_err(|refusal| Details::from(refusal.why))?;
        return Ok(Json(ExplainedView::from(explained)).into_response());
    }
    let opened = provisioner
        .preview(mac, &name, local, shown.reveal, Timestamp::now())
        .map_err(|refusal| unshown(mac, &name, refusal.why))?;
    if opened.length > MAX_SHOWN {
        let text =
            format!("{name} has {} bytes; at most {MAX_SHOWN} are shown here", opened.length);
        return Err(Details::new(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    let read = move || {
        let mut bytes = vec![0; usize::try_from(opened.length).unwrap_or_default()];
        let filled = opened.body.read_at(0, &mut bytes)?;
        bytes.truncate(filled);
        std::io::Result::Ok((bytes, opened.source))
    };
    let fault = |fault: &dyn std::fmt::Display| Details::fault(fault.to_string());
    let read = tokio::task::spawn_blocking(read).await.map_err(|joined| fault(&joined))?;
    let (bytes, source) = read.map_err(|failed| fault(&failed))?;
    Ok(attached(bytes, &source))
}

/// Why a file is not shown. An operator who names one phone and the file of another has no address to be told of.
fn unshown(mac: Mac, name: &str, why: Why) -> Details {
    match why {
        Why::NotItsAddress { phone, .. } if phone != mac => {
            Details::missing(format!("{name} is the file of {phone}, and {mac} would not get it"))
        }
        why => Details::from(why),
    }
}

/// Bytes that a browser never takes for a page of ours, whatever is in them.
fn attached(bytes: Vec<u8>, source: &str) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(source) = HeaderValue::from_str(source) {
        headers.insert("x-ringup-source", source);
    }
    response
}

/// The address of ours that a phone asks: where its subnet says so, that; else the one from which we reach it; else, for
/// one without an address, the one that we have in the only subnet of its site; else the one at which the operator asks.
pub fn local(operators: &Operators, mac: Mac, asked: IpAddr) -> IpAddr {
    let provisioner = operators.service.provisioner();
    let (address, entry) = {
        let state = operators.service.view.read();
        let phone = state.phones.get(&mac);
        let entry = phone.and_then(|phone| phone.entry.clone());
        let reserved = entry.as_ref().and_then(|entry| entry.address);
        (phone.and_then(|phone| phone.boot.address).or(reserved), entry)
    };
    let subnets = provisioner.settings().dhcp.subnets.iter();
    let Some(address) = address else {
        let site = provisioner.site_of(entry.as_deref(), NOBODY);
        return of_site(subnets.filter(|subnet| subnet.site == site)).unwrap_or(asked);
    };
    let mut around = subnets.filter(|subnet| subnet.contains(address));
    let server = around.next().and_then(|subnet| subnet.servers.first());
    // Connecting a UDP socket asks the routing table, and sends nothing.
    let routed = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect((address, 69)).ok()?;
        socket.local_addr().ok().map(|local| local.ip())
    };
    server.map(|server| IpAddr::V4(*server)).or_else(routed).unwrap_or(asked)
}

/// The address that phones of these subnets ask, as far as all of them ask the same: the first of `servers`, else the
/// one of the interface that is in the subnet.
fn of_site<'a>(subnets: impl Iterator<Item = &'a Subnet>) -> Option<IpAddr> {
    let interfaces = Interface::all().unwrap_or_default();
    let own = || interfaces.iter().flat_map(|interface| &interface.addresses);
    let mut known = subnets.filter_map(|subnet| {
        let inside = || own().map(|(address, _)| *address).find(|own| subnet.contains(*own));
        subnet.servers.first().copied().or_else(inside)
    });
    let first = known.next()?;
    known.all(|other| other == first).then_some(IpAddr::V4(first))
}
