//! The sound card, by cpal: the microphone's samples to frames, frames to the speaker.

use std::collections::VecDeque;

use anyhow::{Context as _, anyhow};
use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{BufferSize, Device, Stream, StreamConfig};
use homeline_client::media::{Pcm, SAMPLE_RATE, SAMPLES};
use homeline_client::sound::FRAMES_MAX;
use tokio::sync::mpsc;

/// Channels asked for, most wanted first: many cards know only two.
const CHANNELS: [u16; 2] = [1, 2];

/// Samples that wait for the card: a fifth of a second. Beyond that the oldest go, so that a card whose
/// clock is slow falls behind no further.
const WAITING_MAX: usize = 10 * SAMPLES;

/// Plays frames for as long as the program runs; silence when there are none.
pub(crate) fn play(mut frames: mpsc::Receiver<Pcm>) -> anyhow::Result<()> {
    let device = cpal::default_host()
        .default_output_device()
        .context("no speaker was found")?;
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Pcm>(FRAMES_MAX);
    let stream = open_output(&device, receiver)?;
    stream.play()?;
    tokio::spawn(async move {
        let _stream = stream;
        while let Some(pcm) = frames.recv().await {
            // A full queue drops the newest: the card is behind.
            sender.try_send(pcm).ok();
        }
        // The last frames are still in the card's buffer when the program ends; it ends all the same.
        std::future::pending::<()>().await;
    });
    Ok(())
}

/// The microphone's frames, until nobody takes them any more.
pub(crate) fn record() -> anyhow::Result<mpsc::Receiver<Pcm>> {
    let device = cpal::default_host()
        .default_input_device()
        .context("no microphone was found")?;
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    let stream = open_input(&device, &sender)?;
    stream.play()?;
    tokio::spawn(async move {
        sender.closed().await;
        drop(stream);
    });
    Ok(receiver)
}

fn open_output(device: &Device, frames: std::sync::mpsc::Receiver<Pcm>) -> anyhow::Result<Stream> {
    // One stream takes the queue; a try that fails gives it back through the shared place.
    let frames = std::sync::Arc::new(std::sync::Mutex::new((frames, VecDeque::<i16>::new())));
    try_channels(|config| {
        let frames = frames.clone();
        let channels = usize::from(config.channels);
        let fill = move |out: &mut [i16], _: &cpal::OutputCallbackInfo| {
            let Ok(mut held) = frames.lock() else { return };
            let (queue, waiting) = &mut *held;
            waiting.extend(queue.try_iter().flat_map(|pcm| pcm.0));
            let surplus = waiting.len().saturating_sub(WAITING_MAX);
            waiting.drain(..surplus);
            for group in out.chunks_mut(channels) {
                group.fill(waiting.pop_front().unwrap_or(0));
            }
        };
        device.build_output_stream(config, fill, report, None)
    })
}

fn open_input(device: &Device, sender: &mpsc::Sender<Pcm>) -> anyhow::Result<Stream> {
    try_channels(|config| {
        let sender = sender.clone();
        let channels = usize::from(config.channels);
        let mut waiting: Vec<i16> = Vec::new();
        let take = move |samples: &[i16], _: &cpal::InputCallbackInfo| {
            waiting.extend(samples.iter().step_by(channels));
            while waiting.len() >= SAMPLES {
                let rest = waiting.split_off(SAMPLES);
                let frame = std::mem::replace(&mut waiting, rest);
                if let Ok(pcm) = frame.try_into() {
                    // A full queue drops the newest: nobody takes sound at the moment.
                    sender.try_send(Pcm(pcm)).ok();
                }
            }
        };
        device.build_input_stream(config, take, report, None)
    })
}

fn try_channels(
    mut open: impl FnMut(StreamConfig) -> Result<Stream, cpal::Error>,
) -> anyhow::Result<Stream> {
    let mut refused = anyhow!("no channels were tried");
    for channels in CHANNELS {
        let config = StreamConfig {
            channels,
            sample_rate: SAMPLE_RATE,
            buffer_size: BufferSize::Default,
        };
        match open(config) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = anyhow!("the sound card can't be used at 48 kHz: {error}"),
        }
    }
    Err(refused)
}

fn report(error: cpal::Error) {
    tracing::warn!(%error, "the sound card");
}
