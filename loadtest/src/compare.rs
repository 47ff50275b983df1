//! Two results beside each other: ratios, and whether a difference is more than noise.

use std::collections::BTreeMap;

use crate::result::RunResult;
use crate::result::figures::Figure;

/// A difference of less than this share is noise, whatever the intervals say: runs on one machine differ by as
/// much from minute to minute.
const NOISE_SHARE: f64 = 0.05;

/// For figures whose intervals give no hint of how much they waver, tails of latencies above all.
const NOISE_SHARE_UNKNOWN: f64 = 0.15;

/// A difference of so many spreads of both runs together is more than noise.
const SPREADS: f64 = 2.0;

/// What a difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can't be told from none.
    Noise,
    /// The second run is better.
    Better,
    /// The second run is worse.
    Worse,
}

/// One figure of both.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The figure.
    pub name: String,
    /// In the first run.
    pub first: f64,
    /// In the second run.
    pub second: f64,
    /// Second by first; absent when the first is zero.
    pub ratio: Option<f64>,
    /// What that means.
    pub verdict: Verdict,
}

/// A comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Figures that both have.
    pub rows: Vec<Row>,
    /// What makes them less than comparable.
    pub warnings: Vec<String>,
}

impl Comparison {
    /// Sets the second beside the first.
    pub fn of(first: &RunResult, second: &RunResult) -> Self {
        let (ours, theirs) = (first.figures(), second.figures());
        let rows = ours
            .iter()
            .filter_map(|(name, one)| Some(row(name, one, theirs.get(name)?)))
            .collect();
        Self {
            rows,
            warnings: warnings(first, second),
        }
    }

    /// The whole in a sentence.
    pub fn summary(&self) -> String {
        let count = |verdict| {
            self.rows
                .iter()
                .filter(|row| row.verdict == verdict)
                .count()
        };
        let (better, worse) = (count(Verdict::Better), count(Verdict::Worse));
        match (better, worse) {
            (0, 0) => "No figure differs by more than noise.".to_owned(),
            _ => format!(
                "Of {} figures, {better} got better, {worse} got worse, and the others differ by no more \
                 than noise.",
                self.rows.len()
            ),
        }
    }

    /// As a table of plain text.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for warning in &self.warnings {
            text.push_str(&format!("!! {warning}\n"));
        }
        text.push_str(&format!(
            "{:<28} {:>12} {:>12} {:>8}  verdict\n",
            "figure", "first", "second", "ratio"
        ));
        for row in &self.rows {
            let ratio = row
                .ratio
                .map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
            let word = row.verdict.word();
            text.push_str(&format!(
                "{:<28} {:>12.3} {:>12.3} {ratio:>8}  {word}\n",
                row.name, row.first, row.second
            ));
        }
        text.push_str(&self.summary());
        text.push('\n');
        text
    }
}

impl Verdict {
    /// In a word or two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Noise => "within noise",
            Self::Better => "better",
            Self::Worse => "worse",
        }
    }
}

fn row(name: &str, one: &Figure, other: &Figure) -> Row {
    let (first, second) = (one.value, other.value);
    Row {
        name: name.to_owned(),
        first,
        second,
        ratio: (first != 0.0).then(|| second / first),
        verdict: verdict(one, other),
    }
}

fn verdict(one: &Figure, other: &Figure) -> Verdict {
    let difference = other.value - one.value;
    let larger = one.value.abs().max(other.value.abs());
    let noise = match (one.spread, other.spread) {
        (Some(one), Some(other)) => (SPREADS * (one + other)).max(larger * NOISE_SHARE),
        _ => larger * NOISE_SHARE_UNKNOWN,
    };
    let Some(less_is_better) = one.less_is_better.filter(|_| difference.abs() > noise) else {
        return Verdict::Noise;
    };
    if (difference < 0.0) == less_is_better {
        Verdict::Better
    } else {
        Verdict::Worse
    }
}

