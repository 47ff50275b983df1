//! Packets left out of a stream so that its receivers see no hole.
//!
//! What is left out for everybody is renumbered once, before it is stored: from here on the packets that were
//! left out have never existed. What is left out of a picture for one receiver has a seam of the receiver's. Timestamps stay as they are, which tells the
//! receivers how long the pause was.

/// Pauses remembered for packets that come late: at the least three seconds of a quiet stream, which is a
/// pause for each sign of life, and half a second of a picture without its higher layers. A packet from before
/// them is too late for any receiver.
const PAUSES_MAX: usize = 16;

/// Packets left out that follow each other.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    /// The publisher's indices, `end` being the first that is not left out.
    from: u64,
    end: u64,
    /// How many were left out before it.
    before: u64,
}

impl Pause {
    const fn left_out(&self) -> u64 {
        self.before + (self.end - self.from)
    }
}

/// The renumbering of one stream.
#[derive(Default)]
pub(super) struct Seam {
    /// A ring of which `newest` is the last written; empty pauses are not yet used.
    pauses: [Pause; PAUSES_MAX],
    newest: usize,
}

impl Seam {
    /// Leaves out the publisher's newest packet.
    pub(super) fn leave_out(&mut self, index: u64) {
        let last = self.pauses[self.newest];
        if last.end == index && last.from < last.end {
            self.pauses[self.newest].end = index + 1;
            return;
        }
        self.newest = (self.newest + 1) % PAUSES_MAX;
        self.pauses[self.newest] = Pause {
            from: index,
            end: index + 1,
            before: last.left_out(),
        };
    }

    /// The index under which the publisher's packet is stored and forwarded; `None` when it was left out, or
    /// is from before all that is remembered.
    pub(super) fn place(&self, index: u64) -> Option<u64> {
        let mut before = 0;
        for age in 0..PAUSES_MAX {
            let pause = self.pauses[(self.newest + PAUSES_MAX - age) % PAUSES_MAX];
            if index >= pause.end {
                return Some(index - pause.left_out());
            }
            if index >= pause.from {
                return None;
            }
            before = pause.before;
        }
        (before == 0).then_some(index)
    }

    /// The publisher's index of what has this place: the inverse of [`Self::place`].
    pub(super) fn index_at(&self, place: u64) -> Option<u64> {
        let mut before = 0;
        for age in 0..PAUSES_MAX {
            let pause = self.pauses[(self.newest + PAUSES_MAX - age) % PAUSES_MAX];
            if place >= pause.end - pause.left_out() {
                return Some(place + pause.left_out());
            }
            before = pause.before;
        }
        (before == 0).then_some(place)
    }

    /// Nothing was left out.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_leaves_no_hole_and_late_packets_find_their_place() {
        let mut seam = Seam::default();
        assert_eq!(seam.place(70_000), Some(70_000));
        (70_001..70_004).for_each(|index| seam.leave_out(index));
        assert_eq!(seam.place(70_000), Some(70_000));
        assert_eq!(seam.place(70_002), None);
        assert_eq!(seam.place(70_004), Some(70_001));
        seam.leave_out(70_006);
        assert_eq!(seam.place(70_007), Some(70_003));
        assert_eq!(
            seam.place(70_005),
            Some(70_002),
            "lost before the second pause, it has its own number"
        );
        assert_eq!(seam.place(69_999), Some(69_999));
        for index in [69_999, 70_000, 70_004, 70_005, 70_007, 80_000] {
            assert_eq!(
                seam.place(index).and_then(|at| seam.index_at(at)),
                Some(index)
            );
        }
    }

    #[test]
    fn old_pauses_are_forgotten_and_never_give_a_number_twice() {
        let mut seam = Seam::default();
        let mut next = 0;
        for index in 65_536..75_536_u64 {
            if index % 20 < 15 {
                seam.leave_out(index);
            } else {
                let place = seam.place(index).unwrap();
                assert!(next == 0 || place == next, "{index}");
                next = place + 1;
            }
        }
        assert_eq!(seam.place(65_536 + 19), None);
    }
}
