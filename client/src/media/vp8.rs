//! Encrypted pictures in RTP packets: the VP8 payload descriptor (RFC 7741) before opaque bytes.
//!
//! As libwebrtc does with an encoded transform: the packetizer cuts the encrypted frame as it stands,
//! and what depends on what is in the dependency descriptor, since the VP8 header is ciphertext.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::descriptor::Descriptor;

/// Leaves room for RTP header, extensions, SRTP tag and tunnels in 1,280 bytes.
const CHUNK_BYTES_MAX: usize = 1_100;

/// Packets that wait for the rest of their frames. Beyond that the oldest go.
const HELD_MAX: usize = 1_024;

/// The longest frame put together: a key frame of a large picture stays below.
const FRAME_PACKETS_MAX: usize = 512;

/// One packet of a frame, before it gets its RTP header.
pub(super) struct Piece {
    pub(super) payload: Bytes,
    pub(super) descriptor: Vec<u8>,
    /// The last packet of the frame.
    pub(super) marker: bool,
}

/// Cuts encrypted frames into packets.
#[derive(Default)]
pub(super) struct Packetizer {
    frame_number: u16,
}

impl Packetizer {
    pub(super) fn cut(&mut self, frame: &[u8], key: bool) -> Vec<Piece> {
        self.frame_number = self.frame_number.wrapping_add(1);
        let count = frame.len().div_ceil(CHUNK_BYTES_MAX).max(1);
        let even = frame.len().div_ceil(count).max(1);
        let last = count - 1;
        let piece = |(index, chunk): (usize, &[u8])| {
            let start = index == 0;
            let descriptor = Descriptor {
                start_of_frame: start,
                end_of_frame: index == last,
                frame_number: self.frame_number,
                key_frame: key && start,
            };
            Piece {
                payload: self.payload(start, chunk),
                descriptor: descriptor.write(key),
                marker: index == last,
            }
        };
        frame.chunks(even).enumerate().map(piece).collect()
    }

    /// X, S on the first packet, partition 0; I with a 15-bit picture id.
    fn payload(&self, start: bool, chunk: &[u8]) -> Bytes {
        let [high, low] = (self.frame_number | 0x8000).to_be_bytes();
        let head = [0x80 | u8::from(start) << 4, 0x80, high, low];
        [&head, chunk].concat().into()
    }
}

/// A frame put together again, still encrypted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assembled {
    pub(super) frame: Vec<u8>,
    pub(super) key: bool,
    pub(super) timestamp: u32,
    /// From the dependency descriptor, where there is one.
    pub(super) number: Option<u16>,
}

/// Puts packets together to frames, whatever order they come in.
#[derive(Default)]
pub(super) struct Assembler {
    newest: Option<u64>,
    held: BTreeMap<u64, Held>,
}

struct Held {
    timestamp: u32,
    start: bool,
    end: bool,
    key: bool,
    number: Option<u16>,
    chunk: Bytes,
}

impl Assembler {
    /// Takes a packet in; gives the frame that it completes.
    pub(super) fn insert(
        &mut self,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        descriptor: Option<Descriptor>,
        payload: &Bytes,
    ) -> Option<Assembled> {
        let (start, chunk) = strip(payload)?;
        let near = *self.newest.get_or_insert(u64::from(sequence) + (1 << 32));
        let distance = sequence.wrapping_sub(near as u16) as i16;
        let extended = near.wrapping_add_signed(i64::from(distance));
        self.newest = Some(near.max(extended));
        let held = Held {
            timestamp,
            start: descriptor.map_or(start, |descriptor| descriptor.start_of_frame),
            end: marker || descriptor.is_some_and(|descriptor| descriptor.end_of_frame),
            key: descriptor.is_some_and(|descriptor| descriptor.key_frame),
            number: descriptor.map(|descriptor| descriptor.frame_number),
            chunk,
        };
        self.held.insert(extended, held);
        if self.held.len() > HELD_MAX {
            self.held.pop_first();
        }
        self.complete(extended, timestamp)
    }

    fn complete(&mut self, at: u64, timestamp: u32) -> Option<Assembled> {
        let mine = |number: &u64| {
            self.held
                .get(number)
                .filter(|held| held.timestamp == timestamp)
        };
        let bound = FRAME_PACKETS_MAX as u64;
        let first = (at.saturating_sub(bound)..=at)
            .rev()
            .take_while(|number| mine(number).is_some())
            .find(|number| mine(number).is_some_and(|held| held.start))?;
        let last = (at..at + bound)
            .take_while(|number| mine(number).is_some())
            .find(|number| mine(number).is_some_and(|held| held.end))?;
        let mut frame = Vec::new();
        let mut key = false;
        let mut frame_number = None;
        for number in first..=last {
            let held = self.held.remove(&number)?;
            key |= held.key;
            frame_number = frame_number.or(held.number);
            frame.extend_from_slice(&held.chunk);
        }
        Some(Assembled {
            frame,
            key,
            timestamp,
            number: frame_number,
        })
    }
}

/// Takes the VP8 payload descriptor off: whether the packet begins partition 0, and the rest.
fn strip(payload: &Bytes) -> Option<(bool, Bytes)> {
    let first = *payload.first()?;
    let mut length = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(1)?;
        length += 1;
        if extension & 0x80 != 0 {
            length += if payload.get(length)? & 0x80 != 0 {
                2
            } else {
                1
            };
        }
        length += usize::from(extension & 0x40 != 0) + usize::from(extension & 0x30 != 0);
    }
    let begins = first & 0x10 != 0 && first & 0x07 == 0;
    (payload.len() > length).then(|| (begins, payload.slice(length..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(assembler: &mut Assembler, sequence: u16, piece: &Piece) -> Option<Assembled> {
        let descriptor = Descriptor::parse(&piece.descriptor);
        assembler.insert(sequence, 9_000, piece.marker, descriptor, &piece.payload)
    }

    #[test]
    fn frames_of_every_length_come_back_whole_in_any_order() {
        let mut packetizer = Packetizer::default();
        for length in [1, 1_100, 1_101, 5_000, 100_000] {
            let frame: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let pieces = packetizer.cut(&frame, true);
            assert!(
                pieces
                    .iter()
                    .all(|piece| piece.payload.len() <= CHUNK_BYTES_MAX + 4)
            );
            let mut assembler = Assembler::default();
            let mut whole = None;
            for (index, piece) in pieces.iter().enumerate().rev() {
                let sequence = 65_500_u16.wrapping_add(index as u16);
                assert_eq!(whole, None, "only the last packet completes the frame");
                whole = assemble(&mut assembler, sequence, piece);
            }
            assert_eq!(
                whole,
                Some(Assembled {
                    frame,
                    key: true,
                    timestamp: 9_000,
                    number: Some(packetizer.frame_number),
                })
            );
        }
    }

    #[test]
    fn a_frame_with_a_hole_never_comes() {
        let pieces = Packetizer::default().cut(&[7; 4_000], false);
        let mut assembler = Assembler::default();
        for (index, piece) in pieces.iter().enumerate().filter(|(index, _)| *index != 1) {
            assert_eq!(assemble(&mut assembler, index as u16, piece), None);
        }
    }

    #[test]
    fn short_payloads_are_no_pictures() {
        for payload in [
            &[][..],
            &[0x90],
            &[0x90, 0x80],
            &[0x90, 0x80, 0x80, 1],
            &[0x10],
        ] {
            let payload = Bytes::copy_from_slice(payload);
            assert_eq!(
                Assembler::default().insert(1, 1, true, None, &payload),
                None
            );
        }
    }
}
