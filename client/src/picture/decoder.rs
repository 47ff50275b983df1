//! What is seen in a call to images. Frames come from other people: whatever they hold, nothing breaks here.

use homeline_protocol::id::{DeviceId, TrackId};
use tokio::sync::mpsc;

use super::SEEN_MAX;
use super::codec::{CodecError, Vp8Decoder, is_key};
use super::image::Image;
use crate::media::Seen;

/// Tracks decoded at once. One more takes the place of the one that was silent longest.
const TRACKS_MAX: usize = 8;

/// Decodes the frames of one stream.
pub struct Decoder {
    decoder: Vp8Decoder,
    /// After a frame that did not decode, until the next key frame: the ones between depend on it.
    broken: bool,
}

impl Decoder {
    /// # Errors
    /// When libvpx fails, for want of memory.
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self {
            decoder: Vp8Decoder::new()?,
            broken: false,
        })
    }

    /// Decodes a frame. `None`: it is not to be shown.
    ///
    /// # Errors
    /// When the frame is no VP8, broken, too large, or needs a key frame before it: ask for one.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Option<Image>, CodecError> {
        if self.broken && !is_key(frame) {
            return Err(CodecError::NoKeyFrame);
        }
        let decoded = self.decoder.decode(frame);
        self.broken = decoded.is_err();
        decoded
    }
}

/// A decoded picture of somebody.
#[derive(Debug, Clone)]
pub struct Shown {
    pub device: DeviceId,
    pub track: TrackId,
    pub image: Image,
}

/// Where a call's pictures go to be decoded. It works on a thread of its own until the call ends; what
/// can't be decoded is asked for anew, and what `shown` has no room for is dropped.
///
/// # Errors
/// When the system has no more threads.
pub fn screen(shown: mpsc::Sender<Shown>) -> std::io::Result<mpsc::Sender<Seen>> {
    let (sender, mut seen) = mpsc::channel::<Seen>(SEEN_MAX);
    let decode = move || {
        let mut tracks = Tracks::default();
        while let Some(seen) = seen.blocking_recv() {
            let decoded = tracks
                .of(seen.track)
                .and_then(|decoder| decoder.decode(&seen.frame.data));
            match decoded {
                Ok(Some(image)) => {
                    let Seen { device, track, .. } = seen;
                    let new = Shown {
                        device,
                        track,
                        image,
                    };
                    if let Err(mpsc::error::TrySendError::Closed(_)) = shown.try_send(new) {
                        return;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "a picture did not decode");
                    seen.key_frame_wanted.ask();
                }
            }
        }
    };
    std::thread::Builder::new()
        .name("picture-decoder".to_owned())
        .spawn(decode)?;
    Ok(sender)
}

/// A decoder for each track, the one used last at the end.
#[derive(Default)]
struct Tracks(Vec<(TrackId, Decoder)>);

impl Tracks {
    fn of(&mut self, track: TrackId) -> Result<&mut Decoder, CodecError> {
        let found = self.0.iter().position(|(known, _)| *known == track);
        let entry = match found {
            Some(place) => self.0.remove(place),
            None => (track, Decoder::new()?),
        };
        if self.0.len() == TRACKS_MAX {
            self.0.remove(0);
        }
        self.0.push(entry);
        let last = self.0.len() - 1;
        Ok(&mut self.0[last].1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Encoder, pattern_at, similarity};
    use super::*;
    use crate::media::{KeyFrameWanted, VideoFrame};

    fn frames(count: u32) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::default();
        let frame = |number: u32| {
            let image = pattern_at((64, 48), number);
            encoder
                .encode(&image, i64::from(number) * 6_000, false)
                .unwrap()
                .data
        };
        (0..count).map(frame).collect()
    }

    /// A key frame's header that claims a size (RFC 6386, section 9.1).
    fn claims(width: u16, height: u16) -> Vec<u8> {
        let mut frame = frames(1).remove(0);
        frame[6..8].copy_from_slice(&width.to_le_bytes());
        frame[8..10].copy_from_slice(&height.to_le_bytes());
        frame
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        let mut decoder = Decoder::new().unwrap();
        let mut refused = |frame: &[u8]| decoder.decode(frame).unwrap_err().to_string();
        assert!(refused(&[]).contains("0 bytes"));
        assert!(refused(&[0]).contains("no VP8"));
        assert!(refused(b"\x10\x00\x00no start code").contains("no VP8"));
        assert!(refused(&frames(2)[1]).contains("key frame"));
        assert!(refused(&claims(16_383, 16_383)).contains("16383 by 16383"));
        assert!(refused(&claims(0, 48)).contains("no VP8"));
        assert!(refused(&vec![0; (4 << 20) + 1]).contains("bytes"));
    }

    #[test]
    fn after_a_broken_frame_only_a_key_frame_helps() {
        let frames = frames(3);
        let mut decoder = Decoder::new().unwrap();
        decoder.decode(&frames[0]).unwrap();
        // Cut inside its first partition.
        let error = decoder.decode(&frames[1][..4]).unwrap_err();
        assert!(matches!(error, CodecError::Broken(_)), "{error}");
        assert_eq!(decoder.decode(&frames[2]), Err(CodecError::NoKeyFrame));
        let image = decoder.decode(&frames[0]).unwrap().unwrap();
        assert!(similarity(&image, &pattern_at((64, 48), 0)).unwrap() > 25.0);
    }

    #[test]
    fn hostile_frames_neither_panic_nor_grow() {
        let good = frames(4);
        let mut decoder = Decoder::new().unwrap();
        let mut chance = 1_u32;
        let mut next = move || {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (chance >> 8) as usize
        };
        for round in 0..4_000 {
            let mut frame = good[next() % good.len()].clone();
            for _ in 0..=next() % 8 {
                let place = next() % frame.len();
                frame[place] = next() as u8;
            }
            frame.truncate(1 + next() % frame.len());
            // Now and then the decoder is on its feet again.
            if round % 16 == 0 {
                decoder.decode(&good[0]).unwrap();
            }
            if let Ok(Some(image)) = decoder.decode(&frame) {
                assert!(Image::bytes(image.width(), image.height()).is_ok());
            }
        }
        decoder.decode(&good[0]).unwrap();
    }

    #[tokio::test]
    async fn a_screen_shows_each_track_and_outlives_what_does_not_decode() {
        let (shown, mut images) = mpsc::channel(64);
        let seen = screen(shown).unwrap();
        let show = async |track: u8, data: Vec<u8>| {
            let new = Seen {
                device: DeviceId([1; 16]),
                track: TrackId([track; 16]),
                frame: VideoFrame { data, key: false },
                key_frame_wanted: KeyFrameWanted::default(),
            };
            seen.send(new).await.ok();
        };
        let good = frames(2);
        show(1, b"nothing".to_vec()).await;
        // More tracks than are decoded at once: each begins anew.
        for track in 0..20 {
            show(track, good[0].clone()).await;
            show(track, good[1].clone()).await;
        }
        for track in 0..20 {
            for _ in 0..2 {
                let shown = images.recv().await.unwrap();
                assert_eq!(shown.track, TrackId([track; 16]));
            }
        }
        drop(seen);
        assert!(images.recv().await.is_none());
    }
}
