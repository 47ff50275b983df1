//! Sender and receiver reports, names and goodbyes (RFC 3550 sections 6.4 to 6.6).

use super::compound::{
    GOODBYE, RECEIVER_REPORT, RtcpNoRoom, SENDER_REPORT, SOURCE_DESCRIPTION, Writer, read_u32,
};
use crate::wire::ids::Ssrc;

const BLOCK_LEN: usize = 24;
const SENDER_INFO_LEN: usize = 20;

/// Report blocks in one report: its count has five bits.
pub const REPORT_BLOCKS_MAX: usize = 31;

/// What one receiver says of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// Packets lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the start; 24 bits, negative when duplicates outweigh losses.
    pub cumulative_lost: i32,
    /// Highest sequence number, extended by the count of wraps.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the last sender report's NTP time; 0 when there was none.
    pub last_sender_report: u32,
    /// Time since then, in 65,536ths of a second.
    pub delay_since_last_sender_report: u32,
}

impl ReportBlock {
    fn read(bytes: &[u8; BLOCK_LEN]) -> Self {
        let word = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            ssrc: Ssrc(word(0)),
            fraction_lost: bytes[4],
            // Shifted up and down again to extend the sign of 24 bits.
            cumulative_lost: ((word(4) << 8) as i32) >> 8,
            highest_sequence: word(8),
            jitter: word(12),
            last_sender_report: word(16),
            delay_since_last_sender_report: word(20),
        }
    }

    fn write(&self, out: &mut [u8]) {
        let lost = self
            .cumulative_lost
            .clamp(-0x80_0000, 0x7f_ffff)
            .to_be_bytes();
        out[0..4].copy_from_slice(&self.ssrc.0.to_be_bytes());
        out[4] = self.fraction_lost;
        out[5..8].copy_from_slice(&lost[1..]);
        out[8..12].copy_from_slice(&self.highest_sequence.to_be_bytes());
        out[12..16].copy_from_slice(&self.jitter.to_be_bytes());
        out[16..20].copy_from_slice(&self.last_sender_report.to_be_bytes());
        out[20..24].copy_from_slice(&self.delay_since_last_sender_report.to_be_bytes());
    }
}

/// What a sender says of its own stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock of the report, NTP format: seconds in the upper, fraction in the lower 32 bits.
    pub ntp_time: u64,
    /// The same moment in the stream's clock.
    pub rtp_timestamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload bytes sent so far.
    pub octets: u32,
}

/// SR.
#[derive(Clone, Copy, Debug)]
pub struct SenderReport<'a> {
    /// The reporting sender's stream.
    pub ssrc: Ssrc,
    /// What it sent.
    pub info: SenderInfo,
    blocks: &'a [u8],
}

impl<'a> SenderReport<'a> {
    pub(super) fn read(body: &'a [u8], count: u8) -> Option<Self> {
        let info = SenderInfo {
            ntp_time: u64::from(read_u32(body, 4)?) << 32 | u64::from(read_u32(body, 8)?),
            rtp_timestamp: read_u32(body, 12)?,
            packets: read_u32(body, 16)?,
            octets: read_u32(body, 20)?,
        };
        let end = 4 + SENDER_INFO_LEN + usize::from(count) * BLOCK_LEN;
        let blocks = body.get(4 + SENDER_INFO_LEN..end)?;
        Some(Self {
            ssrc: Ssrc(read_u32(body, 0)?),
            info,
            blocks,
        })
    }

    /// What it received.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }
}

/// RR.
#[derive(Clone, Copy, Debug)]
pub struct ReceiverReport<'a> {
    /// The reporter.
    pub ssrc: Ssrc,
    blocks: &'a [u8],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn read(body: &'a [u8], count: u8) -> Option<Self> {
        let blocks = body.get(4..4 + usize::from(count) * BLOCK_LEN)?;
        Some(Self {
            ssrc: Ssrc(read_u32(body, 0)?),
            blocks,
        })
    }

    /// What it received.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }
}

fn blocks(bytes: &[u8]) -> impl Iterator<Item = ReportBlock> + use<'_> {
    bytes
        .chunks_exact(BLOCK_LEN)
        .filter_map(|b| b.first_chunk())
        .map(ReportBlock::read)
}

/// SDES. Only canonical names are read.
#[derive(Clone, Copy, Debug)]
pub struct SourceDescription<'a> {
    chunks: &'a [u8],
}

const CNAME: u8 = 1;

impl<'a> SourceDescription<'a> {
    pub(super) fn read(body: &'a [u8], count: u8) -> Option<Self> {
        let mut at = 0;
        for _ in 0..count {
            at = read_chunk(body, at)?.1;
        }
        Some(Self {
            chunks: &body[..at],
        })
    }

