//! One phone's own page: what it is, what is wrong, what it fetched, and everything that happened to it.

mod acts;
mod dhcp;
mod spells;
mod timeline;
mod waterfall;

use axum::{
    Extension,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::{Event, Mac, Timestamp};

use super::{
    super::{
        api::{self, FindingView, PhoneView, ToldView, TransferView},
        operators::{Caller, Operators},
        trust::NOBODY,
    },
    Place, badge, frame, moment, prose,
};

/// Events on one page; there is a link to older ones.
const SHOWN: usize = 200;

/// Which part of its timeline.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Part {
    /// The `next` of the part after it.
    before: String,
}

/// All that a phone's page shows.
struct Shown<'a> {
    phone: &'a PhoneView,
    told: &'a ToldView,
    events: &'a [(u64, Event)],
    /// The `before` of the older part of the timeline.
    older: Option<&'a str>,
    /// True if this is not the newest part.
    past: bool,
}

/// The page of a phone; a page that says so for one that is neither listed nor seen.
pub async fn page(
    State(operators): State<Operators>,
    Path(text): Path<String>,
    Query(part): Query<Part>,
    caller: Option<Extension<Caller>>,
) -> Response {
    let Ok(mac) = text.parse::<Mac>() else {
        return missing(&operators, "That is no MAC address.").into_response();
    };
    let Some(phone) = view(&operators, mac) else {
        return missing(&operators, "This phone is neither listed nor was it ever seen.")
            .into_response();
    };
    let before = Some(part.before.as_str());
    match api::timeline(&operators, mac, before, SHOWN).await {
        Ok((events, older)) => {
            let asked = caller.map_or(NOBODY, |Extension(caller)| caller.local);
            let told = api::told(&operators, mac, asked, &events);
            let title = title(&phone);
            let shown = Shown {
                phone: &phone,
                told: &told,
                events: &events,
                older: older.as_deref(),
                past: !part.before.is_empty(),
            };
            let place =
                Place { title: &title, path: "", script: "/phone.js", mac: Some(&phone.mac) };
            frame(&place, &operators, &content(&operators, &title, &shown)).into_response()
        }
        Err(details) => details.into_response(),
    }
}

fn view(operators: &Operators, mac: Mac) -> Option<PhoneView> {
    let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
    PhoneView::of(&provisioner, &state, mac, false, Timestamp::now())
}

fn missing(operators: &Operators, text: &str) -> (StatusCode, Markup) {
    let content = html! { h1 { "No such phone" } p { (text) " " a href="/" { "All phones" } } };
    let place = Place { title: "No such phone", path: "", script: "", mac: None };
    (StatusCode::NOT_FOUND, frame(&place, operators, &content))
}

fn title(phone: &PhoneView) -> String {
    match &phone.entry {
        Some(entry) if !entry.number.is_empty() => {
            format!("{} {}", entry.number, entry.name).trim().to_owned()
        }
        _ => phone.mac.clone(),
    }
}

fn content(operators: &Operators, title: &str, shown: &Shown<'_>) -> Markup {
    let phone = shown.phone;
    html! {
        p.back { a href="/" { "← All phones" } }
        h1 { (title) " " (badge(phone.stage)) }
        p.flags {
            @for (set, flag) in [
                (phone.ready, "ready"), (phone.stuck, "stuck"), (phone.looping, "looping"), (phone.away, "away"),
            ] {
                @if set { span.flag data-flag=(flag) { (flag) } " " }
            }
            @if !phone.elsewhere.is_empty() {
                "provisioned elsewhere: by " (phone.elsewhere.join(", ")) " "
            }
            @if let Some(since) = &phone.since { "stage reached " (moment(since)) }
            @else { "never seen" }
        }
        div #said data-keep tabindex="-1" role="status" hidden {}
        // A part of its own: what comes and goes in it moves nothing beside it while somebody types there.
        div { (troubles(phone)) }
        div { @if let Some(recalled) = &phone.recalled { (acts::recalled(recalled)) } }
        (acts::acts(operators, phone))
        section #timeline { h2 { "Timeline" } (timeline::timeline(shown)) }
        div.columns {
            section { h2 { "Phone" } (facts(phone)) }
            section { h2 { "What it says it is" } (grounds(phone)) }
        }
        section { h2 { "DHCP" } (dhcp::dhcp(shown.told)) }
        section {
            // The timeline tells it in order: here are the bytes of each.
            details #transfers {
                summary { h2 { "Files it asked for" } " " span.quiet { (phone.transfers.len()) } }
                (transfers(&phone.transfers))
            }
        }
        (acts::files())
    }
}

