//! What to do when a phone does not come up: the order of work, and what to press on each family.

use axum::extract::State;
use maud::{Markup, html};

use super::{super::operators::Operators, Place, frame};
use crate::profile::{Family, Model};

/// The order of work. Where it comes from is said on the page.
const ORDER: [(&str, &str, &str); 6] = [
    (
        "Loads and services",
        "See that what the phone needs runs at all: this appliance, the PBX, and the loads that the phones ask for.",
        "/firmware",
    ),
    (
        "DHCP",
        "See that the phone gets an address, and which server it is told. Try it once with an address typed in and DNS off: \
         if it comes up then, the fault is in DHCP or DNS.",
        "/leases",
    ),
    (
        "The file",
        "See that it asks for its own file and gets it to the last byte. A miss of a trust list, a locale or a ring tone is \
         normal for many families: the family's page says which.",
        "/families",
    ),
    (
        "The label",
        "Compare the MAC on the sticker with the one that asks here, digit by digit, and the model as well. 8 and B, 0 and D \
         look alike; the label of the carton may be of another phone.",
        "/",
    ),
    (
        "Delete and add again",
        "Take the phone off the list and add it anew, here and on the PBX. Reset the phone if another system had it before.",
        "/import",
    ),
    (
        "A trace",
        "If all of that is right, look at the packets: the phone's own page has every step of its boot; a capture at its \
         switch port shows what never came here.",
        "/events",
    ),
];

/// The page. Each family has an anchor of its name.
pub async fn page(State(operators): State<Operators>) -> Markup {
    let provisioner = operators.service.provisioner();
    let families: Vec<_> = provisioner.catalog().families().collect();
    let (known, unknown): (Vec<&Family>, Vec<&Family>) =
        families.into_iter().partition(|family| has_steps(family));
    let content = html! {
        h1 { "When a phone does not come up" }
        section aria-labelledby="order-title" {
            h2 #order-title { "In this order" }
            ol.order { @for (name, text, link) in ORDER {
                li { strong { a href=(link) { (name) } } span { (text) } }
            } }
            p.quiet { "The order is that of the Cisco Support Community's guide to phones that do not register; it serves other makes as well." }
        }
        section aria-labelledby="keys-title" {
            h2 #keys-title { "What to press" }
            nav.jump aria-label="Families" { @for family in &known { a href={ "#" (family.name) } { (family.title) } } }
        }
        @for family in &known { (steps(family)) }
        @if !unknown.is_empty() {
            section aria-labelledby="none-title" {
                h2 #none-title { "No source says what to press" }
                p { @for family in &unknown {
                    span.of id=(family.name) { a href={ "/families/" (family.name) } { (family.title) } }
                } }
            }
        }
    };
    let place = Place { title: "Help", path: "/help", script: "/still.js", mac: None };
    frame(&place, &operators, &content)
}

fn has_steps(family: &Family) -> bool {
    let advice = &family.advice;
    let own = family.models.values().any(|model| model.reset.is_some());
    let texts = [&family.reset, &advice.dhcp, &advice.server, &advice.trust, &advice.resync];
    own || !advice.silent.is_empty() || texts.iter().any(|text| !text.is_empty())
}

fn steps(family: &Family) -> Markup {
    let advice = &family.advice;
    let all = [
        ("Factory settings", &family.reset),
        ("DHCP on or off", &advice.dhcp),
        ("Alternate TFTP or provisioning server", &advice.server),
        ("Trust lists", &advice.trust),
        ("Firmware that does not follow", &advice.firmware),
        ("Asked to come again, and does not", &advice.resync),
    ];
    html! {
        section.steps id=(family.name) {
            h2 { a href={ "/families/" (family.name) } { (family.title) } }
            dl {
                @for (name, text) in all {
                    // That nobody wrote down the first three is worth knowing at the phone; the others are rare.
                    @if !text.is_empty() { dt { (name) } dd { (text) } }
                    @else if ["Factory", "DHCP", "Alternate"].iter().any(|one| name.starts_with(one)) {
                        dt { (name) } dd.quiet { "no source says" }
                    }
                    @if name == "Factory settings" {
                        @for (keys, models) in own(family) { dt { (models.join(", ")) } dd { (keys) } }
                    }
                }
                @for (model, text) in &advice.silent { dt { (model) ", if it is never seen" } dd { (text) } }
            }
            @if is_unverified(family) {
                p.quiet { span.mark { "unverified" } " " (unverified(family).join(" ")) }
            }
        }
    }
}

/// Models with keys of their own, those with the same together.
fn own(family: &Family) -> Vec<(&str, Vec<&str>)> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for Model { name, reset, .. } in family.models.values() {
        let Some(keys) = reset.as_deref() else { continue };
        match all.iter_mut().find(|(known, _)| *known == keys) {
            Some((_, models)) => models.push(name),
            None => all.push((keys, vec![name])),
        }
    }
    all
}

fn unverified(family: &Family) -> Vec<&str> {
    let about_keys = |fact: &&String| fact.contains("key") && fact.contains("reset");
    family.unverified.iter().filter(about_keys).map(String::as_str).collect()
}

fn is_unverified(family: &Family) -> bool {
    !unverified(family).is_empty()
}
