//! Synthetic sound at the pace of a microphone.

use std::f64::consts::TAU;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::FRAMES_MAX;
use crate::media::{Pcm, SAMPLE_RATE, SAMPLES};

/// A quarter of full scale: loud enough to find, far from clipping.
const AMPLITUDE: f64 = 8_192.0;

/// A steady tone, for ever.
#[must_use]
pub fn tone(hertz: f64) -> mpsc::Receiver<Pcm> {
    let mut at = 0_u64;
    paced(move || {
        let sample = |index: usize| {
            let seconds = (at + index as u64) as f64 / f64::from(SAMPLE_RATE);
            (AMPLITUDE * (TAU * hertz * seconds).sin()) as i16
        };
        let pcm = Pcm(std::array::from_fn(sample));
        at += SAMPLES as u64;
        Some(pcm)
    })
}

/// Nothing, for ever.
#[must_use]
pub fn silence() -> mpsc::Receiver<Pcm> {
    paced(|| Some(Pcm::SILENCE))
}

/// What `next` gives, a frame every 20 ms, until it gives nothing or nobody listens any more.
#[must_use]
pub fn paced(mut next: impl FnMut() -> Option<Pcm> + Send + 'static) -> mpsc::Receiver<Pcm> {
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        // A machine that was busy catches up, as a sound card's buffer would.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            ticks.tick().await;
            let Some(pcm) = next() else { return };
            if sender.send(pcm).await.is_err() {
                return;
            }
        }
    });
    receiver
}
