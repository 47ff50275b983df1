//! The figures of a result by name: what budgets bound and comparisons set beside each other.

use std::collections::BTreeMap;

use super::model::{RunResult, Sample};

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its value.
    pub value: f64,
    /// How much it wavers by itself: half of what lies between the quarters of its intervals; absent where
    /// the run gives no hint.
    pub spread: Option<f64>,
    /// Whether less is better; `None` where neither is.
    pub less_is_better: Option<bool>,
}

impl Figure {
    const fn less(value: f64) -> Self {
        Self {
            value,
            spread: None,
            less_is_better: Some(true),
        }
    }

    const fn more(value: f64) -> Self {
        Self {
            value,
            spread: None,
            less_is_better: Some(false),
        }
    }

    fn wavering(mut self, series: &[Sample], of: impl Fn(&Sample) -> Option<f64>) -> Self {
        self.spread = half_of_the_middle(series.iter().filter_map(of).collect());
        self
    }
}

/// Intervals from which on their spread says something.
const SPREAD_FROM: usize = 5;

/// Half of the distance between the lower and the upper quarter.
fn half_of_the_middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    (count >= SPREAD_FROM).then(|| (values[count * 3 / 4] - values[count / 4]) / 2.0)
}

impl RunResult {
    /// Every figure that this result has, by name.
    pub fn figures(&self) -> BTreeMap<String, Figure> {
        let mut figures = BTreeMap::new();
        let mut put = |name: &str, figure: Figure| {
            figures.insert(name.to_owned(), figure);
        };
        for (at, latency) in self.latencies.iter().enumerate() {
            let series: &[Sample] = if at == 0 { &self.series } else { &[] };
            let name = |what: &str| format!("{}_{what}_ms", latency.id);
            let p50 = Figure::less(latency.p50_ms).wavering(series, |sample| sample.p50_ms);
            put(&name("p50"), p50);
            put(&name("p90"), Figure::less(latency.p90_ms));
            let p99 = Figure::less(latency.p99_ms).wavering(series, |sample| sample.p99_ms);
            put(&name("p99"), p99);
            put(&name("p999"), Figure::less(latency.p999_ms));
            let max = Figure::less(latency.max_ms).wavering(series, |sample| sample.max_ms);
            put(&name("max"), max);
        }
        let done = Figure::more(self.work.per_second);
        put(
            "per_second",
            done.wavering(&self.series, |sample| Some(sample.per_second)),
        );
        if let Some(each) = self.work.cpu_us_each {
            let each = Figure::less(each).wavering(&self.series, |sample| sample.cpu_us_each);
            put(&format!("cpu_us_per_{}", self.unit()), each);
        }
        if let Some(cores) = self.work.cpu_cores {
            let cores = Figure::less(cores).wavering(&self.series, |sample| sample.server_cores);
            put("server_cores", cores);
        }
        if let Some(loss) = &self.loss {
            let lost = Figure::less(loss.per_mille);
            put(
                "loss_per_mille",
                lost.wavering(&self.series, |sample| sample.loss_per_mille),
            );
            put("silent_subscriptions", Figure::less(loss.silent as f64));
        }
        if let Some(memory) = &self.memory {
            put("memory_kb_each", Figure::less(memory.each_bytes / 1e3));
            put("memory_mb", Figure::less(memory.after_bytes as f64 / 1e6));
        }
        let errors: u64 = self.errors.values().sum();
        put("errors", Figure::less(errors as f64));
        put(
            "generator_late_p99_ms",
            Figure::less(self.generator.late_p99_ms),
        );
        put(
            "generator_skipped",
            Figure::less(self.generator.skipped as f64),
        );
        figures
    }

    /// The last word of what is counted: `packet` of "forwarded packet".
    fn unit(&self) -> String {
        let last = self.work.one.rsplit(' ').next().unwrap_or("each");
        last.replace('-', "_")
    }
}

#[cfg(test)]
mod tests {
    use crate::result::model::tests::example;

    #[test]
    fn figures_have_the_names_that_budgets_use_and_know_how_much_they_waver() {
        let figures = example().figures();
        for name in [
            "latency_p50_ms",
            "latency_p99_ms",
            "latency_max_ms",
            "per_second",
            "cpu_us_per_packet",
            "loss_per_mille",
            "memory_kb_each",
            "errors",
            "generator_late_p99_ms",
        ] {
            assert!(figures.contains_key(name), "{name} in {figures:?}");
        }
        let spread = figures["cpu_us_per_packet"].spread.unwrap();
        assert!((0.0..0.2).contains(&spread), "{spread}");
        assert_eq!(figures["errors"].spread, None);
        assert_eq!(figures["per_second"].less_is_better, Some(false));
    }
}
