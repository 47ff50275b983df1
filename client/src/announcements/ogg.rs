//! The sound of an announcement: Opus in Ogg (RFC 7845), one channel, at 24 kbit/s.

use std::io::Cursor;

use homeline_e2ee::announcement::LENGTH_MS_MAX;
use ogg::writing::PacketWriteEndInfo;
use ogg::{PacketReader, PacketWriter};
use opus::{Application, Bitrate, Channels, Decoder, Encoder};

use crate::media::{SAMPLE_RATE, SAMPLES};

/// A minute of it stays below what the server takes.
const BITS_PER_SECOND: i32 = 24_000;

/// What RFC 6716 allows for one frame.
const OPUS_BYTES_MAX: usize = 1_275;

/// The longest Opus packet decodes to 120 ms.
const DECODED_MAX: usize = 6 * SAMPLES;

/// Samples of the longest announcement; what a file has beyond them is not decoded.
const SAMPLES_MAX: usize = LENGTH_MS_MAX as usize * SAMPLE_RATE as usize / 1000;

/// Packets of a page: a second.
const PACKETS_PER_PAGE: usize = 50;

/// A file has one stream, and so any number will do.
const SERIAL: u32 = 1;

/// Why a sound can't be made or played.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    #[error("there is nothing to be heard")]
    Empty,
    #[error("an announcement lasts at most a minute")]
    TooLong,
    #[error("this is no Opus in Ogg that can be played")]
    Unreadable,
    #[error("Opus: {0}")]
    Opus(#[from] opus::Error),
    #[error("Ogg: {0}")]
    Ogg(#[from] std::io::Error),
}

/// Samples of one channel at 48 kHz as a file, and its length in milliseconds.
///
/// # Errors
/// When there are none, or more than a minute of them.
pub fn encode(samples: &[i16]) -> Result<(Vec<u8>, u64), SoundError> {
    if samples.is_empty() {
        return Err(SoundError::Empty);
    }
    if samples.len() > SAMPLES_MAX {
        return Err(SoundError::TooLong);
    }
    let mut encoder = Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(Bitrate::Bits(BITS_PER_SECOND))?;
    encoder.set_vbr_constraint(true)?;
    let ahead = usize::try_from(encoder.get_lookahead()?).unwrap_or(0);
    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(head(ahead), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    writer.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0)?;
    // What the codec holds back comes out of a last packet of silence.
    let end = samples.len() + ahead;
    let packets = end.div_ceil(SAMPLES);
    for number in 0..packets {
        let mut frame = [0; SAMPLES];
        let rest = samples.get(number * SAMPLES..).unwrap_or_default();
        let count = rest.len().min(SAMPLES);
        frame[..count].copy_from_slice(&rest[..count]);
        let packet = encoder.encode_vec(&frame, OPUS_BYTES_MAX)?;
        let until = ((number + 1) * SAMPLES).min(end);
        let info = if number + 1 == packets {
            PacketWriteEndInfo::EndStream
        } else if (number + 1) % PACKETS_PER_PAGE == 0 {
            PacketWriteEndInfo::EndPage
        } else {
            PacketWriteEndInfo::NormalPacket
        };
        writer.write_packet(packet, SERIAL, info, until as u64)?;
    }
    let length_ms = (samples.len() as u64 * 1000).div_ceil(SAMPLE_RATE.into());
    Ok((writer.into_inner(), length_ms))
}

/// A file as samples of one channel at 48 kHz: a minute at most.
///
/// # Errors
/// When it is no such file. What a family's device made is believed as little as anything else.
pub fn decode(file: &[u8]) -> Result<Vec<i16>, SoundError> {
    let unreadable = |_| SoundError::Unreadable;
    let mut reader = PacketReader::new(Cursor::new(file));
    let head = reader.read_packet().map_err(unreadable)?;
    let head = head.ok_or(SoundError::Unreadable)?.data;
    let channels = match (head.get(..8), head.get(9)) {
        (Some(b"OpusHead"), Some(1)) => Channels::Mono,
        (Some(b"OpusHead"), Some(2)) => Channels::Stereo,
        _ => return Err(SoundError::Unreadable),
    };
    let skip = head.get(10..12).ok_or(SoundError::Unreadable)?;
    let skip = usize::from(u16::from_le_bytes([skip[0], skip[1]]));
    reader.read_packet().map_err(unreadable)?;
    let width = channels as usize;
    let mut decoder = Decoder::new(SAMPLE_RATE, channels)?;
    let mut samples: Vec<i16> = Vec::new();
    let mut end = SAMPLES_MAX + skip;
    let mut decoded = vec![0; DECODED_MAX * width];
    while let Some(packet) = reader.read_packet().map_err(unreadable)? {
        let count = decoder.decode(&packet.data, &mut decoded, false)?;
        let one = decoded[..count * width].chunks_exact(width);
        samples.extend(one.map(|frame| {
            let sum: i32 = frame.iter().map(|sample| i32::from(*sample)).sum();
            i16::try_from(sum / width as i32).unwrap_or(0)
        }));
        if packet.last_in_stream() {
            end = end.min(usize::try_from(packet.absgp_page()).unwrap_or(usize::MAX));
        }
        if samples.len() >= end {
            break;
        }
    }
    samples.truncate(end);
    samples.drain(..skip.min(samples.len()));
    match samples.is_empty() {
        true => Err(SoundError::Empty),
        false => Ok(samples),
    }
}

fn head(ahead: usize) -> Vec<u8> {
    let mut head = b"OpusHead".to_vec();
    head.extend([1, 1]);
    head.extend(u16::try_from(ahead).unwrap_or(0).to_le_bytes());
    head.extend(SAMPLE_RATE.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}

fn tags() -> Vec<u8> {
    let vendor = b"homeline";
    let mut tags = b"OpusTags".to_vec();
    tags.extend(8_u32.to_le_bytes());
    tags.extend(vendor);
    tags.extend(0_u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use homeline_e2ee::announcement::SOUND_BYTES_MAX;

    use super::*;
    use crate::sound::level_at;

    fn tone(samples: usize) -> Vec<i16> {
        let at = |index: usize| (TAU * 1_000.0 * index as f64 / f64::from(SAMPLE_RATE)).sin();
        (0..samples)
            .map(|index| (9_000.0 * at(index)) as i16)
            .collect()
    }

    #[test]
    fn a_recording_comes_back_as_long_as_it_was() {
        let recorded = tone(70_000);
        let (file, length_ms) = encode(&recorded).unwrap();
        assert_eq!(length_ms, 1_459);
        assert_eq!(&file[..4], b"OggS");
        let played = decode(&file).unwrap();
        assert_eq!(played.len(), recorded.len());
        assert!(level_at(1_000.0, &played[4_800..52_800]) > 0.9);
    }

    #[test]
    fn a_minute_fits_and_more_is_refused() {
        // Noise, which costs most.
        let mut state = 1_u32;
        let noise: Vec<i16> = (0..SAMPLES_MAX)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16
            })
            .collect();
        let (file, length_ms) = encode(&noise).unwrap();
        assert_eq!(length_ms, LENGTH_MS_MAX);
        assert!(file.len() <= SOUND_BYTES_MAX, "{} bytes", file.len());
        assert_eq!(decode(&file).unwrap().len(), SAMPLES_MAX);
        let long = vec![0; SAMPLES_MAX + 1];
        assert!(matches!(encode(&long), Err(SoundError::TooLong)));
        assert!(matches!(encode(&[]), Err(SoundError::Empty)));
    }

    #[test]
    fn what_is_no_such_file_is_refused_and_never_panics() {
        let (file, _) = encode(&tone(9_600)).unwrap();
        for wrong in [b"".as_slice(), b"OggS", &file[..30], &file[1..]] {
            assert!(decode(wrong).is_err());
        }
        for at in (0..file.len()).step_by(7) {
            let mut damaged = file.clone();
            damaged[at] ^= 0xff;
            decode(&damaged).ok();
        }
    }
}
