//! Pictures: VP8 frames, encrypted whole, and back.
//!
//! They come encoded and are handed on encoded; the feature `vp8` has an encoder and a decoder for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use homeline_protocol::id::{DeviceId, TrackId};
use rtc::rtp::{Header, Packet};
use tokio::sync::{Notify, mpsc, watch};
use webrtc::media_stream::track_local::{TrackLocal as _, TrackLocalEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::chain::Chain;
use super::descriptor::Descriptor;
use super::frames::{Frames, Owner};
use super::keyframe::{ask_for_key_frame, asks_for_key_frame};
use super::peer::Line;
use super::vp8::{Assembled, Assembler, Packetizer};

/// One encoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct VideoFrame {
    pub data: Vec<u8>,
    /// Whether it can be decoded without the ones before.
    pub key: bool,
}

/// A source of encoded pictures, and how it is asked for a key frame. With video off nothing is taken
/// from it.
pub struct Camera {
    pub frames: mpsc::Receiver<VideoFrame>,
    pub key_frame_wanted: mpsc::Sender<()>,
}

/// A picture of somebody else, decrypted, still VP8.
#[derive(Clone)]
pub struct Seen {
    pub device: DeviceId,
    pub track: TrackId,
    pub frame: VideoFrame,
    /// For a decoder that can't go on.
    pub key_frame_wanted: KeyFrameWanted,
}

/// Asks the sender of a picture for a key frame. Asking again and again is harmless.
#[derive(Clone, Default)]
pub struct KeyFrameWanted(Arc<Notify>);

impl KeyFrameWanted {
    pub fn ask(&self) {
        self.0.notify_one();
    }
}

/// How often a sender is asked at most: enough for an answer to come back in between.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Sends a camera's pictures, as long as they come.
pub(crate) struct PictureSender {
    pub(crate) camera: Camera,
    /// False with video off.
    pub(crate) on: watch::Receiver<bool>,
    pub(crate) frames: Frames,
    pub(crate) line: watch::Receiver<Option<Line>>,
}

impl PictureSender {
    pub(crate) async fn run(mut self) -> Camera {
        let started = Instant::now();
        let mut sequence: u16 = rand::random();
        let mut sent: u32 = 0;
        let mut packetizer = Packetizer::default();
        // Receivers can begin only with a key frame: after a pause, and for a new key.
        let mut begun: Option<u64> = None;
        loop {
            if !*self.on.borrow_and_update() {
                if self.on.changed().await.is_err() {
                    return self.camera;
                }
                // What waited is from before the pause.
                while self.camera.frames.try_recv().is_ok() {}
                begun = None;
                continue;
            }
            let line = self.line.borrow().clone();
            let frame = tokio::select! {
                Ok(()) = self.on.changed() => continue,
                frame = self.camera.frames.recv() => frame,
                // The line's own task; it ends when the line is replaced.
                () = asked(line.as_ref()) => {
                    self.camera.key_frame_wanted.try_send(()).ok();
                    continue;
                }
            };
            let Some(frame) = frame else {
                return self.camera;
            };
            let epoch = self.frames.sending_epoch();
            let (Some(line), Some(epoch), true) = (line, epoch, *self.on.borrow()) else {
                begun = None;
                continue;
            };
            if begun != Some(epoch) && !frame.key {
                self.camera.key_frame_wanted.try_send(()).ok();
                continue;
            }
            begun = Some(epoch);
            let Some(encrypted) = self.frames.encrypt(&frame.data) else {
                continue;
            };
            let timestamp = (started.elapsed().as_micros() * 9 / 100) as u32;
            for piece in packetizer.cut(&encrypted, frame.key) {
                let mut header = Header {
                    version: 2,
                    marker: piece.marker,
                    payload_type: line.payload_type,
                    sequence_number: sequence,
                    timestamp,
                    ssrc: line.ssrc,
                    ..Header::default()
                };
                line.mark(&mut header, sent, None);
                line.describe(&mut header, piece.descriptor);
                sequence = sequence.wrapping_add(1);
                sent = sent.saturating_add(1);
                line.track
                    .write_rtp(Packet {
                        header,
                        payload: piece.payload,
                    })
                    .await
                    .ok();
            }
        }
    }
}

