//! DHCP explained for one phone, as JSON.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Event, Mac, Timestamp, What},
    provision::{DhcpMode, Told, ToldOption},
    wire::dhcp::names,
};

use super::{
    super::{
        operators::{Caller, Operators},
        trust::NOBODY,
    },
    files::local,
    phones::mac,
    problem::Details,
    timeline::timeline,
};

/// How far back in its timeline another server's word is looked for.
const LOOKED_AT: usize = 200;

/// What a phone learns by DHCP, and what it makes of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldView {
    /// `serve`, `observe` or `off`: who answers.
    pub mode: &'static str,
    /// All of it in one or two plain sentences.
    pub text: String,
    /// The subnet whose settings count.
    pub subnet: Option<String>,
    /// Its option 55, in its own order; null if it has shown none.
    pub asked: Option<Vec<WishView>>,
    /// What ringup sends it, or would if it answered, in order of sending.
    pub offered: Vec<OptionView>,
    /// Where its family looks for its servers, in that order.
    pub honours: Vec<OptionView>,
    /// What it takes of that; null if none of it reaches it.
    pub uses: Option<OptionView>,
}

/// An option that a phone asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct WishView {
    pub(in crate::http) code: u8,
    pub(in crate::http) name: &'static str,
}

/// An option with its content.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OptionView {
    pub(in crate::http) code: u8,
    /// Sub-option inside option 43.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) sub: Option<u8>,
    /// What it is called.
    pub(in crate::http) name: &'static str,
    /// As an engineer reads it; empty for one that is not sent.
    pub(in crate::http) text: String,
    /// True if its option 55 asks for it.
    pub(in crate::http) asked: bool,
}

/// Explains DHCP for a phone: what it asked for, what it is offered, and which option its family takes.
#[utoipa::path(get, path = "/api/v1/phones/{mac}/dhcp", tag = "phones", params(("mac" = String, Path)),
    responses((status = 200, body = ToldView), (status = 404, body = Details)))]
pub async fn dhcp(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    caller: Option<Extension<Caller>>,
) -> Result<Json<ToldView>, Details> {
    let mac = mac(&text)?;
    let (events, _) = timeline(&operators, mac, None, LOOKED_AT).await?;
    let asked = caller.map_or(NOBODY, |Extension(caller)| caller.local);
    Ok(Json(told(&operators, mac, asked, &events)))
}

/// The same for the page. `asked` is the address at which the operator asks; `events` the newest of its timeline.
#[must_use]
pub fn told(operators: &Operators, mac: Mac, asked: IpAddr, events: &[(u64, Event)]) -> ToldView {
    let own = match local(operators, mac, asked).to_canonical() {
        IpAddr::V4(own) => own,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    let heard = events.iter().rev().find_map(|(_, event)| match &event.what {
        What::Told { by, servers } => Some((*by, servers.as_slice())),
        _ => None,
    });
    let provisioner = operators.service.provisioner();
    ToldView::from(provisioner.told(mac, own, heard, Timestamp::now()))
}

impl From<Told> for ToldView {
    fn from(told: Told) -> Self {
        let mode = match told.mode {
            DhcpMode::Serve => "serve",
            DhcpMode::Observe => "observe",
            DhcpMode::Off => "off",
        };
        let wish = |code: &u8| WishView { code: *code, name: names::name(*code) };
        let honours: Vec<_> = told.honours.into_iter().map(OptionView::from).collect();
        Self {
            mode,
            text: told.text,
            subnet: told.subnet,
            asked: told.asked.map(|codes| codes.iter().map(wish).collect()),
            offered: told.options.into_iter().map(OptionView::from).collect(),
            uses: told.uses.and_then(|at| honours.get(at).cloned()),
            honours,
        }
    }
}

impl From<ToldOption> for OptionView {
    fn from(option: ToldOption) -> Self {
        let ToldOption { code, sub, name, text, asked } = option;
        Self { code, sub, name, text, asked }
    }
}
