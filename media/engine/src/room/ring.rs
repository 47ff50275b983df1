//! The last packets of one published stream, each stored once for all receivers.
//!
//! It holds a second's worth: a ring that is longer than that costs memory, and time as well, since every
//! packet is then written where no cache has been for long. So it begins short, and doubles when a packet
//! would overwrite one that may still be asked for.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Packets kept of an audio stream: 2.5 s of 20 ms packets.
const AUDIO_PACKETS_MAX: usize = 128;

/// Packets kept of a video stream: one second at 5 Mbit/s. Costs at most 0.75 MB a stream.
const VIDEO_PACKETS_MAX: usize = 512;

/// Packets with which a video stream begins: one second at 1 Mbit/s.
const VIDEO_PACKETS_MIN: usize = 128;

/// How long a packet may still be asked for: after that a receiver has given it up.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// Longest packet stored; nothing longer crosses an Ethernet.
pub(super) const PACKET_LEN_MAX: usize = 1_500;

#[derive(Default)]
struct Slot {
    /// The packet's index and arrival.
    kept: Option<(u64, Instant)>,
    /// Reused from packet to packet.
    bytes: Vec<u8>,
}

/// A ring over packet indices; the oldest is overwritten.
pub(super) struct Ring {
    slots: Vec<Slot>,
    slots_max: usize,
    newest: u64,
    /// The first packet of the last key frame, and its arrival.
    key_frame: Option<(u64, Instant)>,
}

impl Ring {
    pub(super) fn audio() -> Self {
        Self::with_slots(AUDIO_PACKETS_MAX, AUDIO_PACKETS_MAX)
    }

    pub(super) fn video() -> Self {
        Self::with_slots(VIDEO_PACKETS_MIN, VIDEO_PACKETS_MAX)
    }

    fn with_slots(count: usize, slots_max: usize) -> Self {
        Self {
            slots: std::iter::repeat_with(Slot::default).take(count).collect(),
            slots_max,
            newest: 0,
            key_frame: None,
        }
    }

    /// Packets that it has room for now.
    pub(super) const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Stores a packet. False when it is there already, too long, or older than all that is kept.
    pub(super) fn store(&mut self, now: Instant, index: u64, packet: &[u8]) -> bool {
        if packet.len() > PACKET_LEN_MAX {
            return false;
        }
        while let Some((kept, at)) = self.slots[self.place(index)].kept {
            if kept >= index {
                return false;
            }
            if self.slots.len() >= self.slots_max || now.saturating_duration_since(at) >= KEPT_FOR {
                break;
            }
            self.grow();
        }
        let place = self.place(index);
        let slot = &mut self.slots[place];
        slot.kept = Some((index, now));
        slot.bytes.clear();
        slot.bytes.extend_from_slice(packet);
        self.newest = self.newest.max(index);
        true
    }

    fn grow(&mut self) {
        let longer = Self {
            newest: self.newest,
            key_frame: self.key_frame,
            ..Self::with_slots(self.slots.len() * 2, self.slots_max)
        };
        let shorter = std::mem::replace(self, longer);
        for slot in shorter.slots {
            if let Some((index, _)) = slot.kept {
                let place = self.place(index);
                self.slots[place] = slot;
            }
        }
    }

    pub(super) fn packet(&self, index: u64) -> Option<&[u8]> {
        let slot = &self.slots[self.place(index)];
        slot.kept
            .is_some_and(|(kept, _)| kept == index)
            .then_some(slot.bytes.as_slice())
    }

