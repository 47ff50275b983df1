//! The packet path's figures: processor time for each forwarded packet, beside the floor in the same run.

use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use homeline_media_node::{NodeConfig, OperatingPoint};
use loadtest::generator::{Target, Traffic};
use loadtest::measure::{Reading, median};
use loadtest::peer::Features;
use loadtest::shape::Shape;
use loadtest::stage::Stage;

/// Both programs' boards are renewed at least this often.
const BOARD: Duration = Duration::from_millis(300);

/// Receivers of the saturated picture.
const SATURATED_RECEIVERS: usize = 500;

/// One in so many of them gets its packets, and tells how many are missing.
const SAMPLED: usize = 25;

/// The share of packets that may be lost.
const LOSS_MAX: f64 = 0.001;

/// The longest burst of the saturated picture that is tried: 6 million packets a second.
const BURST_MAX: u32 = 400;

#[derive(Parser)]
#[command(about = "What the media node costs for each packet, beside a floor in the same run")]
struct Arguments {
    /// Only shapes whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Turns of each program; medians are taken.
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// Seconds of a turn.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// With header extensions, feedback, reports, and receivers that decrypt.
    #[arg(long)]
    everything: bool,
    /// The node's economy point instead of latency.
    #[arg(long)]
    economy: bool,
}

impl Arguments {
    const fn features(&self) -> Features {
        if self.everything {
            Features::All
        } else {
            Features::Plain
        }
    }

    fn config(&self) -> NodeConfig {
        NodeConfig {
            operating_point: if self.economy {
                OperatingPoint::Economy
            } else {
                OperatingPoint::Latency
            },
            ..NodeConfig::default()
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    println!(
        "{:?}, {:?}",
        arguments.features(),
        arguments.config().operating_point
    );
    println!("| shape | floor us | node us | ratio | inside p50 | p99 | lost node | lost floor |");
    println!("|---|---|---|---|---|---|---|---|");
    for shape in [Shape::audio_room(10), Shape::fan_out(50), Shape::pairs(50)] {
        if shape.name.contains(&arguments.only) {
            measure(&shape, &arguments)?;
        }
    }
    if "saturation".contains(&arguments.only) {
        saturate(&arguments)?;
    }
    Ok(())
}

fn measure(shape: &Shape, arguments: &Arguments) -> Result<()> {
    let mut stage = Stage::new(shape, arguments.features(), arguments.config())?;
    let mut costs = [Vec::new(), Vec::new()];
    let mut lost = [0.0, 0.0];
    let length = Duration::from_secs(arguments.seconds);
    for turn in 0..=arguments.turns {
        for (at, target) in [Target::Node, Target::Floor].into_iter().enumerate() {
            stage.generator.run(Some(target), BOARD)?;
            let before = reading(&stage, target);
            let traffic = stage.generator.run(Some(target), length)?;
            let after = reading(&stage, target);
            // The first turn warms caches and the kernel's queues up.
            if turn > 0 {
                let cost = after.micros_since(&before);
                costs[at].push(cost.context("nothing was forwarded")?);
                lost[at] += loss(shape, traffic) / arguments.turns as f64;
            }
            stage.generator.run(None, BOARD)?;
        }
    }
    let ratios: Vec<f64> = costs[0]
        .iter()
        .zip(&costs[1])
        .map(|(node, floor)| node / floor)
        .collect();
    let [node, floor] = costs.map(|costs| median(&costs));
    let transit = stage.node.metrics().transit;
    let bound = |share| match transit.quantile_micros(share) {
        Some(at) => format!("<={at} us"),
        None => "-".to_owned(),
    };
    println!(
        "| {} | {floor:.2} | {node:.2} | {:.2} | {} | {} | {:.2} % | {:.2} % |",
        shape.name,
        median(&ratios),
        bound(0.5),
        bound(0.99),
        lost[0] * 100.0,
        lost[1] * 100.0,
    );
    Ok(())
}

fn reading(stage: &Stage, target: Target) -> Reading {
    match target {
        Target::Node => stage.node_reading(),
        Target::Floor => stage.floor.reading(),
    }
}

/// The share of packets that did not arrive.
fn loss(shape: &Shape, traffic: Traffic) -> f64 {
    let sent = shape
        .flows()
        .map(|(_, _, _, flow, _)| flow.rate())
        .sum::<f64>();
    1.0 - traffic.received as f64 / (traffic.sent as f64 * shape.rate_out() / sent)
}

/// Raises the bit rate of one picture for five hundred until packets are lost: at the program, or on the way
/// to those receivers that are sampled.
fn saturate(arguments: &Arguments) -> Result<()> {
    let shape = Shape::fan_out(SATURATED_RECEIVERS);
    let mut stage = Stage::new(&shape, arguments.features(), arguments.config())?;
    for target in [Target::Floor, Target::Node] {
        let sampled = stage.generator.sink_all_but_one_in(target, SAMPLED)?;
        let (mut best, mut burst) = (0.0, 8_u32);
        let mut failed = 0;
        while failed < 2 && burst < BURST_MAX {
            stage
                .generator
                .set_bursts(&[burst], Duration::from_secs(1) / 30);
            let before = reading(&stage, target);
            let traffic = stage
                .generator
                .run(Some(target), Duration::from_secs(arguments.seconds))?;
            let late = stage.generator.run(None, BOARD)?;
            let after = reading(&stage, target);
            let forwarded = (after.forwarded - before.forwarded) as f64;
            let arrived = (traffic.received + late.received) as f64;
            let sent = traffic.sent as f64;
            let forwarded_share = forwarded / (sent * SATURATED_RECEIVERS as f64);
            let lost = 1.0 - forwarded_share.min(arrived / (sent * sampled as f64));
            // Once more at the same rate: the machine may have been held up by others.
            if lost > LOSS_MAX {
                failed += 1;
                continue;
            }
            (best, failed) = (forwarded / arguments.seconds as f64, 0);
            burst += (burst / 5).max(1);
        }
        println!("| saturation 1->{SATURATED_RECEIVERS}, {target:?} | {best:.0} packets/s |");
    }
    Ok(())
}
