//! Where one message ends and the next begins on a stream (RFC 8656 section 12.5, RFC 8489 section 6.2.2).

/// Longest message that is taken from a stream: a datagram of ours, with what TURN puts around it.
pub(super) const FRAME_LEN_MAX: usize = 2_048;

/// What the first bytes of a stream say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// More bytes are needed.
    Incomplete,
    /// A whole message is there.
    Whole(Frame),
    /// These bytes begin neither a STUN message nor channel data of a length that is taken: the end.
    Broken,
}

/// How long a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Its own bytes.
    pub(super) len: usize,
    /// And the padding after it.
    pub(super) padded: usize,
}

/// Finds the first message of what was read from a stream.
pub(super) fn frame(bytes: &[u8]) -> Framing {
    let &[first, _, high, low, ..] = bytes else {
        let first = bytes.first().copied().unwrap_or_default();
        return if is_stun(first) || is_channel(first) {
            Framing::Incomplete
        } else {
            Framing::Broken
        };
    };
    let announced = usize::from(u16::from_be_bytes([high, low]));
    let frame = match first {
        // A STUN message's length is a multiple of four.
        _ if is_stun(first) && announced.is_multiple_of(4) => Frame {
            len: 20 + announced,
            padded: 20 + announced,
        },
        _ if is_channel(first) => Frame {
            len: 4 + announced,
            padded: (4 + announced).next_multiple_of(4),
        },
        _ => return Framing::Broken,
    };
    if frame.padded > FRAME_LEN_MAX {
        Framing::Broken
    } else if bytes.len() < frame.padded {
        Framing::Incomplete
    } else {
        Framing::Whole(frame)
    }
}

/// RFC 8656 section 12: the first byte tells.
pub(super) const fn is_stun(first: u8) -> bool {
    first <= 3
}

/// Channels 0x4000 to 0x4fff.
pub(super) const fn is_channel(first: u8) -> bool {
    matches!(first, 0x40..=0x4f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_by_their_own_lengths() {
        let whole = |len, padded| Framing::Whole(Frame { len, padded });
        assert_eq!(frame(&[]), Framing::Incomplete);
        assert_eq!(frame(&[0x40, 0, 0]), Framing::Incomplete);
        assert_eq!(frame(&[0x40, 0, 0, 5, 1, 2, 3, 4, 5]), Framing::Incomplete);
        let channel = [0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0x40];
        assert_eq!(frame(&channel), whole(9, 12));
        let mut stun = [0; 28];
        stun[3] = 8;
        assert_eq!(frame(&stun), whole(28, 28));
        assert_eq!(frame(&stun[..27]), Framing::Incomplete);
    }

    #[test]
    fn what_is_no_message_or_too_long_ends_the_stream() {
        for bytes in [
            &b"GET / HTTP/1.1"[..],
            &[0x16, 3, 1, 2],
            &[0, 1, 0, 3],
            &[0x80],
        ] {
            assert_eq!(frame(bytes), Framing::Broken);
        }
        assert_eq!(frame(&[0x40, 0, 0xff, 0xff]), Framing::Broken);
        assert_eq!(frame(&[0, 1, 0xff, 0xfc]), Framing::Broken);
    }

    #[test]
    fn it_finds_no_message_beyond_the_bytes_whatever_they_are() {
        let mut seed = 7_u32;
        for round in 0..20_000 {
            let bytes: Vec<u8> = (0..round % 40)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8 & 0x4f
                })
                .collect();
            if let Framing::Whole(frame) = frame(&bytes) {
                assert!(frame.len <= frame.padded && frame.padded <= bytes.len());
            }
        }
    }
}
