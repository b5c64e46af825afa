//! Auto-registration: open for a while, what it let in, close.

use axum::extract::State;
use maud::{Markup, html};

use super::{
    super::{
        api::{PhoneView, WindowView, window_view},
        operators::Operators,
    },
    Place, badge, frame, moment,
};
use crate::domain::Timestamp;

/// Phones shown; the board has the rest.
const SHOWN: usize = 500;

/// How long a window is opened for with one click, in minutes.
const TIMES: [(u32, &str); 4] =
    [(10, "10 min"), (30, "30 min"), (120, "2 hours"), (480, "8 hours")];

/// The page.
pub async fn page(State(operators): State<Operators>) -> Markup {
    let (window, phones, more) = {
        let (provisioner, state) = (operators.service.provisioner(), operators.service.view.read());
        let made = state
            .phones
            .iter()
            .filter(|(_, phone)| phone.entry.as_ref().is_some_and(|entry| entry.auto_registered));
        let mut macs: Vec<_> = made.map(|(mac, phone)| (phone.boot.last_at, *mac)).collect();
        macs.sort_unstable_by(|one, other| other.cmp(one));
        let now = Timestamp::now();
        let view = |(_, mac): &(_, _)| PhoneView::of(&provisioner, &state, *mac, false, now);
        let phones: Vec<_> = macs.iter().take(SHOWN).filter_map(view).collect();
        (window_view(&provisioner, &state), phones, macs.len().saturating_sub(SHOWN))
    };
    let content = html! {
        h1 { "Auto-registration" }
        p.lead { "While the window is open, a phone that nobody listed is listed by itself and gets the next number. "
            "The number stays its own, also after the window is closed." }
        div.columns {
            section aria-labelledby="open-title" {
                h2 #open-title { "Open the window" }
                form #open {
                    div.row {
                        label for="minutes" { "for" }
                        input #minutes type="number" min="1" max="10080" value="30" required inputmode="numeric";
                        span { "minutes" }
                        button.main type="submit" { "Open" }
                    }
                    div.row role="group" aria-label="Usual times" {
                        @for (minutes, name) in TIMES { button type="button" data-minutes=(minutes) { (name) } }
                    }
                    p #fault .bad role="alert" hidden {}
                }
            }
            div #renewed { (status(&window)) (admitted(&phones, more)) }
        }
    };
    let place = Place {
        title: "Auto-registration",
        path: "/auto-registration",
        script: "/window.js",
        mac: None,
    };
    frame(&place, &operators, &content)
}

fn status(window: &WindowView) -> Markup {
    html! {
        section.state data-open=(window.enabled) {
            @if window.enabled {
                h2 { "Open" }
                @if let Some(until) = &window.until {
                    p.big { "closes in " span data-until=(until) { (until) } }
                } @else {
                    p.big { "until somebody closes it" }
                }
                p { button #close type="button" { "Close now" } }
            } @else {
                h2 { "Closed" }
                p.big { "phones that nobody listed get no file of their own" }
            }
            @match (&window.numbers, window.left) {
                (Some(range), Some(left)) => {
                    p.left data-left=(left) { strong { (left) } " numbers left of " (range) }
                    @if left == 0 { p.bad.nobody { "No number is left: widen " code { "numbers" } " in the settings, " code.whole { "[auto-registration]" } "." } }
                }
                _ if window.sites.is_empty() => {
                    p.bad.nobody { "No range of numbers is set, so nobody gets in: set " code { "numbers" }
                        " in the settings, " code.whole { "[auto-registration]" } "." }
                }
                _ => {}
            }
            @for site in &window.sites {
                p { strong { (site.left) } " left of " (site.numbers) " at " (site.site) }
            }
        }
    }
}

fn admitted(phones: &[PhoneView], more: usize) -> Markup {
    html! {
        section aria-labelledby="admitted-title" {
            h2 #admitted-title { "What it let in" }
            @if phones.is_empty() {
                p.quiet { "Nobody yet. A phone that is listed by itself shows up here, until somebody edits its entry." }
            } @else {
                table #admitted .rows {
                    thead { tr { th scope="col" { "Number" } th scope="col" { "Phone" } th scope="col" { "Model" }
                        th scope="col" { "Stage" } th scope="col" { "Last event" } } }
                    tbody {
                        @for phone in phones { (row(phone)) }
                    }
                }
                @if more > 0 { p.quiet { "and " (more) " more" } }
            }
        }
    }
}

fn row(phone: &PhoneView) -> Markup {
    let entry = phone.entry.as_ref();
    html! {
        tr data-mac=(phone.mac) {
            td.number { a.main href={ "/phones/" (phone.mac) } { (entry.map_or("", |entry| &entry.number)) } }
            td.mac { (phone.mac) }
            td { (entry.map_or("", |entry| &entry.model)) }
            td { (badge(phone.stage)) }
            td { @if let Some(last) = &phone.last { (last.text) " " span.quiet { (moment(&last.at)) } } }
        }
    }
}