fn troubles(phone: &PhoneView) -> Markup {
    // The cause is often a finding as well: one block says both.
    let cause = phone.diagnosis.as_ref().map(|diagnosis| &diagnosis.text);
    let (same, others): (Vec<_>, Vec<_>) =
        phone.findings.iter().partition(|finding| Some(&finding.text) == cause);
    html! {
        @if let Some(diagnosis) = &phone.diagnosis {
            // Whoever never came is waited for: that is no trouble yet.
            div class=(if phone.since.is_some() { "trouble" } else { "fine waits" }) {
                @for finding in &same { span.kind { (finding.kind) } }
                strong { (prose(&diagnosis.text)) }
                p { (prose(&diagnosis.remedy)) }
                @if let Some(expected) = &diagnosis.expected { p.quiet { "Expected next: " (prose(expected)) } }
                @for finding in &same { (acts::repair(finding)) }
            }
        }
        @for finding in others { (trouble(finding)) }
        @if phone.diagnosis.is_some() || !phone.findings.is_empty() {
            p.help { a href=(help(phone)) { "What to try in which order, and what to press on this phone" } }
        }
        @if phone.diagnosis.is_none() && phone.findings.is_empty() { (fine(phone)) }
    }
}

/// Where the keypad steps of its family are told.
fn help(phone: &PhoneView) -> String {
    phone
        .identity
        .family
        .as_ref()
        .map_or_else(|| "/help".to_owned(), |family| format!("/help#{family}"))
}

fn trouble(finding: &FindingView) -> Markup {
    html! {
        div.trouble {
            span.kind { (finding.kind) }
            strong { (prose(&finding.text)) }
            p { (prose(&finding.remedy)) }
            @for ground in &finding.grounds {
                p.quiet { (ground.from) " " span.wire { (ground.value) } ", " (moment(&ground.at)) }
            }
            (acts::repair(finding))
        }
    }
}

/// How it is with a phone that nothing is wrong with, and what it is expected to do next.
fn fine(phone: &PhoneView) -> Markup {
    let (class, text) = match phone {
        _ if !phone.elsewhere.is_empty() => return html! {},
        PhoneView { ready: true, .. } => ("fine", "It is ready: nothing to do."),
        PhoneView { away: true, .. } => (
            "fine waits",
            "It was ready and is away now: its lease or registration ended. It has no power, or no network.",
        ),
        PhoneView { since: None, .. } => (
            "fine waits",
            "It is listed and was never seen. Plug it in: it shows up here at its first packet.",
        ),
        _ => ("fine waits", "It is on its way, and nothing is wrong so far."),
    };
    html! {
        div class=(class) {
            strong { (text) }
            @if let Some(progress) = &phone.progress { p { (prose(progress)) } }
            @if let Some(expected) = &phone.expected { p.quiet { "Expected next: " (prose(expected)) } }
        }
    }
}

fn facts(phone: &PhoneView) -> Markup {
    let identity = &phone.identity;
    let entry = phone.entry.as_ref();
    let listed = |text: fn(&super::super::api::EntryView) -> &str| entry.map_or("", text);
    let reserved = entry.and_then(|entry| entry.address).map(|address| address.to_string());
    let site = entry.and_then(|entry| entry.site.clone());
    let rows = [
        ("MAC", phone.mac.as_str()),
        ("Listed as", if entry.is_some() { listed(|entry| &entry.model) } else { "not listed" }),
        ("Says it is", identity.model.as_deref().unwrap_or_default()),
        ("Vendor", identity.vendor.as_deref().unwrap_or_default()),
        ("Family", identity.family.as_deref().unwrap_or_default()),
        ("Firmware", identity.firmware.as_deref().unwrap_or_default()),
        ("Address", phone.address.as_deref().unwrap_or_default()),
        ("Reserved", reserved.as_deref().unwrap_or_default()),
        ("Number", listed(|entry| &entry.number)),
        ("Name", listed(|entry| &entry.name)),
        ("Site", site.as_deref().unwrap_or_default()),
        ("Location", listed(|entry| &entry.location)),
        ("Note", listed(|entry| &entry.note)),
    ];
    html! {
        dl {
            @for (name, value) in rows {
                @if !value.is_empty() { dt { (name) } dd { (value) } }
            }
        }
    }
}

fn grounds(phone: &PhoneView) -> Markup {
    html! {
        @if phone.identity.grounds.is_empty() { p.quiet { "It has shown nothing yet." } }
        @else {
            table.plain {
                tbody {
                    @for ground in &phone.identity.grounds {
                        tr {
                            th scope="row" { (ground.from) }
                            td.wire { (ground.value) }
                            td.quiet { (moment(&ground.at)) }
                        }
                    }
                }
            }
        }
    }
}

fn transfers(transfers: &[TransferView]) -> Markup {
    html! {
        @if transfers.is_empty() { p.quiet { "It has asked for no file yet." } }
        @else {
            table.plain {
                tbody {
                    @for transfer in transfers.iter().rev() { (row(transfer)) }
                }
            }
        }
    }
}

fn row(transfer: &TransferView) -> Markup {
    let outcome = transfer.outcome.unwrap_or("under way");
    let class = match outcome {
        "complete" => "good",
        "under way" => "quiet",
        _ if transfer.normal => "quiet",
        _ => "bad",
    };
    html! {
        tr {
            td.wire { (transfer.name) }
            td.quiet { (transfer.role) " by " (transfer.carrier) }
            td class=(class) {
                (outcome)
                @if transfer.normal { " (normal)" }
                @if let Some(text) = &transfer.text { span.quiet { " " (prose(text)) } }
            }
            td.quiet {
                @if outcome != "refused" { (transfer.bytes) " of " (transfer.length) " bytes" }
            }
            td.quiet { (moment(&transfer.at)) }
        }
    }
}
