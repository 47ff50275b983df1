//! Times gathered in a histogram of three digits, and the short form of it that a result keeps.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longest time told apart, microseconds: ten minutes. Longer ones count as this.
const TIME_MAX_MICROS: u64 = 600_000_000;

/// Bars for each power of ten in the short form.
const BARS_A_DECADE: f64 = 10.0;

/// Times, as they come in.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, TIME_MAX_MICROS, 3);
        Self(histogram.expect("the bounds are in order and three digits are allowed"))
    }
}

impl Times {
    /// Takes one in.
    pub fn record(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.max(1));
    }

    /// Takes all of the other's in.
    pub fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("both have the same bounds and digits");
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time, in milliseconds, within which a share of them lies.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1e3
    }

    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.0.max() as f64 / 1e3
    }

    /// The short form; `None` when nothing was recorded.
    pub fn latency(&self, id: &str, title: &str, explanation: &str) -> Option<Latency> {
        (self.count() > 0).then(|| Latency {
            id: id.to_owned(),
            title: title.to_owned(),
            explanation: explanation.to_owned(),
            count: self.count(),
            mean_ms: self.0.mean() / 1e3,
            p50_ms: self.quantile_ms(0.5),
            p90_ms: self.quantile_ms(0.9),
            p99_ms: self.quantile_ms(0.99),
            p999_ms: self.quantile_ms(0.999),
            max_ms: self.max_ms(),
            bars: self.bars(),
        })
    }

    fn bars(&self) -> Vec<Bar> {
        let mut bars: Vec<(i64, u64)> = Vec::new();
        for step in self.0.iter_recorded() {
            let number = ((step.value_iterated_to() as f64).log10() * BARS_A_DECADE).floor() as i64;
            let count = step.count_since_last_iteration();
            match bars.last_mut() {
                Some((last, sum)) if *last == number => *sum += count,
                _ => bars.push((number, count)),
            }
        }
        let edge = |number: i64| 10_f64.powf(number as f64 / BARS_A_DECADE) / 1e3;
        let bar = |(number, count)| Bar {
            from_ms: edge(number),
            to_ms: edge(number + 1),
            count,
        };
        bars.into_iter().map(bar).collect()
    }
}

/// A kind of latency, milliseconds throughout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How figures and budgets call it: `ID_p99_ms`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// From what to what it runs.
    pub explanation: String,
    /// How many were measured.
    pub count: u64,
    /// The mean.
    pub mean_ms: f64,
    /// Half took no longer.
    pub p50_ms: f64,
    /// Nine of ten took no longer.
    pub p90_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// 999 of 1,000 took no longer.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// The distribution, without empty bars.
    pub bars: Vec<Bar>,
}

/// Times from one bound to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// From this.
    pub from_ms: f64,
    /// To this.
    pub to_ms: f64,
    /// So many.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_bars_hold_everything_that_was_recorded() {
        let mut times = Times::default();
        for millis in 1..=1_000 {
            times.record(Duration::from_millis(millis));
        }
        let latency = times.latency("latency", "Latency", "").unwrap();
        let near = |value: f64, wanted: f64| (value - wanted).abs() <= wanted * 0.002;
        assert!(
            near(latency.p50_ms, 500.0) && near(latency.p99_ms, 990.0),
            "{latency:?}"
        );
        assert!(near(latency.p999_ms, 999.0) && near(latency.max_ms, 1_000.0));
        assert_eq!(latency.bars.iter().map(|bar| bar.count).sum::<u64>(), 1_000);
        assert!(
            latency
                .bars
                .windows(2)
                .all(|pair| pair[0].to_ms <= pair[1].from_ms + 1e-9)
        );
    }

    #[test]
    fn two_histograms_add_up_and_an_empty_one_says_nothing() {
        let (mut one, mut other) = (Times::default(), Times::default());
        assert!(one.latency("", "", "").is_none());
        one.record(Duration::from_millis(1));
        other.record(Duration::from_secs(10_000));
        one.add(&other);
        assert_eq!(one.count(), 2);
        assert!((one.max_ms() - 600_000.0).abs() < 1_000.0);
    }
}
