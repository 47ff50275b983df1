//! Which part of a video track a receiver gets, and what it costs.

/// A layer, with all that it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    /// Simulcast encoding or spatial layer; 0 is the smallest picture.
    pub spatial: u8,
    /// Temporal layer; 0 is the lowest frame rate.
    pub temporal: u8,
}

/// What a layer costs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerRate {
    /// The layer.
    pub layer: Layer,
    /// Of RTP packets with all that the layer needs, in bits a second.
    pub bits_per_second: u64,
}
