//! The dependency descriptor of an encoding without layers (AV1 RTP specification, appendix A), as `str0m`
//! writes it: what tells a node without a key where a key frame begins.
//!
//! Written anew here, so that it shares no mistake with the node's own reader.

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

const URI: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// One packet's place in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// It begins the frame.
    pub first: bool,
    /// It ends the frame.
    pub last: bool,
    /// The frame's number.
    pub frame: u16,
    /// The frame is a key frame of this size.
    pub key: Option<(u16, u16)>,
}

impl Descriptor {
    /// Its bytes: at most sixteen, as a one-byte extension holds.
    pub fn bytes(&self) -> Vec<u8> {
        let template = u32::from(self.key.is_none());
        let mut bits = Bits::default();
        bits.put(u32::from(self.first), 1);
        bits.put(u32::from(self.last), 1);
        bits.put(template, 6);
        bits.put(u32::from(self.frame), 16);
        if let Some((width, height)) = self.key.filter(|_| self.first) {
            // The structure is there; nothing else is.
            bits.put(0b1_0000, 5);
            bits.put(0, 6 + 5); // the first template's id, and one decode target
            bits.put(0, 2); // another template in the same layer
            bits.put(3, 2); // and no more
            bits.put(0b1010, 4); // both may be switched to
            bits.put(0, 1); // the first depends on nothing
            bits.put(0b10_0000, 6); // the second on the frame before, and on no other
            bits.put(1, 1); // one chain, which protects the one target
            bits.put(0, 4); // the first template begins it
            bits.put(1, 4); // the second continues it from the frame before
            bits.put(1, 1); // the size follows
            bits.put(u32::from(width - 1), 16);
            bits.put(u32::from(height - 1), 16);
        }
        bits.bytes
    }
}

/// The extension, for a peer's configuration.
pub fn extension() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(descriptor) = values.user_values.get::<Descriptor>() else {
            return 0;
        };
        let bytes = descriptor.bytes();
        buffer[..bytes.len()].copy_from_slice(&bytes);
        bytes.len()
    }

    fn parse_value(&self, _: &[u8], _: &mut ExtensionValues) -> bool {
        // A receiver here does not decode.
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = (value >> place & 1) as u8;
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_carries_the_structure_and_the_size_within_sixteen_bytes() {
        let mut descriptor = Descriptor {
            first: true,
            last: false,
            frame: 0xbeef,
            key: Some((1_280, 720)),
        };
        let bytes = descriptor.bytes();
        assert_eq!(&bytes[..3], &[0x80, 0xbe, 0xef]);
        assert!(
            bytes[3] & 0x80 != 0 && (4..=16).contains(&bytes.len()),
            "{bytes:?}"
        );
        descriptor.first = false;
        assert_eq!(descriptor.bytes(), [0x00, 0xbe, 0xef]);
        descriptor.key = None;
        descriptor.last = true;
        assert_eq!(descriptor.bytes(), [0x41, 0xbe, 0xef]);
    }
}
