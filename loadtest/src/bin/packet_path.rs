//! The packet path's figures: processor time for each forwarded packet, beside the floor in the same run.

use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use homeline_media_node::NodeConfig;
use loadtest::generator::{Target, Traffic};
use loadtest::measure::{Reading, median};
use loadtest::peer::Features;
use loadtest::shape::Shape;
use loadtest::stage::Stage;

/// Both programs' boards are renewed at least this often.
const BOARD: Duration = Duration::from_millis(300);

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
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    println!("| shape | floor us | node us | ratio | inside p50 | p99 | lost node | lost floor |");
    println!("|---|---|---|---|---|---|---|---|");
    for shape in [Shape::audio_room(10), Shape::fan_out(50), Shape::pairs(50)] {
        if shape.name.contains(&arguments.only) {
            measure(&shape, &arguments)?;
        }
    }
    Ok(())
}

fn measure(shape: &Shape, arguments: &Arguments) -> Result<()> {
    let features = if arguments.everything {
        Features::All
    } else {
        Features::Plain
    };
    let mut stage = Stage::new(shape, features, NodeConfig::default())?;
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
                costs[at].push(
                    after
                        .micros_since(&before)
                        .context("nothing was forwarded")?,
                );
                lost[at] += loss(shape, traffic) / arguments.turns as f64;
            }
            stage.generator.run(None, BOARD)?;
        }
    }
    let [node, floor] = costs.map(|costs| median(&costs));
    let transit = stage.node.metrics().transit;
    let bound = |share| {
        transit
            .quantile_micros(share)
            .map_or("-".to_owned(), |at| format!("<={at}"))
    };
    println!(
        "| {} | {floor:.2} | {node:.2} | {:.2} | {} | {} | {:.2} % | {:.2} % |",
        shape.name,
        node / floor,
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
    let copies = shape.rate_out()
        / shape
            .flows()
            .map(|(_, _, _, flow, _)| flow.rate())
            .sum::<f64>();
    1.0 - traffic.received as f64 / (traffic.sent as f64 * copies)
}
