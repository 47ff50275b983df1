//! Reads unsigned numbers bit by bit, most significant bit first.

pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// `f(count)`: `None` when the bytes end first. At most 32 bits.
    pub(crate) fn bits(&mut self, count: u32) -> Option<u32> {
        debug_assert!(count <= 32);
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        Some(self.bits(1)? == 1)
    }

    /// `ns(range)` of the AV1 RTP specification, A.8.1: a number below `range`, in as few bits as
    /// possible.
    pub(crate) fn non_symmetric(&mut self, range: u32) -> Option<u32> {
        let width = u32::BITS - range.leading_zeros();
        if width <= 1 {
            return Some(0);
        }
        let short = (1 << width) - range;
        let value = self.bits(width - 1)?;
        if value < short {
            return Some(value);
        }
        let extra = self.bits(1)?;
        Some((value << 1) - short + extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_most_significant_first() {
        let mut reader = BitReader::new(&[0b1010_0000, 0xff]);
        assert_eq!(reader.bits(3), Some(0b101));
        assert_eq!(reader.flag(), Some(false));
        assert_eq!(reader.bits(12), Some(0x0ff));
        assert_eq!(reader.bits(1), None);
    }

    // AV1 RTP specification A.8.1: ns(5) is 00, 01, 10, 110, 111.
    #[test]
    fn non_symmetric_numbers_use_the_spare_codes() {
        let mut reader = BitReader::new(&[0b0001_1011, 0b0111_0000]);
        let read: Vec<_> = (0..5).map(|_| reader.non_symmetric(5)).collect();
        assert_eq!(read, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(BitReader::new(&[]).non_symmetric(1), Some(0));
    }
}
