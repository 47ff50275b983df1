//! How near the estimate comes to the link, before and after an outage.

use std::time::Duration;

use super::{SECOND, Stage, weather};
use crate::support::network::Link;

/// One cell of the grid.
struct Run {
    link: u64,
    jitter: u64,
    loss: u64,
    estimate: f64,
    recovered: f64,
    sound: f64,
    /// Frames of pictures in the two seconds after the first ten.
    pictures: usize,
}

impl Run {
    fn is_near(&self) -> bool {
        let link = self.link as f64;
        let near = |estimate: f64| (estimate / link - 1.0).abs() <= 0.25;
        near(self.estimate) && near(self.recovered)
    }
}

fn run(link: u64, jitter: u64, loss: u64) -> Run {
    let mut stage = Stage::new(link + jitter * 7 + loss, &[2]);
    let sky = weather(25, jitter, loss);
    stage.set_link(2, Link::new(link, sky));
    stage.world.run(10 * SECOND);
    let (heard, seen) = (stage.sound(2), stage.pictures(2));
    let estimate = stage.mean_estimate(2, 2 * SECOND);
    stage.world.run(2 * SECOND);
    let pictures = stage.pictures(2) - seen;
    let sound = (stage.sound(2) - heard) as f64 / 200.0;
    stage.set_link(2, Link::new(0, sky));
    stage.world.run(Duration::from_millis(2_500));
    stage.set_link(2, Link::new(link, sky));
    stage.world.run(10 * SECOND);
    let recovered = stage.mean_estimate(2, 2 * SECOND);
    Run {
        link,
        jitter,
        loss,
        estimate,
        recovered,
        sound,
        pictures,
    }
}

fn print(runs: &[Run]) {
    println!(
        "link kbit/s | jitter ms | loss % | estimate after 10 s | 10 s after an outage | sound"
    );
    for run in runs {
        println!(
            "{:>11} | {:>9} | {:>6.1} | {:>18.0}% | {:>19.0}% | {:>4.0}%{}",
            run.link / 1_000,
            run.jitter,
            run.loss as f64 / 10.0,
            run.estimate * 100.0 / run.link as f64,
            run.recovered * 100.0 / run.link as f64,
            run.sound * 100.0,
            if run.is_near() { "" } else { "  <-" },
        );
    }
}

#[test]
fn the_estimate_comes_near_the_link_and_sound_passes() {
    let mut runs = Vec::new();
    for link in [200_000, 500_000, 1_000_000, 2_500_000, 5_000_000] {
        for (jitter, loss) in [(0, 0), (30, 0), (0, 50), (30, 50)] {
            runs.push(run(link, jitter, loss));
        }
    }
    print(&runs);
    for run in &runs {
        let arrives = 1.0 - run.loss as f64 / 1_000.0;
        assert!(
            run.pictures > 0 || run.link < 1_000_000,
            "pictures at {}",
            run.link
        );
        assert!(run.sound > arrives - 0.1, "sound at {}", run.link);
        assert!(
            run.is_near(),
            "estimate at {} with {} ms, {} per mille",
            run.link,
            run.jitter,
            run.loss
        );
    }
}
