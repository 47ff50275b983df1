//! The small numbers that RTP packets carry, as types that cannot be mixed up.

/// Synchronisation source: names one stream of packets inside a transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssrc(pub u32);

/// RTP payload type, 0 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// `None` above 127: the eighth bit is the marker's.
    pub const fn new(value: u8) -> Option<Self> {
        if value < 128 { Some(Self(value)) } else { None }
    }

    /// The payload type in the low seven bits of a header's second byte.
    pub const fn from_low_bits(byte: u8) -> Self {
        Self(byte & 0x7f)
    }

    /// The number, 0 to 127.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Local id of a header extension, as negotiated by `a=extmap` (RFC 8285): 1 to 255, 0 means padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionId(u8);

impl ExtensionId {
    /// `None` for 0, which RFC 8285 keeps for padding.
    pub const fn new(value: u8) -> Option<Self> {
        if value == 0 { None } else { Some(Self(value)) }
    }

    /// The number, 1 to 255.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Whether sequence number `a` comes after `b`, over the wrap (RFC 1982).
pub const fn sequence_after(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert!(PayloadType::new(127).is_some());
        assert!(PayloadType::new(128).is_none());
        assert!(ExtensionId::new(0).is_none());
        assert_eq!(PayloadType::from_low_bits(0xe0).number(), 0x60);
    }

    #[test]
    fn sequence_order_survives_the_wrap() {
        assert!(sequence_after(1, 0));
        assert!(sequence_after(0, 65_535));
        assert!(!sequence_after(65_535, 0));
        assert!(!sequence_after(7, 7));
    }
}
