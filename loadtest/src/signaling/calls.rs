//! Calls at a rate: half of the people call the other half, who answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use homeline_client::MediaWays;

use super::stage::Stage;
use super::talk::{Pair, Short, Whole};
use super::tally::Kind;
use super::watch::Words;
use crate::result::RunResult;

/// How long a call takes beside what it lasts, with room for a slow server, seconds.
const SET_UP_S: f64 = 2.0;

const KINDS: &[Kind] = &[
    (
        "latency",
        "Until answered",
        "From the moment at which somebody was meant to call until they were told of the answer: the server has \
         stored the call, the other side was told, rang, and answered at once.",
    ),
    (
        "ring",
        "Until it rings",
        "From that moment until the caller was told that a device rings.",
    ),
];

const KINDS_WHOLE: &[Kind] = &[
    (
        "latency",
        "Until sound is heard",
        "From the moment at which somebody was meant to call until they heard the other side: rung, answered, keys \
         agreed on, media connected, sound decrypted.",
    ),
    (
        "ring",
        "Until it rings",
        "From that moment until the caller was told that a device rings.",
    ),
    (
        "answer",
        "Until answered",
        "From that moment until the caller was told of the answer.",
    ),
    (
        "keys",
        "Until keys are up",
        "From that moment until both sides had the same keys.",
    ),
];

/// What is asked for.
pub(super) struct Calls {
    pub(super) rate: f64,
    pub(super) people: Option<usize>,
    pub(super) hold: f64,
    pub(super) media: bool,
    pub(super) media_ways: MediaWays,
}

impl Calls {
    /// Runs it.
    pub(super) async fn run(&self, stage: &Stage<'_>) -> Result<RunResult> {
        let needed = (self.rate * (self.hold + SET_UP_S) * 1.5).ceil() as usize + 2;
        let pairs = self.people.map_or(needed, |people| people / 2).max(1);
        let people = stage.people(pairs * 2).await?;
        stage
            .progress
            .phase(format!("{} people connect", pairs * 2));
        let server = stage.server.clone().with_media_ways(self.media_ways);
        let mut people = people.into_iter();
        let mut free = Vec::new();
        while let (Some(caller), Some(callee)) = (people.next(), people.next()) {
            free.push(match self.media {
                true => Pair::Whole(Whole::connect(&server, caller, callee).await?),
                false => Pair::Short(Short::connect(&server, caller, callee).await?),
            });
        }
        let free = Arc::new(Mutex::new(free));
        let hold = Duration::from_secs_f64(self.hold.max(0.0));
        let begin = |_, intended| {
            let (free, tally) = (Arc::clone(&free), stage.tally.clone());
            async move {
                let pair = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(mut pair) = pair else {
                    return tally.skipped();
                };
                // A pair whose call failed may still be in it, and is not used again.
                match pair.call(intended, hold, &tally).await {
                    Ok(()) => free
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(pair),
                    Err(kind) => tally.error(kind),
                }
            }
        };
        let seen = stage
            .during("calls", stage.open_loop(self.rate, begin))
            .await;
        Ok(stage.result(self.words(pairs), seen, None, self.notes()))
    }

    fn words(&self, pairs: usize) -> Words {
        let how = if self.media {
            "a whole call with keys and encrypted sound through the media node"
        } else {
            "rung and answered, without media"
        };
        let rate = self.rate;
        Words {
            title: format!(
                "calls, {rate} a second{}",
                if self.media { " with sound" } else { "" }
            ),
            story: format!(
                "{rate} calls a second begin among {} people, each {how}; each lasts {} s once answered.",
                pairs * 2,
                self.hold
            ),
            participants: pairs as u64 * 2,
            participant: "person",
            counted: ("call", "calls"),
            kinds: if self.media { KINDS_WHOLE } else { KINDS },
        }
    }

    fn notes(&self) -> Vec<String> {
        if self.media {
            let text = "Both ends of every call run in this process, with their keys and codecs: they need far more \
                 processor time than the server.";
            return vec![text.to_owned()];
        }
        Vec::new()
    }
}
