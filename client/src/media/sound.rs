//! Sound: 20 ms of samples to an encrypted Opus packet, and back.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use homeline_protocol::id::{DeviceId, TrackId};
use opus::{Application, Channels, Decoder, Encoder};
use rtc::rtp::{Header, Packet};
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_local::TrackLocal as _;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::frames::{Frames, Owner};
use super::peer::Line;
use super::reorder::{Reorder, Turn};

/// Samples a second, one channel.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in a frame of 20 ms.
pub const SAMPLES: usize = 960;

/// The longest Opus packet decodes to 120 ms.
const DECODED_MAX: usize = 6 * SAMPLES;

/// The longest Opus frame we make: what RFC 6716 allows for one frame.
const OPUS_BYTES_MAX: usize = 1_275;

/// Packets that may wait for a missing one: 60 ms.
const REORDER_MAX: usize = 3;

/// A pause in the microphone's frames longer than this moves the clock on.
const PAUSE_FRAMES: u64 = 5;

/// Twenty milliseconds of one channel.
#[derive(Clone, PartialEq, Eq)]
pub struct Pcm(pub [i16; SAMPLES]);

impl Pcm {
    pub const SILENCE: Self = Self([0; SAMPLES]);
}

impl std::fmt::Debug for Pcm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pcm")
    }
}

/// Decoded sound of one sender.
#[derive(Debug, Clone)]
pub struct Heard {
    pub device: DeviceId,
    pub track: TrackId,
    pub pcm: Pcm,
}

/// Where a call's sound comes from and goes to. What the speaker's queue can't hold is dropped: old
/// sound is worth nothing.
pub struct Sound {
    pub microphone: mpsc::Receiver<Pcm>,
    pub speaker: mpsc::Sender<Heard>,
}

/// Sends a microphone's frames, as long as they come.
pub(crate) struct SoundSender {
    pub(crate) microphone: mpsc::Receiver<Pcm>,
    /// False when muted.
    pub(crate) on: watch::Receiver<bool>,
    pub(crate) frames: Frames,
    /// The line to the server; changes when the transport is made anew.
    pub(crate) line: watch::Receiver<Option<Line>>,
}

impl SoundSender {
    pub(crate) async fn run(mut self) -> Result<mpsc::Receiver<Pcm>, opus::Error> {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        encoder.set_inband_fec(true)?;
        let mut clock = Clock::new(Instant::now());
        let mut sequence: u16 = rand::random();
        let mut sent: u32 = 0;
        while let Some(pcm) = self.microphone.recv().await {
            let timestamp = clock.tick(Instant::now());
            let line = self.line.borrow().clone();
            let Some(line) =
                line.filter(|_| *self.on.borrow() && self.frames.sending_epoch().is_some())
            else {
                continue;
            };
            let opus = encoder.encode_vec(&pcm.0, OPUS_BYTES_MAX)?;
            let Some(payload) = self.frames.encrypt(&opus) else {
                continue;
            };
            let mut header = Header {
                version: 2,
                marker: sent == 0,
                payload_type: line.payload_type,
                sequence_number: sequence,
                timestamp,
                ssrc: line.ssrc,
                ..Header::default()
            };
            line.mark(&mut header, sent, Some(level(&pcm)));
            sequence = sequence.wrapping_add(1);
            sent = sent.saturating_add(1);
            // A line that is being replaced takes nothing; the next frame finds the new one.
            line.track
                .write_rtp(Packet {
                    header,
                    payload: payload.into(),
                })
                .await
                .ok();
        }
        Ok(self.microphone)
    }
}

/// RTP time: goes on by a frame for each frame, and catches up after a pause.
struct Clock {
    started: Instant,
    offset: u32,
    frames: u64,
}

impl Clock {
    fn new(now: Instant) -> Self {
        Self {
            started: now,
            offset: rand::random(),
            frames: 0,
        }
    }

    fn tick(&mut self, now: Instant) -> u32 {
        let due = u64::try_from((now - self.started).as_millis() / 20).unwrap_or(u64::MAX);
        self.frames += 1;
        if due > self.frames + PAUSE_FRAMES {
            self.frames = due;
        }
        (self.frames.wrapping_mul(SAMPLES as u64) as u32).wrapping_add(self.offset)
    }
}

/// The level that RFC 6464 wants: -dBov, 0 loudest, 127 silence.
fn level(pcm: &Pcm) -> u8 {
    let square = |sample: &i16| f64::from(*sample) * f64::from(*sample);
    let mean = pcm.0.iter().map(square).sum::<f64>() / SAMPLES as f64;
    let dbov = 20.0 * (mean.sqrt().max(1e-3) / 32_768.0).log10();
    (-dbov).clamp(0.0, 127.0) as u8
}

