//! How near the estimate comes to a link that is asked for more than it carries, before and after an outage; and
//! how much of the time a picture stands still. `--ignored` runs four seeds from `SEED` on and, of pictures, a
//! minute each.

use std::time::Duration;

use super::camera::{Lens, SIMULCAST, SINGLE};
use super::stage::{SECOND, Stage, weather};
use super::table::{Summary, each, seed};
use crate::support::network::{Bursts, Link};

const RECEIVER: u8 = 2;
/// Pictures of 1.5 Mbit/s at their largest: more than any of the links carries.
const PICTURES: u8 = 4;
/// How far the estimate may be from the link, in how many of the cases, and half of them. A run is not determined by
/// its seed, since the clients are not: so all cells are judged together, and one alone only against what would
/// be a collapse.
const NEAR: f64 = 0.25;
const NEAR_MIN: f64 = 0.9;
const ERROR_MEDIAN_MAX: f64 = 0.12;
const ERROR_MAX: f64 = 0.75;
/// Part of the sound that is heard beside four pictures, of what the link does not lose by itself: in all of the
/// cells together and, since 95 % is the least that was seen in two thousand of them, in each.
const SOUND_MEAN_MIN: f64 = 0.95;
const SOUND_MIN: f64 = 0.85;
/// Part of the time in which pictures may stand still, at five in a hundred lost and 50 ms: all together, and each.
const FROZEN_MAX: f64 = 0.02;
const FROZEN_WORST_MAX: f64 = 0.2;

#[derive(Clone, Copy, Debug)]
struct Cell {
    rate: u64,
    jitter: u64,
    loss: u64,
    bursts: bool,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    cell: Cell,
    /// Of the link, over the two seconds before and after the tenth.
    estimate: f64,
    recovered: f64,
    sound: f64,
}

impl Cell {
    fn run(self) -> Outcome {
        let mut stage = Stage::new(self.seed, SIMULCAST, PICTURES, &[RECEIVER]);
        let loss = if self.bursts { 0 } else { self.loss };
        let sky = weather(25, self.jitter, loss);
        let mut link = Link::new(self.rate, sky).seeded(self.seed);
        link.bursts = self.bursts.then(|| Bursts::new(self.loss, 5));
        stage.set_link(RECEIVER, link);
        stage.run(4 * SECOND);
        stage.got(RECEIVER);
        let rate = self.rate as f64;
        let (sent, before) = (stage.sounds(), *stage.link(RECEIVER));
        stage.run(6 * SECOND);
        let estimate = stage.mean_estimate(RECEIVER, 2 * SECOND) / rate;
        let sound = stage.sound_of(RECEIVER, &before, sent);
        stage.set_link(RECEIVER, Link::new(0, sky));
        stage.run(Duration::from_millis(2_500));
        stage.set_link(RECEIVER, link);
        stage.run(10 * SECOND);
        let recovered = stage.mean_estimate(RECEIVER, 2 * SECOND) / rate;
        Outcome {
            cell: self,
            estimate,
            recovered,
            sound,
        }
    }
}

fn check(seeds: &[u64]) {
    let mut cells = Vec::new();
    for seed in seeds {
        for rate in [200_000, 500_000, 1_000_000, 2_500_000, 5_000_000] {
            for (jitter, loss, bursts) in [
                (0, 0, false),
                (30, 0, false),
                (0, 50, false),
                (30, 50, false),
                (30, 50, true),
            ] {
                cells.push(Cell {
                    rate,
                    jitter,
                    loss,
                    bursts,
                    seed: seed * 1_000 + cells.len() as u64,
                });
            }
        }
    }
    let outcomes = each(cells, Cell::run);
    println!("kbit/s | jitter ms | loss % | estimate % | after an outage % | sound %");
    for outcome in &outcomes {
        let Cell {
            rate,
            jitter,
            loss,
            bursts,
            ..
        } = outcome.cell;
        println!(
            "{:>6} | {jitter:>9} | {:>4}{:<2} | {:>10.0} | {:>17.0} | {:>7.0}",
            rate / 1_000,
            loss / 10,
            if bursts { " b" } else { "" },
            outcome.estimate * 100.0,
            outcome.recovered * 100.0,
            outcome.sound * 100.0,
        );
    }
    let all = || outcomes.iter();
    println!(
        "estimate %: {}",
        Summary::of(all().map(|o| o.estimate * 100.0))
    );
    println!(
        "after an outage %: {}",
        Summary::of(all().map(|o| o.recovered * 100.0))
    );
    judge(&outcomes);
}

