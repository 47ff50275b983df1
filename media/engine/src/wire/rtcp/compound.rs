//! Walks and builds compound RTCP packets.

use super::feedback::{FullIntraRequest, Nack, PictureLoss, Remb};
use super::report::{Goodbye, ReceiverReport, SenderReport, SourceDescription};
use super::transport::TransportFeedback;

pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
pub(super) const SOURCE_DESCRIPTION: u8 = 202;
pub(super) const GOODBYE: u8 = 203;
pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
pub(super) const PAYLOAD_FEEDBACK: u8 = 206;

/// Feedback message types: RFC 4585 section 6, RFC 5104 section 4, REMB and transport-wide drafts.
pub(super) mod format {
    pub(in super::super) const NACK: u8 = 1;
    pub(in super::super) const TRANSPORT_WIDE: u8 = 15;
    pub(in super::super) const PICTURE_LOSS: u8 = 1;
    pub(in super::super) const FULL_INTRA_REQUEST: u8 = 4;
    pub(in super::super) const APPLICATION: u8 = 15;
}

/// Why bytes are not RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// The bytes end inside a packet.
    #[error("packet ends too early")]
    Truncated,
    /// Version is not 2.
    #[error("unknown version {0}")]
    Version(u8),
    /// The padding count does not fit the packet.
    #[error("padding count {0} does not fit")]
    Padding(u8),
    /// A packet of this type contradicts itself.
    #[error("malformed packet of type {0}")]
    Malformed(u8),
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// SR.
    SenderReport(SenderReport<'a>),
    /// RR.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES.
    SourceDescription(SourceDescription<'a>),
    /// BYE.
    Goodbye(Goodbye<'a>),
    /// Generic NACK.
    Nack(Nack<'a>),
    /// PLI.
    PictureLoss(PictureLoss),
    /// FIR.
    FullIntraRequest(FullIntraRequest<'a>),
    /// REMB.
    Remb(Remb<'a>),
    /// Transport-wide congestion feedback.
    TransportFeedback(TransportFeedback<'a>),
    /// Anything else, for instance an extended report: not an error, not read.
    Other {
        /// RTCP packet type.
        packet_type: u8,
        /// The five bits of count or format.
        format: u8,
    },
}

/// The packets of a compound. After an error there is nothing more: boundaries are unknown.
pub const fn packets(compound: &[u8]) -> Packets<'_> {
    Packets { rest: compound }
}

/// Iterator over a compound's packets.
#[derive(Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest);
        Some(split(rest).and_then(|(header, body, after)| {
            let packet = read(header, body)?;
            self.rest = after;
            Ok(packet)
        }))
    }
}

/// The count or format, and the type.
struct Header {
    format: u8,
    packet_type: u8,
}

/// The first packet's header, its body without padding, and what follows.
fn split(bytes: &[u8]) -> Result<(Header, &[u8], &[u8]), RtcpError> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or(RtcpError::Truncated)?;
    let version = head[0] >> 6;
    if version != 2 {
        return Err(RtcpError::Version(version));
    }
    let len = usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
    let (mut body, after) = rest.split_at_checked(len).ok_or(RtcpError::Truncated)?;
    if head[0] & 0x20 != 0 {
        let count = body.last().copied().unwrap_or(0);
        if count == 0 || usize::from(count) > body.len() {
            return Err(RtcpError::Padding(count));
        }
        body = &body[..body.len() - usize::from(count)];
    }
    Ok((
        Header {
            format: head[0] & 0x1f,
            packet_type: head[1],
        },
        body,
        after,
    ))
}

fn read<'a>(header: Header, body: &'a [u8]) -> Result<Packet<'a>, RtcpError> {
    let Header {
        format,
        packet_type,
    } = header;
    let packet = match (packet_type, format) {
        (SENDER_REPORT, count) => SenderReport::read(body, count).map(Packet::SenderReport),
        (RECEIVER_REPORT, count) => ReceiverReport::read(body, count).map(Packet::ReceiverReport),
        (SOURCE_DESCRIPTION, count) => {
            SourceDescription::read(body, count).map(Packet::SourceDescription)
        }
        (GOODBYE, count) => Goodbye::read(body, count).map(Packet::Goodbye),
        (TRANSPORT_FEEDBACK, format::NACK) => Nack::read(body).map(Packet::Nack),
        (TRANSPORT_FEEDBACK, format::TRANSPORT_WIDE) => {
            TransportFeedback::read(body).map(Packet::TransportFeedback)
        }
        (PAYLOAD_FEEDBACK, format::PICTURE_LOSS) => {
            PictureLoss::read(body).map(Packet::PictureLoss)
        }
        (PAYLOAD_FEEDBACK, format::FULL_INTRA_REQUEST) => {
            FullIntraRequest::read(body).map(Packet::FullIntraRequest)
        }
        (PAYLOAD_FEEDBACK, format::APPLICATION) if body.get(8..12) == Some(b"REMB") => {
            Remb::read(body).map(Packet::Remb)
        }
        _ => Some(Packet::Other {
            packet_type,
            format,
        }),
    };
    packet.ok_or(RtcpError::Malformed(packet_type))
}

/// The buffer is too short for the packet; what was written before stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for the rtcp packet")]
pub struct RtcpNoRoom;

/// Builds a compound in a buffer. A packet that does not fit leaves the compound as it was.
///
/// Leave `Profile::rtcp_overhead` bytes of the buffer for SRTCP: hand the writer the shorter slice.
pub struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// Starts an empty compound.
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    /// Length of the compound so far.
    pub const fn len(&self) -> usize {
        self.at
    }

    /// Whether nothing was written yet.
    pub const fn is_empty(&self) -> bool {
        self.at == 0
    }

    /// Bytes left in the buffer.
    pub const fn room(&self) -> usize {
        self.out.len() - self.at
    }

    /// Reserves a packet of `body_len` bytes (padded to words with zeros) and returns its body.
    pub(super) fn packet(
        &mut self,
        packet_type: u8,
        format: u8,
        body_len: usize,
    ) -> Result<&mut [u8], RtcpNoRoom> {
        let padded = body_len.next_multiple_of(4);
        let words = u16::try_from(padded / 4).map_err(|_| RtcpNoRoom)?;
        let space = self
            .out
            .get_mut(self.at..self.at + 4 + padded)
            .ok_or(RtcpNoRoom)?;
        self.at += 4 + padded;
        let (head, body) = space.split_at_mut(4);
        head[0] = 0x80 | (format & 0x1f);
        head[1] = packet_type;
        head[2..].copy_from_slice(&words.to_be_bytes());
        body.fill(0);
        Ok(body)
    }
}

/// Big-endian numbers at a place that the caller has checked or that yields `None`.
pub(super) fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