/// Takes a remote track's packets, decrypts, decodes, hands on.
pub(crate) struct SoundReceiver {
    pub(crate) remote: Arc<dyn TrackRemote>,
    pub(crate) owner: Owner,
    pub(crate) frames: Frames,
    pub(crate) late: mpsc::Receiver<Vec<u8>>,
    pub(crate) speaker: mpsc::Sender<Heard>,
    /// False: nothing is played.
    pub(crate) plays: watch::Receiver<bool>,
}

impl SoundReceiver {
    pub(crate) async fn run(mut self) -> Result<(), opus::Error> {
        let mut reorder = Reorder::new(REORDER_MAX);
        let mut decoder = Decode::new()?;
        loop {
            let turns = tokio::select! {
                event = self.remote.poll() => match event {
                    Some(TrackRemoteEvent::OnRtpPacket(packet)) => {
                        reorder.insert(packet.header.sequence_number, packet.payload)
                    }
                    Some(TrackRemoteEvent::OnEnded) | None => return Ok(()),
                    Some(_) => continue,
                },
                Some(frame) = self.late.recv() => {
                    self.play(decoder.frame(&frame));
                    continue;
                }
            };
            for turn in turns {
                match turn {
                    Turn::Packet(payload) => self.take(&mut decoder, &payload),
                    Turn::Lost => self.play(decoder.lost()),
                }
            }
        }
    }

    fn take(&self, decoder: &mut Decode, payload: &Bytes) {
        if let Some(frame) = self.frames.decrypt(self.owner, payload) {
            self.play(decoder.frame(&frame));
        }
    }

    fn play(&self, frames: Vec<Pcm>) {
        if !*self.plays.borrow() {
            return;
        }
        for pcm in frames {
            let Owner { device, track, .. } = self.owner;
            // A full queue drops the newest: the speaker is behind or gone.
            self.speaker.try_send(Heard { device, track, pcm }).ok();
        }
    }
}

/// Opus frames of any length to frames of 20 ms.
struct Decode {
    decoder: Decoder,
    rest: Vec<i16>,
}

impl Decode {
    fn new() -> Result<Self, opus::Error> {
        Ok(Self {
            decoder: Decoder::new(SAMPLE_RATE, Channels::Mono)?,
            rest: Vec::new(),
        })
    }

    /// An empty frame is a pause, which the decoder fills. One that is no Opus is dropped: it was
    /// authentic, so its sender made it so.
    fn frame(&mut self, opus: &[u8]) -> Vec<Pcm> {
        if opus.is_empty() {
            return self.lost();
        }
        let mut samples = [0; DECODED_MAX];
        let count = self.decoder.decode(opus, &mut samples, false).unwrap_or(0);
        self.cut(&samples[..count])
    }

    fn lost(&mut self) -> Vec<Pcm> {
        let mut samples = [0; SAMPLES];
        let count = self.decoder.decode(&[], &mut samples, false).unwrap_or(0);
        self.cut(&samples[..count])
    }

    fn cut(&mut self, samples: &[i16]) -> Vec<Pcm> {
        self.rest.extend_from_slice(samples);
        let whole = self.rest.len() / SAMPLES * SAMPLES;
        let frames = self.rest[..whole].chunks_exact(SAMPLES);
        let frames = frames
            .filter_map(|frame| frame.try_into().ok().map(Pcm))
            .collect();
        self.rest.drain(..whole);
        frames
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_clock_goes_by_frames_and_catches_up_after_a_pause() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        let first = clock.tick(start);
        assert_eq!(
            clock
                .tick(start + Duration::from_millis(3))
                .wrapping_sub(first),
            960
        );
        let after = clock.tick(start + Duration::from_secs(2));
        assert_eq!(after.wrapping_sub(first), 99 * 960);
    }

    #[test]
    fn levels_run_from_full_scale_to_silence() {
        assert_eq!(level(&Pcm::SILENCE), 127);
        assert_eq!(level(&Pcm([i16::MIN; SAMPLES])), 0);
        assert!((19..=21).contains(&level(&Pcm([3_277; SAMPLES]))));
    }

    #[test]
    fn frames_of_other_lengths_are_cut_to_twenty_milliseconds() {
        let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).unwrap();
        let mut decode = Decode::new().unwrap();
        let long = encoder.encode_vec(&[100; 3 * SAMPLES], 4_000).unwrap();
        assert_eq!(decode.frame(&long).len(), 3);
        let short = encoder.encode_vec(&[100; SAMPLES / 2], 4_000).unwrap();
        assert_eq!(decode.frame(&short).len(), 0);
        assert_eq!(decode.frame(&short).len(), 1);
        assert_eq!(decode.lost().len(), 1);
        assert_eq!(decode.frame(b"\xff\xffno opus").len(), 0);
    }
}
