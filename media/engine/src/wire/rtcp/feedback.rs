//! Requests to the sender of a stream: lost packets, key frames, a bitrate to stay under.
//!
//! RFC 4585 sections 6.2.1 (NACK) and 6.3.1 (PLI), RFC 5104 section 4.3.1 (FIR),
//! draft-alvestrand-rmcat-remb-03 (REMB).

use super::compound::{PAYLOAD_FEEDBACK, RtcpNoRoom, TRANSPORT_FEEDBACK, Writer, format, read_u32};
use crate::wire::ids::{Ssrc, sequence_after};

/// Sender and media source, in front of every feedback message.
const SOURCES_LEN: usize = 8;

/// Generic NACK.
#[derive(Clone, Copy, Debug)]
pub struct Nack<'a> {
    /// Who asks.
    pub sender: Ssrc,
    /// The stream with the gap.
    pub media: Ssrc,
    pairs: &'a [u8],
}

impl<'a> Nack<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let pairs = body.get(SOURCES_LEN..)?;
        let (sender, media) = (Ssrc(read_u32(body, 0)?), Ssrc(read_u32(body, 4)?));
        (pairs.len() % 4 == 0).then_some(Self {
            sender,
            media,
            pairs,
        })
    }

    /// The missing sequence numbers, in the order of the message. A full datagram names about 6,000: the
    /// caller bounds how many it answers.
    pub const fn lost(&self) -> LostSequences<'a> {
        LostSequences {
            pairs: self.pairs,
            base: 0,
            mask: 0,
        }
    }
}

/// Iterator over the sequence numbers of a NACK.
#[derive(Clone)]
pub struct LostSequences<'a> {
    pairs: &'a [u8],
    base: u16,
    mask: u16,
}

impl Iterator for LostSequences<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.mask == 0 {
            let (pair, rest) = self.pairs.split_first_chunk::<4>()?;
            self.pairs = rest;
            self.base = u16::from_be_bytes([pair[0], pair[1]]);
            self.mask = u16::from_be_bytes([pair[2], pair[3]]);
            return Some(self.base);
        }
        let bit = self.mask.trailing_zeros() as u16;
        self.mask &= self.mask - 1;
        Some(self.base.wrapping_add(bit + 1))
    }
}

/// PLI: the receiver cannot decode and asks for a key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureLoss {
    /// Who asks.
    pub sender: Ssrc,
    /// The stream.
    pub media: Ssrc,
}

impl PictureLoss {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        Some(Self {
            sender: Ssrc(read_u32(body, 0)?),
            media: Ssrc(read_u32(body, 4)?),
        })
    }
}

/// FIR: an explicit order for a key frame, numbered so that repeats are recognised.
#[derive(Clone, Copy, Debug)]
pub struct FullIntraRequest<'a> {
    /// Who asks.
    pub sender: Ssrc,
    entries: &'a [u8],
}

impl<'a> FullIntraRequest<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let entries = body.get(SOURCES_LEN..)?;
        let sender = Ssrc(read_u32(body, 0)?);
        (entries.len() % 8 == 0).then_some(Self { sender, entries })
    }

    /// The streams with their request numbers.
    pub fn requests(&self) -> impl Iterator<Item = (Ssrc, u8)> + use<'a> {
        let entries = self.entries.chunks_exact(8);
        entries.map(|e| (Ssrc(u32::from_be_bytes([e[0], e[1], e[2], e[3]])), e[4]))
    }
}

/// REMB: the receiver's estimate of what the path carries.
#[derive(Clone, Copy, Debug)]
pub struct Remb<'a> {
    /// Who asks.
    pub sender: Ssrc,
    /// Bits per second for all the streams together.
    pub bits_per_second: u64,
    sources: &'a [u8],
}

impl<'a> Remb<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let rate = read_u32(body, 12)?;
        let (count, exponent) = (rate >> 24, rate >> 18 & 0x3f);
        let mantissa = u64::from(rate & 0x3_ffff);
        let sources = body.get(16..16 + count as usize * 4)?;
        // An exponent that shifts bits out is nonsense, but harmless: it reads as "no limit".
        let bits_per_second = if mantissa.leading_zeros() >= exponent {
            mantissa << exponent
        } else {
            u64::MAX
        };
        Some(Self {
            sender: Ssrc(read_u32(body, 0)?),
            bits_per_second,
            sources,
        })
    }

    /// The streams that it covers.
    pub fn sources(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        let words = self.sources.chunks_exact(4);
        words.map(|w| Ssrc(u32::from_be_bytes([w[0], w[1], w[2], w[3]])))
    }
}

