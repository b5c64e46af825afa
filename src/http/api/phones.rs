//! Phones: the list, and one of them.

use std::{collections::BTreeSet, net::Ipv4Addr, ops::Bound};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::StatusCode,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{Batch, Change, FindingKind, Mac, Stage, Timestamp},
    provision::{Provisioner, inventory, nearest},
    store::{Phone, State as Facts},
};

use super::{
    super::operators::Operators,
    entry::EntryView,
    problem::{Details, Params, switch},
    repair::{found, remember},
    view::PhoneView,
};

/// Phones looked at under one lock: short enough that no ACK waits for an operator's list.
const AT_A_TIME: usize = 256;

/// How long after a restart a phone may become ready by itself.
const SETTLING: SignedDuration = SignedDuration::from_mins(3);

/// How long after its last step a configured phone may yet become stuck: nobody's patience is longer.
const DUE: SignedDuration = SignedDuration::from_mins(15);

/// Phones in one page of a list, unless asked otherwise.
const USUAL_LIMIT: usize = 100;

/// The most things in one page of any list.
pub const MAX_LIMIT: usize = 1000;

/// The site of who belongs to no other, whether the settings name it or not.
const DEFAULT_SITE: &str = "default";

/// The most names in an answer to one that is not known.
const MAX_NAMED: usize = 60;

/// Which phones, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a query, each of its own")]
pub struct Wanted {
    /// Only this stage.
    pub stage: Option<String>,
    /// Only with a finding of this kind.
    pub finding: Option<String>,
    /// Only of this site.
    pub site: Option<String>,
    /// Only where this text is in the MAC, number, name, model, address, location or note.
    pub q: Option<String>,
    /// Only those that auto-registration listed, and that no operator changed since.
    #[serde(rename = "auto-registered", deserialize_with = "switch")]
    pub auto_registered: bool,
    /// Only behind this MAC: the `next` of the page before.
    pub after: Option<String>,
    /// At most so many; 100 unless said, 1000 at most.
    pub limit: Option<usize>,
    /// Show secrets.
    #[serde(deserialize_with = "switch")]
    pub reveal: bool,
    /// Without evidence and transfers (their lists are empty): what a board of many phones shows.
    #[serde(deserialize_with = "switch")]
    pub brief: bool,
    /// Only phones of which time alone may change what is said: on their way, restarted within the last minutes, or with
    /// a lease that is over. Whoever follows the events asks for these now and then.
    #[serde(deserialize_with = "switch")]
    pub unsettled: bool,
}

/// A page of phones.
#[derive(Debug, Serialize, ToSchema)]
pub struct PhonePage {
    items: Vec<PhoneView>,
    /// What to pass as `after` for the next page; null at the end.
    next: Option<String>,
}

/// What one switch may say about a request.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Shown {
    /// Show secrets.
    #[serde(deserialize_with = "switch")]
    pub reveal: bool,
}

/// Reads a MAC out of a path.
///
/// # Errors
///
/// 400 with the reason.
pub fn mac(text: &str) -> Result<Mac, Details> {
    text.parse().map_err(|error| {
        Details::bad(format!("`{}` is no MAC address: {error}", crate::domain::clip(text, 40)))
    })
}

struct Filter {
    stage: Option<Stage>,
    finding: Option<FindingKind>,
    site: Option<String>,
    auto_registered: bool,
    words: String,
    unsettled: bool,
}

impl Filter {
    fn new(wanted: &Wanted, operators: &Operators) -> Result<Self, Details> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let stage = match given(&wanted.stage) {
            None => None,
            Some(name) => Some(
                Stage::ALL.into_iter().find(|stage| stage.as_str() == name).ok_or_else(|| {
                    let known = Stage::ALL.map(Stage::as_str).join(", ");
                    Details::bad(format!("there is no such stage; the stages are {known}"))
                })?,
            ),
        };
        let finding = given(&wanted.finding).map(|name| kind(&name)).transpose()?;
        let site = given(&wanted.site).map(|name| known(operators, name)).transpose()?;
        let words = wanted.q.as_deref().unwrap_or_default().trim().to_lowercase();
        let (auto_registered, unsettled) = (wanted.auto_registered, wanted.unsettled);
        Ok(Self { stage, finding, site, auto_registered, words, unsettled })
    }

    /// What can be told without a report.
    fn fits(
        &self,
        provisioner: &Provisioner,
        mac: Mac,
        phone: &Phone,
        (state, now): (&Facts, Timestamp),
    ) -> bool {
        let site = || {
            let address = phone.boot.address.unwrap_or(Ipv4Addr::UNSPECIFIED);
            provisioner.site_of(phone.entry.as_deref(), address.into())
        };
        let made = || phone.entry.as_ref().is_some_and(|entry| entry.auto_registered);
        self.stage.is_none_or(|stage| phone.boot.stage() == stage)
            && (!self.auto_registered || made())
            && self.site.as_ref().is_none_or(|wanted| site() == *wanted)
            && (self.words.is_empty() || haystack(mac, phone).contains(&self.words))
            && (!self.unsettled || is_unsettled(mac, phone, state, now))
    }

    fn fits_view(&self, view: &PhoneView) -> bool {
        let has = |kind: FindingKind| view.findings.iter().any(|one| one.kind == kind.as_str());
        self.finding.is_none_or(has)
    }
}

