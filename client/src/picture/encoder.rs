//! Images to a call's camera: VP8 in real time, a key frame whenever somebody asks for one.

use std::time::Instant;

use tokio::sync::mpsc;

use super::FRAMES_MAX;
use super::codec::{CodecError, Vp8Encoder};
use super::image::Image;
use crate::media::{Camera, VideoFrame};

/// What a picture may take of the line: clear enough for a face, little enough for most uplinks.
const KILOBITS: u32 = 500;

/// Frames a second that the bitrate is shared among. The encoder follows what really comes.
const RATE: u32 = 15;

/// RTP's ticks a second.
const TICKS: u128 = 90_000;

/// Encodes images; their size may change.
#[derive(Default)]
pub struct Encoder {
    encoder: Option<Vp8Encoder>,
    size: (u32, u32),
    last: i64,
}

impl Encoder {
    /// Encodes an image, which was taken `at`, in ticks of a 90,000th of a second. The first frame and
    /// the first of another size are key frames.
    ///
    /// # Errors
    /// When libvpx fails, for want of memory.
    pub fn encode(&mut self, image: &Image, at: i64, key: bool) -> Result<VideoFrame, CodecError> {
        let size = (image.width(), image.height());
        if self.size != size {
            self.encoder = None;
        }
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            empty => empty.insert(Vp8Encoder::new(size, RATE, KILOBITS)?),
        };
        self.size = size;
        // Time that stands still is an error for libvpx.
        self.last = at.max(self.last.saturating_add(1));
        let (data, key) = encoder.encode(image, self.last, key)?;
        Ok(VideoFrame { data, key })
    }
}

/// A camera that shows these images. It works on a thread of its own until nobody looks any more or no
/// more images come; with video off it rests.
///
/// # Errors
/// When the system has no more threads.
pub fn camera(mut images: mpsc::Receiver<Image>) -> std::io::Result<Camera> {
    let (sender, frames) = mpsc::channel(FRAMES_MAX);
    // One request is as good as many.
    let (key_frame_wanted, mut wanted) = mpsc::channel(1);
    let encode = move || {
        let mut encoder = Encoder::default();
        let started = Instant::now();
        while let Some(image) = images.blocking_recv() {
            let at = started.elapsed().as_micros() * TICKS / 1_000_000;
            let key = wanted.try_recv().is_ok();
            let frame = match encoder.encode(&image, i64::try_from(at).unwrap_or(i64::MAX), key) {
                Ok(frame) => frame,
                Err(error) => {
                    tracing::error!(%error, "pictures can't be sent");
                    return;
                }
            };
            if sender.blocking_send(frame).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("picture-encoder".to_owned())
        .spawn(encode)?;
    Ok(Camera {
        frames,
        key_frame_wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Decoder, pattern_at, similarity};
    use super::*;

    fn shown(decoder: &mut Decoder, frame: &VideoFrame) -> Image {
        decoder.decode(&frame.data).unwrap().unwrap()
    }

    #[test]
    fn what_is_encoded_looks_the_same_decoded() {
        let mut encoder = Encoder::default();
        let mut decoder = Decoder::new().unwrap();
        let mut bytes = 0;
        for number in 0..45 {
            let image = pattern_at((320, 240), number);
            let frame = encoder
                .encode(&image, i64::from(number) * 6_000, number == 20)
                .unwrap();
            // A key frame to begin with, one on request, and none without.
            assert_eq!(frame.key, number == 0 || number == 20);
            let decoded = shown(&mut decoder, &frame);
            let likeness = similarity(&image, &decoded).unwrap();
            assert!(likeness > 40.0, "frame {number}: {likeness:.1} dB");
            bytes += frame.data.len();
        }
        // Three seconds at 500 kbit/s, and what key frames may take beyond.
        assert!(bytes < 3 * 500_000 / 8 * 3 / 2, "{bytes} bytes");
    }

    #[test]
    fn sizes_may_be_odd_and_may_change() {
        let mut encoder = Encoder::default();
        let mut decoder = Decoder::new().unwrap();
        for (number, size) in [(33, 17), (64, 48), (1, 1), (161, 121)]
            .into_iter()
            .enumerate()
        {
            let image = pattern_at(size, 3);
            // Time that does not go on is put right.
            let frame = encoder.encode(&image, 5, false).unwrap();
            assert!(frame.key, "{number}");
            let decoded = shown(&mut decoder, &frame);
            assert!(similarity(&image, &decoded).unwrap() > 25.0, "{size:?}");
        }
    }

    #[tokio::test]
    async fn a_camera_gives_key_frames_when_asked() {
        let (images, source) = mpsc::channel(1);
        let mut camera = camera(source).unwrap();
        let show = async |number| {
            let image = pattern_at((64, 48), number);
            images.send(image).await.unwrap();
        };
        show(0).await;
        assert!(camera.frames.recv().await.unwrap().key);
        show(1).await;
        assert!(!camera.frames.recv().await.unwrap().key);
        camera.key_frame_wanted.try_send(()).unwrap();
        show(2).await;
        assert!(camera.frames.recv().await.unwrap().key);
        drop(images);
        assert!(camera.frames.recv().await.is_none());
    }
}
