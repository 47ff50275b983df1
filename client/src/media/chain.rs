//! Which frames can be decoded: those whose predecessors were all handed on, and key frames.
//!
//! A VP8 decoder does not notice that a frame is missing; it shows a broken picture until the next key
//! frame. So a hole is found here, by the numbers in the dependency descriptor: one stream without
//! layers, in which each frame depends on the one before.

use super::picture::VideoFrame;
use super::reorder::{Reorder, Turn};

/// Frames that may wait for an earlier one, whose packets may be sent again: a quarter of a second.
const HELD_MAX: usize = 8;

pub(super) struct Chain {
    order: Reorder<VideoFrame>,
    /// Nothing can be decoded until a key frame comes.
    broken: bool,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            order: Reorder::new(HELD_MAX),
            broken: true,
        }
    }
}

impl Chain {
    /// Takes a frame in, and gives out those that can be decoded now.
    pub(super) fn insert(&mut self, number: u16, frame: VideoFrame) -> Vec<VideoFrame> {
        let mut due = Vec::new();
        for turn in self.order.insert(number, frame) {
            match turn {
                Turn::Packet(frame) => {
                    self.broken &= !frame.key;
                    if !self.broken {
                        due.push(frame);
                    }
                }
                Turn::Lost => self.broken = true,
            }
        }
        due
    }

    /// The same for a frame without a number, whose order nobody knows: only the beginning is waited for.
    pub(super) fn unnumbered(&mut self, frame: VideoFrame) -> Vec<VideoFrame> {
        self.broken &= !frame.key;
        if self.broken { Vec::new() } else { vec![frame] }
    }

    /// A frame did not reach the decoder, or did not decode.
    pub(super) fn tear(&mut self) {
        self.broken = true;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the frames that are due; those in `keys` are key frames.
    fn due(chain: &mut Chain, numbers: impl IntoIterator<Item = u16>, keys: &[u16]) -> Vec<u16> {
        let frame = |number: u16| VideoFrame {
            data: number.to_be_bytes().to_vec(),
            key: keys.contains(&number),
        };
        let frames = numbers
            .into_iter()
            .flat_map(|number| chain.insert(number, frame(number)));
        frames
            .map(|frame| u16::from_be_bytes([frame.data[0], frame.data[1]]))
            .collect()
    }

    #[test]
    fn it_begins_with_a_key_frame_and_keeps_the_order() {
        let mut chain = Chain::default();
        assert_eq!(due(&mut chain, [65_534], &[]), [0; 0]);
        assert!(chain.is_broken());
        let numbers = [65_535, 1, 0, 2];
        assert_eq!(due(&mut chain, numbers, &[65_535]), [65_535, 0, 1, 2]);
        assert!(!chain.is_broken());
    }

    #[test]
    fn after_a_hole_nothing_is_due_before_the_next_key_frame() {
        let mut chain = Chain::default();
        assert_eq!(due(&mut chain, [1, 2], &[1]), [1, 2]);
        assert_eq!(due(&mut chain, 4..=12, &[]), [0; 0]);
        assert!(chain.is_broken());
        assert_eq!(due(&mut chain, [13, 14, 15], &[14]), [14, 15]);
    }

    #[test]
    fn a_torn_chain_is_mended_by_a_key_frame() {
        let mut chain = Chain::default();
        assert_eq!(due(&mut chain, [1, 2], &[1]), [1, 2]);
        chain.tear();
        assert_eq!(due(&mut chain, [3, 4, 5], &[4]), [4, 5]);
    }
}
