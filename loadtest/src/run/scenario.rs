//! The scenarios in words, and who runs them.

use anyhow::Result;

use super::Stop;
use super::progress::Progress;
use crate::arguments::{Command, CommonOptions, MediaOptions};
use crate::media::run::MediaRun;
use crate::result::RunResult;
use crate::result::model::Scenario;
use crate::shape::{Flow, Member, Shape};
use crate::signaling;

impl Command {
    /// What holds for every scenario; `None` where nothing is run.
    pub fn common(&self) -> Option<&CommonOptions> {
        match self {
            Self::AudioRoom { media, .. }
            | Self::FanOut { media, .. }
            | Self::Pairs { media, .. }
            | Self::Meeting { media, .. } => Some(&media.common),
            Self::Register { signaling, .. }
            | Self::Presence { signaling, .. }
            | Self::Announcement { signaling, .. }
            | Self::DropIn { signaling, .. }
            | Self::Calls { signaling, .. }
            | Self::ReconnectStorm { signaling, .. } => Some(&signaling.common),
            Self::Compare { .. } | Self::Report { .. } => None,
        }
    }
}

/// Runs a scenario.
pub(super) async fn run(
    command: &Command,
    common: &CommonOptions,
    stop: Stop,
) -> Result<RunResult> {
    let progress = Progress::new(common.quiet);
    let result = match media(command) {
        Some((shape, scenario, options)) => {
            let views = matches!(command, Command::Meeting { .. });
            let kept = command.options();
            let run = MediaRun {
                shape,
                scenario,
                options,
                kept,
                views,
                stop,
                progress: &progress,
            };
            run.run().await
        }
        None => signaling::run(command, stop, &progress).await,
    };
    progress.end();
    result
}

fn media(command: &Command) -> Option<(Shape, Scenario, &MediaOptions)> {
    let (shape, title, story, options) = match command {
        Command::AudioRoom { members, media } => (
            Shape::audio_room(*members),
            format!("audio-room of {members}"),
            format!(
                "{members} people are in one room and all of them talk: each sends fifty packets of sound a \
                 second and receives those of all others."
            ),
            media,
        ),
        Command::FanOut {
            receivers,
            kbits,
            media,
        } => {
            let mut shape = Shape::fan_out(*receivers);
            shape.rooms[0][0] = Member {
                sends: vec![Flow::video_at(kbits * 1_000)],
                takes: Vec::new(),
            };
            (
                shape,
                format!("fan-out 1 to {receivers}"),
                format!(
                    "One person shows a picture of {kbits} kbit/s in thirty frames a second, and {receivers} \
                     others watch."
                ),
                media,
            )
        }
        Command::Pairs { calls, media } => (
            Shape::pairs(*calls),
            format!("pairs, {calls} calls"),
            format!(
                "{calls} calls of two, with sound and a picture of 0.8 Mbit/s in each direction."
            ),
            media,
        ),
        Command::Meeting { members, media } => (
            Shape::meeting(*members),
            format!("meeting of {members}"),
            format!(
                "{members} people are in one room; everybody talks and sends a camera in three sizes at once. \
                 Each shows one of the others large and the rest small, and the node picks the size for each."
            ),
            media,
        ),
        _ => return None,
    };
    let participants = shape.members() as u64;
    let scenario = Scenario {
        name: command.name().to_owned(),
        title,
        story,
        participants,
        participant: "participant".to_owned(),
    };
    Some((shape, scenario, options))
}

impl Command {
    /// As on the command line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AudioRoom { .. } => "audio-room",
            Self::FanOut { .. } => "fan-out",
            Self::Pairs { .. } => "pairs",
            Self::Meeting { .. } => "meeting",
            Self::Register { .. } => "register",
            Self::Presence { .. } => "presence",
            Self::Calls { .. } => "calls",
            Self::ReconnectStorm { .. } => "reconnect-storm",
            Self::Announcement { .. } => "announcement",
            Self::DropIn { .. } => "drop-in",
            Self::Compare { .. } => "compare",
            Self::Report { .. } => "report",
        }
    }
}
