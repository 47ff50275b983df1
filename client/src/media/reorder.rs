//! Puts packets back into order: waits a little for a missing one, then goes on without it.

use std::collections::BTreeMap;

/// What comes out, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn<T> {
    Packet(T),
    /// One packet is missing for good.
    Lost,
}

/// `held_max` packets may wait behind a gap; then the gap counts as lost.
pub(super) struct Reorder<T> {
    next: Option<u64>,
    held: BTreeMap<u64, T>,
    held_max: usize,
}

/// A jump further than this is a sender that began anew, not loss.
const JUMP: u64 = 3_000;

impl<T> Reorder<T> {
    pub(super) fn new(held_max: usize) -> Self {
        Self {
            next: None,
            held: BTreeMap::new(),
            held_max,
        }
    }

    /// Takes a packet in and gives out what is due now. Old and repeated packets give nothing.
    pub(super) fn insert(&mut self, sequence: u16, packet: T) -> Vec<Turn<T>> {
        let next = *self.next.get_or_insert(u64::from(sequence) + (1 << 32));
        let extended = extend(sequence, next);
        if extended.abs_diff(next) > JUMP {
            self.held.clear();
            self.next = Some(extended);
        } else if extended < next {
            return Vec::new();
        }
        self.held.insert(extended, packet);
        let mut turns = Vec::new();
        self.drain(&mut turns);
        while self.held.len() > self.held_max {
            // Behind a gap, and enough has arrived since: go on.
            self.next = self.next.map(|missing| missing + 1);
            turns.push(Turn::Lost);
            self.drain(&mut turns);
        }
        turns
    }

    fn drain(&mut self, turns: &mut Vec<Turn<T>>) {
        while let Some(next) = self.next
            && let Some(packet) = self.held.remove(&next)
        {
            turns.push(Turn::Packet(packet));
            self.next = Some(next + 1);
        }
    }
}

/// The full number nearest to `near` whose lower sixteen bits are `sequence`.
fn extend(sequence: u16, near: u64) -> u64 {
    let distance = sequence.wrapping_sub(near as u16) as i16;
    near.wrapping_add_signed(i64::from(distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(held_max: usize, sequences: &[u16]) -> Vec<Turn<u16>> {
        let mut reorder = Reorder::new(held_max);
        sequences
            .iter()
            .flat_map(|sequence| reorder.insert(*sequence, *sequence))
            .collect()
    }

    #[test]
    fn packets_come_out_in_order_and_once() {
        use Turn::Packet;
        let turns = run(4, &[65_534, 0, 65_535, 65_535, 2, 1, 0]);
        assert_eq!(
            turns,
            [
                Packet(65_534),
                Packet(65_535),
                Packet(0),
                Packet(1),
                Packet(2)
            ]
        );
    }

    #[test]
    fn a_gap_is_waited_for_and_then_given_up() {
        use Turn::{Lost, Packet};
        assert_eq!(run(2, &[10, 12, 13]), [Packet(10)]);
        assert_eq!(
            run(2, &[10, 12, 13, 14, 11, 15]),
            [
                Packet(10),
                Lost,
                Packet(12),
                Packet(13),
                Packet(14),
                Packet(15)
            ]
        );
    }

    #[test]
    fn a_sender_that_begins_anew_is_followed() {
        use Turn::Packet;
        assert_eq!(
            run(2, &[10, 40_000, 40_001]),
            [Packet(10), Packet(40_000), Packet(40_001)]
        );
    }
}
