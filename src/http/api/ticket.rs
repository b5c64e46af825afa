//! A phone in one paragraph of plain text, to paste into a ticket.

use axum::extract::{Path, State};

use crate::domain::{Timestamp, clip};

use super::{
    super::operators::Operators,
    phones::{mac, view},
    problem::Details,
    view::{PhoneView, TransferView},
};

/// The last files that a ticket names.
const FILES: usize = 5;

/// The most characters of what a phone or a list says.
const CLIP: usize = 160;

/// Tells all that matters about a phone in one paragraph of plain text, without secrets.
#[utoipa::path(get, path = "/api/v1/phones/{mac}/ticket", tag = "phones", params(("mac" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Details)))]
pub async fn ticket(
    State(operators): State<Operators>,
    Path(text): Path<String>,
) -> Result<String, Details> {
    let phone = view(&operators, mac(&text)?, false)?;
    Ok(paragraph(&phone, &operators.about.version, Timestamp::now()))
}

/// The paragraph. Times are in UTC: whoever reads a ticket may sit elsewhere.
fn paragraph(phone: &PhoneView, version: &str, now: Timestamp) -> String {
    let mut told = vec![who(phone), stage(phone)];
    for finding in &phone.findings {
        told.push(format!(
            "Finding {}: {}; remedy: {}.",
            finding.kind, finding.text, finding.remedy
        ));
    }
    // The cause is often a finding as well, which was told.
    let again = |text: &str| phone.findings.iter().any(|finding| finding.text == text);
    if let Some(diagnosis) = phone.diagnosis.as_ref().filter(|it| !again(&it.text)) {
        told.push(format!("Cause: {}; remedy: {}.", diagnosis.text, diagnosis.remedy));
    }
    if let Some(expected) = &phone.expected {
        told.push(format!("Expected next: {expected}."));
    }
    told.extend(files(phone));
    if let Some(last) = &phone.last {
        told.push(format!("Last event at {}: {}.", utc(&last.at), last.text));
    }
    let says: Vec<_> = phone.identity.grounds.iter().take(3).collect();
    told.extend(says.first().map(|_| {
        let says: Vec<_> =
            says.iter().map(|it| format!("{} \"{}\"", it.from, clip(&it.value, CLIP))).collect();
        format!("It shows {}.", says.join(", "))
    }));
    told.push(format!("(ringup {version}, {})", now.strftime("%Y-%m-%d %H:%M:%S UTC")));
    // One paragraph, whatever a list or a phone put into it.
    told.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `4012 Front desk: Poly VVX410, MAC …, address …, site …`.
fn who(phone: &PhoneView) -> String {
    let mut parts = Vec::new();
    let entry = phone.entry.as_ref();
    let label = entry.map(|entry| format!("{} {}", entry.number, entry.name).trim().to_owned());
    let identity = &phone.identity;
    let seen = [identity.vendor.as_deref(), identity.model.as_deref()];
    let seen = seen.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let listed = entry.map_or("", |entry| entry.model.as_str());
    parts.push(match (seen.as_str(), listed) {
        ("", "") => "model unknown".to_owned(),
        ("", listed) => format!("listed as {listed}, not seen to be anything yet"),
        (seen, "") => seen.to_owned(),
        (seen, listed) => format!("{seen} (listed as {listed})"),
    });
    parts.push(format!("MAC {}", phone.mac));
    parts.extend(identity.firmware.as_ref().map(|firmware| format!("firmware {firmware}")));
    parts.extend(phone.address.as_ref().map(|address| format!("address {address}")));
    if let Some(entry) = entry {
        parts.extend(entry.site.as_ref().map(|site| format!("site {site}")));
        parts.extend(
            Some(&entry.location).filter(|it| !it.is_empty()).map(|it| format!("location {it}")),
        );
    }
    let label = label.filter(|label| !label.is_empty());
    let label = label.unwrap_or_else(|| {
        (if entry.is_some() { "Phone" } else { "Phone, not listed" }).to_owned()
    });
    format!("{label}: {}.", parts.join(", "))
}

fn stage(phone: &PhoneView) -> String {
    let flags = [
        (phone.ready, "ready"),
        (phone.stuck, "stuck"),
        (phone.looping, "looping"),
        (phone.away, "away"),
    ];
    let set = flags.iter().filter(|(is, _)| *is).map(|(_, flag)| *flag);
    let flags = std::iter::once(phone.stage).chain(set).collect::<Vec<_>>().join(", ");
    match &phone.since {
        Some(since) => format!("Stage {flags}, since {}.", utc(since)),
        None => "Never seen.".to_owned(),
    }
}

fn files(phone: &PhoneView) -> Option<String> {
    let last = phone.transfers.iter().rev().take(FILES).rev();
    let told: Vec<_> = last.map(file).collect();
    (!told.is_empty()).then(|| format!("Last files: {}.", told.join("; ")))
}

fn file(one: &TransferView) -> String {
    let outcome = one.outcome.unwrap_or("under way");
    let why =
        one.text.as_ref().filter(|_| !one.normal).map(|text| format!(" ({})", clip(text, CLIP)));
    let normal = if one.normal { ", which is normal" } else { "" };
    let bytes = match outcome {
        "aborted" | "timed-out" | "failed" | "under way" => {
            format!(" at {} of {} bytes", one.bytes, one.length)
        }
        _ => String::new(),
    };
    format!("{} by {} {outcome}{bytes}{}{normal}", one.name, one.carrier, why.unwrap_or_default())
}

/// A moment of the API as it is read aloud: to the second.
fn utc(at: &str) -> String {
    at.parse::<Timestamp>()
        .map_or_else(|_| at.to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}