    /// Each stream with its canonical name.
    pub fn names(&self) -> impl Iterator<Item = (Ssrc, &'a [u8])> + use<'a> {
        let chunks = self.chunks;
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let ((ssrc, name), next) = read_chunk(chunks, at)?;
                at = next;
                if let Some(name) = name {
                    return Some((ssrc, name));
                }
            }
        })
    }
}

type Chunk<'a> = (Ssrc, Option<&'a [u8]>);

/// The chunk at `at` and where the next one starts.
fn read_chunk(body: &[u8], start: usize) -> Option<(Chunk<'_>, usize)> {
    let ssrc = Ssrc(read_u32(body, start)?);
    let mut name = None;
    let mut at = start + 4;
    loop {
        let kind = *body.get(at)?;
        if kind == 0 {
            // The end mark, and zeros to the next word.
            let next = (at + 1).next_multiple_of(4);
            return (next <= body.len()).then_some(((ssrc, name), next));
        }
        let len = usize::from(*body.get(at + 1)?);
        let value = body.get(at + 2..at + 2 + len)?;
        if kind == CNAME {
            name = Some(value);
        }
        at += 2 + len;
    }
}

/// BYE. The reason is not read.
#[derive(Clone, Copy, Debug)]
pub struct Goodbye<'a> {
    sources: &'a [u8],
}

impl<'a> Goodbye<'a> {
    pub(super) fn read(body: &'a [u8], count: u8) -> Option<Self> {
        Some(Self {
            sources: body.get(..usize::from(count) * 4)?,
        })
    }

    /// The streams that end.
    pub fn sources(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        let words = self
            .sources
            .chunks_exact(4)
            .filter_map(|word| word.first_chunk());
        words.map(|word| Ssrc(u32::from_be_bytes(*word)))
    }
}

impl Writer<'_> {
    /// Appends an SR. Blocks beyond 31 are left out: send a second report for them.
    pub fn sender_report(
        &mut self,
        ssrc: Ssrc,
        info: &SenderInfo,
        blocks: &[ReportBlock],
    ) -> Result<(), RtcpNoRoom> {
        let blocks = &blocks[..blocks.len().min(REPORT_BLOCKS_MAX)];
        let len = 4 + SENDER_INFO_LEN + blocks.len() * BLOCK_LEN;
        let body = self.packet(SENDER_REPORT, blocks.len() as u8, len)?;
        body[0..4].copy_from_slice(&ssrc.0.to_be_bytes());
        body[4..12].copy_from_slice(&info.ntp_time.to_be_bytes());
        body[12..16].copy_from_slice(&info.rtp_timestamp.to_be_bytes());
        body[16..20].copy_from_slice(&info.packets.to_be_bytes());
        body[20..24].copy_from_slice(&info.octets.to_be_bytes());
        write_blocks(&mut body[24..], blocks);
        Ok(())
    }

    /// Appends an RR. Blocks beyond 31 are left out: send a second report for them.
    pub fn receiver_report(
        &mut self,
        ssrc: Ssrc,
        blocks: &[ReportBlock],
    ) -> Result<(), RtcpNoRoom> {
        let blocks = &blocks[..blocks.len().min(REPORT_BLOCKS_MAX)];
        let len = 4 + blocks.len() * BLOCK_LEN;
        let body = self.packet(RECEIVER_REPORT, blocks.len() as u8, len)?;
        body[0..4].copy_from_slice(&ssrc.0.to_be_bytes());
        write_blocks(&mut body[4..], blocks);
        Ok(())
    }

    /// Appends an SDES with one canonical name, cut at 255 bytes.
    pub fn source_description(&mut self, ssrc: Ssrc, name: &[u8]) -> Result<(), RtcpNoRoom> {
        let name = &name[..name.len().min(255)];
        let body = self.packet(SOURCE_DESCRIPTION, 1, 4 + 2 + name.len() + 1)?;
        body[0..4].copy_from_slice(&ssrc.0.to_be_bytes());
        body[4] = CNAME;
        body[5] = name.len() as u8;
        body[6..6 + name.len()].copy_from_slice(name);
        Ok(())
    }

    /// Appends a BYE. Streams beyond 31 are left out.
    pub fn goodbye(&mut self, sources: &[Ssrc]) -> Result<(), RtcpNoRoom> {
        let sources = &sources[..sources.len().min(REPORT_BLOCKS_MAX)];
        let body = self.packet(GOODBYE, sources.len() as u8, sources.len() * 4)?;
        for (word, ssrc) in body.chunks_exact_mut(4).zip(sources) {
            word.copy_from_slice(&ssrc.0.to_be_bytes());
        }
        Ok(())
    }
}

fn write_blocks(out: &mut [u8], blocks: &[ReportBlock]) {
    for (space, block) in out.chunks_exact_mut(BLOCK_LEN).zip(blocks) {
        block.write(space);
    }
}
