//! Where sound goes and comes from: nothing, files, tones, or a sound card.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::time::Duration;

use homeline_client::media::{Heard, Pcm, SAMPLE_RATE, SAMPLES, Sound};
use homeline_client::sound::{self, HEARD_MAX, Recorder, level_at};
use homeline_protocol::id::DeviceId;
use tokio::sync::{mpsc, watch};

use crate::arguments::{Input, Outlet};
use crate::mix::Mixer;
use crate::report::{Report, Told};

/// Frames on their way to the speaker: a fifth of a second.
const OUTPUT_MAX: usize = 10;

/// Frames on their way from the microphone; an old one is worth nothing.
const INPUT_MAX: usize = 2;

/// Each of the two notes of a confirmation: an eighth of a second.
const CONFIRMATION_FRAMES: usize = 6;

/// How loud a second call knocks, of 32,767: heard beside a voice, and never over it.
const KNOCK_AMPLITUDE: f64 = 1_500.0;

/// Two short knocks and the pause between them, in frames.
const KNOCK: [(f64, usize); 3] = [(784.0, 6), (0.0, 4), (784.0, 6)];

/// A frame's length. A call in which nobody sends has no other pace.
const FRAME: Duration = Duration::from_millis(20);

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

/// Opens the microphone for one call, or one recording.
pub(crate) fn microphone(input: &Input) -> anyhow::Result<mpsc::Receiver<Pcm>> {
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

/// The microphone behind its switch. Off: nothing is captured at all, not even for somebody who would
/// throw it away; on again: it is opened anew.
pub(crate) fn switched(
    input: &Input,
    mut on: watch::Receiver<bool>,
) -> anyhow::Result<mpsc::Receiver<Pcm>> {
    let (sender, receiver) = mpsc::channel(INPUT_MAX);
    let open = *on.borrow_and_update();
    let mut capture = if open { Some(microphone(input)?) } else { None };
    let input = input.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                biased;
                changed = on.changed() => {
                    let open = changed.is_ok() && *on.borrow_and_update();
                    capture = None;
                    if open {
                        match microphone(&input) {
                            Ok(opened) => capture = Some(opened),
                            Err(error) => tracing::error!(%error, "the microphone can't be opened"),
                        }
                    }
                    if changed.is_err() {
                        return;
                    }
                }
                () = sender.closed() => return,
                pcm = next(&mut capture) => match pcm {
                    Some(pcm) => {
                        if sender.send(pcm).await.is_err() {
                            return;
                        }
                    }
                    None => capture = None,
                },
            }
        }
    });
    Ok(receiver)
}

async fn next(capture: &mut Option<mpsc::Receiver<Pcm>>) -> Option<Pcm> {
    match capture {
        Some(capture) => capture.recv().await,
        None => std::future::pending().await,
    }
}

/// A short rising sound: it was understood, or somebody speaks in a moment.
pub(crate) async fn confirm(output: &mpsc::Sender<Pcm>) {
    for hertz in [660.0, 880.0] {
        let mut tone = sound::tone(hertz);
        for _ in 0..CONFIRMATION_FRAMES {
            let Some(pcm) = tone.recv().await else { return };
            if output.send(pcm).await.is_err() {
                return;
            }
        }
    }
}

/// A call's sound: the microphone behind its switch, and a speaker that mixes the voices, lays a knock over
/// them whenever `knocks` changes, and listens for tones.
pub(crate) fn sound(
    input: &Input,
    on: watch::Receiver<bool>,
    output: mpsc::Sender<Pcm>,
    knocks: watch::Receiver<u32>,
    listener: Listener,
) -> anyhow::Result<Sound> {
    let microphone = switched(input, on)?;
    let (speaker, heard) = mpsc::channel::<Heard>(HEARD_MAX);
    tokio::spawn(play(heard, knocks, listener, output));
    Ok(Sound {
        microphone,
        speaker,
    })
}

