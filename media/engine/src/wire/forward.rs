//! Writes a publisher's packet into a receiver's buffer with the receiver's own header.
//!
//! The payload is copied once and never read: it is end-to-end encrypted. CSRCs are not forwarded (no
//! WebRTC publisher mixes) and neither is the publisher's padding, which is the sender's probing and
//! would be counted wrongly downstream.

use super::extension::{ExtensionForm, ExtensionMap};
use super::ids::{ExtensionId, PayloadType, Ssrc};
use super::rtp::{FIXED_HEADER_LEN, RtpPacket};

/// Bytes that every written packet leaves free behind it for the SRTP tag (the GCM tag is the longest).
pub const SEAL_ROOM: usize = 16;

/// What a receiver sees instead of the publisher's header.
#[derive(Clone, Copy)]
pub struct Rewrite<'a> {
    /// The receiver's payload type.
    pub payload_type: PayloadType,
    /// The receiver's sequence number.
    pub sequence: u16,
    /// The receiver's timestamp.
    pub timestamp: u32,
    /// The receiver's SSRC.
    pub ssrc: Ssrc,
    /// `None` keeps the publisher's marker bit.
    pub marker: Option<bool>,
    /// Which extensions pass, and under which ids.
    pub extensions: &'a ExtensionMap,
    /// Elements of the receiver's own, such as the mid; they win over forwarded ones of the same id.
    pub insert: &'a [(ExtensionId, &'a [u8])],
    /// The transport-wide sequence number, under the receiver's id.
    pub transport_sequence: Option<(ExtensionId, u16)>,
    /// Replaces the frame number in the dependency descriptor forwarded under this (outgoing) id.
    pub frame_number: Option<(ExtensionId, u16)>,
    /// Padding bytes to append, for GSO trains of equal length or for probing; 0 for none.
    pub padding: u8,
}

/// Why a packet was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The buffer is shorter than the packet and `SEAL_ROOM`.
    #[error("no room for the packet and its seal")]
    NoRoom,
}

/// Writes `packet` as `rewrite` says. Returns the clear packet's length; at least `SEAL_ROOM` bytes of
/// `out` follow it.
pub fn write_forwarded(
    packet: &RtpPacket<'_>,
    rewrite: &Rewrite<'_>,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    write(Some(packet), None, rewrite, out)
}

/// Writes `packet` as a retransmission (RFC 4588): `rewrite` describes the RTX stream and
/// `original_sequence` is the number under which this receiver missed the packet.
pub fn write_rtx(
    packet: &RtpPacket<'_>,
    original_sequence: u16,
    rewrite: &Rewrite<'_>,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    write(Some(packet), Some(original_sequence), rewrite, out)
}

/// Writes the retransmission of a packet of nothing but `rewrite.padding` bytes of padding.
pub fn write_rtx_padding(
    original_sequence: u16,
    rewrite: &Rewrite<'_>,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    write(None, Some(original_sequence), rewrite, out)
}

/// Writes a packet of nothing but `rewrite.padding` bytes of padding, to probe for bandwidth.
pub fn write_padding(rewrite: &Rewrite<'_>, out: &mut [u8]) -> Result<usize, WriteError> {
    write(None, None, rewrite, out)
}

fn write(
    packet: Option<&RtpPacket<'_>>,
    original_sequence: Option<u16>,
    rewrite: &Rewrite<'_>,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    let room = out.len().checked_sub(SEAL_ROOM).ok_or(WriteError::NoRoom)?;
    let whole = out;
    let out = &mut whole[..room];
    let header: &mut [u8; FIXED_HEADER_LEN] = out.first_chunk_mut().ok_or(WriteError::NoRoom)?;
    let marker = rewrite
        .marker
        .unwrap_or_else(|| packet.is_some_and(RtpPacket::marker));
    header[0] = 0x80;
    header[1] = u8::from(marker) << 7 | rewrite.payload_type.number();
    header[2..4].copy_from_slice(&rewrite.sequence.to_be_bytes());
    header[4..8].copy_from_slice(&rewrite.timestamp.to_be_bytes());
    header[8..12].copy_from_slice(&rewrite.ssrc.0.to_be_bytes());

    let extension_len = write_extensions(packet, rewrite, &mut out[FIXED_HEADER_LEN..])?;
    if extension_len > 0 {
        out[0] |= 0x10;
    }
    let mut at = FIXED_HEADER_LEN + extension_len;
    if let Some(original) = original_sequence {
        put(out, &mut at, &original.to_be_bytes())?;
    }
    if let Some(packet) = packet {
        put(out, &mut at, packet.payload())?;
    }
    pad(whole, at, rewrite.padding)
}