fn judge(outcomes: &[Outcome]) {
    let estimates = outcomes.iter().flat_map(|o| [o.estimate, o.recovered]);
    let errors: Vec<f64> = estimates.map(|estimate| (estimate - 1.0).abs()).collect();
    let near = errors.iter().filter(|error| **error <= NEAR).count();
    println!("within a quarter: {near} of {}", errors.len());
    let median = Summary::of(errors.iter().copied()).median();
    let sound = outcomes.iter().map(|o| o.sound).sum::<f64>() / outcomes.len() as f64;
    println!("sound in the mean: {sound:.3}");
    assert!(near as f64 >= NEAR_MIN * errors.len() as f64);
    assert!(median <= ERROR_MEDIAN_MAX, "{median}");
    assert!(sound >= SOUND_MEAN_MIN, "{sound}");
    for outcome in outcomes {
        let bounded = |estimate: f64| (estimate - 1.0).abs() <= ERROR_MAX;
        assert!(
            bounded(outcome.estimate) && bounded(outcome.recovered),
            "{outcome:?}"
        );
        assert!(outcome.sound >= SOUND_MIN, "{outcome:?}");
    }
}

#[test]
fn the_estimate_comes_near_the_link() {
    check(&[seed()]);
}

#[test]
#[ignore = "takes minutes"]
fn the_estimate_comes_near_the_link_for_many_seeds() {
    let first = seed();
    check(&[first, first + 1, first + 2, first + 3]);
}

/// A view of one picture at five in a hundred lost and 50 ms, each way.
#[derive(Clone, Copy, Debug)]
struct Watched {
    simulcast: bool,
    rate: u64,
    jitter: u64,
    seed: u64,
}

fn watch(seeds: &[u64], time: Duration) {
    let mut cells = Vec::new();
    for seed in seeds {
        for (simulcast, rate) in [
            (false, 1_500_000),
            (false, 20_000_000),
            (true, 500_000),
            (true, 1_000_000),
            (true, 2_500_000),
            (true, 20_000_000),
        ] {
            for jitter in [0, 30] {
                let seed = seed * 1_000 + cells.len() as u64;
                cells.push(Watched {
                    simulcast,
                    rate,
                    jitter,
                    seed,
                });
            }
        }
    }
    let outcomes = each(cells, |cell| {
        let lens: Lens = if cell.simulcast { SIMULCAST } else { SINGLE };
        let mut stage = Stage::new(cell.seed, lens, 1, &[RECEIVER]);
        let link = Link::new(cell.rate, weather(50, cell.jitter, 50)).seeded(cell.seed);
        stage.set_link(RECEIVER, link);
        stage.run(10 * SECOND);
        stage.got(RECEIVER);
        stage.run(time);
        (cell, stage.got(RECEIVER), stage.estimate(RECEIVER))
    });
    println!(
        "pictures  | kbit/s | jitter ms | frames | freezes | frozen % | longest ms | delay ms | sizes changed | estimate"
    );
    for (cell, got, estimate) in &outcomes {
        println!(
            "{:<9} | {:>6} | {:>9} | {:>6} | {:>7} | {:>8.2} | {:>10} | {:>8} | {:>13} | {estimate}",
            if cell.simulcast {
                "simulcast"
            } else {
                "single"
            },
            cell.rate / 1_000,
            cell.jitter,
            got.frames(),
            got.freezes(),
            got.frozen() * 100.0,
            got.longest_freeze().as_millis(),
            got.delay(),
            got.changes(),
        );
    }
    let frozen = outcomes.iter().map(|(_, got, _)| got.frozen() * 100.0);
    println!("frozen %: {}", Summary::of(frozen));
    let frozen = outcomes.iter().map(|(_, got, _)| got.frozen());
    let mean = frozen.sum::<f64>() / outcomes.len() as f64;
    println!("frozen in all: {:.2} %", mean * 100.0);
    assert!(mean < FROZEN_MAX, "{mean}");
    for (cell, got, _) in &outcomes {
        assert!(got.frozen() < FROZEN_WORST_MAX, "{cell:?}");
    }
}

#[test]
fn pictures_hardly_ever_freeze_at_five_in_a_hundred_lost_and_fifty_milliseconds() {
    watch(&[seed()], 20 * SECOND);
}

#[test]
#[ignore = "takes minutes"]
fn pictures_hardly_ever_freeze_for_many_seeds() {
    let first = seed();
    watch(&[first, first + 1, first + 2, first + 3], 60 * SECOND);
}
