//! The distribution of a latency: how many took how long.

use std::fmt::Write as _;

use super::axis::{BOTTOM, Frame, LEFT, RIGHT, Scale, TOP};
use super::markup::escape;
use super::words;
use crate::result::Latency;

/// Heights at which the names of quantiles stand, so that close ones do not cover each other.
const NAME_ROWS: [f64; 4] = [12.0, 26.0, 40.0, 54.0];

/// A gap between bars.
const GAP: f64 = 1.5;

/// Draws it.
pub(super) fn draw(latency: &Latency, width: f64, height: f64) -> String {
    let share = |count: u64| count as f64 * 100.0 / latency.count as f64;
    let first = latency.bars.first().map_or(0.1, |bar| bar.from_ms);
    let last = latency.bars.last().map_or(1.0, |bar| bar.to_ms);
    let highest = latency
        .bars
        .iter()
        .map(|bar| share(bar.count))
        .fold(0.0, f64::max);
    let x = Scale::ratios((first * 0.9, last * 1.1), (LEFT, width - RIGHT));
    // Room above the bars for the quantiles' names.
    let names = NAME_ROWS[3] + 6.0;
    let y = Scale::even((0.0, highest.max(1e-9)), (height - BOTTOM, TOP + names));
    let frame = Frame {
        width,
        height,
        x,
        y,
        x_label: "",
        x_words: &words::millis,
        y_words: &|share| format!("{} %", words::plain(share)),
    };
    let mut svg = frame.open(&format!("distribution of {}", latency.title));
    let mut put = |text: std::fmt::Arguments<'_>| {
        svg.write_fmt(text).expect("a string takes everything");
    };
    let floor = height - BOTTOM;
    for bar in &latency.bars {
        let (from, to) = (x.at(bar.from_ms), x.at(bar.to_ms));
        // What is rare must still be seen.
        let top = y.at(share(bar.count)).min(floor - 1.5);
        put(format_args!(
            "<rect class=\"bar\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1\">\
             <title>{} to {}: {:.3} % ({})</title></rect>",
            (to - from - GAP).max(1.0),
            floor - top,
            escape(&words::millis(bar.from_ms)),
            escape(&words::millis(bar.to_ms)),
            share(bar.count),
            bar.count
        ));
    }
    let quantiles = [
        ("p50", latency.p50_ms),
        ("p90", latency.p90_ms),
        ("p99", latency.p99_ms),
        ("p99.9", latency.p999_ms),
    ];
    for ((name, value), row) in quantiles.into_iter().zip(NAME_ROWS) {
        let at = x.at(value).clamp(LEFT, width - RIGHT);
        let (anchor, aside) = if at > width * 0.7 {
            ("end", -5.0)
        } else {
            ("start", 5.0)
        };
        put(format_args!(
            "<line class=\"marker\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{row}\" y2=\"{floor}\"/>\
             <text class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{name} {}</text>",
            at + aside,
            row + 4.0,
            escape(&words::millis(value))
        ));
    }
    svg.push_str("</svg>");
    svg
}