/// A speaker for what is only heard: one voice, silent while it is not to be played.
pub(crate) fn heard(
    output: mpsc::Sender<Pcm>,
    plays: watch::Receiver<bool>,
    mut listener: Listener,
) -> mpsc::Sender<Heard> {
    let (speaker, mut frames) = mpsc::channel::<Heard>(HEARD_MAX);
    tokio::spawn(async move {
        confirm(&output).await;
        while let Some(Heard { device, pcm, .. }) = frames.recv().await {
            if !*plays.borrow() {
                continue;
            }
            listener.listen(device, &pcm);
            if output.send(pcm).await.is_err() {
                return;
            }
        }
    });
    speaker
}

async fn play(
    mut heard: mpsc::Receiver<Heard>,
    mut knocks: watch::Receiver<u32>,
    mut listener: Listener,
    output: mpsc::Sender<Pcm>,
) {
    let mut mixer = Mixer::default();
    let mut knocking = false;
    loop {
        let frames = tokio::select! {
            next = heard.recv() => {
                let Some(Heard { device, pcm, .. }) = next else { return };
                listener.listen(device, &pcm);
                mixer.take(device, pcm)
            }
            Ok(()) = knocks.changed() => {
                mixer.knock(knock());
                knocking = true;
                Vec::new()
            }
            () = tokio::time::sleep(2 * FRAME), if knocking => {
                let alone = mixer.knock_alone();
                knocking = alone.is_some();
                alone.into_iter().collect()
            }
        };
        for pcm in frames {
            if output.send(pcm).await.is_err() {
                return;
            }
        }
    }
}

/// The sound of a second call.
fn knock() -> Vec<Pcm> {
    let frames = KNOCK
        .iter()
        .flat_map(|(hertz, frames)| (0..*frames).map(move |frame| (*hertz, frame)));
    let sample = |hertz: f64, index: usize| {
        let seconds = index as f64 / f64::from(SAMPLE_RATE);
        (KNOCK_AMPLITUDE * (TAU * hertz * seconds).sin()) as i16
    };
    frames
        .map(|(hertz, frame)| {
            Pcm(std::array::from_fn(|index| {
                sample(hertz, frame * SAMPLES + index)
            }))
        })
        .collect()
}

/// Tells each tone once, when half a second of what one of them sends was mostly that.
pub(crate) struct Listener {
    wanted: Vec<f64>,
    windows: BTreeMap<DeviceId, Vec<i16>>,
    report: Report,
}

impl Listener {
    pub(crate) fn new(wanted: Vec<f64>, report: Report) -> Self {
        Self {
            wanted,
            windows: BTreeMap::new(),
            report,
        }
    }

    fn listen(&mut self, from: DeviceId, pcm: &Pcm) {
        for hertz in self.found(from, pcm) {
            self.report.tell(&Told::ToneHeard { hertz });
        }
    }

    fn found(&mut self, from: DeviceId, pcm: &Pcm) -> Vec<f64> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let window = self.windows.entry(from).or_default();
        window.extend_from_slice(&pcm.0);
        if window.len() < SAMPLE_RATE as usize / 2 {
            return Vec::new();
        }
        let window = std::mem::take(window);
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
    async fn a_microphone_that_is_off_gives_nothing_until_it_is_on() {
        let on = watch::Sender::new(false);
        let mut sound = switched(&Input::Tone(1_000.0), on.subscribe()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(sound.try_recv().is_err());
        on.send_replace(true);
        assert!(sound.recv().await.is_some());
        on.send_replace(false);
        // At most what was on its way.
        let ended = async { while sound.recv().await.is_some() {} };
        let soon = Duration::from_millis(200);
        assert!(tokio::time::timeout(soon, ended).await.is_err());
        assert!(sound.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_tone_is_told_once() {
        let mut tone = sound::tone(1_000.0);
        let mut listener = Listener::new(vec![1_000.0, 1_500.0], Report::new(true));
        let from = "00000000000000000000000000000001".parse().unwrap();
        let mut found = Vec::new();
        for _ in 0..60 {
            found.extend(listener.found(from, &tone.recv().await.unwrap()));
        }
        assert_eq!(found, [1_000.0]);
    }
}
