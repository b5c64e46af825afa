//! Plots as SVG text: curves and bars with their axes, in the colours of the page that they stand in.

use std::fmt::Write as _;

/// Size of a plot in its own units, and what its axes take of it.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 38.0;

/// The most marks on an axis.
const MARKS: f64 = 8.0;

/// One line of a plot: its name, which is its class too, and its points in ascending order of x.
pub struct Curve {
    /// Name.
    pub name: &'static str,
    /// Points.
    pub points: Vec<(f64, f64)>,
}

/// The distance between marks of an axis that ends at `end`: 1, 2 or 5 times a power of ten.
fn step(end: f64) -> f64 {
    let rough = (end / MARKS).max(1e-3);
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

fn marks(end: f64) -> Vec<f64> {
    let step = step(end);
    let mut marks = vec![0.0];
    while let Some(next) = marks.last().map(|last| last + step).filter(|next| *next <= end * 1.001)
    {
        marks.push(next);
    }
    marks
}

/// A number without zeros that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Where values lie in the drawing.
struct Scale {
    x: f64,
    y: f64,
}

impl Scale {
    fn new(x: f64, y: f64) -> Self {
        Self { x: x.max(1e-3), y: y.max(1e-3) }
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = (WIDTH - LEFT - RIGHT) * (x / self.x);
        let up = (HEIGHT - TOP - BOTTOM) * (y / self.y);
        (LEFT + across, HEIGHT - BOTTOM - up)
    }

    fn frame(&self, title: &str, x_name: &str, unit: &str, content: &str) -> String {
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\"><g class=\"grid\" stroke=\"currentColor\">"
        );
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for mark in marks(self.y) {
            let (_, y) = self.at((0.0, mark));
            // Writing to a string can't fail, here and below.
            let _ = write!(svg, "<path d=\"M{LEFT} {y:.1}H{right}\"/>");
        }
        svg.push_str("</g><g class=\"marks\" fill=\"currentColor\">");
        for mark in marks(self.y) {
            let (_, y) = self.at((0.0, mark));
            let (x, y) = (LEFT - 7.0, y + 4.0);
            let text = number(mark);
            let _ =
                write!(svg, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{text}{unit}</text>");
        }
        for mark in marks(self.x) {
            let (x, _) = self.at((mark, 0.0));
            let y = bottom + 16.0;
            let text = number(mark);
            let _ =
                write!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>");
        }
        let (x, y) = (f64::midpoint(LEFT, right), HEIGHT - 5.0);
        let _ = write!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{x_name}</text></g>");
        svg + content + "</svg>"
    }
}

/// Curves of percents over seconds.
pub fn curves(title: &str, end: f64, curves: &[Curve]) -> String {
    let scale = Scale::new(end, 100.0);
    let mut content = String::new();
    for Curve { name, points } in curves {
        let mut path = String::new();
        for point in points {
            let (x, y) = scale.at(*point);
            let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { "M" } else { "L" });
        }
        let _ = write!(
            content,
            "<path class=\"curve {name}\" d=\"{path}\" fill=\"none\" stroke=\"currentColor\"/>"
        );
    }
    scale.frame(title, "seconds since the start", " %", &content)
}

/// Bars: how many of `values` lie in each of as many equal parts of their span.
pub fn bars(title: &str, x_name: &str, values: &[f64], parts: usize) -> String {
    let end = values.iter().copied().fold(0.0, f64::max);
    // Up to the next mark, so that the last bar ends where the axis says something.
    let end = (end / step(end)).ceil().max(1.0) * step(end);
    #[expect(clippy::cast_precision_loss, reason = "a few dozen bars, and fewer phones than 2^52")]
    let real = |count: usize| count as f64;
    let mut counts = vec![0_usize; parts.max(1)];
    for value in values {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between nothing and the number of parts"
        )]
        let part = (value / end * real(parts)) as usize;
        let last = counts.len() - 1;
        counts[part.min(last)] += 1;
    }
    let scale = Scale::new(end, counts.iter().copied().map(real).fold(1.0, f64::max));
    let mut content = String::new();
    for (part, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (left, top) = scale.at((end * real(part) / real(parts), real(*count)));
        let (right, bottom) = scale.at((end * real(part + 1) / real(parts), 0.0));
        let (width, height) = (right - left - 1.5, bottom - top);
        let _ = write!(
            content,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"currentColor\" class=\"bar\"/>"
        );
    }
    scale.frame(title, x_name, "", &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes() {
        let check = |end: f64, expected: &str| {
            let told: Vec<String> = marks(end).into_iter().map(number).collect();
            assert_eq!(told.join(" "), expected, "{end}");
        };
        check(100.0, "0 20 40 60 80 100");
        check(7.3, "0 1 2 3 4 5 6 7");
        check(0.4, "0 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4");
        check(3000.0, "0 500 1000 1500 2000 2500 3000");
        check(0.0, "0");
    }

    #[test]
    fn every_value_is_in_a_bar() {
        let svg = bars("boots", "seconds", &[0.0, 0.1, 5.0, 9.9, 10.0], 10);
        assert_eq!(svg.matches("<rect").count(), 3);
        assert_eq!(bars("none", "seconds", &[], 10).matches("<rect").count(), 0);
    }
}
