//! The dependency descriptor of a picture without layers (AV1 RTP specification, appendix A).
//!
//! An SFU that holds no key learns from it what is a key frame and what depends on what. We write one
//! stream: template 0 is a key frame, template 1 depends on the frame before. We read only what an
//! assembler needs.

/// What one packet's descriptor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) start_of_frame: bool,
    pub(super) end_of_frame: bool,
    pub(super) frame_number: u16,
    /// The template structure is attached: the first packet of a key frame.
    pub(super) key_frame: bool,
}

const KEY_TEMPLATE: u8 = 0;
const DELTA_TEMPLATE: u8 = 1;

impl Descriptor {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, high, low, rest @ ..] = bytes else {
            return None;
        };
        Some(Self {
            start_of_frame: first & 0x80 != 0,
            end_of_frame: first & 0x40 != 0,
            frame_number: u16::from_be_bytes([*high, *low]),
            key_frame: rest.first().is_some_and(|flags| flags & 0x80 != 0),
        })
    }

    /// `key` tells whether the frame is a key frame; its first packet carries the structure.
    pub(super) fn write(self, key: bool) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.put(u32::from(self.start_of_frame), 1);
        bits.put(u32::from(self.end_of_frame), 1);
        bits.put(
            u32::from(if key { KEY_TEMPLATE } else { DELTA_TEMPLATE }),
            6,
        );
        bits.put(u32::from(self.frame_number), 16);
        if self.key_frame {
            // Structure present; no active decode targets, no custom DTIs, diffs or chains.
            bits.put(0b10000, 5);
            structure(&mut bits);
        }
        bits.bytes
    }
}

/// One decode target, one chain, two templates, no resolution.
fn structure(bits: &mut Bits) {
    bits.put(0, 6); // template_id_offset
    bits.put(0, 5); // dt_cnt_minus_one
    bits.put(0, 2); // template 0, then one more in the same layer
    bits.put(3, 2); // template 1, the last
    bits.put(2, 2); // template 0: switch
    bits.put(2, 2); // template 1: switch
    bits.put(0, 1); // template 0 depends on nothing
    bits.put(0b1_0000, 5); // template 1: a difference follows, of 1 (minus one: 0)
    bits.put(0, 1); // and no more
    bits.put(1, 1); // one chain, as ns(2); which protects the one target, as ns(1): no bits
    bits.put(0, 4); // template 0 begins the chain
    bits.put(1, 4); // template 1: the frame before is in the chain
    bits.put(0, 1); // no resolutions
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
    fn what_is_written_is_read() {
        for key_frame in [true, false] {
            let descriptor = Descriptor {
                start_of_frame: true,
                end_of_frame: !key_frame,
                frame_number: 0xbeef,
                key_frame,
            };
            let bytes = descriptor.write(key_frame);
            assert_eq!(Descriptor::parse(&bytes), Some(descriptor));
            // One-byte header extensions carry sixteen bytes at most.
            assert!(bytes.len() <= 16 && (bytes.len() > 3) == key_frame);
        }
        assert_eq!(Descriptor::parse(&[1, 2]), None);
    }

    #[test]
    fn the_structure_has_its_bits_where_the_specification_puts_them() {
        let descriptor = Descriptor {
            start_of_frame: true,
            end_of_frame: true,
            frame_number: 1,
            key_frame: true,
        };
        let written = descriptor.write(true);
        let bits: String = written.iter().map(|byte| format!("{byte:08b}")).collect();
        let wanted = "11000000".to_owned()
            + "0000000000000001"
            + "10000"
            + "000000"
            + "00000"
            + "0011"
            + "1010"
            + "0"
            + "100000"
            + "1"
            + "00000001"
            + "0";
        assert!(bits.starts_with(&wanted), "{bits}");
        assert_eq!(written.len(), wanted.len().div_ceil(8));
    }
}
