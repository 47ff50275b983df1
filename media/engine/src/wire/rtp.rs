//! A borrowed view of one RTP packet and in-place rewriting of its fixed header (RFC 3550 section 5.1).
//!
//! The view is parsed once and is `Copy`, so that a packet forwarded to fifty receivers is read once.

use super::extension::{ExtensionForm, ExtensionMap, Extensions, remap_in_place};
use super::ids::{ExtensionId, PayloadType, Ssrc};

/// Length of the fixed RTP header.
pub const FIXED_HEADER_LEN: usize = 12;

/// Longest packet that is read: UDP carries no more.
pub const RTP_LEN_MAX: usize = 65_535;

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// The bytes end inside the header.
    #[error("packet ends inside its header")]
    Truncated,
    /// More bytes than a datagram can carry.
    #[error("packet is longer than a datagram")]
    TooLong,
    /// Version is not 2.
    #[error("unknown version {0}")]
    Version(u8),
    /// The padding count is zero or reaches into the header.
    #[error("padding count {0} does not fit")]
    Padding(u8),
}

/// Where the parts of a packet are. Holds no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderLayout {
    /// Bytes before the payload: fixed header, CSRCs and extension block. This is what SRTP leaves clear.
    pub header_len: usize,
    /// The form of the extension block, if there is one that RFC 8285 defines.
    pub extension_form: Option<ExtensionForm>,
    /// Start of the extension elements, after the block's own four bytes.
    pub extension_start: usize,
}

impl HeaderLayout {
    /// Finds the end of the header. Does not look at padding, which is encrypted in SRTP.
    pub fn parse(bytes: &[u8]) -> Result<Self, RtpError> {
        if bytes.len() > RTP_LEN_MAX {
            return Err(RtpError::TooLong);
        }
        let fixed: &[u8; FIXED_HEADER_LEN] = bytes.first_chunk().ok_or(RtpError::Truncated)?;
        let version = fixed[0] >> 6;
        if version != 2 {
            return Err(RtpError::Version(version));
        }
        let csrcs_end = FIXED_HEADER_LEN + usize::from(fixed[0] & 0x0f) * 4;
        if fixed[0] & 0x10 == 0 {
            if bytes.len() < csrcs_end {
                return Err(RtpError::Truncated);
            }
            return Ok(Self {
                header_len: csrcs_end,
                extension_form: None,
                extension_start: csrcs_end,
            });
        }
        let rest = bytes.get(csrcs_end..).ok_or(RtpError::Truncated)?;
        let block: &[u8; 4] = rest.first_chunk().ok_or(RtpError::Truncated)?;
        let profile = u16::from_be_bytes([block[0], block[1]]);
        let words = usize::from(u16::from_be_bytes([block[2], block[3]]));
        let extension_start = csrcs_end + 4;
        let header_len = extension_start + words * 4;
        if bytes.len() < header_len {
            return Err(RtpError::Truncated);
        }
        let extension_form = ExtensionForm::from_profile(profile);
        Ok(Self {
            header_len,
            extension_form,
            extension_start,
        })
    }
}

/// A parsed packet in clear form, that is before SRTP protection or after its removal.
#[derive(Clone, Copy)]
pub struct RtpPacket<'a> {
    bytes: &'a [u8],
    layout: HeaderLayout,
    padding_len: u8,
}

