//! The report as one HTML file: nothing is loaded from elsewhere, and no script is in it.

use std::{collections::BTreeSet, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use crate::sim::storm::{Record, sorted};

use super::{
    plot::{self, Curve},
    report::{Milestone, Report, maybe, seconds},
};

/// How many points a curve has at most.
const POINTS: usize = 240;

/// How many bars a plot has.
const BARS: usize = 30;

/// The style of the page; the policy names it by its digest, so that it is the only one that counts.
const STYLE: &str = include_str!("report.css");

/// Text fit for HTML and for attributes in double quotes.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// A table; the cells are text. Columns of these numbers are right-aligned.
fn table(head: &[&str], numbers: &BTreeSet<usize>, rows: &[Vec<String>]) -> String {
    let class = |at: usize| if numbers.contains(&at) { " class=\"n\"" } else { "" };
    let cell = |(at, text): (usize, &String)| format!("<td{}>{}</td>", class(at), escape(text));
    let head = head.iter().enumerate();
    let head: Vec<String> =
        head.map(|(at, text)| format!("<th{}>{}</th>", class(at), escape(text))).collect();
    let rows = rows.iter().map(|row| {
        let cells: String = row.iter().enumerate().map(cell).collect();
        format!("<tr>{cells}</tr>")
    });
    let rows: String = rows.collect();
    format!(
        "<div class=\"wide\"><table><thead><tr>{}</tr></thead><tbody>{rows}</tbody></table></div>",
        head.concat()
    )
}

fn section(title: &str, content: &str) -> String {
    format!("<section><h2>{}</h2>{content}</section>", escape(title))
}

/// The whole page.
pub fn page(report: &Report<'_>) -> String {
    let digest = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let title =
        format!("ringup sim: {} phones against {}", report.outcome.phones.len(), report.server);
    let title = escape(&title);
    let body = [
        figures(report),
        section("Getting there", &(legend(report) + &curves(report))),
        section("How long", &times(report)),
        section("From power-on to configured", &boots(report)),
        failures(report),
        rows(report),
        section("Families", &families(report)),
        section("On the wire", &carried(report)),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1><p class=\"quiet\">{}</p>{}</main></body></html>\n",
        escape(&about(report)),
        body.concat(),
    )
}

fn about(report: &Report<'_>) -> String {
    let short = if report.cut_short { "; cut short" } else { "" };
    format!(
        "{}, switched on within {}, seed {}, {}{short}",
        report.way(),
        seconds(report.arrive),
        report.seed,
        if report.faults.is_empty() { "no faults" } else { &report.faults },
    )
}

/// The figures that matter, large.
fn figures(report: &Report<'_>) -> String {
    let [leased, configured, _] = report.milestones();
    let failed: usize = report.failures().iter().map(|failed| failed.phones).sum();
    let duplicates = report.duplicates().len();
    let figure = |name: &str, value: &str, class: &str| {
        format!("<div class=\"{class}\"><dt>{name}</dt><dd>{}</dd></div>", escape(value))
    };
    let share = |reached: &Milestone| format!("{} of {}", reached.phones, reached.of);
    let alarm = |count: usize| if count == 0 { "good" } else { "bad" };
    let wrong = report.rows.as_ref().map(|(wrong, _)| {
        figure("rows that would end wrong", &wrong.len().to_string(), alarm(wrong.len()))
    });
    format!(
        "<dl class=\"figures\">{}{}{}{}{}{}</dl>",
        figure("leased", &share(&leased), ""),
        figure("configured", &share(&configured), ""),
        figure("95 % configured after", &maybe(configured.since_start[1]), ""),
        figure("failed", &failed.to_string(), alarm(failed)),
        figure("duplicate addresses", &duplicates.to_string(), alarm(duplicates)),
        wrong.unwrap_or_default(),
    )
}

fn legend(report: &Report<'_>) -> String {
    let upgraded = report.outcome.records.iter().any(|record| record.upgraded.is_some());
    let mut names = vec!["on", "leased", "configured"];
    names.extend(Some("upgraded").filter(|_| upgraded));
    let keys = names.into_iter().map(|name| {
        format!("<li><svg class=\"key\" viewBox=\"0 0 20 4\" aria-hidden=\"true\"><path class=\"curve {name}\" d=\"M0 2H20\" stroke=\"currentColor\"/></svg>{name}</li>")
    });
    format!("<ul class=\"legend\">{}</ul>", keys.collect::<String>())
}

fn curves(report: &Report<'_>) -> String {
    let end = report.outcome.took.as_secs_f64();
    let curve = |name: &'static str, of: fn(&Record) -> Option<Duration>| {
        let times = sorted(&report.outcome.records, of);
        Curve { name, points: points(&times, report.outcome.records.len(), end) }
    };
    let all = [
        curve("on", |record| record.on),
        curve("leased", |record| record.leased),
        curve("configured", |record| record.configured),
        curve("upgraded", |record| record.upgraded),
    ];
    let shown: Vec<Curve> = all.into_iter().filter(|curve| !curve.points.is_empty()).collect();
    plot::curves("Percent of phones over time", end, &shown)
}

/// Percent of `all` over seconds, to the end.
fn points(times: &[Duration], all: usize, end: f64) -> Vec<(f64, f64)> {
    let step = times.len().div_ceil(POINTS).max(1);
    #[expect(clippy::cast_precision_loss, reason = "fewer phones than 2^52")]
    let percent = |count: usize| 100.0 * count as f64 / all.max(1) as f64;
    let numbered = times.iter().enumerate();
    let chosen = numbered.filter(|(at, _)| at % step == step - 1 || at + 1 == times.len());
    let mut points: Vec<(f64, f64)> =
        chosen.map(|(at, time)| (time.as_secs_f64(), percent(at + 1))).collect();
    if let (Some(first), Some(last)) = (times.first(), points.last().copied()) {
        points.insert(0, (first.as_secs_f64(), 0.0));
        points.push((end, last.1));
    }
    points
}

