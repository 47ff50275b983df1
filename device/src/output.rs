//! Where sound goes and comes from: nothing, files, tones, or a sound card.

use homeline_client::media::{Heard, Pcm, SAMPLE_RATE, Sound};
use homeline_client::sound::{self, HEARD_MAX, Recorder, level_at};
use tokio::sync::mpsc;

use crate::arguments::{Input, Outlet};
use crate::report::{Report, Told};

/// Frames on their way to the speaker: a fifth of a second.
const OUTPUT_MAX: usize = 10;

/// Opens the speaker: everything sent there is heard, or written, or dropped.
pub(crate) fn open(outlet: &Outlet) -> anyhow::Result<mpsc::Sender<Pcm>> {
    let (sender, mut frames) = mpsc::channel::<Pcm>(OUTPUT_MAX);
    match outlet {
        Outlet::None => {
            tokio::spawn(async move { while frames.recv().await.is_some() {} });
        }
        Outlet::File(path) => {
            let mut recorder = Recorder::create(path)?;
            tokio::spawn(async move {
                while let Some(pcm) = frames.recv().await {
                    if let Err(error) = recorder.write(&pcm) {
                        tracing::error!(%error, "the sound file can't be written");
                        return;
                    }
                }
            });
        }
        #[cfg(feature = "sound-card")]
        Outlet::Card => crate::card::play(frames)?,
        #[cfg(not(feature = "sound-card"))]
        Outlet::Card => anyhow::bail!("this build has no sound card"),
    }
    Ok(sender)
}

/// Opens the microphone for one call.
fn microphone(input: &Input) -> anyhow::Result<mpsc::Receiver<Pcm>> {
    Ok(match input {
        Input::Silence => sound::silence(),
        Input::Tone(hertz) => sound::tone(*hertz),
        Input::File(path) => sound::play_file(path)?,
        #[cfg(feature = "sound-card")]
        Input::Card => crate::card::record()?,
        #[cfg(not(feature = "sound-card"))]
        Input::Card => anyhow::bail!("this build has no sound card"),
    })
}

/// A call's sound: the microphone, and a speaker that also listens for tones.
pub(crate) fn sound(
    input: &Input,
    output: mpsc::Sender<Pcm>,
    listen_for: &[f64],
    report: Report,
) -> anyhow::Result<Sound> {
    let microphone = microphone(input)?;
    let (speaker, mut heard) = mpsc::channel::<Heard>(HEARD_MAX);
    let mut listener = Listener::new(listen_for.to_vec());
    tokio::spawn(async move {
        while let Some(Heard { pcm, .. }) = heard.recv().await {
            for hertz in listener.listen(&pcm) {
                report.tell(&Told::ToneHeard { hertz });
            }
            if output.send(pcm).await.is_err() {
                return;
            }
        }
    });
    Ok(Sound {
        microphone,
        speaker,
    })
}

/// Tells each tone once, when half a second was mostly that.
struct Listener {
    wanted: Vec<f64>,
    window: Vec<i16>,
}

impl Listener {
    fn new(wanted: Vec<f64>) -> Self {
        Self {
            wanted,
            window: Vec::new(),
        }
    }

    fn listen(&mut self, pcm: &Pcm) -> Vec<f64> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        self.window.extend_from_slice(&pcm.0);
        if self.window.len() < SAMPLE_RATE as usize / 2 {
            return Vec::new();
        }
        let window = std::mem::take(&mut self.window);
        let there = |hertz: &f64| level_at(*hertz, &window) > 0.7;
        let (found, wanted) = std::mem::take(&mut self.wanted)
            .into_iter()
            .partition(there);
        self.wanted = wanted;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tone_is_told_once() {
        let mut tone = sound::tone(1_000.0);
        let mut listener = Listener::new(vec![1_000.0, 1_500.0]);
        let mut found = Vec::new();
        for _ in 0..60 {
            found.extend(listener.listen(&tone.recv().await.unwrap()));
        }
        assert_eq!(found, [1_000.0]);
    }
}
