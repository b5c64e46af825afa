//! Families of phones: what each asks for in which order, what answers, and what is not known for certain.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{
    super::{api::ServerOptionView, operators::Operators},
    Place, frame,
};
use crate::{
    domain::Role,
    profile::{Family, FileRule, Model, Speaks},
};

/// The list of all.
pub async fn list(State(operators): State<Operators>) -> Markup {
    let provisioner = operators.service.provisioner();
    let here = here(&operators);
    let (served, known): (Vec<_>, Vec<_>) =
        provisioner.catalog().families().partition(|family| family.provisions);
    let content = html! {
        h1 { "Families" }
        p.lead { "What ringup knows of phones, family by family. A folder of the same name among your profiles wins, file by file." }
        (table("Provisioned", &served, &here))
        (table("Recognized only", &known, &here))
    };
    let place = Place { title: "Families", path: "/families", script: "/still.js", mac: None };
    frame(&place, &operators, &content)
}

/// One of them.
pub async fn one(State(operators): State<Operators>, Path(name): Path<String>) -> Response {
    let provisioner = operators.service.provisioner();
    let Some(family) = provisioner.catalog().family(&name) else {
        let content = html! { h1 { "No such family" } p { "ringup knows none of that name. " a href="/families" { "All families" } } };
        let place = Place { title: "No such family", path: "", script: "", mac: None };
        return (StatusCode::NOT_FOUND, frame(&place, &operators, &content)).into_response();
    };
    let count = here(&operators).get(family.name.as_str()).copied().unwrap_or(0);
    let place = Place { title: &family.title, path: "/families", script: "/still.js", mac: None };
    frame(&place, &operators, &content(family, count)).into_response()
}

/// How many phones of each family were seen.
fn here(operators: &Operators) -> BTreeMap<String, usize> {
    let provisioner = operators.service.provisioner();
    let state = operators.service.view.read();
    let mut here = BTreeMap::new();
    for phone in state.phones.values().filter(|phone| phone.is_recorded()) {
        // Each ground names its family; a whole report of every phone would take a lock for too long.
        let named = phone.grounds.iter().find_map(|ground| ground.family.as_ref());
        let family = named.map(|family| family.as_str().to_owned());
        let family = family.or_else(|| {
            let model = phone.entry.as_ref().map(|entry| entry.model.as_str())?;
            Some(provisioner.catalog().model(model)?.0.name.as_str().to_owned())
        });
        if let Some(family) = family {
            *here.entry(family).or_insert(0) += 1;
        }
    }
    here
}

/// How ringup serves a family, in two or three words.
fn how(family: &Family) -> &'static str {
    match (family.provisions, is_raw(family)) {
        (false, _) => "recognized only",
        (true, true) => "raw files only",
        (true, false) => "rendered",
    }
}

/// True for a family whose own files nothing renders: they come from the operator's files as they are.
fn is_raw(family: &Family) -> bool {
    let own = family.files.iter().filter(|file| file.role == Role::Own);
    family.provisions && own.into_iter().all(|file| file.template.is_none())
}

/// Those of which a phone was seen on top: they are what the reader comes for.
fn in_use_first<'a>(
    families: &[&'a Family],
    here: &BTreeMap<String, usize>,
) -> impl Iterator<Item = &'a Family> {
    let mut order = families.to_vec();
    order.sort_by_key(|family| !here.contains_key(family.name.as_str()));
    order.into_iter()
}

fn table(title: &str, families: &[&Family], here: &BTreeMap<String, usize>) -> Markup {
    html! {
        section {
            h2 { (title) " " span.quiet { (families.len()) } }
            table.rows {
                thead { tr { th scope="col" { "Family" } th scope="col" { "Maker" } th scope="col" { "Configuration" }
                    th scope="col" { "Models" } th scope="col" { "Seen here" } } }
                tbody { @for family in in_use_first(families, here) {
                    tr data-family=(family.name) {
                        td { a.main href={ "/families/" (family.name) } { (family.title) } span.sub.wire { (family.name) } }
                        td { (family.vendor) }
                        td { (how(family)) }
                        td.number data-th="models" { (family.models.len()) }
                        td.number data-th="seen here" { @match here.get(family.name.as_str()) { Some(count) => (count), None => span.quiet { "0" } } }
                    }
                } }
            }
        }
    }
}

