//! What kind of packet arrived on the one socket that all protocols share.
//!
//! RFC 7983 section 7 (first byte) and RFC 5761 section 4 (RTP or RTCP). It looks at two bytes and
//! promises nothing about the rest.

/// The protocol a datagram belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// STUN, to the ICE agent.
    Stun,
    /// DTLS, to the handshake.
    Dtls,
    /// SRTP.
    Rtp,
    /// SRTCP.
    Rtcp,
    /// Anything else: ZRTP, TURN channels, noise. Dropped.
    Unknown,
}

/// Sorts a datagram by its first bytes.
pub const fn classify(datagram: &[u8]) -> PacketKind {
    match datagram {
        [0..=3, ..] => PacketKind::Stun,
        [20..=63, ..] => PacketKind::Dtls,
        // RFC 5761: RTCP packet types 192 to 223 are the RTP payload types 64 to 95 with the marker
        // bit, which nobody may negotiate beside rtcp-mux.
        [128..=191, 192..=223, ..] => PacketKind::Rtcp,
        [128..=191, _, ..] => PacketKind::Rtp,
        _ => PacketKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7983 section 7, figure 3.
    #[test]
    fn every_first_byte_has_its_protocol() {
        for first in 0..=255_u8 {
            let expected = match first {
                0..=3 => PacketKind::Stun,
                20..=63 => PacketKind::Dtls,
                128..=191 => PacketKind::Rtp,
                _ => PacketKind::Unknown,
            };
            assert_eq!(classify(&[first, 96]), expected, "first byte {first}");
        }
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_its_second_byte() {
        assert_eq!(classify(&[0x80, 200]), PacketKind::Rtcp);
        assert_eq!(classify(&[0x8f, 205]), PacketKind::Rtcp);
        assert_eq!(classify(&[0x80, 0x80 | 96]), PacketKind::Rtp);
        assert_eq!(classify(&[0x80, 191]), PacketKind::Rtp);
        assert_eq!(classify(&[0x80, 224]), PacketKind::Rtp);
    }

    #[test]
    fn too_little_is_unknown() {
        assert_eq!(classify(&[]), PacketKind::Unknown);
        assert_eq!(classify(&[0x80]), PacketKind::Unknown);
    }
}
