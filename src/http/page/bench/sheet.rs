//! What is printed of a batch: the hand-over report, and labels for the desks.

use maud::{Markup, html};

use crate::domain::clip;

use super::{
    super::{
        super::{api::ReportRow, operators::Operators},
        Place, frame,
    },
    code,
};
use crate::http::api::BatchView;

/// The hand-over report as a page to print.
pub fn report(operators: &Operators, batch: &BatchView, rows: &[ReportRow]) -> Markup {
    let content = html! {
        p.back { a href={ "/bench/" (batch.id) } { "← " (batch.name) } }
        div.sheet.report tabindex="0" role="region" aria-label="Hand-over report" {
            h1 { "Hand-over: " (batch.name) }
            dl {
                dt { "Operator" } dd { (batch.operator) }
                dt { "Site" } dd { (batch.site.as_deref().unwrap_or("as listed")) }
                dt { "Opened" } dd { (minute(&batch.start)) }
                dt { "Handed over" } dd { (batch.handed_over.as_deref().map_or_else(|| "not yet".to_owned(), minute)) }
                dt { "Closed" } dd { (batch.end.as_deref().map_or_else(|| "not yet".to_owned(), minute)) }
                dt { "Phones" } dd { (batch.scanned) ", " (batch.sealed) " sealed, " (batch.failed) " put aside" }
            }
            table {
                thead { tr { @for head in ReportRow::HEADS { th scope="col" { (head) } } } }
                tbody { @for row in rows { tr { @for (cell, head) in row.cells().iter().zip(ReportRow::HEADS) { td {
                    (said(head, cell))
                } } } } }
            }
            p.signed { span { "Handed over by" } span { "Received by" } span { "Date" } }
        }
    };
    let place = Place { title: "Hand-over report", path: "/bench", script: "", mac: None };
    frame(&place, operators, &content)
}

/// A cell on paper: what is not known is said so, and what took a time says in which unit.
fn said(head: &str, cell: &str) -> String {
    match (head, cell.split_once(':')) {
        ("Sealed", _) if cell.contains('T') => minute(cell),
        ("Time to ready", Some(("0", seconds))) => format!("{} s", seconds.trim_start_matches('0')),
        ("Time to ready", Some((minutes, seconds))) => format!("{minutes} min {seconds} s"),
        _ if cell.is_empty() => "–".to_owned(),
        _ => cell.to_owned(),
    }
}

/// A moment on paper, where no script turns it into the reader's own time: 2026-11-20 09:00 UTC.
fn minute(at: &str) -> String {
    let (day, time) = at.split_once('T').unwrap_or((at, ""));
    format!("{day} {} UTC", time.get(..5).unwrap_or(time))
}

/// Labels for the desks, as a sheet to print.
pub fn labels(operators: &Operators, batch: &BatchView, rows: &[ReportRow]) -> Markup {
    let content = html! {
        p.back { a href={ "/bench/" (batch.id) } { "← " (batch.name) } }
        h1.unprinted { "Labels: " (batch.name) }
        @if rows.is_empty() { p #none { "No phone has a label yet: scan one into the batch." } }
        div.sheet.labels hidden[rows.is_empty()] {
            @for row in rows {
                div.label {
                    (code::qr(&row.mac))
                    div { strong { (row.number) } (row.name) br; (row.mac) br; (row.model) }
                }
            }
        }
    };
    let place = Place { title: "Labels", path: "/bench", script: "", mac: None };
    frame(&place, operators, &content)
}

/// Labels for a printer that takes ZPL II: 62 mm by 29 mm at 203 dots per inch.
pub fn zpl(rows: &[ReportRow]) -> String {
    let label = |row: &ReportRow| {
        format!(
            "^XA^CI28^PW496^LL232\n^FO16,20^BQN,2,6^FDMA,{}^FS\n^FO200,24^A0N,56,56^FH^FD{}^FS\n\
             ^FO200,92^A0N,30,30^FH^FD{}^FS\n^FO200,136^A0N,26,26^FD{}^FS\n^FO200,176^A0N,26,26^FH^FD{}^FS\n^XZ\n",
            row.mac,
            field(&row.number),
            field(&row.name),
            row.mac,
            field(&row.model)
        )
    };
    rows.iter().map(label).collect()
}

/// A text inside `^FH^FD…^FS`: what the printer would take for a command is written as its code.
fn field(text: &str) -> String {
    clip(text, 28).chars().fold(String::new(), |all, one| match one {
        '^' | '~' | '_' => format!("{all}_{:02X}", u32::from(one)),
        one if one.is_control() => all,
        one => format!("{all}{one}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_commands_for_the_printer() {
        assert_eq!(field("a^XA~b_\u{1}é"), "a_5EXA_7Eb_5Fé");
        assert_eq!(field(&"x".repeat(40)).chars().count(), 29);
    }
}