/// Appends `bytes` of padding to the clear packet in `out[..len]`, which has none yet, and returns its new
/// length; `SEAL_ROOM` bytes of `out` follow it.
pub fn pad(out: &mut [u8], len: usize, bytes: u8) -> Result<usize, WriteError> {
    let end = len + usize::from(bytes);
    if bytes == 0 || out[0] & 0x20 != 0 {
        return Ok(len);
    }
    let room = out.len().checked_sub(SEAL_ROOM).ok_or(WriteError::NoRoom)?;
    let padding = out[..room].get_mut(len..end).ok_or(WriteError::NoRoom)?;
    padding.fill(0);
    padding[usize::from(bytes) - 1] = bytes;
    out[0] |= 0x20;
    Ok(end)
}

fn put(out: &mut [u8], at: &mut usize, bytes: &[u8]) -> Result<(), WriteError> {
    let end = *at + bytes.len();
    out.get_mut(*at..end)
        .ok_or(WriteError::NoRoom)?
        .copy_from_slice(bytes);
    *at = end;
    Ok(())
}

/// Writes the extension block and returns its length, 0 when nothing is to be written.
fn write_extensions(
    packet: Option<&RtpPacket<'_>>,
    rewrite: &Rewrite<'_>,
    out: &mut [u8],
) -> Result<usize, WriteError> {
    // Nearly every packet fits the one-byte form, so it is tried first; a descriptor with a structure
    // (longer than 16 bytes) comes once in a key frame and is written again in the two-byte form.
    match write_elements(ExtensionForm::OneByte, packet, rewrite, out)? {
        Written::Block(len) => Ok(len),
        Written::NeedsTwoByte => {
            match write_elements(ExtensionForm::TwoByte, packet, rewrite, out)? {
                Written::Block(len) => Ok(len),
                Written::NeedsTwoByte => Ok(0),
            }
        }
    }
}

enum Written {
    Block(usize),
    NeedsTwoByte,
}

fn write_elements(
    form: ExtensionForm,
    packet: Option<&RtpPacket<'_>>,
    rewrite: &Rewrite<'_>,
    out: &mut [u8],
) -> Result<Written, WriteError> {
    let mut block = Block {
        form,
        out,
        at: 4,
        unfit: false,
    };
    if let Some(packet) = packet {
        for (incoming, value) in packet.extensions() {
            let Some(id) = rewrite.extensions.outgoing(incoming) else {
                continue;
            };
            if rewrite.replaces(id) {
                continue;
            }
            let value_at = block.push(id, value)?;
            if let (Some(at), Some((descriptor, number))) = (value_at, rewrite.frame_number)
                && descriptor == id
                && value.len() >= 3
            {
                block.out[at + 1..at + 3].copy_from_slice(&number.to_be_bytes());
            }
        }
    }
    for (id, value) in rewrite.insert {
        block.push(*id, value)?;
    }
    if let Some((id, sequence)) = rewrite.transport_sequence {
        block.push(id, &sequence.to_be_bytes())?;
    }
    if block.unfit && form == ExtensionForm::OneByte && rewrite.extensions.two_byte_allowed {
        return Ok(Written::NeedsTwoByte);
    }
    block.finish().map(Written::Block)
}

impl Rewrite<'_> {
    /// Whether the receiver's own element of this id takes the place of a forwarded one.
    fn replaces(&self, id: ExtensionId) -> bool {
        self.insert.iter().any(|(own, _)| *own == id)
            || self.transport_sequence.is_some_and(|(own, _)| own == id)
    }
}

/// An extension block under construction. `at` starts behind the block's own four bytes.
struct Block<'a> {
    form: ExtensionForm,
    out: &'a mut [u8],
    at: usize,
    unfit: bool,
}

impl Block<'_> {
    /// Appends an element and returns where its value lies; `None` when the form cannot carry it.
    fn push(&mut self, id: ExtensionId, value: &[u8]) -> Result<Option<usize>, WriteError> {
        if !self.form.carries(id, value.len()) {
            self.unfit = true;
            return Ok(None);
        }
        let start = match self.form {
            ExtensionForm::OneByte => self.at + 1,
            ExtensionForm::TwoByte => self.at + 2,
        };
        let end = start + value.len();
        let element = self.out.get_mut(self.at..end).ok_or(WriteError::NoRoom)?;
        match self.form {
            ExtensionForm::OneByte => {
                element[0] = id.number() << 4 | (value.len() - 1) as u8;
                element[1..].copy_from_slice(value);
            }
            ExtensionForm::TwoByte => {
                element[0] = id.number();
                element[1] = value.len() as u8;
                element[2..].copy_from_slice(value);
            }
        }
        self.at = end;
        Ok(Some(start))
    }

    /// Pads to a word, writes the block's header and returns its length.
    fn finish(self) -> Result<usize, WriteError> {
        if self.at == 4 {
            return Ok(0);
        }
        let end = self.at.next_multiple_of(4);
        self.out
            .get_mut(self.at..end)
            .ok_or(WriteError::NoRoom)?
            .fill(0);
        let words = u16::try_from(end / 4 - 1).map_err(|_| WriteError::NoRoom)?;
        self.out[0..2].copy_from_slice(&self.form.profile().to_be_bytes());
        self.out[2..4].copy_from_slice(&words.to_be_bytes());
        Ok(end)
    }
}
