//! The board: how the rollout goes, and all phones, the troubled first.

use axum::extract::State;
use maud::{Markup, html};

use crate::{
    domain::{FindingKind, Stage},
    provision::Rollout,
};

use super::{
    super::{api::latest, operators::Operators},
    Place, frame,
};

/// Units along the bar.
const WIDTH: usize = 1000;

/// The page. Its figures are those of now, so that it says something before its script has the phones.
pub async fn page(State(operators): State<Operators>) -> Markup {
    let rollout = latest(&operators).await;
    let content = html! {
        h1.unseen { "Board" }
        (progress(&rollout))
        nav.stages aria-label="Phones by stage" {
            (chip("", "all", Some(rollout.phones)))
            (chip("trouble", "need a look", None))
            @for (stage, count) in Stage::ALL.iter().zip(rollout.stages) {
                (chip(stage.as_str(), stage.as_str(), Some(count)))
            }
        }
        (tools())
        (not_back())
        p #shown role="status" { "reading the list of phones" }
        (list())
        p #none hidden { span #why { "No phone is like that." } " " button.link #clear type="button" { "Show all phones" } }
        p #empty hidden {
            "No phone is listed and none was seen yet. " a href="/import" { "Import a list" } " (or "
            code { "ringup phones import FILE.csv" }
            "), or plug a phone in: it shows up here at its first packet."
        }
        noscript { p { "This page needs its script. The same is at " a href="/api/v1/phones" { "/api/v1/phones" } "." } }
    };
    frame(
        &Place { title: "Board", path: "/", script: "/board.js", mac: None },
        &operators,
        &content,
    )
}

/// The bar that fills, and the figures beside it.
fn progress(rollout: &Rollout) -> Markup {
    html! {
        section.rollout aria-label="Rollout" {
            (bar(rollout))
            dl.figures {
                div { dt { "configured" } dd #configured { (rollout.configured) " of " (rollout.listed) } }
                div { dt { "a minute" } dd #rate { "–" } }
                div { dt { "done about" } dd #forecast { "–" } }
                div #with-unseen hidden { dt { "with those not seen yet" } dd #forecast-all { "–" } }
                div { dt title="p50: from the start of a boot to its whole configuration, over the last 24 hours" { "half configured in" } dd #p50 { "–" } }
                div { dt title="p95: from the start of a boot to its whole configuration, over the last 24 hours" { "95 % configured in" } dd #p95 { "–" } }
            }
        }
    }
}

/// Shares of the stages, the last one first: what is done fills the bar from the left.
fn bar(rollout: &Rollout) -> Markup {
    let all = rollout.phones.max(1);
    let mut from = 0;
    let shares: Vec<_> = Stage::ALL
        .iter()
        .zip(rollout.stages)
        .rev()
        .map(|(stage, count)| {
            let start = from * WIDTH / all;
            from += count;
            (stage.as_str(), start, from * WIDTH / all - start)
        })
        .collect();
    html! {
        svg #bar viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" role="img" aria-label="Phones by stage" {
            @for (stage, x, width) in shares {
                rect data-stage=(stage) x=(x) y="0" width=(width) height="10" {}
            }
        }
    }
}

/// A stage with its count, which filters the phones when pressed; `None` is for the script to count.
fn chip(stage: &str, label: &str, count: Option<usize>) -> Markup {
    html! {
        button type="button" data-stage=(stage) aria-pressed=(if stage.is_empty() { "true" } else { "false" }) {
            span.count { @if let Some(count) = count { (count) } @else { "–" } }
            span.caption { (label) }
        }
    }
}

fn tools() -> Markup {
    html! {
        div.tools role="search" {
            input #filter type="search" maxlength="200" placeholder="Number, name, MAC, model, address, port, finding …  ( / )"
                aria-label="Filter phones" aria-keyshortcuts="/" autocomplete="off" spellcheck="false";
            select #finding aria-label="Finding" {
                option value="" { "any finding" }
                @for kind in FindingKind::ALL { option value=(kind.as_str()) { (kind.as_str()) } }
            }
            select #site aria-label="Site" { option value="" { "all sites" } }
            select #model aria-label="Model" { option value="" { "all models" } }
            button #away type="button" aria-pressed="false" aria-controls="outage"
                title="Who was ready before the last mass reboot and is not back" { "Not back" }
            span.views role="group" aria-label="Shown as" {
                button #as-rows type="button" aria-pressed="true" { "Rows" }
                button #as-tiles type="button" aria-pressed="false" { "Tiles" }
            }
        }
    }
}

/// Who is not back: filled by the script while it is asked for.
fn not_back() -> Markup {
    html! {
        section #outage hidden aria-label="Not back" {
            div.moment {
                p #back role="status" { "reading who is back" }
                label { "ready before " input #since type="datetime-local" step="1"; }
                button #last type="button" { "Last mass reboot" }
            }
            ul #groups {}
        }
    }
}

/// Rows and tiles: the script fills in those in sight, and sets the pads to the height of the others.
fn list() -> Markup {
    let pad = html! { tbody.pad aria-hidden="true" { tr { td colspan="6" {} } } };
    html! {
        table #phones hidden {
            thead {
                tr {
                    @for name in ["Stage", "Phone", "Model", "Address", "Last event", "In short"] {
                        th scope="col" { (name) }
                    }
                }
            }
            (pad)
            tbody #rows {}
            (pad)
        }
        div #tiles hidden { div.pad {} ul {} div.pad {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_from_the_left_and_is_as_long_as_it_should_be() {
        let mut rollout = Rollout { phones: 3, ..Rollout::default() };
        rollout.stages[Stage::Silent as usize] = 1;
        rollout.stages[Stage::Configured as usize] = 2;
        let drawn = bar(&rollout).into_string();
        assert!(drawn.contains(r#"data-stage="configured" x="0" y="0" width="666""#), "{drawn}");
        assert!(drawn.contains(r#"data-stage="silent" x="666" y="0" width="334""#), "{drawn}");
        assert!(bar(&Rollout::default()).into_string().contains(r#"width="0""#));
    }
}
