//! Pictures: VP8 frames that somebody else encoded, encrypted whole, and back.

use std::sync::Arc;
use std::time::Instant;

use homeline_protocol::id::{DeviceId, TrackId};
use rtc::rtp::{Header, Packet};
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_local::{TrackLocal as _, TrackLocalEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::descriptor::Descriptor;
use super::frames::{Frames, Owner};
use super::keyframe::asks_for_key_frame;
use super::peer::Line;
use super::vp8::{Assembler, Packetizer};

/// One encoded picture.
#[derive(Clone, PartialEq, Eq)]
pub struct VideoFrame {
    pub data: Vec<u8>,
    /// Whether it can be decoded without the ones before.
    pub key: bool,
}

/// A source of encoded pictures, and how it is asked for a key frame.
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
}

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
            let line = self.line.borrow().clone();
            let frame = tokio::select! {
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
        loop {
            tokio::select! {
                event = self.remote.poll() => match event {
                    Some(TrackRemoteEvent::OnRtpPacket(packet)) => self.take(&mut assembler, &packet),
                    Some(TrackRemoteEvent::OnEnded) | None => return,
                    Some(_) => {}
                },
                // What had to wait for its key is behind by then; whether it was a key frame is not
                // kept, and a decoder finds out by itself.
                Some(data) = self.late.recv() => self.show(VideoFrame { data, key: false }),
            }
        }
    }

    fn take(&self, assembler: &mut Assembler, packet: &Packet) {
        let header = &packet.header;
        let extension = self.descriptor_id.and_then(|id| header.get_extension(id));
        let descriptor = extension.and_then(|bytes| Descriptor::parse(&bytes));
        let whole = assembler.insert(
            header.sequence_number,
            header.timestamp,
            header.marker,
            descriptor,
            &packet.payload,
        );
        if let Some(whole) = whole
            && let Some(data) = self.frames.decrypt(self.owner, &whole.frame)
        {
            self.show(VideoFrame {
                data,
                key: whole.key,
            });
        }
    }

    fn show(&self, frame: VideoFrame) {
        let Owner { device, track, .. } = self.owner;
        // A full queue drops the newest: the screen is behind or gone.
        self.screen
            .try_send(Seen {
                device,
                track,
                frame,
            })
            .ok();
    }
}
