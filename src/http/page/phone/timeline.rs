//! A phone's timeline: each boot as a waterfall with its events beside it, the newest boot first.

use maud::{Markup, html};

use crate::domain::{Event, Reply, Step, Timestamp, What};

use super::{
    super::{super::api::moment as spelt, moment, prose},
    Shown,
    spells::{Spell, millis, spells},
    waterfall::{time, waterfall},
};

/// Boots that are drawn at once; the others open at a press.
const OPEN: usize = 3;

/// The part of the timeline that is looked at, and the ways to the others.
pub fn timeline(shown: &Shown<'_>) -> Markup {
    let spells = spells(shown.events);
    html! {
        @if shown.past { p { a href={ "/phones/" (shown.phone.mac) } data-part { "Back to the newest" } } }
        @if spells.is_empty() { p.quiet { "Nothing has happened yet." } }
        @for (place, spell) in spells.iter().rev().enumerate() { (told(spell, place)) }
        @if let Some(older) = shown.older {
            p { a href={ "/phones/" (shown.phone.mac) "?before=" (older) } data-part { "Older" } }
        }
    }
}

/// A spell, named by its beginning so that a renewal knows it again.
fn told(spell: &Spell<'_>, place: usize) -> Markup {
    let id = format!("spell-{}", spell.at().as_millisecond());
    html! {
        details.spell id=(id) open[place < OPEN] {
            summary { (heading(spell)) }
            div.drawn[!spell.bars.is_empty()] {
                @if !spell.bars.is_empty() { (waterfall(spell, place)) }
                (listed(spell))
            }
        }
    }
}

fn heading(spell: &Spell<'_>) -> Markup {
    let (first, last) = (spell.at(), spell.events.last().map_or(spell.at(), |event| event.at));
    html! {
        @if spell.bars.is_empty() && spell.events.len() > 1 { "From " }
        @else if spell.begins { "Boot " }
        (moment(&spelt(first)))
        span.quiet {
            @if millis(first, last) > 0 { ", " (time(millis(first, last))) }
            ", " (spell.events.len()) @if spell.events.len() == 1 { " event" } @else { " events" }
        }
    }
}

/// The events in words. Beside a drawing they carry the time since its beginning; by themselves, the time of day.
fn listed(spell: &Spell<'_>) -> Markup {
    let drawn = !spell.bars.is_empty();
    let events: Vec<_> = spell.events.iter().filter(|event| !is_progress(event)).collect();
    html! {
        ol.timeline {
            @for event in events {
                li.quiet[is_normal(event)] data-kind=(kind(event)) {
                    @if drawn { (after(spell.at(), event.at)) } @else { (moment(&spelt(event.at))) }
                    " " span { (prose(&event.what.to_string())) }
                }
            }
        }
    }
}

fn after(first: Timestamp, at: Timestamp) -> Markup {
    html! { span.after title=(spelt(at)) { "+" (time(millis(first, at))) } }
}

/// Progress is drawn; a line a second would bury the rest.
fn is_progress(event: &Event) -> bool {
    matches!(event.what, What::Progress { .. })
}

/// True for a miss or an abort that the family's profile calls normal: it is told, and no fault.
fn is_normal(event: &Event) -> bool {
    matches!(event.what, What::Refused { normal: true, .. } | What::Ended { normal: true, .. })
}

/// What stands out: the answers that no healthy boot has.
fn kind(event: &Event) -> &'static str {
    match event.what {
        What::Refused { .. } => "refused",
        What::Nak { .. } => "nak",
        What::Unserved(_) => "unserved",
        What::Declined { .. }
        | What::Registration { step: Step::Rejected { .. }, .. }
        | What::Recalled { reply: Reply::Refused { .. } | Reply::Unsent { .. }, .. } => "declined",
        _ => "event",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Asked, Carrier, Role};

    #[test]
    fn a_normal_miss_is_quiet_in_the_timeline() {
        let shown = |normal| {
            let asked = Asked {
                name: "a".into(),
                role: Role::Extra,
                carrier: Carrier::Tftp,
                required: None,
                first: false,
            };
            let what = What::Refused { asked, why: "there is no a".into(), normal };
            let event = [(1, Event { at: Timestamp::UNIX_EPOCH, what })];
            listed(&spells(&event)[0]).into_string()
        };
        assert!(shown(true).contains("class=\"quiet\""), "{}", shown(true));
        assert!(!shown(false).contains("quiet"), "{}", shown(false));
    }
}