/// Returns when a receiver asks for a key frame.
async fn asked(line: Option<&Line>) {
    let Some(line) = line else {
        return std::future::pending().await;
    };
    loop {
        match line.track.poll().await {
            Some(TrackLocalEvent::OnRtcpPacket(packets)) => {
                if packets
                    .iter()
                    .any(|packet| asks_for_key_frame(packet.as_ref()))
                {
                    return;
                }
            }
            Some(_) => {}
            None => return std::future::pending().await,
        }
    }
}

/// Takes a remote track's packets, puts frames together, decrypts, hands on.
pub(crate) struct PictureReceiver {
    pub(crate) remote: Arc<dyn TrackRemote>,
    pub(crate) owner: Owner,
    pub(crate) frames: Frames,
    pub(crate) late: mpsc::Receiver<Vec<u8>>,
    pub(crate) screen: mpsc::Sender<Seen>,
    pub(crate) descriptor_id: Option<u8>,
}

impl PictureReceiver {
    pub(crate) async fn run(mut self) {
        let mut assembler = Assembler::default();
        let mut chain = Chain::default();
        let wanted = KeyFrameWanted::default();
        let mut asked_at: Option<Instant> = None;
        loop {
            tokio::select! {
                event = self.remote.poll() => match event {
                    Some(TrackRemoteEvent::OnRtpPacket(packet)) => {
                        let whole = self.assemble(&mut assembler, &packet);
                        let Some(whole) = whole else { continue };
                        self.take(&mut chain, whole, &wanted);
                    }
                    Some(TrackRemoteEvent::OnEnded) | None => return,
                    Some(_) => continue,
                },
                // What had to wait for its key has lost its place among the others: it is a hole.
                Some(_) = self.late.recv() => continue,
                () = wanted.0.notified() => chain.tear(),
            }
            // Asked again with the frames that come meanwhile: requests and key frames get lost too.
            let due = asked_at.is_none_or(|at| at.elapsed() >= ASK_EVERY);
            if chain.is_broken() && due && !self.screen.is_closed() {
                asked_at = Some(Instant::now());
                ask_for_key_frame(self.remote.as_ref()).await;
            }
        }
    }

    fn assemble(&self, assembler: &mut Assembler, packet: &Packet) -> Option<Assembled> {
        let header = &packet.header;
        let extension = self.descriptor_id.and_then(|id| header.get_extension(id));
        let descriptor = extension.and_then(|bytes| Descriptor::parse(&bytes));
        assembler.insert(
            header.sequence_number,
            header.timestamp,
            header.marker,
            descriptor,
            &packet.payload,
        )
    }

    fn take(&self, chain: &mut Chain, whole: Assembled, wanted: &KeyFrameWanted) {
        let Some(data) = self.frames.decrypt(self.owner, &whole.frame) else {
            return;
        };
        let due = match whole.number {
            Some(number) => chain.insert(
                number,
                VideoFrame {
                    data,
                    key: whole.key,
                },
            ),
            // A sender without the descriptor: VP8 itself tells its key frames.
            None => chain.unnumbered(VideoFrame {
                key: data.first().is_some_and(|first| first & 1 == 0),
                data,
            }),
        };
        for frame in due {
            let Owner { device, track, .. } = self.owner;
            let seen = Seen {
                device,
                track,
                frame,
                key_frame_wanted: wanted.clone(),
            };
            // A full queue drops the newest, since the screen is behind or gone; what depends on it is
            // of no use then.
            if self.screen.try_send(seen).is_err() {
                chain.tear();
                return;
            }
        }
    }
}
