//! When things begin, decided before they do: an open loop.
//!
//! The times do not depend on how fast the server is. A latency runs from the intended time, so that a server
//! that holds everything up cannot hide it by also holding the load up (coordinated omission).

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// How arrivals are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Spread {
    /// At random, independent of each other, as people are: waits are exponential.
    #[default]
    Poisson,
    /// At equal distances.
    Fixed,
}

/// An endless row of times since the start, from a seed.
pub struct Arrivals {
    spread: Spread,
    rate: f64,
    chance: StdRng,
    at: f64,
}

impl Arrivals {
    /// Arrivals at `rate` a second, on the average. The first one comes after a wait as well.
    pub fn new(spread: Spread, rate: f64, seed: u64) -> Self {
        Self {
            spread,
            rate: rate.max(f64::MIN_POSITIVE),
            chance: StdRng::seed_from_u64(seed),
            at: 0.0,
        }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = match self.spread {
            Spread::Poisson => -(1.0 - self.chance.random::<f64>()).ln() / self.rate,
            Spread::Fixed => 1.0 / self.rate,
        };
        self.at += wait;
        Duration::try_from_secs_f64(self.at).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_times_again_and_the_rate_is_kept() {
        let times = |seed| Arrivals::new(Spread::Poisson, 100.0, seed).take(10_000);
        assert!(times(7).eq(times(7)));
        assert!(times(7).ne(times(8)));
        let last = times(7).last().unwrap().as_secs_f64();
        assert!((95.0..105.0).contains(&last), "{last}");
    }

    #[test]
    fn waits_are_exponential_or_equal() {
        let waits = |spread| {
            let times: Vec<Duration> = Arrivals::new(spread, 10.0, 1).take(20_000).collect();
            let waits = times
                .windows(2)
                .map(|pair| (pair[1] - pair[0]).as_secs_f64());
            waits.collect::<Vec<f64>>()
        };
        let fixed = waits(Spread::Fixed);
        assert!(fixed.iter().all(|wait| (wait - 0.1).abs() < 1e-6));
        // Of exponential waits with a mean of 0.1, the share longer than the mean is 1/e.
        let poisson = waits(Spread::Poisson);
        let longer = poisson.iter().filter(|wait| **wait > 0.1).count() as f64;
        let share = longer / poisson.len() as f64;
        assert!((share - (-1.0_f64).exp()).abs() < 0.02, "{share}");
    }

    #[test]
    fn times_never_depend_on_when_they_are_asked_for() {
        let mut arrivals = Arrivals::new(Spread::Fixed, 4.0, 0);
        assert_eq!(arrivals.next(), Some(Duration::from_millis(250)));
        assert_eq!(arrivals.next(), Some(Duration::from_millis(500)));
    }
}
