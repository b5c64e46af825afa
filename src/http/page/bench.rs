//! The bench: batches, the page that a scanner types into, and the command barcodes.

mod code;
mod sheet;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::{domain::StagingId, provision::scan::Command};

use super::{
    super::{api::BatchView, operators::Operators},
    Place, frame, moment,
};

pub use sheet::{labels, report, zpl};

/// All batches, and the form that opens another one.
pub async fn all(State(operators): State<Operators>) -> Markup {
    let batches: Vec<BatchView> = {
        let state = operators.service.view.read();
        state.stagings.iter().rev().map(|(id, staging)| BatchView::of(*id, staging)).collect()
    };
    let content = html! {
        h1 { "Bench" }
        section {
            h2 { "Open a batch" }
            form #opening.purpose {
                (purpose(&operators, None))
                button type="submit" { "Open" }
            }
            p #wrong.bad role="alert" {}
        }
        div #batches {
            @if batches.is_empty() {
                p #empty {
                    "No batch yet. Open one, then scan phones or their cartons: while it is open they get their site's "
                    code { "staging" } " values."
                }
            } @else { section { h2 { "Batches" } (table(&batches)) } }
        }
        p { a href="/bench/commands" { "Command barcodes to print" } }
    };
    let place = Place { title: "Bench", path: "/bench", script: "/batches.js", mac: None };
    frame(&place, &operators, &content)
}

fn table(batches: &[BatchView]) -> Markup {
    html! {
        table.plain.batches {
            thead { tr {
                @for head in ["Batch", "Operator", "Site", "Phones", "Configured", "Sealed", "Opened", ""] { th scope="col" { (head) } }
            } }
            tbody { @for batch in batches { tr {
                td { a href={ "/bench/" (batch.id) } { (batch.name) } }
                td { (batch.operator) }
                td { @match batch.site.as_deref() { Some(site) => (site), None => span.quiet { "as listed" } } }
                td data-is="phones" { (batch.scanned) @if batch.planned > 0 { " of " (batch.planned) } }
                td data-is="configured" { (batch.ready) }
                td data-is="sealed" { (batch.sealed) }
                td data-is="opened" { (moment(&batch.start)) }
                td { (standing(batch)) @if let Some(at) = batch.end.as_ref().or(batch.handed_over.as_ref()) { " " span.quiet { (moment(at)) } } }
            } } }
        }
    }
}

/// Where a batch is in its life, as a badge.
fn standing(batch: &BatchView) -> Markup {
    html! { span.stage data-standing=(batch.standing) { (batch.standing.replace('-', " ")) } }
}

/// The fields of what an operator says about a batch: those of one that there is, else of a new one.
fn purpose(operators: &Operators, batch: Option<&BatchView>) -> Markup {
    let provisioner = operators.service.provisioner();
    let site = batch.and_then(|batch| batch.site.as_deref());
    let planned = batch.map(|batch| batch.planned).filter(|planned| *planned > 0);
    let plugging = batch.is_some_and(|batch| batch.by_plugging);
    html! {
        label { "Name" input name="name" required maxlength="80" autocomplete="off"
            value=[batch.map(|batch| &batch.name)] autofocus[batch.is_none()]; }
        label { "Operator" input name="operator" maxlength="80" autocomplete="name"
            value=[batch.map(|batch| &batch.operator)]; }
        label { "Site" select name="site" {
            option value="" { "as listed" }
            @for name in provisioner.settings().sites.keys() {
                option value=(name) selected[site == Some(name)] { (name) }
            }
        } }
        label { "Phones to come" input name="planned" type="number" min="0" max="500" placeholder="not known"
            value=[planned]; }
        label { "Slots" select name="slots" {
            option value="scanning" { "in the order of scanning" }
            option value="plugging" selected[plugging] { "in the order of plugging in" }
        } }
    }
}

/// The page of one batch.
pub async fn one(State(operators): State<Operators>, Path(text): Path<String>) -> Response {
    let id = text.parse().ok();
    let (batch, others) = {
        let state = operators.service.view.read();
        let open =
            state.stagings.iter().filter(|(other, one)| one.end.is_none() && Some(**other) != id);
        let others: Vec<_> = open.map(|(id, one)| (*id, one.purpose.name.clone())).collect();
        let batch = id.and_then(|id| Some(BatchView::of(id, state.stagings.get(&id)?)));
        (batch, others)
    };
    let Some(batch) = batch else {
        let content = html! { h1 { "No such batch" } p { a href="/bench" { "All batches" } } };
        let place = Place { title: "No such batch", path: "", script: "", mac: None };
        return (StatusCode::NOT_FOUND, frame(&place, &operators, &content)).into_response();
    };
    let place = Place { title: &batch.name, path: "/bench", script: "/bench.js", mac: None };
    frame(&place, &operators, &scanner(&operators, &batch, &others)).into_response()
}

