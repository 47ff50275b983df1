//! What each further receiver costs in memory: the slope of resident memory from fifty to five hundred.
//!
//! The node is a process of its own here, as operators run it, so that nothing of the load is counted with it. A small
//! picture flows, so that what a receiver needs while it receives is there.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;

use super::generator::Generator;
use super::janus::Janus;
use super::setting::Setting;
use crate::arguments::Arguments;
use crate::pin;
use crate::run::memory::slope;
use crate::run::{Stop, scenario};
use crate::shape::{Flow, Member, Shape};

/// Receivers of each step, and steps: from fifty to five hundred.
const STEP: usize = 50;
const STEPS: usize = 10;

/// Bit rate of the picture, kbit/s: thirty packets a second.
const KBITS: u64 = 264;

/// How long memory settles after a step.
const SETTLE: Duration = Duration::from_secs(1);

/// Bytes for each further receiver of the node.
///
/// # Errors
/// When the program `homeline` is not there, or does not take so many.
pub fn of_node(binary: Option<&Path>, setting: Setting) -> Result<f64> {
    let mut line = vec![
        "loadtest".to_owned(),
        "fan-out".to_owned(),
        format!("--receivers={}", STEP * STEPS),
        format!("--kbits={KBITS}"),
        format!("--steps={STEPS}"),
        "--joins=100".to_owned(),
        "--warm-up=0".to_owned(),
        "--seconds=1".to_owned(),
        "--pin".to_owned(),
        "--quiet".to_owned(),
        format!(
            "--set=HOMELINE_MEDIA__BANDWIDTH_ESTIMATION={}",
            setting.everything
        ),
    ];
    line.extend(setting.everything.then(|| "--everything".to_owned()));
    let binary = binary.map(|path| format!("--server-binary={}", path.display()));
    line.extend(binary);
    let command = Arguments::try_parse_from(line)?.command;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(async { scenario(&command, Stop::on_interrupt()).await })?;
    if result.ended_early {
        bail!("it was ended early");
    }
    if let Some((kind, count)) = result.errors.iter().find(|(kind, _)| joining(kind)) {
        bail!("{count} x {kind}");
    }
    let memory = result.memory.context("no memory was read")?;
    of(&memory.steps)
}

/// Whether an error is about coming in; a datagram that was dropped bears on nothing here.
fn joining(kind: &str) -> bool {
    kind.starts_with("peer: not") || kind.starts_with("node: ")
}

/// The same of Janus, where receivers come in one by one.
///
/// # Errors
/// When it does not start, or refuses somebody.
pub fn of_janus(setting: Setting) -> Result<f64> {
    pin::this_thread(pin::GENERATOR);
    let mut janus = Janus::start()?;
    let mut generator = Generator::new()?;
    let mut shape = Shape::fan_out(0);
    shape.rooms[0][0].sends = vec![Flow::video_at(KBITS * 1_000)];
    let features = setting.features();
    let room = janus.open_room(&shape.rooms[0], features, &mut generator)?;
    let member = Member {
        sends: Vec::new(),
        takes: vec![(0, 0)],
    };
    let mut steps = Vec::new();
    for step in 1..=STEPS {
        for _ in 0..STEP {
            janus.subscribe(&room, &member, features, &mut generator)?;
        }
        super::stage::wait_connected(&mut generator)?;
        generator.run(Some(super::endpoint::Target::Janus), SETTLE)?;
        steps.push(((step * STEP) as u64, janus.resident()?));
    }
    of(&steps)
}

/// The slope from the first fifty on: those before them warm the process up.
fn of(steps: &[(u64, u64)]) -> Result<f64> {
    let from: Vec<(u64, u64)> = steps
        .iter()
        .copied()
        .filter(|(receivers, _)| *receivers >= STEP as u64)
        .collect();
    slope(&from).context("the population did not grow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_fifty_warm_up_is_left_out() {
        let steps = [
            (0, 1_000_000),
            (50, 9_000_000),
            (100, 11_000_000),
            (150, 13_000_000),
        ];
        assert!((of(&steps).unwrap() - 40_000.0).abs() < 1.0);
        assert!(of(&steps[..2]).is_err());
    }
}
