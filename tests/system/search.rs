//! Looking for sound and pictures in RTP packets: by their bytes, by ear, and frame by frame.

use std::collections::{BTreeMap, HashSet};

use homeline_client::media::{SAMPLE_RATE, SAMPLES};
use homeline_client::sound::level_at;

/// Payload types as the SDK offers them.
pub(crate) const OPUS: u8 = 111;
pub(crate) const VP8: u8 = 96;

/// The SDK puts so many bytes of VP8 payload descriptor before each piece of a picture.
const DESCRIPTOR_BYTES: usize = 4;

/// Sixteen bytes in a row are no accident.
const TRACE_BYTES: usize = 16;

/// Short pieces of each frame, by which it is found again wherever packets cut it.
pub(crate) fn traces<'a>(frames: impl Iterator<Item = &'a [u8]>) -> HashSet<&'a [u8]> {
    frames
        .flat_map(|frame| frame.chunks_exact(TRACE_BYTES).step_by(4))
        .collect()
}

/// How often a trace occurs.
pub(crate) fn found<'a>(
    traces: &HashSet<&[u8]>,
    places: impl IntoIterator<Item = &'a [u8]>,
) -> usize {
    let at = |place: &'a [u8]| {
        place
            .windows(TRACE_BYTES)
            .filter(|window| traces.contains(window))
            .count()
    };
    places.into_iter().map(at).sum()
}

pub(crate) fn kind_of(packet: &[u8]) -> u8 {
    packet[1] & 0x7f
}

/// What follows the RTP header (RFC 3550 section 5.1).
pub(crate) fn payload(packet: &[u8]) -> &[u8] {
    let mut start = 12 + 4 * usize::from(packet[0] & 0x0f);
    if packet[0] & 0x10 != 0 {
        let words = u16::from_be_bytes([packet[start + 2], packet[start + 3]]);
        start += 4 + 4 * usize::from(words);
    }
    &packet[start..]
}

/// The largest share of a second's energy at `hertz`, when the sound packets of any sender are decoded as Opus, each
/// without its first bytes, as though those were a header.
pub(crate) fn loudest(packets: &[Vec<u8>], skipped: usize, hertz: f64) -> f64 {
    let mut senders: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for packet in packets.iter().filter(|packet| kind_of(packet) == OPUS) {
        senders
            .entry(&packet[8..12])
            .or_default()
            .push(payload(packet));
    }
    assert!(!senders.is_empty(), "sound passed");
    let level = |payloads: &Vec<&[u8]>| {
        let mut decoder = opus::Decoder::new(SAMPLE_RATE, opus::Channels::Mono).unwrap();
        let mut heard = Vec::new();
        for payload in payloads {
            let mut samples = [0; 6 * SAMPLES];
            let bytes = payload.get(skipped..).filter(|bytes| !bytes.is_empty());
            // Most of it is no Opus, when it is ciphertext.
            let count = bytes.and_then(|bytes| decoder.decode(bytes, &mut samples, false).ok());
            heard.extend(&samples[..count.unwrap_or(0)]);
        }
        heard
            .chunks_exact(SAMPLE_RATE as usize)
            .map(|second| level_at(hertz, second))
            .fold(0.0, f64::max)
    };
    senders.values().map(level).fold(0.0, f64::max)
}

/// Frames put together again from their packets: those of one sender and one moment.
pub(crate) fn encrypted_frames(packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut frames: BTreeMap<&[u8], BTreeMap<&[u8], &[u8]>> = BTreeMap::new();
    for packet in packets {
        let skipped = if kind_of(packet) == VP8 {
            DESCRIPTOR_BYTES
        } else {
            0
        };
        let piece = payload(packet).get(skipped..).unwrap_or_default();
        frames
            .entry(&packet[4..12])
            .or_default()
            .insert(&packet[2..4], piece);
    }
    frames
        .values()
        .map(|pieces| pieces.values().copied().collect::<Vec<_>>().concat())
        .collect()
}
