//! A load at its fixed rate, on each program in turn: what each packet costs, and how long it was inside.

use std::time::Duration;

use anyhow::{Context as _, Result};
use homeline_media_node::TransitTimes;

use super::endpoint::Target;
use super::generator::Traffic;
use super::setting::Setting;
use super::stage::Stage;
use crate::measure::Spread;
use crate::shape::Shape;

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    /// Turns of each program that count.
    pub count: usize,
    /// How long each takes.
    pub length: Duration,
}

/// What the turns of one program came to.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Processor time for each forwarded packet, microseconds.
    pub micros: Spread,
    /// Beside the floor in the same turn.
    pub ratio: Spread,
    /// The share of packets that did not arrive, 0 to 1.
    pub lost: f64,
}

/// What a load came to.
#[derive(Clone, Copy, Debug)]
pub struct Turned {
    /// The floor, whose ratio is one.
    pub floor: Cost,
    /// The node.
    pub node: Cost,
    /// The other server, where it was asked for.
    pub janus: Option<Cost>,
    /// Half of the packets, and ninety-nine of a hundred, were inside the node no longer than this, microseconds;
    /// `None` above all bounds.
    pub inside: [Option<u64>; 2],
    /// The same of the floor.
    pub floor_inside: [Option<u64>; 2],
    /// The system sends trains.
    pub trains: bool,
}

/// Measures a load.
///
/// # Errors
/// When a program does not start, or forwards nothing.
pub fn measure(shape: &Shape, setting: Setting, turns: Turns, beside: bool) -> Result<Turned> {
    let mut stage = Stage::new(shape, setting, beside)?;
    let mut targets = vec![Target::Floor, Target::Node];
    targets.extend(beside.then_some(Target::Janus));
    let mut costs = vec![Vec::new(); targets.len()];
    let mut lost = vec![0.0; targets.len()];
    let mut inside = TransitTimes::default();
    for turn in 0..=turns.count {
        for (at, target) in targets.iter().enumerate() {
            let (traffic, cost) = stage.turn(*target, turns.length)?;
            if turn > 0 {
                costs[at].push(cost);
                lost[at] += loss(shape, traffic) / turns.count as f64;
            }
        }
        // The first turn warms caches and the kernel's queues up.
        if turn == 0 {
            inside = stage.node.metrics().transit;
        }
    }
    let inside = stage.node.metrics().transit.since(&inside);
    stage.floor.time_inside(true);
    stage.turn(Target::Floor, turns.length)?;
    let floor_inside = stage.floor.inside();
    let at_most = |times: TransitTimes| [0.5, 0.99].map(|share| times.quantile_micros(share));
    let cost = |at: usize| {
        let ratios: Vec<f64> = costs[at]
            .iter()
            .zip(&costs[0])
            .map(|(own, floor)| own / floor)
            .collect();
        Some(Cost {
            micros: Spread::of(&costs[at])?,
            ratio: Spread::of(&ratios)?,
            lost: lost[at],
        })
    };
    Ok(Turned {
        floor: cost(0).context("no turn")?,
        node: cost(1).context("no turn")?,
        janus: beside.then(|| cost(2)).flatten(),
        inside: at_most(inside),
        floor_inside: at_most(floor_inside),
        trains: stage.floor.trains,
    })
}

/// The share of packets that did not arrive.
fn loss(shape: &Shape, traffic: Traffic) -> f64 {
    let flows = shape.flows();
    let sent: f64 = flows.map(|(_, _, _, flow, _)| flow.rate()).sum();
    (1.0 - traffic.received as f64 / (traffic.sent as f64 * shape.rate_out() / sent)).max(0.0)
}
