//! Many runs beside each other, and what they come to.

use std::fmt;
use std::sync::Mutex;
use std::thread;

/// Runs at a time.
const THREADS: usize = 2;

/// The first seed: that of `SEED`, or one.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    given.unwrap_or(1)
}

/// Runs all and returns what came of each, in the same order.
pub(crate) fn each<C: Send, O: Send>(cells: Vec<C>, run: impl Fn(C) -> O + Sync) -> Vec<O> {
    let cells = Mutex::new(cells.into_iter().enumerate());
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = cells.lock().expect("nobody panics with it").next();
                    let Some((at, cell)) = next else { return };
                    let outcome = run(cell);
                    outcomes
                        .lock()
                        .expect("nobody panics with it")
                        .push((at, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().expect("nobody panics with it");
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Some figures of one kind.
pub(crate) struct Summary {
    least: f64,
    median: f64,
    most: f64,
    count: usize,
}

impl Summary {
    pub(crate) const fn median(&self) -> f64 {
        self.median
    }

    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        Self {
            least: figures.first().copied().unwrap_or(0.0),
            median: figures.get(figures.len() / 2).copied().unwrap_or(0.0),
            most: figures.last().copied().unwrap_or(0.0),
            count: figures.len(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            least,
            median,
            most,
            count,
        } = self;
        write!(
            to,
            "least {least:.1}, median {median:.1}, most {most:.1}, of {count}"
        )
    }
}
