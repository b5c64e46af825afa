//! One phone's own page: what it is, what is wrong, what it fetched, and everything that happened to it.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::domain::{Mac, Timestamp};

use super::{
    super::{
        api::{EventView, FindingView, PhoneView, TransferView, timeline},
        operators::Operators,
    },
    Place, badge, frame, moment,
};

/// Events shown: the API has the rest.
const SHOWN: usize = 200;

/// The page of a phone; a page that says so for one that is neither listed nor seen.
pub async fn page(State(operators): State<Operators>, Path(text): Path<String>) -> Response {
    let Ok(mac) = text.parse::<Mac>() else {
        return missing(&operators, "That is no MAC address.").into_response();
    };
    let Some(phone) = view(&operators, mac) else {
        return missing(&operators, "This phone is neither listed nor was it ever seen.")
            .into_response();
    };
    match timeline(&operators, mac, SHOWN).await {
        Ok(events) => {
            let title = title(&phone);
            let (mac, script) = (Some(phone.mac.as_str()), "/phone.js");
            let place = Place { title: &title, path: "", script, mac };
            frame(&place, &operators, &content(&phone, &title, &events)).into_response()
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

fn content(phone: &PhoneView, title: &str, events: &[EventView]) -> Markup {
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
        (troubles(phone))
        div.columns {
            section { h2 { "Phone" } (facts(phone)) }
            section { h2 { "What it says it is" } (grounds(phone)) }
        }
        section { h2 { "Files" } (transfers(&phone.transfers)) }
        section { h2 { "Timeline" } (happened(events)) }
    }
}

fn troubles(phone: &PhoneView) -> Markup {
    // The cause is often a finding as well: one block says both.
    let cause = phone.diagnosis.as_ref().map(|diagnosis| &diagnosis.text);
    let (same, others): (Vec<_>, Vec<_>) =
        phone.findings.iter().partition(|finding| Some(&finding.text) == cause);
    html! {
        @if let Some(diagnosis) = &phone.diagnosis {
            div.trouble {
                @for finding in same { span.kind { (finding.kind) } }
                strong { (diagnosis.text) }
                p { (diagnosis.remedy) }
                @if let Some(expected) = &diagnosis.expected { p.quiet { "Expected next: " (expected) } }
            }
        }
        @for finding in others { (trouble(finding)) }
        @if phone.diagnosis.is_some() || !phone.findings.is_empty() {
            p.help { a href=(help(phone)) { "What to try in which order, and what to press on this phone" } }
        }
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
            strong { (finding.text) }
            p { (finding.remedy) }
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
                @if let Some(text) = &transfer.text { span.quiet { " " (text) } }
            }
            td.quiet {
                @if outcome != "refused" { (transfer.bytes) " of " (transfer.length) " bytes" }
            }
            td.quiet { (moment(&transfer.at)) }
        }
    }
}

/// True for a miss or an abort that the family's profile calls normal: it is told, and no fault.
fn is_normal(event: &EventView) -> bool {
    event.data["normal"] == true
}

fn happened(events: &[EventView]) -> Markup {
    html! {
        @if events.is_empty() { p.quiet { "Nothing has happened yet." } }
        @else {
            ol.timeline {
                @for event in events.iter().rev() {
                    li.quiet[is_normal(event)] data-kind=(event.kind) {
                        (moment(&event.at)) " "
                        span { (event.text) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Asked, Carrier, Event, Role, What};

    #[test]
    fn a_normal_miss_is_quiet_in_the_timeline() {
        let shown = |normal| {
            let asked = Asked {
                name: "a".into(),
                role: Role::Extra,
                carrier: Carrier::Tftp,
                required: None,
                first: false,
            };
            let what = What::Refused { asked, why: "there is no a".into(), normal };
            happened(&[EventView::new(1, &Event { at: Timestamp::UNIX_EPOCH, what })]).into_string()
        };
        assert!(shown(true).contains("class=\"quiet\""), "{}", shown(true));
        assert!(!shown(false).contains("quiet"), "{}", shown(false));
    }
}
