//! Waves of firmware: a table of loads with who waits and who is there, and the buttons that brake them.

use maud::{Markup, html};

use super::{
    super::api::{StandingView, WaveView, WavesView},
    moment,
};

/// Phones named beside a number.
const NAMED: usize = 3;

/// The section of the page; nothing where no site wants a load.
pub(super) fn section(waves: &WavesView) -> Markup {
    html! {
        @if !waves.items.is_empty() {
            section #waves aria-labelledby="waves-title" data-paused=(waves.paused) {
                h2 #waves-title { "Waves" }
                p { (rules(waves)) }
                @if waves.wave.is_some() || waves.canary.is_some() {
                    div.row {
                        @if waves.paused {
                            p.warn { "Paused: nobody else is told to take a load." }
                            button.main type="button" data-brake="resume" { "Go on" }
                        } @else {
                            button type="button" data-brake="pause" { "Pause" }
                        }
                    }
                }
                p #fault .bad role="alert" hidden {}
                table.rows {
                    thead { tr { th scope="col" { "Load" } th scope="col" { "Waiting" } th scope="col" { "Under way" }
                        th scope="col" { "Done" } th scope="col" { "Failed" } th scope="col" { "All done about" } th scope="col" { "" } } }
                    tbody { @for wave in &waves.items { (row(wave)) } }
                }
            }
        }
    }
}

fn rules(waves: &WavesView) -> String {
    let wave = match waves.wave {
        Some(1) => "One phone at a time is told to take a new load".to_owned(),
        Some(wave) => format!("{wave} phones at a time are told to take a new load"),
        None => "All phones are told to take a new load at once".to_owned(),
    };
    match waves.canary {
        Some(1) => format!("{wave}; the first one goes ahead, and the rest waits for your word."),
        Some(canary) => {
            format!("{wave}; the first {canary} go ahead, and the rest waits for your word.")
        }
        None => format!("{wave}."),
    }
}

fn row(wave: &WaveView) -> Markup {
    let stands = wave.canary_out || wave.failed.phones > 0;
    html! {
        tr data-load=(wave.load) {
            td.wire { (wave.load) }
            td data-standing="waiting" data-th="waiting" { (phones(&wave.waiting)) }
            td data-standing="under-way" data-th="under way" { (phones(&wave.under_way)) }
            td data-standing="done" data-th="done" { (wave.done.phones) }
            td data-standing="failed" data-th="failed" .bad[wave.failed.phones > 0] { (phones(&wave.failed)) }
            @if let Some(at) = &wave.forecast { td data-th="all done about" { span.due { (moment(at)) } } }
            @else if wave.canary_out { td { "waits for your word" } }
            @else { td {} }
            td { @if stands { button type="button" data-next=(wave.load) { "Next" } } }
        }
    }
}

fn phones(standing: &StandingView) -> Markup {
    html! {
        (standing.phones)
        @for mac in standing.macs.iter().take(NAMED) { " " a.mac href={ "/phones/" (mac) } { (mac) } }
    }
}