impl<'a> RtpPacket<'a> {
    /// Reads a whole clear packet, its padding included.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RtpError> {
        let layout = HeaderLayout::parse(bytes)?;
        let padding_len = padding_len(bytes, &layout)?;
        Ok(Self {
            bytes,
            layout,
            padding_len,
        })
    }

    /// The whole packet.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The marker bit: for video the last packet of a frame, for audio the first of a talk spurt.
    pub fn marker(&self) -> bool {
        self.bytes[1] & 0x80 != 0
    }

    /// Payload type.
    pub fn payload_type(&self) -> PayloadType {
        PayloadType::from_low_bits(self.bytes[1])
    }

    /// Sequence number.
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    /// Timestamp, in the payload type's clock.
    pub fn timestamp(&self) -> u32 {
        u32::from_be_bytes([self.bytes[4], self.bytes[5], self.bytes[6], self.bytes[7]])
    }

    /// Synchronisation source.
    pub fn ssrc(&self) -> Ssrc {
        Ssrc(u32::from_be_bytes([
            self.bytes[8],
            self.bytes[9],
            self.bytes[10],
            self.bytes[11],
        ]))
    }

    /// Contributing sources, at most 15.
    pub fn csrcs(&self) -> impl Iterator<Item = Ssrc> + 'a {
        let count = usize::from(self.bytes[0] & 0x0f);
        let list = &self.bytes[FIXED_HEADER_LEN..FIXED_HEADER_LEN + count * 4];
        list.chunks_exact(4)
            .map(|c| Ssrc(u32::from_be_bytes([c[0], c[1], c[2], c[3]])))
    }

    /// Header extension elements in order. A malformed element ends the list.
    pub fn extensions(&self) -> Extensions<'a> {
        let block = &self.bytes[self.layout.extension_start..self.layout.header_len];
        Extensions::new(self.layout.extension_form, block)
    }

    /// The value of the first extension element with this id.
    pub fn extension(&self, id: ExtensionId) -> Option<&'a [u8]> {
        self.extensions()
            .find(|(found, _)| *found == id)
            .map(|(_, value)| value)
    }

    /// Bytes before the payload.
    pub fn header_len(&self) -> usize {
        self.layout.header_len
    }

    /// The payload, without padding. Empty in a padding-only (probe) packet.
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[self.layout.header_len..self.bytes.len() - usize::from(self.padding_len)]
    }

    /// Bytes of padding at the end, the count byte included; 0 without the P bit.
    pub fn padding_len(&self) -> u8 {
        self.padding_len
    }
}

/// A packet whose fixed header and extension ids can be rewritten where it lies.
pub struct RtpPacketMut<'a> {
    bytes: &'a mut [u8],
    layout: HeaderLayout,
}

impl<'a> RtpPacketMut<'a> {
    /// Checks the header; the payload may be clear or sealed.
    pub fn parse(bytes: &'a mut [u8]) -> Result<Self, RtpError> {
        let layout = HeaderLayout::parse(bytes)?;
        Ok(Self { bytes, layout })
    }

    /// Sets or clears the marker bit.
    pub fn set_marker(&mut self, marker: bool) {
        self.bytes[1] = (self.bytes[1] & 0x7f) | (u8::from(marker) << 7);
    }

    /// Replaces the payload type.
    pub fn set_payload_type(&mut self, payload_type: PayloadType) {
        self.bytes[1] = (self.bytes[1] & 0x80) | payload_type.number();
    }

    /// Replaces the sequence number.
    pub fn set_sequence(&mut self, sequence: u16) {
        self.bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
    }

    /// Replaces the timestamp.
    pub fn set_timestamp(&mut self, timestamp: u32) {
        self.bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
    }

    /// Replaces the SSRC.
    pub fn set_ssrc(&mut self, ssrc: Ssrc) {
        self.bytes[8..12].copy_from_slice(&ssrc.0.to_be_bytes());
    }

    /// Renumbers the extension elements by the map. Elements without a new id, or whose new id the
    /// block's form cannot carry, become padding.
    pub fn remap_extensions(&mut self, map: &ExtensionMap) {
        let block = &mut self.bytes[self.layout.extension_start..self.layout.header_len];
        remap_in_place(self.layout.extension_form, block, map);
    }
}

fn padding_len(bytes: &[u8], layout: &HeaderLayout) -> Result<u8, RtpError> {
    if bytes[0] & 0x20 == 0 {
        return Ok(0);
    }
    let count = bytes[bytes.len() - 1];
    if count == 0 || usize::from(count) > bytes.len() - layout.header_len {
        return Err(RtpError::Padding(count));
    }
    Ok(count)
}
