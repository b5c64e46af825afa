//! A spell drawn as a waterfall: a bar for each exchange, on one axis of time.

use maud::{Markup, html};

use crate::domain::{Timestamp, clip};

use super::spells::{Bar, Spell, Tone, millis};

/// Pixels from one bar to the next: a line of text and the bar below it.
const STEP: usize = 34;

/// Pixels for the times below the last bar.
const FOOT: usize = 22;

/// The most characters of a name that fit beside an outcome on the narrowest screen.
const NAME: usize = 27;

/// Steps of the axis, in milliseconds.
const STEPS: [i64; 19] = [
    10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
    600_000, 900_000, 1_800_000, 3_600_000,
];

/// Draws a spell; `number` makes its names unlike those of the others on the page.
pub fn waterfall(spell: &Spell<'_>, number: usize) -> Markup {
    let (from, bars) = (spell.at(), &spell.bars);
    let last = bars.iter().map(|bar| bar.to).max().unwrap_or(from);
    // One that was over within a millisecond still has an axis.
    let span = millis(from, last).max(10);
    let rows = bars.len() * STEP;
    let (title, said) = (format!("waterfall-{number}-title"), format!("waterfall-{number}-said"));
    html! {
        svg.waterfall role="img" width="100%" height=(rows + FOOT) aria-labelledby={ (title) " " (said) } {
            title id=(title) { (bars.len()) " exchanges in " (time(span)) }
            desc id=(said) { @for bar in bars { (in_words(from, bar)) " " } }
            @for at in ticks(span) {
                line.grid x1=(percent(at, span)) x2=(percent(at, span)) y1="0" y2=(rows) {}
                @if at * 10 <= span * 9 {
                    text.tick x=(percent(at, span)) dx="3" y=(rows + FOOT - 7) { "+" (time(at)) }
                }
            }
            @for (row, bar) in bars.iter().enumerate() { (drawn(bar, row * STEP, (from, span))) }
        }
    }
}

/// One bar with its words above it.
fn drawn(bar: &Bar, top: usize, (from, span): (Timestamp, i64)) -> Markup {
    let (begin, length) = (millis(from, bar.from), millis(bar.from, bar.to));
    // Wide enough to be seen, and never beyond the edge.
    let least = span / 125 + 1;
    let begin = begin.min(span - least.min(span));
    let width = length.max(least).min(span - begin);
    html! {
        g class={ "bar " (bar.tone.class()) } data-carrier=(bar.carrier) {
            title { (in_words(from, bar)) }
            text.what x="0" y=(top + 14) {
                tspan.carrier { (bar.carrier) } " " (clip(&bar.what, NAME))
            }
            text.outcome x="100%" y=(top + 14) text-anchor="end" {
                (bar.outcome)
                @if length > 0 { ", " (time(length)) }
            }
            rect.track x="0" y=(top + 19) width="100%" height="9" rx="2" {}
            rect.length x=(percent(begin, span)) y=(top + 19) width=(percent(width, span)) height="9" rx="2" {}
        }
    }
}

/// What a bar shows, as a sentence.
fn in_words(from: Timestamp, bar: &Bar) -> String {
    let begin = time(millis(from, bar.from));
    let length = millis(bar.from, bar.to);
    let took = if length > 0 { format!(" after {}", time(length)) } else { String::new() };
    let name = if bar.what.is_empty() { String::new() } else { format!(" {}", bar.what) };
    let open = if bar.tone == Tone::Busy { " (so far)" } else { "" };
    format!("{}{name}: from +{begin}, {}{took}{open}.", bar.carrier, bar.outcome)
}

/// Where the axis has its lines: at most five after the first.
fn ticks(span: i64) -> Vec<i64> {
    let step = STEPS.into_iter().find(|step| span / step <= 5).unwrap_or(span / 5 + 1);
    (0..=5).map(|tick| tick * step).take_while(|at| *at <= span).collect()
}

/// A part of the whole in hundredths of a percent, as SVG writes it.
fn percent(part: i64, whole: i64) -> String {
    let hundredths = i128::from(part) * 10_000 / i128::from(whole.max(1));
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// A time as it is said: `40 ms`, `2.5 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
pub fn time(millis: i64) -> String {
    match millis {
        ..1000 => format!("{millis} ms"),
        1000..10_000 if millis % 1000 != 0 => {
            format!("{}.{} s", millis / 1000, millis % 1000 / 100)
        }
        1000..60_000 => format!("{} s", millis / 1000),
        60_000..3_600_000 if millis / 1000 % 60 == 0 => format!("{} min", millis / 60_000),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis / 1000 % 60),
        _ => format!("{} h {} min", millis / 3_600_000, millis / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_they_are_said() {
        let check = |millis: i64, text: &str| assert_eq!(time(millis), text, "{millis}");
        check(0, "0 ms");
        check(999, "999 ms");
        check(1000, "1 s");
        check(2540, "2.5 s");
        check(59_999, "59 s");
        check(200_000, "3 min 20 s");
        check(120_000, "2 min");
        check(7_500_000, "2 h 5 min");
    }

    #[test]
    fn an_axis_has_few_round_lines() {
        let check = |span: i64, lines: &[i64]| assert_eq!(ticks(span), lines, "{span}");
        check(10, &[0, 10]);
        check(999, &[0, 200, 400, 600, 800]);
        check(12_000, &[0, 5000, 10_000]);
        check(40_000_000, &[0, 8_000_001, 16_000_002, 24_000_003, 32_000_004]);
    }

    #[test]
    fn a_bar_stays_within_the_drawing() {
        assert_eq!(percent(1, 3), "33.33%");
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let (carrier, what, outcome) = ("tftp", "<b>".to_owned(), "complete".to_owned());
        let bar = Bar { carrier, what, from: at(1000), to: at(1000), outcome, tone: Tone::Good };
        let drawn = drawn(&bar, 0, (at(0), 1000)).into_string();
        assert!(drawn.contains("x=\"99.10%\"") && drawn.contains("width=\"0.90%\""), "{drawn}");
        assert!(drawn.contains("&lt;b&gt;") && !drawn.contains("<b>"), "{drawn}");
    }
}