/// The kind of this name. A misspelt one must not pass for a kind of which there is none.
fn kind(name: &str) -> Result<FindingKind, Details> {
    let names = || FindingKind::ALL.iter().map(|kind| kind.as_str());
    let found = FindingKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    found.ok_or_else(|| Details::bad(format!("there is no such finding; {}", near(name, names()))))
}

/// A site of the settings or of an entry.
fn known(operators: &Operators, name: String) -> Result<String, Details> {
    let provisioner = operators.service.provisioner();
    let sites = &provisioner.settings().sites;
    if name == DEFAULT_SITE || sites.contains_key(&name) {
        return Ok(name);
    }
    let state = operators.service.view.read();
    let entries = state.phones.values().filter_map(|phone| phone.entry.as_deref());
    let listed: BTreeSet<_> = entries.filter_map(|entry| entry.site.as_deref()).collect();
    if listed.contains(name.as_str()) {
        return Ok(name);
    }
    let all = sites.keys().map(String::as_str).chain(listed).chain([DEFAULT_SITE]);
    Err(Details::bad(format!("there is no such site; {}", near(&name, all))))
}

/// What was likely meant, else the first of what there is.
fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: BTreeSet<_> = known.collect();
    nearest(name, known.iter().copied()).map_or_else(
        || {
            let some: Vec<_> = known.iter().take(MAX_NAMED).copied().collect();
            format!("known are {}", some.join(", "))
        },
        |near| format!("did you mean `{near}`?"),
    )
}

/// True for a phone whose flags the clock may change: what is settled changes by events only.
fn is_unsettled(mac: Mac, phone: &Phone, state: &Facts, now: Timestamp) -> bool {
    let boot = &phone.boot;
    let lease = boot.address.and_then(|address| state.leases.get(&address));
    let over = || lease.is_some_and(|lease| lease.mac == mac && !lease.is_active(now));
    let due = boot.risen < Stage::Registered && now.duration_since(boot.since) < DUE;
    let waits = boot.risen < Stage::Configured || boot.upgrade.is_some() || due;
    boot.is_seen() && (waits || now.duration_since(boot.round) < SETTLING || over())
}

/// All that `q` looks at, in lower case.
fn haystack(mac: Mac, phone: &Phone) -> String {
    let mut text = format!("{mac} {} ", mac.lower());
    let mut add = |part: &str| {
        text.push_str(&part.to_lowercase());
        text.push('\n');
    };
    if let Some(entry) = &phone.entry {
        for part in [&entry.model, &entry.location, &entry.note] {
            add(part);
        }
        for line in &entry.lines {
            add(&line.number);
            add(&line.name);
        }
    }
    if let Some(address) = phone.boot.address {
        add(&address.to_string());
    }
    phone.grounds.iter().filter_map(|ground| ground.model.as_deref()).for_each(add);
    text
}

/// Lists phones, listed or seen, a page at a time, by MAC.
#[utoipa::path(get, path = "/api/v1/phones", tag = "phones", params(Wanted),
    responses((status = 200, body = PhonePage), (status = 400, body = Details)))]
