//! Plots of lines over time or over a population.

use std::fmt::Write as _;

use super::axis::{BOTTOM, Frame, LEFT, RIGHT, Scale, TOP, round_up};
use super::markup::escape;

/// Points up to which each gets a dot with its value.
const DOTS_MAX: usize = 60;

/// One line.
pub(super) struct Line<'a> {
    /// Its colour: `c1` to `c4`.
    pub(super) class: &'a str,
    /// What it shows.
    pub(super) name: &'a str,
    /// From left to right.
    pub(super) points: Vec<(f64, f64)>,
    /// A line fitted through it.
    pub(super) trend: bool,
}

/// A plot.
pub(super) struct LinePlot<'a> {
    pub(super) lines: Vec<Line<'a>>,
    pub(super) x_label: &'a str,
    pub(super) x_words: &'a dyn Fn(f64) -> String,
    pub(super) y_words: &'a dyn Fn(f64) -> String,
    /// Heights by ratios: for values that lie far apart.
    pub(super) log: bool,
    /// Heights begin at zero; otherwise just below the lowest.
    pub(super) from_zero: bool,
    /// Heights reach at least this.
    pub(super) at_least: f64,
}

impl LinePlot<'_> {
    /// Draws it.
    pub(super) fn draw(&self, width: f64, height: f64) -> String {
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let (left, right) = bounds(all().map(|point| point.0));
        let (low, high) = bounds(all().map(|point| point.1));
        let across = (LEFT, width - RIGHT);
        let up = (height - BOTTOM, TOP);
        let x = Scale::even(
            (left.min(if self.from_zero { 0.0 } else { left }), right),
            across,
        );
        let y = if self.log {
            let low = all().map(|point| point.1).filter(|value| *value > 0.0);
            let low = low.fold(f64::INFINITY, f64::min).min(high.max(1e-6));
            Scale::ratios((low * 0.8, (high * 1.15).max(low * 10.0)), up)
        } else if self.from_zero {
            let top = (high * 1.08).max(self.at_least).max(1e-9);
            Scale::even((0.0, top), up)
        } else {
            let room = ((high - low) * 0.15).max(round_up(high.abs() / 200.0));
            Scale::even(((low - room).max(0.0), high + room), up)
        };
        let frame = Frame {
            width,
            height,
            x,
            y,
            x_label: self.x_label,
            x_words: self.x_words,
            y_words: self.y_words,
        };
        let names: Vec<&str> = self.lines.iter().map(|line| line.name).collect();
        let mut svg = frame.open(&names.join(", "));
        for line in &self.lines {
            self.line(&mut svg, line, (&x, &y));
        }
        svg.push_str("</svg>");
        svg
    }

    fn line(&self, svg: &mut String, line: &Line<'_>, (x, y): (&Scale, &Scale)) {
        let class = line.class;
        let places = line
            .points
            .iter()
            .map(|(at, value)| (x.at(*at), y.at(*value)));
        let path: Vec<String> = places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let kind = if line.trend { "trend" } else { "line" };
        let mut put = |text: std::fmt::Arguments<'_>| {
            svg.write_fmt(text).expect("a string takes everything");
        };
        put(format_args!(
            "<polyline class=\"{kind} {class}\" points=\"{}\"/>",
            path.join(" ")
        ));
        if line.trend || line.points.len() > DOTS_MAX {
            return;
        }
        for (at, value) in &line.points {
            put(format_args!(
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.6\"><title>{}: {} at {}</title></circle>",
                x.at(*at),
                y.at(*value),
                escape(line.name),
                escape(&(self.y_words)(*value)),
                escape(&(self.x_words)(*at))
            ));
        }
    }
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let widen = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), widen);
    if low.is_finite() {
        (low, high)
    } else {
        (0.0, 1.0)
    }
}