fn times(report: &Report<'_>) -> String {
    let rows = report.milestones().into_iter().map(|reached| {
        let share = format!("{} of {}", reached.phones, reached.of);
        let times = reached.since_start.into_iter().chain(reached.since_on).map(maybe);
        [reached.name.to_owned(), share].into_iter().chain(times).collect()
    });
    let head = ["", "phones", "50 %", "95 %", "100 %", "each: 50 %", "95 %", "100 %"];
    let note = "<p class=\"quiet\">Left: since the first phone was switched on. Right: for each phone since its own power-on. \
        Percents are of all phones, those that never got there included; upgraded counts those that took another load.</p>";
    table(&head, &(1..8).collect(), &rows.collect::<Vec<_>>()) + note
}

fn boots(report: &Report<'_>) -> String {
    let took = |record: &Record| Some(record.configured?.saturating_sub(record.on?));
    let values = sorted(&report.outcome.records, took);
    if values.is_empty() {
        return "<p>No phone was configured.</p>".to_owned();
    }
    let values: Vec<f64> = values.iter().map(Duration::as_secs_f64).collect();
    plot::bars(
        "Phones by how long their boot took",
        "seconds from power-on to configured",
        &values,
        BARS,
    )
}

fn failures(report: &Report<'_>) -> String {
    let failures = report.failures().into_iter().map(|failed| {
        let (text, remedy) = failed.cause.advice();
        let macs: Vec<String> = failed.macs.iter().take(3).map(ToString::to_string).collect();
        vec![
            failed.cause.as_str().to_owned(),
            failed.phones.to_string(),
            failed.spoilt.to_string(),
            text.to_owned(),
            remedy.to_owned(),
            macs.join(" "),
        ]
    });
    let duplicates = report.duplicates().into_iter().map(|(address, macs)| {
        let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
        vec![address.to_string(), macs.join(" ")]
    });
    let (failures, duplicates): (Vec<_>, Vec<_>) = (failures.collect(), duplicates.collect());
    let mut content = String::new();
    if !failures.is_empty() {
        let head = ["cause", "phones", "by --faults", "what happened", "what to do", "for example"];
        content += &section("Failures", &table(&head, &BTreeSet::from([1, 2]), &failures));
    }
    if !duplicates.is_empty() {
        let head = ["address", "held by"];
        content += &section("Duplicate addresses", &table(&head, &BTreeSet::new(), &duplicates));
    }
    content
}

fn rows(report: &Report<'_>) -> String {
    let Some((wrong, not_played)) = &report.rows else { return String::new() };
    let cells = wrong.iter().map(|row| {
        let texts = [row.mac, row.model, row.number, &row.why, &row.remedy];
        [row.line.to_string()].into_iter().chain(texts.map(str::to_owned)).collect()
    });
    let cells: Vec<_> = cells.collect();
    let mut content = if cells.is_empty() {
        "<p>Every row that was played ends right.</p>".to_owned()
    } else {
        let head = ["line", "MAC", "model", "number", "why", "what to do"];
        table(&head, &BTreeSet::from([0]), &cells)
    };
    if *not_played > 0 {
        let text = format!(
            "<p>{not_played} rows were not played: their families can't be simulated yet.</p>"
        );
        content += &text;
    }
    section("Rows that would end wrong", &content)
}

fn families(report: &Report<'_>) -> String {
    let rows = report.families().into_iter().map(|(family, (phones, configured))| {
        vec![family.to_owned(), phones.to_string(), configured.to_string()]
    });
    table(&["family", "phones", "configured"], &BTreeSet::from([1, 2]), &rows.collect::<Vec<_>>())
}

fn carried(report: &Report<'_>) -> String {
    let counts = &report.outcome.counts;
    let [(_, offer), (_, ack)] = report.answers();
    let times = |times: [Option<Duration>; 3]| times.map(maybe).join(" / ");
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let rows = [
        row("DHCP messages sent", counts.dhcp_sent.to_string()),
        row("sent again", counts.dhcp_resent.to_string()),
        row("NAKs", counts.naks.to_string()),
        row("offers of other servers", counts.strangers.to_string()),
        row("offer after (50 / 95 / 100 %)", times(offer)),
        row("ACK after (50 / 95 / 100 %)", times(ack)),
        row("files asked for", counts.asked.to_string()),
        row("files that came", counts.got.to_string()),
        row("files that are not there", counts.missed.to_string()),
        row("files that failed", counts.failed.to_string()),
        row("bytes", crate::cli::output::size(counts.bytes)),
        row("requests held back by --max-rate", counts.held.to_string()),
    ];
    table(&["what", "how much"], &BTreeSet::from([1]), &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_says_is_text() {
        let cells = [vec!["<script>\"&".to_owned()]];
        let html = table(&["x"], &BTreeSet::new(), &cells);
        assert!(html.contains("<td>&lt;script&gt;&quot;&amp;</td>"), "{html}");
    }

    #[test]
    fn curves_keep_both_ends() {
        let times: Vec<Duration> = (1..=1000).map(Duration::from_millis).collect();
        let points = points(&times, 2000, 3.0);
        assert!(points.len() <= POINTS + 3, "{}", points.len());
        assert_eq!(points.first(), Some(&(0.001, 0.0)));
        assert_eq!(points.last(), Some(&(3.0, 50.0)));
        assert!(super::points(&[], 10, 3.0).is_empty());
    }
}