/// What is said before anything is scanned.
fn greeting(batch: &BatchView) -> (&'static str, &'static str) {
    match (&batch.end, &batch.handed_over) {
        (Some(_), _) => (
            "Closed",
            "Nothing about this batch changes any more; its report and labels are below.",
        ),
        (None, Some(_)) => (
            "Handed over",
            "Its phones get their production files now; a scan says how far one is.",
        ),
        (None, None) => {
            ("Ready to scan", "A MAC puts a phone into the batch; a number after it lists it.")
        }
    }
}

/// A batch, with the other open ones a step away.
fn scanner(operators: &Operators, batch: &BatchView, others: &[(StagingId, String)]) -> Markup {
    html! {
        div #bench data-batch=(batch.id) data-start=(batch.start) {
            @if !others.is_empty() { p.others {
                "Also open: " @for (at, (id, name)) in others.iter().enumerate() {
                    @if at > 0 { " · " } a href={ "/bench/" (id) } { (name) }
                }
            } }
            div.bench-head {
                h1 #name { (batch.name) }
                span #standing.stage data-standing=(batch.standing) { (batch.standing.replace('-', " ")) }
                span #who.quiet { (batch.operator) }
                span #count aria-live="polite" { (batch.scanned) " scanned" }
                span #ready.quiet {}
            }
            form #scanning {
                input #scan type="text" autocomplete="off" autocapitalize="off" spellcheck="false"
                    aria-label="Scan a phone, a carton, a part number, a number or a command"
                    placeholder="Scan a phone, then its number";
            }
            div #light role="status" aria-live="assertive" {
                @let (title, says) = greeting(batch);
                strong #title { (title) }
                span #says { (says) }
            }
            p.notice #restart hidden {
                "Handed over. Phones that follow a SIP NOTIFY were told to come again by themselves. Restart each phone \
                 whose tile says so, by its menu or its plug. A phone is sealed when the last byte of its production file \
                 has reached it."
            }
            p.notice #layout hidden {}
            div.bench-tools {
                span #next { "next slot " (batch.next_slot) }
                span #model {}
                button #unlisted type="button" hidden { "List it " kbd { "F2" } }
                button #mend type="button" hidden { "Take the label of the phone that is here " kbd { "F7" } }
                button #undo type="button" { "Undo " kbd { "F9" } }
                button #next-slot type="button" { "Next slot " kbd { "F8" } }
                button #replace type="button" { "Replace " kbd { "F6" } }
                button #fail type="button" { "Failed " kbd { "F4" } }
                button #forget type="button" hidden { "Forget the model " kbd { "Esc" } }
                button #mute type="button" { "Sound is on" }
            }
            ul #slots aria-label="Slots" {}
            p #none.quiet hidden { "No phone yet." }
            (tools(operators, batch))
        }
    }
}

/// What is done with a batch as a whole.
fn tools(operators: &Operators, batch: &BatchView) -> Markup {
    let api = format!("/api/v1/batches/{}", batch.id);
    html! {
        div.bench-tools {
            button #hand-over type="button" hidden { "Hand over" }
            button #take-back type="button" hidden { "Take the hand-over back" }
            button #close type="button" hidden { "Close the batch" }
            span.gap {}
            a href={ (api) "/report?format=html" } { "Report" }
            a href={ (api) "/report?format=csv" } { "Report (CSV)" }
            a href={ (api) "/labels?format=html" } { "Labels" }
            a href={ (api) "/labels?format=zpl" } { "Labels (ZPL)" }
            a href="/bench/commands" { "Commands" }
        }
        @if batch.end.is_none() { details {
            summary { "Name, operator, site, number of phones" }
            form #purpose.purpose {
                (purpose(operators, Some(batch)))
                button type="submit" { "Change" }
            }
        } }
    }
}

/// The command barcodes, to print and to lay beside the scanner.
pub async fn commands(State(operators): State<Operators>) -> Markup {
    let content = html! {
        p.back { a href="/bench" { "← Bench" } }
        h1 { "Command barcodes" }
        div.sheet.barcodes {
            @for command in Command::ALL {
                div {
                    (code::bars(&command.printed()))
                    strong { (command.as_str().replace('-', " ").to_uppercase()) } " " (command.text())
                }
            }
        }
        p.quiet { "Code 128. Print this page and lay it beside the scanner." }
    };
    let place = Place { title: "Command barcodes", path: "/bench", script: "", mac: None };
    frame(&place, &operators, &content)
}