pub async fn list(
    State(operators): State<Operators>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<PhonePage>, Details> {
    let filter = Filter::new(&wanted, &operators)?;
    if wanted.reveal {
        operators.revealed("list of phones");
    }
    let limit = wanted.limit.unwrap_or(USUAL_LIMIT).clamp(1, MAX_LIMIT);
    let mut after =
        wanted.after.as_deref().filter(|after| !after.is_empty()).map(mac).transpose()?;
    let mut items = Vec::new();
    if filter.finding.is_some() {
        operators.service.ledger.refresh(&operators.service).await;
    }
    while items.len() < limit {
        let shown = (wanted.reveal, wanted.brief);
        let scanned = scan(&operators, &filter, shown, after, limit, &mut items);
        after = scanned;
        if after.is_none() {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(Json(PhonePage { items, next: after.map(|mac| mac.to_string()) }))
}

/// All phones that fit, by MAC.
///
/// # Errors
///
/// 400 for a stage, a finding or a site that there is not.
pub(super) async fn matching(operators: &Operators, wanted: &Wanted) -> Result<Vec<Mac>, Details> {
    let filter = Filter::new(wanted, operators)?;
    let (mut after, mut macs) = (None, Vec::new());
    if filter.finding.is_some() {
        operators.service.ledger.refresh(&operators.service).await;
    }
    loop {
        let mut items = Vec::new();
        after = scan(operators, &filter, (false, true), after, MAX_LIMIT, &mut items);
        macs.extend(items.iter().filter_map(|view| view.mac.parse::<Mac>().ok()));
        if after.is_none() {
            return Ok(macs);
        }
        tokio::task::yield_now().await;
    }
}

/// Looks at the next phones behind `after`; the last MAC looked at, or `None` if there are no more.
fn scan(
    operators: &Operators,
    filter: &Filter,
    (reveal, brief): (bool, bool),
    after: Option<Mac>,
    limit: usize,
    items: &mut Vec<PhoneView>,
) -> Option<Mac> {
    let (provisioner, now) = (operators.service.provisioner(), Timestamp::now());
    let state = operators.service.view.read();
    // The next phones that come into question: all, or those that the ledger has for this kind.
    let behind = |after: Option<Mac>, count: usize| -> Vec<Mac> {
        if let Some(kind) = filter.finding {
            return operators.service.ledger.with(kind, after, count);
        }
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = state.phones.range((from, Bound::Unbounded));
        rest.take(count).map(|(mac, _)| *mac).collect()
    };
    let macs = behind(after, AT_A_TIME);
    for mac in &macs {
        let Some(phone) = state.phones.get(mac) else { continue };
        if filter.fits(&provisioner, *mac, phone, (&state, now)) {
            let report = provisioner.report(*mac, phone, &state, now);
            let view = PhoneView::new(*mac, phone, &report, reveal);
            if filter.fits_view(&view) {
                items.push(if brief { view.brief() } else { view });
            }
        }
        if items.len() >= limit {
            return (!behind(Some(*mac), 1).is_empty()).then_some(*mac);
        }
    }
    macs.last().copied().filter(|_| macs.len() == AT_A_TIME)
}

/// Shows one phone.
#[utoipa::path(get, path = "/api/v1/phones/{mac}", tag = "phones", params(("mac" = String, Path), Shown),
    responses((status = 200, body = PhoneView), (status = 404, body = Details)))]
pub async fn one(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    Params(shown): Params<Shown>,
) -> Result<Json<PhoneView>, Details> {
    let mac = mac(&text)?;
    if shown.reveal {
        operators.revealed(&mac.to_string());
    }
    view(&operators, mac, shown.reveal).map(Json)
}

pub(super) fn view(operators: &Operators, mac: Mac, reveal: bool) -> Result<PhoneView, Details> {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    PhoneView::of(&provisioner, &state, mac, reveal, Timestamp::now()).ok_or_else(|| unknown(mac))
}

pub(super) fn unknown(mac: Mac) -> Details {
    Details::missing(format!("{mac} is neither listed nor was it ever seen"))
}

/// Lists a phone, or replaces what is listed for it.
#[utoipa::path(put, path = "/api/v1/phones/{mac}", tag = "phones", params(("mac" = String, Path)),
    request_body = EntryView,
    responses((status = 200, body = PhoneView), (status = 201, body = PhoneView), (status = 422, body = Details)))]
pub async fn put(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<PhoneView>), Details> {
    let mac = mac(&text)?;
    let given: EntryView =
        serde_json::from_slice(&body?).map_err(|error| Details::bad(error.to_string()))?;
    // One edit at a time: what it is checked against must still hold when it is committed.
    let _turn = operators.edits.lock().await;
    let (batch, new) = {
        let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
        let before = state.phones.get(&mac).and_then(|phone| phone.entry.as_deref());
        let fields = given.assignments(before);
        let batch = inventory::edit(&state, provisioner.settings(), mac, &fields);
        (batch.map_err(|faults| unprocessable(&faults))?, before.is_none())
    };
    let wrong = found(&operators, mac);
    operators.service.journal.commit(batch).await?;
    remember(&operators, mac, wrong).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(view(&operators, mac, false)?)))
}

pub(super) fn unprocessable(faults: &[inventory::Fault]) -> Details {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Details::new(StatusCode::UNPROCESSABLE_ENTITY, faults.join("; "))
}

/// Forgets a phone: its entry, its record and what was learned of it. Its number stays its own.
#[utoipa::path(delete, path = "/api/v1/phones/{mac}", tag = "phones", params(("mac" = String, Path)),
    responses((status = 204), (status = 404, body = Details)))]
pub async fn forget(
    State(operators): State<Operators>,
    Path(text): Path<String>,
) -> Result<StatusCode, Details> {
    let mac = mac(&text)?;
    if !operators.service.view.read().phones.contains_key(&mac) {
        return Err(unknown(mac));
    }
    operators.service.journal.commit(Batch::from(Change::Forgotten(mac))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a phone off the list. Its record stays, and so does its number.
#[utoipa::path(delete, path = "/api/v1/phones/{mac}/entry", tag = "phones", params(("mac" = String, Path)),
    responses((status = 204), (status = 404, body = Details)))]
pub async fn unlist(
    State(operators): State<Operators>,
    Path(text): Path<String>,
) -> Result<StatusCode, Details> {
    let mac = mac(&text)?;
    let _turn = operators.edits.lock().await;
    let known = operators.service.view.read().phones.get(&mac).map(|phone| phone.entry.is_some());
    if known != Some(true) {
        return Err(Details::missing(format!("{mac} is not listed")));
    }
    operators.service.journal.commit(Batch::from(Change::Unlisted(mac))).await?;
    Ok(StatusCode::NO_CONTENT)
}
