//! Dependency descriptors of a stream of one layer, written beside frames of one packet.

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

const URI: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// A descriptor as it is written.
#[derive(Debug)]
pub struct Descriptor(pub Vec<u8>);

impl Descriptor {
    /// A key frame carries the structure: one decode target, one chain, and the templates of a key frame and of
    /// a frame that needs the one before it.
    pub fn new(key: bool, number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        if !key {
            return Self(vec![0xc0 | 1, high, low]);
        }
        // Flags, offset, decode targets; layers; indications; differences; chains; no resolutions.
        let bits = "10000_000000_00000_00_11_10_10_0_1_0000_0_1_0000_0001_0";
        let bits: Vec<u8> = bits.bytes().filter(|bit| *bit != b'_').collect();
        let structure = bits.chunks(8).map(|chunk| {
            let set = chunk.iter().enumerate().filter(|(_, bit)| **bit == b'1');
            set.map(|(at, _)| 0x80_u8 >> at).sum::<u8>()
        });
        Self([0xc0, high, low].into_iter().chain(structure).collect())
    }
}

impl Descriptor {
    /// One packet of a frame of several.
    pub fn part(key: bool, number: u16, first: bool, last: bool) -> Self {
        let Self(mut bytes) = Self::new(key && first, number);
        bytes[0] = u8::from(first) << 7 | u8::from(last) << 6 | u8::from(!key);
        Self(bytes)
    }
}

pub fn extension() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(Descriptor(bytes)) = values.user_values.get::<Descriptor>() else {
            return 0;
        };
        buffer[..bytes.len()].copy_from_slice(bytes);
        bytes.len()
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        values.user_values.set(Descriptor(bytes.to_vec()));
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }
}
