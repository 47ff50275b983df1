//! The KID of a frame: the sender's leaf and the lower bits of the epoch (RFC 9605, section 5.2).

/// E: enough that keys of two epochs in use at once never share a KID.
const EPOCH_BITS: u32 = 4;

/// S: leaves up to 4,095; one byte of header for the first sixteen.
const LEAF_BITS: u32 = 12;

/// (leaf << 4) | (epoch & 15), context 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(u64);

impl KeyId {
    /// `None` for a leaf that does not fit, which no call reaches.
    pub fn new(leaf: u32, epoch: u64) -> Option<Self> {
        let fits = leaf >> LEAF_BITS == 0;
        let epoch_bits = u64::from(Self::epoch_bits_of(epoch));
        fits.then(|| Self((u64::from(leaf) << EPOCH_BITS) | epoch_bits))
    }

    /// A KID as received; `None` for one of another context than 0.
    pub fn from_wire(value: u64) -> Option<Self> {
        (value >> (EPOCH_BITS + LEAF_BITS) == 0).then_some(Self(value))
    }

    pub fn value(self) -> u64 {
        self.0
    }

    pub fn leaf(self) -> u32 {
        u32::try_from(self.0 >> EPOCH_BITS).expect("a KID has sixteen bits")
    }

    pub fn epoch_bits(self) -> u8 {
        Self::epoch_bits_of(self.0)
    }

    pub fn epoch_bits_of(epoch: u64) -> u8 {
        (epoch & ((1 << EPOCH_BITS) - 1)) as u8
    }
}