fn warnings(first: &RunResult, second: &RunResult) -> Vec<String> {
    let mut warnings = Vec::new();
    if first.scenario.title != second.scenario.title {
        warnings.push(format!(
            "The scenarios differ: {} and {}. Ratios say little.",
            first.scenario.title, second.scenario.title
        ));
    }
    if first.machine != second.machine {
        warnings.push(
            "The machines differ, and so ratios are those of the machines as well.".to_owned(),
        );
    }
    let options = differing(&first.options, &second.options);
    if !options.is_empty() {
        warnings.push(format!("Options differ: {}.", options.join("; ")));
    }
    for (result, which) in [(first, "first"), (second, "second")] {
        if !result.generator.bottlenecks.is_empty() {
            warnings.push(format!(
                "In the {which} run the load test itself was a bottleneck; its figures are not only the \
                 server's."
            ));
        }
        if result.ended_early {
            warnings.push(format!("The {which} run was ended early."));
        }
    }
    warnings
}

fn differing(first: &BTreeMap<String, String>, second: &BTreeMap<String, String>) -> Vec<String> {
    let names = first
        .keys()
        .chain(second.keys().filter(|name| !first.contains_key(*name)));
    let text = |options: &BTreeMap<String, String>, name: &str| {
        options
            .get(name)
            .cloned()
            .unwrap_or_else(|| "not given".to_owned())
    };
    names
        .map(|name| (name, text(first, name), text(second, name)))
        .filter(|(_, one, other)| one != other)
        .map(|(name, one, other)| format!("{name} is {one} and {other}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::model::tests::example;

    fn verdict_of(comparison: &Comparison, name: &str) -> Verdict {
        let row = comparison.rows.iter().find(|row| row.name == name);
        row.expect("both have it").verdict
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let comparison = Comparison::of(&example(), &example());
        assert!(
            comparison
                .rows
                .iter()
                .all(|row| row.verdict == Verdict::Noise)
        );
        assert!(
            comparison
                .rows
                .iter()
                .all(|row| row.ratio.is_none_or(|ratio| ratio == 1.0))
        );
        assert!(comparison.warnings.is_empty(), "{:?}", comparison.warnings);
        assert!(comparison.summary().starts_with("No figure differs"));
    }

    #[test]
    fn a_difference_beyond_the_spread_is_told_in_its_direction() {
        let mut second = example();
        second.work.cpu_us_each = Some(2.0);
        second.work.per_second = 3_000.0;
        second.latencies[0].p999_ms *= 1.1;
        let comparison = Comparison::of(&example(), &second);
        assert_eq!(
            verdict_of(&comparison, "cpu_us_per_packet"),
            Verdict::Better
        );
        assert_eq!(verdict_of(&comparison, "per_second"), Verdict::Worse);
        // A tenth in a tail that nothing is known of may be chance.
        assert_eq!(verdict_of(&comparison, "latency_p999_ms"), Verdict::Noise);
        assert!(comparison.table().contains("0.50"));
    }

    #[test]
    fn a_figure_that_wavers_as_much_is_within_noise() {
        let (mut first, mut second) = (example(), example());
        for (at, sample) in first.series.iter_mut().enumerate() {
            sample.cpu_us_each = Some(if at % 2 == 0 { 3.0 } else { 5.0 });
        }
        second.work.cpu_us_each = Some(4.9);
        let comparison = Comparison::of(&first, &second);
        assert_eq!(verdict_of(&comparison, "cpu_us_per_packet"), Verdict::Noise);
    }

    #[test]
    fn what_makes_runs_differ_is_said_first() {
        let mut second = example();
        second.machine.cores = 8;
        second.options.insert("members".to_owned(), "20".to_owned());
        second.generator.bottlenecks.push("late".to_owned());
        let warnings = Comparison::of(&example(), &second).warnings;
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        assert!(warnings[1].contains("members is 10 and 20"));
    }
}