impl Writer<'_> {
    /// Appends a NACK for `lost`, which is in sending order without repeats. Returns how many numbers
    /// fitted; 0 writes nothing.
    pub fn nack(&mut self, sender: Ssrc, media: Ssrc, lost: &[u16]) -> Result<usize, RtcpNoRoom> {
        let room = self
            .room()
            .checked_sub(4 + SOURCES_LEN + 4)
            .ok_or(RtcpNoRoom)?
            / 4
            + 1;
        let (mut pairs, mut fitted) = (0, 0);
        while pairs < room && fitted < lost.len() {
            fitted += pair_at(&lost[fitted..]).2;
            pairs += 1;
        }
        if pairs == 0 {
            return Ok(0);
        }
        let len = SOURCES_LEN + pairs * 4;
        let body = self.packet(TRANSPORT_FEEDBACK, format::NACK, len)?;
        write_sources(body, sender, media);
        let mut rest = &lost[..fitted];
        for space in body[SOURCES_LEN..].chunks_exact_mut(4) {
            let (base, mask, taken) = pair_at(rest);
            space[..2].copy_from_slice(&base.to_be_bytes());
            space[2..].copy_from_slice(&mask.to_be_bytes());
            rest = &rest[taken..];
        }
        Ok(fitted)
    }

    /// Appends a PLI.
    pub fn picture_loss(&mut self, sender: Ssrc, media: Ssrc) -> Result<(), RtcpNoRoom> {
        let body = self.packet(PAYLOAD_FEEDBACK, format::PICTURE_LOSS, SOURCES_LEN)?;
        write_sources(body, sender, media);
        Ok(())
    }

    /// Appends a FIR for one stream. `number` goes up by one with every new request and stays for repeats.
    pub fn full_intra_request(
        &mut self,
        sender: Ssrc,
        media: Ssrc,
        number: u8,
    ) -> Result<(), RtcpNoRoom> {
        let len = SOURCES_LEN + 8;
        let body = self.packet(PAYLOAD_FEEDBACK, format::FULL_INTRA_REQUEST, len)?;
        // RFC 5104 section 4.3.1.2: the media source of the header is unused and zero.
        write_sources(body, sender, Ssrc(0));
        body[8..12].copy_from_slice(&media.0.to_be_bytes());
        body[12] = number;
        Ok(())
    }

    /// Appends a REMB for up to 255 streams. The rate is rounded down to 18 significant bits.
    pub fn remb(
        &mut self,
        sender: Ssrc,
        bits_per_second: u64,
        sources: &[Ssrc],
    ) -> Result<(), RtcpNoRoom> {
        let sources = &sources[..sources.len().min(255)];
        let len = SOURCES_LEN + 8 + sources.len() * 4;
        let body = self.packet(PAYLOAD_FEEDBACK, format::APPLICATION, len)?;
        write_sources(body, sender, Ssrc(0));
        let exponent = (u64::BITS - bits_per_second.leading_zeros()).saturating_sub(18);
        let mantissa = (bits_per_second >> exponent) as u32;
        let rate = (sources.len() as u32) << 24 | exponent << 18 | mantissa;
        body[8..12].copy_from_slice(b"REMB");
        body[12..16].copy_from_slice(&rate.to_be_bytes());
        for (word, ssrc) in body[16..].chunks_exact_mut(4).zip(sources) {
            word.copy_from_slice(&ssrc.0.to_be_bytes());
        }
        Ok(())
    }
}

/// The pair for the head of `lost` (not empty): base, mask, and how many numbers it covers.
fn pair_at(lost: &[u16]) -> (u16, u16, usize) {
    let base = lost.first().copied().unwrap_or(0);
    let mut mask = 0;
    let mut taken = 1;
    for sequence in &lost[1..] {
        let distance = sequence.wrapping_sub(base);
        if !sequence_after(*sequence, base) || distance > 16 {
            break;
        }
        mask |= 1 << (distance - 1);
        taken += 1;
    }
    (base, mask, taken)
}

pub(super) fn write_sources(body: &mut [u8], sender: Ssrc, media: Ssrc) {
    body[0..4].copy_from_slice(&sender.0.to_be_bytes());
    body[4..8].copy_from_slice(&media.0.to_be_bytes());
}
