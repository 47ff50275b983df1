//! A thousand households on a virtual clock: random legal and illegal actions, driven straight at the
//! machines and the index, and what must hold whatever they do. A failure names its seed.

mod rules;
mod world;

use std::time::Duration;

use homeline_protocol::session::EndReason;
use world::World;

/// Actions of one run.
const ACTIONS: usize = 60_000;

fn run(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..ACTIONS {
        world.pass(Duration::from_millis(40));
        world.act();
    }
    // Nobody does anything more: whoever is lost is lost, and everything comes to its end.
    world.everybody_goes();
    for _ in 0..200 {
        world.pass(Duration::from_secs(1));
    }
    world.must_be_quiet();
    let figures = world.figures();
    eprintln!("seed {seed}: {figures:?}");
    for reason in [
        EndReason::HungUp,
        EndReason::Declined,
        EndReason::Cancelled,
        EndReason::NoAnswer,
        EndReason::Unreachable,
        EndReason::DeviceLost,
        EndReason::DeviceRevoked,
    ] {
        let ended = figures.ended.get(&reason).copied().unwrap_or_default();
        assert!(ended > 0, "seed {seed} ended no call as {reason:?}");
    }
    let Some(busiest) = [figures.added, figures.moved, figures.waited]
        .into_iter()
        .min()
    else {
        return;
    };
    assert!(busiest > 20, "seed {seed} tried too little: {figures:?}");
}

#[test]
fn a_thousand_households_break_no_rule() {
    for seed in [1, 2, 3] {
        run(seed);
    }
}
