//! Loss by sequence numbers: they stand in clear in every packet, so that counting needs no key.

use std::collections::HashMap;

/// A jump of more than this is a new beginning, not a loss.
const JUMP_MAX: i64 = 3_000;

/// How far back a packet is recognised as one that was there already.
const WINDOW: i64 = 64;

/// What one receiver got of one stream.
#[derive(Clone, Copy, Debug)]
struct Stream {
    highest: u64,
    /// The last [`WINDOW`] packets up to the highest, the highest lowest.
    seen: u64,
}

/// What receivers got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets that should have come by their numbers.
    pub expected: u64,
    /// Packets that came, each counted once.
    pub received: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets that were sent again on request.
    pub repaired: u64,
}

/// All streams of one receiver.
#[derive(Debug, Default)]
pub struct Counter {
    streams: HashMap<u32, Stream>,
    /// Payload types of repair.
    repair: Vec<u8>,
}

impl Counter {
    /// `repair`: the payload types that are not media of their own.
    pub fn new(repair: Vec<u8>) -> Self {
        Self {
            streams: HashMap::new(),
            repair,
        }
    }

    /// How many streams of media it has got.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Takes a packet of RTP in.
    pub fn count(&mut self, packet: &[u8], counts: &mut Counts) {
        let [_, kind, high, low, _, _, _, _, s0, s1, s2, s3, ..] = *packet else {
            return;
        };
        if self.repair.contains(&(kind & 0x7f)) {
            counts.repaired += 1;
            return;
        }
        let source = u32::from_be_bytes([s0, s1, s2, s3]);
        let number = u16::from_be_bytes([high, low]);
        match self.streams.get_mut(&source) {
            Some(stream) => stream.take(number, counts),
            None => {
                // Far enough from zero that nothing before it underflows.
                let highest = (1 << 32) + u64::from(number);
                self.streams.insert(source, Stream { highest, seen: 1 });
                counts.expected += 1;
                counts.received += 1;
            }
        }
    }
}

impl Stream {
    fn take(&mut self, number: u16, counts: &mut Counts) {
        let ahead = i64::from(number.wrapping_sub(self.highest as u16) as i16);
        if !(-JUMP_MAX..=JUMP_MAX).contains(&ahead) {
            self.highest = self.highest.wrapping_add_signed(ahead);
            self.seen = 1;
            counts.expected += 1;
            counts.received += 1;
        } else if ahead > 0 {
            self.highest += ahead as u64;
            self.seen = if ahead < WINDOW {
                self.seen << ahead | 1
            } else {
                1
            };
            counts.expected += ahead as u64;
            counts.received += 1;
        } else if -ahead < WINDOW && self.seen >> -ahead & 1 == 1 {
            counts.duplicates += 1;
        } else {
            // Late, but there. Further back than the window nobody knows; it is taken as late too.
            self.seen |= if -ahead < WINDOW { 1 << -ahead } else { 0 };
            counts.received += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, number: u16, source: u32) -> Vec<u8> {
        let mut packet = vec![0x80, kind];
        packet.extend(number.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(source.to_be_bytes());
        packet
    }

    fn counts(packets: impl IntoIterator<Item = Vec<u8>>) -> (Counts, Counter) {
        let (mut counter, mut counts) = (Counter::new(vec![97]), Counts::default());
        for packet in packets {
            counter.count(&packet, &mut counts);
        }
        (counts, counter)
    }

    #[test]
    fn gaps_are_lost_across_the_turn_of_the_numbers() {
        let numbers = [65_533, 65_534, 1, 2];
        let (counts, _) = counts(numbers.map(|number| packet(96, number, 5)));
        assert_eq!((counts.expected, counts.received), (6, 4));
    }

    #[test]
    fn what_comes_late_is_not_lost_and_what_comes_twice_counts_once() {
        let numbers = [10, 12, 11, 11, 12, 13];
        let (counts, _) = counts(numbers.map(|number| packet(96, number, 5)));
        assert_eq!(
            (counts.expected, counts.received, counts.duplicates),
            (4, 4, 2)
        );
    }

    #[test]
    fn streams_are_told_apart_repair_is_none_of_them_and_a_jump_is_a_beginning() {
        let packets = [
            packet(96, 1, 5),
            packet(111, 500, 6),
            packet(96, 2, 5),
            packet(111, 501, 6),
            packet(97, 40_000, 7),
            packet(96, 20_000, 5),
            packet(96, 20_001, 5),
            vec![0x80],
        ];
        let (counts, counter) = counts(packets);
        assert_eq!(
            (counts.expected, counts.received, counts.repaired),
            (6, 6, 1)
        );
        assert_eq!(counter.streams(), 2);
    }
}
