//! Ringing: a tone, the caller's name, a pause, and again.

use std::f64::consts::TAU;

use homeline_client::media::{Pcm, SAMPLE_RATE, SAMPLES};
use homeline_client::sound::paced;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::report::{Report, Told};
use crate::voice::Voice;

/// Two soft bells of two notes.
fn bell() -> Vec<i16> {
    let rate = f64::from(SAMPLE_RATE);
    let note = |hertz: f64| {
        (0..SAMPLE_RATE / 2).map(move |index| {
            let seconds = f64::from(index) / rate;
            (9_000.0 * (-4.0 * seconds).exp() * (TAU * hertz * seconds).sin()) as i16
        })
    };
    [660.0, 528.0, 660.0, 528.0]
        .into_iter()
        .flat_map(note)
        .collect()
}

/// Rings until it is aborted.
pub(crate) struct Ringing(JoinHandle<()>);

impl Ringing {
    /// `text`: what is spoken between the bells.
    pub(crate) fn start(
        text: String,
        voice: Option<Voice>,
        output: mpsc::Sender<Pcm>,
        report: Report,
    ) -> Self {
        Self(tokio::spawn(async move {
            let mut speech = None;
            loop {
                play(&bell(), &output).await;
                if speech.is_none()
                    && let Some(voice) = &voice
                {
                    speech = match voice.say(&text).await {
                        Ok(speech) => Some(speech),
                        Err(error) => {
                            tracing::warn!(%error, "the name can't be spoken");
                            Some(Vec::new())
                        }
                    };
                }
                if let Some(speech) = speech.as_deref().filter(|speech| !speech.is_empty()) {
                    play(speech, &output).await;
                    report.tell(&Told::Spoken { text: text.clone() });
                }
                play(&[0; SAMPLE_RATE as usize], &output).await;
            }
        }))
    }
}

impl Drop for Ringing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Plays samples at their own pace.
pub(crate) async fn play(samples: &[i16], output: &mpsc::Sender<Pcm>) {
    let mut frames: Vec<Pcm> = samples
        .chunks(SAMPLES)
        .map(|chunk| {
            let mut pcm = Pcm::SILENCE;
            pcm.0[..chunk.len()].copy_from_slice(chunk);
            pcm
        })
        .rev()
        .collect();
    let mut frames = paced(move || frames.pop());
    while let Some(pcm) = frames.recv().await {
        if output.send(pcm).await.is_err() {
            return;
        }
    }
}
