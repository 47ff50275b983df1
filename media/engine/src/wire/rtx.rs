//! Turns a received retransmission back into the packet that was lost (RFC 4588 section 4).
//!
//! The other direction is `forward::write_rtx`, which writes from the publisher's ring.

use super::ids::{PayloadType, Ssrc};
use super::rtp::{RtpError, RtpPacket, RtpPacketMut};

/// Why a packet is not a retransmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RtxError {
    /// Not an RTP packet at all.
    #[error("not an rtp packet: {0}")]
    Rtp(#[from] RtpError),
    /// No payload: senders probe for bandwidth with padding on the RTX stream.
    #[error("padding only")]
    PaddingOnly,
    /// A payload too short for the original sequence number.
    #[error("payload of one byte")]
    Truncated,
}

/// Restores the original packet inside the clear RTX packet's own buffer and returns it: the sequence
/// number from the payload, the original stream's SSRC and payload type from the negotiation. Timestamp,
/// marker, extensions and padding are those of the retransmission, which repeats them.
pub fn restore(
    packet: &mut [u8],
    original_ssrc: Ssrc,
    original_payload_type: PayloadType,
) -> Result<&mut [u8], RtxError> {
    let view = RtpPacket::parse(packet)?;
    let header_len = view.header_len();
    let sequence = match view.payload() {
        [] => return Err(RtxError::PaddingOnly),
        [high, low, ..] => u16::from_be_bytes([*high, *low]),
        [_] => return Err(RtxError::Truncated),
    };
    // The header moves up by the two bytes of the sequence number; the payload stays where it is.
    packet.copy_within(..header_len, 2);
    let original = &mut packet[2..];
    let mut header = RtpPacketMut::parse(original)?;
    header.set_sequence(sequence);
    header.set_ssrc(original_ssrc);
    header.set_payload_type(original_payload_type);
    Ok(original)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTX: [u8; 19] = [
        0xb0, 0x61, 0, 9, 0, 0, 0, 7, 0, 0, 0, 2, 0xbe, 0xde, 0, 0, 0x12, 0x34, 0xaa,
    ];

    fn rtx() -> Vec<u8> {
        let mut packet = RTX.to_vec();
        packet[0] = 0x90;
        packet
    }

    // RFC 4588 section 4, figure 1.
    #[test]
    fn the_original_packet_comes_back() {
        let mut packet = rtx();
        let payload_type = PayloadType::new(96).expect("in range");
        let original = restore(&mut packet, Ssrc(77), payload_type).expect("well formed");
        let view = RtpPacket::parse(original).expect("still rtp");
        assert_eq!(view.sequence(), 0x1234);
        assert_eq!(view.ssrc(), Ssrc(77));
        assert_eq!(view.payload_type(), payload_type);
        assert_eq!(view.timestamp(), 7);
        assert_eq!(view.payload(), [0xaa]);
    }

    #[test]
    fn padding_stays_padding() {
        let mut packet = rtx();
        packet[0] |= 0x20;
        packet.extend([0, 0, 3]);
        let payload_type = PayloadType::new(96).expect("in range");
        let original = restore(&mut packet, Ssrc(77), payload_type).expect("well formed");
        let view = RtpPacket::parse(original).expect("still rtp");
        assert_eq!(view.payload(), [0xaa]);
        assert_eq!(view.padding_len(), 3);
    }

    #[test]
    fn probes_and_stumps_are_told_apart() {
        let payload_type = PayloadType::new(96).expect("in range");
        let mut empty = rtx();
        empty.truncate(16);
        assert_eq!(
            restore(&mut empty, Ssrc(1), payload_type),
            Err(RtxError::PaddingOnly)
        );
        let mut stump = rtx();
        stump.truncate(17);
        assert_eq!(
            restore(&mut stump, Ssrc(1), payload_type),
            Err(RtxError::Truncated)
        );
        let mut short = rtx();
        short.truncate(13);
        let error = RtxError::Rtp(RtpError::Truncated);
        assert_eq!(restore(&mut short, Ssrc(1), payload_type), Err(error));
    }
}
