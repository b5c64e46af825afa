//! Leases with a filter, and the pools with their use drawn over the last day.

use std::fmt::Write;

use axum::extract::State;
use jiff::SignedDuration;
use maud::{Markup, html};

use super::{
    super::{
        api::{self, all_pools},
        operators::Operators,
    },
    Place, frame, moment,
};
use crate::{
    domain::Timestamp,
    provision::{DhcpMode, Point, Pool},
};

/// The size of a drawing in its own units; the page scales it.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 90.0;

/// The least time that a drawing spans, so that the first minutes are not a wall.
const LEAST: SignedDuration = SignedDuration::from_mins(10);

/// How full a pool may be before it is said loudly, in hundredths.
const NEARLY: u64 = 90;

/// The page.
pub async fn page(State(operators): State<Operators>) -> Markup {
    let mode = operators.service.provisioner().settings().dhcp.mode;
    let mut pools = all_pools(&operators);
    // The troubled first; the others stay in the order of the settings.
    pools.sort_by_key(|pool| !is_full(pool));
    let now = Timestamp::now();
    let content = html! {
        h1 { "Leases and pools" }
        @match mode {
            DhcpMode::Serve => {}
            DhcpMode::Observe => p.lead { "Another server gives the addresses; these are the leases that ringup overheard." }
            DhcpMode::Off => p.lead { "DHCP is off: another server gives the addresses, and ringup does not see which." }
        }
        div #renewed {
            @if !pools.is_empty() {
                div.pools { @for pool in &pools { (drawn(pool, now)) } }
            } @else if mode == DhcpMode::Serve {
                p.quiet { "The settings have no subnet, so there is no pool: add a [[dhcp.subnet]]." }
            }
        }
        section aria-labelledby="leases-title" {
            h2 #leases-title { "Leases" }
            div.tools {
                input #filter type="search" placeholder="Filter: address, MAC, number, name, model"
                    aria-label="Filter leases" autocomplete="off" spellcheck="false";
                select #which aria-label="Which leases" {
                    option value="" { "active and ended" }
                    option value="true" { "active" }
                    option value="false" { "ended" }
                }
                span #shown aria-live="polite" {}
            }
            table #leases .rows hidden {
                thead { tr { th scope="col" { "Address" } th scope="col" { "State" } th scope="col" { "Phone" }
                    th scope="col" { "Model" } th scope="col" { "Since" } th scope="col" { "Until" } } }
                tbody {}
            }
            p #none .quiet { "Reading the leases …" }
            button #more type="button" hidden { "Show more" }
        }
    };
    let place =
        Place { title: "Leases and pools", path: "/leases", script: "/leases.js", mac: None };
    frame(&place, &operators, &content)
}

/// True for a pool that has no address left, or hardly one.
const fn is_full(pool: &Pool) -> bool {
    pool.size > 0 && pool.size.saturating_sub(pool.free) * 100 >= pool.size * NEARLY
}

fn drawn(pool: &Pool, now: Timestamp) -> Markup {
    let subnet = format!("{}/{}", pool.network, pool.prefix);
    let ranges: Vec<_> = pool.ranges.iter().map(|(a, b)| format!("{a}–{b}")).collect();
    html! {
        section.pool data-subnet=(subnet) data-full=(is_full(pool)) {
            h2 { (subnet) " " span.quiet { (pool.site) } }
            @if pool.size == 0 {
                p.quiet { "No pool: only addresses that entries reserve." }
            } @else {
                p.big { strong.used { (pool.used) } " of " (pool.size) " in use" }
                (chart(pool, now))
                p.quiet {
                    (pool.free) " free"
                    @if pool.reserved > 0 { ", " (pool.reserved) " reserved" }
                    @if pool.set_aside > 0 { ", " (pool.set_aside) " set aside (somebody else uses " @if pool.set_aside == 1 { "it" } @else { "them" } ")" }
                }
                @if pool.free == 0 {
                    p.bad { "No address is free: widen the pool, shorten lease-time, or forget phones that are gone." }
                }
                p.quiet.wire { (ranges.join(", ")) }
            }
        }
    }
}

/// The use over time, as steps: nothing is known between two changes but that nothing changed.
fn chart(pool: &Pool, now: Timestamp) -> Markup {
    let Some(first) = pool.points.first() else {
        return html! { p.quiet { "Its use is drawn from the first minute on." } };
    };
    // What holds now is known also between two looks.
    let used = u32::try_from(pool.used).unwrap_or(u32::MAX);
    let mut points = pool.points.clone();
    points.push(Point { at: now, used });
    let peak = points.iter().map(|point| point.used).max().unwrap_or(0);
    let begin = (now - SignedDuration::from_hours(24)).max(first.at).min(now - LEAST);
    let top = top(peak, pool.size);
    let line = steps(&points, begin, now, top);
    let area = format!("{line} V{HEIGHT} H{} Z", x(first.at.max(begin), begin, now));
    let hours = span(now.duration_since(begin));
    let label =
        format!("{} in use now, {peak} at most in the last {hours}, of {}", pool.used, pool.size);
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label) {
            path.grid d={ "M0 0.5 H" (WIDTH) " M0 " (HEIGHT / 2.0) " H" (WIDTH) " M0 " (HEIGHT - 0.5) " H" (WIDTH) } {}
            path.area d=(area) {}
            path.line d=(line) {}
        }
        p.axis { span { (moment(&api::moment(begin))) } span { "top line: " (top) } span { "now" } }
    }
}

/// The number at the upper edge: the pool's size once half of it was in use, else what makes the changes seen.
fn top(peak: u32, size: u64) -> u64 {
    let peak = u64::from(peak);
    if peak * 2 >= size { size.max(peak) } else { (peak + peak / 4 + 1).max(4).min(size) }
}

fn x(at: Timestamp, begin: Timestamp, now: Timestamp) -> f64 {
    let whole = now.duration_since(begin).as_secs_f64().max(1.0);
    let part = at.duration_since(begin).as_secs_f64().clamp(0.0, whole);
    (part / whole * WIDTH * 10.0).round() / 10.0
}

fn steps(points: &[Point], begin: Timestamp, now: Timestamp, top: u64) -> String {
    let y = |used: u32| {
        let part = f64::from(used) / f64::from(u32::try_from(top).unwrap_or(u32::MAX)).max(1.0);
        ((1.0 - part) * HEIGHT * 10.0).round() / 10.0
    };
    let mut path = String::new();
    for point in points {
        let (x, y) = (x(point.at, begin, now), y(point.used));
        // Writing to a string can't fail.
        let _ = if path.is_empty() { write!(path, "M{x} {y}") } else { write!(path, " H{x} V{y}") };
    }
    path + &format!(" H{WIDTH}")
}

fn span(time: SignedDuration) -> String {
    match time.as_mins() {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_steps() {
        let at = |minutes: i64| Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap();
        let points =
            [(0, 0), (30, 5), (45, 2)].map(|(minutes, used)| Point { at: at(minutes), used });
        assert_eq!(steps(&points, at(0), at(60), 10), "M0 90 H300 V45 H450 V72 H600");
        // What began before the drawing begins at its edge.
        assert_eq!(steps(&points, at(40), at(60), 10), "M0 90 H0 V45 H150 V72 H600");
    }

    #[test]
    fn the_upper_edge() {
        let check =
            |peak, size, expected| assert_eq!(top(peak, size), expected, "{peak} of {size}");
        check(0, 200, 4);
        check(12, 200, 16);
        check(100, 200, 200);
        check(2, 3, 3);
        // A pool that was made smaller while its addresses are out.
        check(9, 5, 9);
    }
}