    /// Forgets all packets: their indices begin anew.
    pub(super) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.kept = None;
        }
        self.newest = 0;
        self.key_frame = None;
    }

    /// Sets the marker bit of a stored packet.
    pub(super) fn mark(&mut self, index: u64) {
        let place = self.place(index);
        let slot = &mut self.slots[place];
        let kept = slot.kept.is_some_and(|(kept, _)| kept == index);
        if let Some(byte) = slot.bytes.get_mut(1).filter(|_| kept) {
            *byte |= 0x80;
        }
    }

    /// Notes that the stored packet begins a key frame.
    pub(super) fn begin_key_frame(&mut self, now: Instant, index: u64) {
        if self.key_frame.is_none_or(|(before, _)| before < index) {
            self.key_frame = Some((index, now));
        }
    }

    /// From now on the last key frame is of no use to a new receiver.
    pub(super) fn forget_key_frame(&mut self) {
        self.key_frame = None;
    }

    /// The packets from the last key frame on, if it arrived within `fresh`, none is missing and they have no
    /// more bytes than that.
    pub(super) fn since_key_frame(
        &self,
        now: Instant,
        fresh: Duration,
        bytes_max: usize,
    ) -> Option<RangeInclusive<u64>> {
        let (first, at) = self.key_frame?;
        if now.saturating_duration_since(at) > fresh {
            return None;
        }
        let mut bytes = 0;
        for index in first..=self.newest {
            bytes += self.packet(index)?.len();
            if bytes > bytes_max {
                return None;
            }
        }
        Some(first..=self.newest)
    }

    const fn place(&self, index: u64) -> usize {
        (index % self.slots.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        Instant::now()
    }

    #[test]
    fn a_packet_is_stored_once_and_overwritten_by_a_later_one() {
        let (mut ring, now) = (Ring::audio(), start());
        assert!(ring.store(now, 5, b"five"));
        assert!(!ring.store(now, 5, b"again"));
        assert_eq!(ring.packet(5), Some(b"five".as_slice()));
        let later = 5 + AUDIO_PACKETS_MAX as u64;
        assert!(ring.store(now, later, b"later"));
        assert_eq!(ring.packet(5), None);
        assert!(!ring.store(now, 5, b"too old"));
        assert_eq!(ring.packet(later), Some(b"later".as_slice()));
        assert!(!ring.store(now, 6, &[0; PACKET_LEN_MAX + 1]));
    }

    #[test]
    fn what_follows_a_key_frame_is_there_whole_fresh_and_small_or_not_at_all() {
        let (mut ring, now) = (Ring::video(), start());
        let second = Duration::from_secs(1);
        assert_eq!(ring.since_key_frame(now, second, 100), None);
        for index in 5..8 {
            assert!(ring.store(now, index, b"ten bytes."));
        }
        ring.begin_key_frame(now, 6);
        ring.begin_key_frame(now, 5);
        assert_eq!(ring.since_key_frame(now, second, 100), Some(6..=7));
        assert_eq!(ring.since_key_frame(now, second, 19), None, "too much");
        assert_eq!(ring.since_key_frame(now + 2 * second, second, 100), None);
        assert!(ring.store(now, 9, b"nine"));
        assert_eq!(ring.since_key_frame(now, second, 100), None, "8 is missing");
        assert!(ring.store(now, 8, b"eight"));
        assert_eq!(ring.since_key_frame(now, second, 100), Some(6..=9));
        ring.forget_key_frame();
        assert_eq!(ring.since_key_frame(now, second, 100), None);
    }

    #[test]
    fn a_marked_packet_has_its_marker_bit() {
        let (mut ring, now) = (Ring::audio(), start());
        assert!(ring.store(now, 5, &[0x80, 111, 0]));
        ring.mark(5);
        ring.mark(6);
        assert_eq!(ring.packet(5), Some([0x80, 111 | 0x80, 0].as_slice()));
    }

    #[test]
    fn a_fast_stream_gets_a_longer_ring_and_a_slow_one_does_not() {
        let (mut slow, mut fast, now) = (Ring::video(), Ring::video(), start());
        for index in 0..2_000_u64 {
            let at = |interval: u64| now + Duration::from_millis(interval * index);
            assert!(slow.store(at(10), index, &index.to_be_bytes()));
            assert!(fast.store(at(2), index, &index.to_be_bytes()));
        }
        assert_eq!(slow.slots.len(), VIDEO_PACKETS_MIN);
        assert_eq!(fast.slots.len(), VIDEO_PACKETS_MAX);
        for index in 1_500..2_000_u64 {
            assert_eq!(fast.packet(index), Some(index.to_be_bytes().as_slice()));
        }
        for index in 1_900..2_000_u64 {
            assert_eq!(slow.packet(index), Some(index.to_be_bytes().as_slice()));
        }
    }
}
