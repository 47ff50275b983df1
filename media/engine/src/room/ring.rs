//! The last packets of one published stream, each stored once for all receivers.

/// Packets kept of an audio stream: 2.5 s of 20 ms packets.
const AUDIO_PACKETS_MAX: usize = 128;

/// Packets kept of a video stream: one second at 5 Mbit/s. Costs at most 0.75 MB a stream.
const VIDEO_PACKETS_MAX: usize = 512;

/// Longest packet stored; nothing longer crosses an Ethernet.
pub(super) const PACKET_LEN_MAX: usize = 1_500;

#[derive(Default)]
struct Slot {
    index: Option<u64>,
    /// Reused from packet to packet.
    bytes: Vec<u8>,
}

/// A ring over packet indices; the oldest is overwritten.
pub(super) struct Ring {
    slots: Vec<Slot>,
}

impl Ring {
    pub(super) fn audio() -> Self {
        Self::with_slots(AUDIO_PACKETS_MAX)
    }

    pub(super) fn video() -> Self {
        Self::with_slots(VIDEO_PACKETS_MAX)
    }

    fn with_slots(count: usize) -> Self {
        Self {
            slots: std::iter::repeat_with(Slot::default).take(count).collect(),
        }
    }

    /// Stores a packet. False when it is there already, too long, or older than all that is kept.
    pub(super) fn store(&mut self, index: u64, packet: &[u8]) -> bool {
        if packet.len() > PACKET_LEN_MAX {
            return false;
        }
        let slot = self.slot_mut(index);
        if slot.index.is_some_and(|kept| kept >= index) {
            return false;
        }
        slot.index = Some(index);
        slot.bytes.clear();
        slot.bytes.extend_from_slice(packet);
        true
    }

    pub(super) fn packet(&self, index: u64) -> Option<&[u8]> {
        let slot = &self.slots[self.place(index)];
        (slot.index == Some(index)).then_some(slot.bytes.as_slice())
    }

    /// Forgets all packets: their indices begin anew.
    pub(super) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.index = None;
        }
    }

    fn slot_mut(&mut self, index: u64) -> &mut Slot {
        let place = self.place(index);
        &mut self.slots[place]
    }

    const fn place(&self, index: u64) -> usize {
        (index % self.slots.len() as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_stored_once_and_overwritten_by_a_later_one() {
        let mut ring = Ring::audio();
        assert!(ring.store(5, b"five"));
        assert!(!ring.store(5, b"again"));
        assert_eq!(ring.packet(5), Some(b"five".as_slice()));
        let later = 5 + AUDIO_PACKETS_MAX as u64;
        assert!(ring.store(later, b"later"));
        assert_eq!(ring.packet(5), None);
        assert!(!ring.store(5, b"too old"));
        assert_eq!(ring.packet(later), Some(b"later".as_slice()));
        assert!(!ring.store(6, &[0; PACKET_LEN_MAX + 1]));
    }
}