fn content(family: &Family, count: usize) -> Markup {
    html! {
        p.back { a href="/families" { "← All families" } }
        h1 { (family.title) }
        p.flags {
            span.flag { (how(family)) } " " span.wire { (family.name) } ", " (family.vendor) ", " (count) " seen here, "
            a href={ "/help#" (family.name) } { "keypad steps" }
        }
        @if !family.provisions {
            p.notice { "ringup recognizes these phones and renders nothing for them: files that you put under "
                code { "files/" } " by the very names that they ask for are served as they are." }
        } @else if is_raw(family) {
            p.notice { "Raw files only: ringup renders nothing of their own. Put each phone's file under " code { "files/" }
                " by the very name that it asks for." }
        }
        section { h2 { "What it asks for, in this order" } (files(family)) }
        div.columns {
            section { h2 { "DHCP" } (dhcp(family)) }
            section { h2 { "Models" } (models(family)) }
        }
        @if !family.floors.is_empty() {
            section { h2 { "Firmware that is too old" } ul { @for floor in &family.floors {
                li { "below " strong { (floor.firmware) } @if floor.srtp { ", where media is encrypted" } ": " (floor.why) }
            } } }
        }
        div.columns {
            section.unverified {
                h2 { "Not verified" }
                @if family.unverified.is_empty() { p.quiet { "Every fact has a source." } }
                @else {
                    p.quiet { "No source confirms these. Look twice before you trust them." }
                    ul { @for fact in &family.unverified { li { span.mark { "unverified" } " " (fact) } } }
                }
            }
            section {
                h2 { "Sources" }
                ul.sources-of { @for source in &family.sources { li { (source) } } }
            }
        }
    }
}

fn files(family: &Family) -> Markup {
    html! {
        @if family.files.is_empty() {
            p.quiet { "No source says what it asks for." }
        } @else {
            table.rows #asks {
                thead { tr { th scope="col" { "" } th scope="col" { "Name" } th scope="col" { "What it is" } th scope="col" { "What answers" }
                    th scope="col" { "If it is not there" } th scope="col" { "Note" } } }
                tbody { @for (number, file) in (1..).zip(&family.files) { tr {
                    td.number.quiet { (number) }
                    td.wire { (file.name) }
                    td { (file.role.as_str()) @if file.required { ", " strong { "required" } @if !file.either.is_empty() { ", this or another like it" } }
                        @if let Some(speaks) = file.speaks { span.sub { (protocol(speaks)) } } }
                    td { (answer(family, file)) }
                    td data-th="if missing" { (miss(file)) }
                    td { (file.note) @if let Some(longest) = file.longest { span.sub { "at most " (longest) " bytes" } } }
                } } }
            }
        }
    }
}

const fn protocol(speaks: Speaks) -> &'static str {
    match speaks {
        Speaks::Sip => "SIP loads only",
        Speaks::Sccp => "SCCP loads only",
    }
}

fn answer(family: &Family, file: &FileRule) -> Markup {
    html! {
        @match (&file.template, file.role) {
            (Some(template), _) if family.provisions => {
                "template " code { (template) }
                @if !file.needs.is_empty() { span.sub { "only with " (file.needs.join(", ")) } }
            },
            (_, Role::Firmware) => { "the firmware directory" },
            _ => { "your files, if you put one there" },
        }
    }
}

fn miss(file: &FileRule) -> Markup {
    html! {
        @if file.normal.miss { span.good { "normal" } }
        @else if file.required { span.bad { "it waits or starts over" } }
        @else { span.quiet { "shown as a miss" } }
        @if file.normal.abort { span.sub { "ending the transfer early is normal too" } }
    }
}

fn dhcp(family: &Family) -> Markup {
    html! {
        @if family.dhcp.servers.is_empty() {
            p.quiet { "No option of its own is known." }
        } @else {
            p.quiet { "Options that name its server, the one that it honours first on top." }
            ol.options { @for option in family.dhcp.servers.iter().map(ServerOptionView::from) {
                li { strong { (option.option) } " " span.wire { (option.text) } }
            } }
        }
        @if !family.dhcp.vlan.is_empty() {
            h3 { "Voice VLAN" }
            ul { @for (code, text) in &family.dhcp.vlan { li { strong { (code) } " " span.wire { (text) } } } }
        }
        @if !family.resync.is_empty() {
            h3 { "Makes it read its files again" }
            p { code { (family.resync) } }
        }
    }
}

fn models(family: &Family) -> Markup {
    let named = |model: &Model| {
        [&model.part, &model.load].into_iter().flatten().cloned().collect::<Vec<_>>()
    };
    html! {
        @if family.models.is_empty() { p.quiet { "No model by name: what it says it is, it is." } } @else {
            div.scroll tabindex="0" role="region" aria-label="Models" { table.rows {
                thead { tr { th scope="col" { "Model" } th scope="col" { "Also" } th scope="col" { "Lines" } th scope="col" { "Part, load" } } }
                tbody { @for model in family.models.values() { tr {
                    td { (model.name) }
                    td.quiet { (model.aliases.join(", ")) }
                    td.number { @if model.lines > 0 { (model.lines) } @else { span.quiet { "?" } } }
                    td.wire { (named(model).join(", ")) }
                } } }
            } }
        }
    }
}
