//! A thousand households on a virtual clock: random legal and illegal actions, through the real `reach`,
//! index and machines, and what must hold whatever they do. A failure names its seed.
//!
//! `people` are the facts, `acts`, `live` and `changes` what people do, `oracle` says again who may ring whom,
//! `world` has the calls and the clock, and `rules` holds what happens against the oracle.
//!
//! `HOMELINE_SIMULATION_SEEDS=100-200` and `HOMELINE_SIMULATION_ACTIONS=200000` run others and longer.

mod acts;
mod changes;
mod live;
mod oracle;
mod people;
mod rules;
mod world;

use std::ops::RangeInclusive;
use std::time::Duration;

use homeline_protocol::session::EndReason;
use world::World;

/// Actions of one run.
const ACTIONS: usize = 120_000;
/// One for each moment at which runs begin.
const SEEDS: RangeInclusive<u64> = 1..=4;

fn run(seed: u64, actions: usize) {
    let mut world = World::new(seed);
    for _ in 0..actions {
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
        EndReason::Busy,
        EndReason::DeviceLost,
        EndReason::DeviceRevoked,
    ] {
        let ended = figures.ended.get(&reason).copied().unwrap_or_default();
        assert!(ended > 0, "seed {seed} ended no call as {reason:?}");
    }
    for (what, count) in [
        ("added", figures.added),
        ("moved", figures.moved),
        ("waited", figures.waited),
        ("rang later", figures.rang_later),
        ("silent", figures.silent),
        ("children outside", figures.children_outside),
        ("announced", figures.announced),
        ("heard", figures.heard),
        ("heard no more", figures.heard_no_more),
    ] {
        assert!(count > 10, "seed {seed} tried too little: {what} {count}");
    }
}

fn seeds() -> RangeInclusive<u64> {
    let Ok(said) = std::env::var("HOMELINE_SIMULATION_SEEDS") else {
        return SEEDS;
    };
    let (first, last) = said.split_once('-').unwrap_or((&said, &said));
    let number = |text: &str| {
        text.parse()
            .expect("seeds are a number, or two with a dash")
    };
    number(first)..=number(last)
}

#[test]
fn a_thousand_households_break_no_rule() {
    let actions = std::env::var("HOMELINE_SIMULATION_ACTIONS");
    let actions = actions.map_or(ACTIONS, |said| said.parse().expect("a number of actions"));
    for seed in seeds() {
        run(seed, actions);
    }
}
