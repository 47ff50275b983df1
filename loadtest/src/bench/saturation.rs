//! One picture for five hundred whose bit rate rises until packets are lost: at the program, or on the way to those
//! receivers that are sampled.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::endpoint::Target;
use super::setting::Setting;
use super::stage::{BOARD, Stage};
use crate::measure::Spread;
use crate::shape::Shape;

/// Receivers of the picture.
pub const RECEIVERS: usize = 500;

/// One in so many of them gets its packets, and tells how many are missing: no reader on one core could take all.
const SAMPLED: usize = 25;

/// The share of packets that may be lost.
const LOSS_MAX: f64 = 0.001;

/// The first burst that is tried: 120,000 packets a second, which any machine carries.
const BURST_MIN: u32 = 8;

/// The longest burst that is tried: 6 million packets a second.
const BURST_MAX: u32 = 400;

/// How long each rate is held.
const STEP: Duration = Duration::from_secs(1);

/// How often the rate is raised from below; the machine may be held up by others meanwhile.
const ROUNDS: usize = 3;

/// Packets a second that each program carried.
#[derive(Clone, Copy, Debug)]
pub struct Saturated {
    /// The floor.
    pub floor: Spread,
    /// The node.
    pub node: Spread,
}

/// Measures it.
///
/// # Errors
/// When a program does not start.
pub fn measure(setting: Setting) -> Result<Saturated> {
    let shape = Shape::fan_out(RECEIVERS);
    let mut stage = Stage::new(&shape, setting, false)?;
    let mut carried = |target| {
        let sampled = stage.generator.sink_all_but_one_in(target, SAMPLED)?;
        let mut rates = Vec::new();
        let mut from = BURST_MIN;
        for _ in 0..ROUNDS {
            let (rate, burst) = climb(&mut stage, target, sampled, from)?;
            rates.push(rate);
            // The next round need not begin at the bottom again.
            from = (burst / 2).max(BURST_MIN);
        }
        Spread::of(&rates).context("no round")
    };
    Ok(Saturated {
        floor: carried(Target::Floor)?,
        node: carried(Target::Node)?,
    })
}

/// Raises the rate until packets are lost twice; the best that was carried, and its burst.
fn climb(stage: &mut Stage, target: Target, sampled: u64, from: u32) -> Result<(f64, u32)> {
    let (mut best, mut carried, mut burst) = (0.0, from, from);
    let mut failed = 0;
    while failed < 2 && burst < BURST_MAX {
        stage
            .generator
            .set_bursts(&[burst], Duration::from_secs(1) / 30);
        let before = stage.reading(target)?;
        let traffic = stage.generator.run(Some(target), STEP)?;
        let late = stage.generator.run(None, BOARD)?;
        let after = stage.reading(target)?;
        let forwarded = (after.forwarded - before.forwarded) as f64;
        let arrived = (traffic.received + late.received) as f64;
        let sent = traffic.sent as f64;
        let share = forwarded / (sent * RECEIVERS as f64);
        let lost = 1.0 - share.min(arrived / (sent * sampled as f64));
        // Once more at the same rate: the machine may have been held up by others.
        if lost > LOSS_MAX {
            failed += 1;
            continue;
        }
        (best, carried, failed) = (forwarded / STEP.as_secs_f64(), burst, 0);
        burst += (burst / 5).max(1);
    }
    Ok((best, carried))
}
