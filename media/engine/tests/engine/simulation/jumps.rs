//! A path whose delay changes by itself is no full link: the picture goes on, in its size.

use std::time::Duration;

use super::camera::{Lens, SIMULCAST, SINGLE};
use super::stage::{Got, SECOND, Stage, weather};
use crate::support::network::Link;

const RECEIVER: u8 = 2;
/// More than any picture needs.
const WIDE: u64 = 20_000_000;
/// Ten seconds of frames.
const FRAMES: usize = 300;

/// A receiver for eight seconds on a short path, and for ten more after a change.
fn run(seed: u64, lens: Lens, change: impl FnOnce(&mut Stage)) -> Got {
    let mut stage = Stage::new(seed, lens, 1, &[RECEIVER]);
    stage.set_link(RECEIVER, Link::new(WIDE, weather(5, 0, 0)).seeded(seed));
    stage.run(8 * SECOND);
    stage.got(RECEIVER);
    change(&mut stage);
    stage.run(10 * SECOND);
    stage.got(RECEIVER)
}

/// Nothing but the change itself is seen: it takes `away` of the time.
fn assert_goes_on(name: &str, got: &Got, away: Duration) {
    let frames_away = away.as_millis() as usize / 33 + 4;
    let tells = format!(
        "{name}: {} frames, longest freeze {:?}, {} changes",
        got.frames(),
        got.longest_freeze(),
        got.changes()
    );
    assert!(got.frames() + frames_away >= FRAMES, "{tells}");
    assert!(
        got.longest_freeze() <= away + Duration::from_millis(100),
        "{tells}"
    );
    assert_eq!(got.changes(), 0, "{tells}");
}

const LENSES: [(&str, Lens); 2] = [("single", SINGLE), ("simulcast", SIMULCAST)];

#[test]
fn a_jump_of_delay_is_no_full_link() {
    for (lens_name, lens) in LENSES {
        for jump in [20, 40, 95, 200, 400] {
            for (jitter, seed) in [(0, 1), (30, 2), (30, 3)] {
                let got = run(seed, lens, |stage| {
                    let longer = Link::new(WIDE, weather(5 + jump, jitter, 0));
                    stage.set_link(RECEIVER, longer.seeded(seed));
                });
                let name = format!("{lens_name}, {jump} ms more, {jitter} ms of jitter, {seed}");
                assert_goes_on(&name, &got, Duration::from_millis(jump + jitter));
            }
        }
    }
}

#[test]
fn a_stall_is_over_when_it_is_over() {
    let stall = Duration::from_millis(300);
    for (lens_name, lens) in LENSES {
        for (jitter, seed) in [(0, 1), (30, 2), (30, 3), (30, 4)] {
            let got = run(seed, lens, |stage| {
                stage.set_link(RECEIVER, Link::new(WIDE, weather(5, jitter, 0)));
                for _ in 0..4 {
                    stage.run(SECOND);
                    stage.got(RECEIVER);
                    let until = stage.world.now + stall;
                    stage.link(RECEIVER).stalled_until = Some(until);
                    stage.uplink(RECEIVER).stalled_until = Some(until);
                }
            });
            let name = format!("{lens_name}, {jitter} ms of jitter, {seed}");
            assert_goes_on(&name, &got, stall + Duration::from_millis(jitter));
        }
    }
}

#[test]
fn jitter_reordering_and_duplicates_are_no_full_link_nor_is_feedback_lost_or_repeated() {
    for (lens_name, lens) in LENSES {
        for seed in 1..5 {
            let mut messy = Link::new(WIDE, weather(20, 30, 0)).seeded(seed);
            messy.duplicates_per_mille = 50;
            messy.reorders_per_mille = 100;
            let got = run(seed, lens, |stage| {
                stage.set_link(RECEIVER, messy);
                stage.uplink(RECEIVER).duplicates_per_mille = 500;
                stage.uplink(RECEIVER).weather.loss_per_mille = 300;
            });
            let name = format!("{lens_name}, {seed}");
            assert_goes_on(&name, &got, Duration::from_millis(150));
        }
    }
}
