//! Signaling scenarios: apps and devices on the Rust SDK against a whole server.
//!
//! `stage` starts the server or finds one, `people` signs people up, `rooms` pairs home devices, `tally` gathers what happened, `watch`
//! samples; the others are the scenarios.

mod announcement;
mod calls;
mod drop_in;
mod people;
mod presence;
mod proxy;
mod register;
mod rooms;
mod stage;
mod storm;
mod talk;
mod tally;
mod watch;

use anyhow::{Result, bail};

use crate::arguments::Command;
use crate::result::RunResult;
use crate::run::{Stop, progress::Progress};
use stage::Stage;

/// Runs a scenario.
///
/// # Errors
/// When there is no server, or nobody can sign up.
pub async fn run(command: &Command, stop: Stop, progress: &Progress) -> Result<RunResult> {
    let kept = command.options();
    let open = |options| Stage::open(command.name(), options, kept, stop, progress);
    match command {
        Command::Register { rate, signaling } => {
            let stage = open(signaling).await?;
            register::run(&stage, *rate).await
        }
        Command::Presence {
            devices,
            probes,
            signaling,
        } => {
            let stage = open(signaling).await?;
            presence::run(&stage, *devices, *probes).await
        }
        Command::Calls {
            rate,
            people,
            hold,
            media,
            media_ways,
            signaling,
        } => {
            let stage = open(signaling).await?;
            let calls = calls::Calls {
                rate: *rate,
                people: *people,
                hold: *hold,
                media: *media,
                media_ways: *media_ways,
            };
            calls.run(&stage).await
        }
        Command::ReconnectStorm { devices, signaling } => {
            let stage = open(signaling).await?;
            storm::run(&stage, *devices).await
        }
        Command::Announcement {
            devices,
            rate,
            signaling,
        } => {
            let stage = open(signaling).await?;
            announcement::run(&stage, *devices, *rate).await
        }
        Command::DropIn {
            rate,
            hold,
            signaling,
        } => {
            let stage = open(signaling).await?;
            drop_in::run(&stage, *rate, *hold).await
        }
        _ => bail!("{} is not a signaling scenario", command.name()),
    }
}
