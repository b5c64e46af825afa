//! What happens to all phones, as it happens.

use axum::extract::State;
use maud::{Markup, html};

use super::{super::operators::Operators, Place, frame};

/// The page.
pub async fn page(State(operators): State<Operators>) -> Markup {
    let content = html! {
        h1 { "Events" }
        div.tools {
            input #filter type="search" placeholder="Filter: MAC, number, name, event"
                aria-label="Filter events" autocomplete="off" spellcheck="false";
            label { input #quiet type="checkbox"; " leave out what is normal" }
            button #pause type="button" aria-pressed="false" { "Pause" }
            span #shown role="status" {}
        }
        p.quiet.keys { kbd { "p" } " pauses and goes on, " kbd { "/" } " goes to the filter" }
        section {
            ol #tail .tail {}
            p #none .quiet { "Reading the last events …" }
        }
        noscript { p { "This page needs its script. The same is at " a href="/api/v1/events/recent" { "/api/v1/events/recent" } "." } }
    };
    let place = Place { title: "Events", path: "/events", script: "/events.js", mac: None };
    frame(&place, &operators, &content)
}
