//! Places on a plot: scales, round numbers for their marks, and the frame around.

use std::fmt::Write as _;

use super::markup::escape;

/// The space around the plot for marks.
pub(super) const LEFT: f64 = 58.0;
pub(super) const RIGHT: f64 = 14.0;
pub(super) const TOP: f64 = 10.0;
pub(super) const BOTTOM: f64 = 42.0;

/// From values to places along one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    log: bool,
    start: f64,
    end: f64,
}

impl Scale {
    /// Equal steps; `from` and `to` are moved apart where they are one.
    pub(super) fn even((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self {
            from,
            to,
            log: false,
            start,
            end,
        }
    }

    /// Equal ratios; both are above zero.
    pub(super) fn ratios((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        let to = if to > from { to } else { from * 2.0 };
        Self {
            from,
            to,
            log: true,
            start,
            end,
        }
    }

    /// Where a value is.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.from).ln() - self.from.ln()) / (self.to.ln() - self.from.ln())
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + share * (self.end - self.start)
    }

    /// Round values within, about as many as asked for.
    pub(super) fn marks(&self, about: usize) -> Vec<f64> {
        if self.log {
            let marks = log_marks(self.from, self.to);
            let every = marks.len().div_ceil(about.max(1)).max(1);
            return marks.into_iter().step_by(every).collect();
        }
        let step = round_up((self.to - self.from) / about.max(1) as f64);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        (first..=last).map(|number| number as f64 * step).collect()
    }
}

/// The next of 1, 2, 5, 10, ...
pub(super) fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-12).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= value * 0.999)
        .unwrap_or(power * 10.0)
}

fn log_marks(from: f64, to: f64) -> Vec<f64> {
    let decades = from.log10().floor() as i32..=to.log10().ceil() as i32;
    decades
        .flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(decade)))
        .filter(|mark| *mark >= from * 0.999 && *mark <= to * 1.001)
        .collect()
}

/// The marks of both directions, with lines through the plot at the heights.
pub(super) struct Frame<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) x_label: &'a str,
    pub(super) x_words: &'a dyn Fn(f64) -> String,
    pub(super) y_words: &'a dyn Fn(f64) -> String,
}

impl Frame<'_> {
    /// Opens the picture and draws the frame; whoever draws on closes it.
    pub(super) fn open(&self, description: &str) -> String {
        let (width, height) = (self.width, self.height);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
            escape(description)
        );
        let (right, floor) = (width - RIGHT, height - BOTTOM);
        let mut put = |text: std::fmt::Arguments<'_>| {
            svg.write_fmt(text).expect("a string takes everything");
        };
        for mark in self.y.marks(4) {
            let (y, words) = (self.y.at(mark), escape(&(self.y_words)(mark)));
            put(format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{words}</text>",
                LEFT - 8.0,
                y + 4.0
            ));
        }
        let about = if width < 500.0 { 5 } else { 9 };
        for mark in self.x.marks(about) {
            let (x, words) = (self.x.at(mark), escape(&(self.x_words)(mark)));
            put(format_args!(
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{floor}\" y2=\"{}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{words}</text>",
                floor + 4.0,
                floor + 17.0
            ));
        }
        put(format_args!(
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{floor}\" y2=\"{floor}\"/>\
             <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            height - 6.0,
            escape(self.x_label)
        ));
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_within() {
        let scale = Scale::even((0.0, 23.0), (0.0, 230.0));
        assert_eq!(scale.marks(5), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert!((scale.at(11.5) - 115.0).abs() < 1e-9);
        let scale = Scale::ratios((0.1, 10.0), (100.0, 0.0));
        assert_eq!(scale.marks(10).len(), 7);
        assert!((scale.at(1.0) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn one_value_alone_has_a_scale_too() {
        assert!(Scale::even((3.0, 3.0), (0.0, 1.0)).at(3.0).is_finite());
        assert!(Scale::ratios((3.0, 3.0), (0.0, 1.0)).at(3.0).is_finite());
        assert!((round_up(0.0) - 1e-12).abs() < 1e-12);
    }
}
