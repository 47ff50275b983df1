//! The tone of a drop-in, and the chime of one that knocks: always as loud, and played to the end.

use std::f64::consts::TAU;
use std::time::Duration;

use homeline_client::media::{Pcm, SAMPLE_RATE};
use tokio::sync::mpsc;

use crate::ring::play;

/// How loud, of 32,767: heard through a house, whatever else is set.
const AMPLITUDE: f64 = 16_000.0;

/// Each note, in samples: with two of them, eight tenths of a second.
const NOTE: u32 = SAMPLE_RATE * 2 / 5;

/// A drop-in: rising. One that knocks: the same note twice.
const DROP_IN: [f64; 2] = [587.0, 880.0];
const KNOCK: [f64; 2] = [698.0, 698.0];

/// So long the last frames may wait for the speaker.
const SPEAKER_TIME_MAX: Duration = Duration::from_secs(1);

fn notes(notes: [f64; 2]) -> Vec<i16> {
    let rate = f64::from(SAMPLE_RATE);
    let note = |hertz: f64| {
        (0..NOTE).map(move |index| {
            // Each begins and ends softly, so that two of the same are two.
            let part = f64::from(index) / f64::from(NOTE);
            let swell = (part * 20.0).min((1.0 - part) * 5.0).min(1.0);
            (AMPLITUDE * swell * (TAU * hertz * f64::from(index) / rate).sin()) as i16
        })
    };
    notes.into_iter().flat_map(note).collect()
}

/// Plays it to its end. False: the speaker did not take all of it.
pub(crate) async fn chime(knocks: bool, output: &mpsc::Sender<Pcm>) -> bool {
    play(&notes(if knocks { KNOCK } else { DROP_IN }), output).await;
    let taken = async {
        while output.capacity() < output.max_capacity() && !output.is_closed() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(SPEAKER_TIME_MAX, taken).await.is_ok();
    in_time && !output.is_closed()
}

#[cfg(test)]
mod tests {
    use homeline_client::sound::{level_at, loudness};

    use super::*;

    #[tokio::test]
    async fn a_speaker_that_takes_it_all_has_played_it() {
        let (output, mut frames) = mpsc::channel::<Pcm>(10);
        let speaker = tokio::spawn(async move {
            let mut heard = Vec::new();
            while let Some(pcm) = frames.recv().await {
                heard.extend(pcm.0);
            }
            heard
        });
        assert!(chime(false, &output).await);
        drop(output);
        let heard = speaker.await.unwrap();
        assert!(heard.len() >= SAMPLE_RATE as usize * 7 / 10 && loudness(&heard) > 5_000.0);
        assert!(level_at(DROP_IN[0], &heard[..NOTE as usize]) > 0.7);
    }

    #[tokio::test]
    async fn without_a_speaker_it_has_not() {
        let (output, frames) = mpsc::channel::<Pcm>(10);
        drop(frames);
        assert!(!chime(true, &output).await);
    }
}
