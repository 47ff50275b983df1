//! The packet index behind a 16-bit sequence number, and the memory of which indices were used.

/// The index of `sequence`, given the highest index so far (RFC 3711 section 3.3.1, appendix A).
///
/// `None` when it would lie before the stream's start or past the 48 bits that one key may number.
pub(super) fn estimate(highest: Option<u64>, sequence: u16) -> Option<u64> {
    let Some(highest) = highest else {
        return Some(u64::from(sequence));
    };
    let (rollover, last) = (highest >> 16, (highest & 0xffff) as u16);
    let rollover = if last < 0x8000 {
        if i32::from(sequence) - i32::from(last) > 0x8000 {
            rollover.checked_sub(1)?
        } else {
            rollover
        }
    } else if i32::from(last) - 0x8000 > i32::from(sequence) {
        rollover + 1
    } else {
        rollover
    };
    if rollover > u64::from(u32::MAX) {
        return None;
    }
    Some(rollover << 16 | u64::from(sequence))
}

/// Why an index may not be used (again).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It was used already.
    Repeated,
    /// It is so far behind that the window has forgotten it.
    TooOld,
}

/// A sliding window over `WORDS * 64` indices: a ring of bits, each at its index modulo the size.
pub(super) struct ReplayWindow<const WORDS: usize> {
    highest: Option<u64>,
    seen: [u64; WORDS],
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    const SIZE: u64 = WORDS as u64 * 64;

    pub(super) const fn new() -> Self {
        Self {
            highest: None,
            seen: [0; WORDS],
        }
    }

    pub(super) const fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether `index` may be accepted. Changes nothing: the packet is not authenticated yet.
    pub(super) fn check(&self, index: u64) -> Result<(), Refused> {
        let Some(highest) = self.highest else {
            return Ok(());
        };
        if index > highest {
            Ok(())
        } else if highest - index >= Self::SIZE {
            Err(Refused::TooOld)
        } else if self.seen[Self::word(index)] & Self::bit(index) != 0 {
            Err(Refused::Repeated)
        } else {
            Ok(())
        }
    }

    /// Remembers an index that `check` allowed and authentication confirmed.
    pub(super) fn accept(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index > highest => {
                if index - highest >= Self::SIZE {
                    self.seen = [0; WORDS];
                } else {
                    for skipped in highest + 1..index {
                        self.seen[Self::word(skipped)] &= !Self::bit(skipped);
                    }
                }
                self.highest = Some(index);
            }
            Some(_) => {}
            None => self.highest = Some(index),
        }
        self.seen[Self::word(index)] |= Self::bit(index);
    }

    const fn word(index: u64) -> usize {
        (index % Self::SIZE / 64) as usize
    }

    const fn bit(index: u64) -> u64 {
        1 << (index % 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 3711 section 3.3.1 and appendix A.
    #[test]
    fn the_index_follows_the_wrap_in_both_directions() {
        assert_eq!(estimate(None, 65_535), Some(65_535));
        assert_eq!(estimate(Some(65_535), 0), Some(0x1_0000));
        assert_eq!(estimate(Some(0x1_0000), 65_535), Some(65_535));
        assert_eq!(estimate(Some(0x1_0002), 3), Some(0x1_0003));
        assert_eq!(estimate(Some(0x2_fff0), 0x10), Some(0x3_0010));
    }

    #[test]
    fn indices_outside_the_key_are_refused() {
        assert_eq!(estimate(Some(2), 65_530), None);
        assert_eq!(estimate(Some(0xffff_ffff_ffff), 0), None);
    }

    #[test]
    fn an_index_passes_once() {
        let mut window = ReplayWindow::<2>::new();
        for index in [5, 7, 6, 130, 100] {
            assert_eq!(window.check(index), Ok(()), "{index}");
            window.accept(index);
            assert_eq!(window.check(index), Err(Refused::Repeated), "{index}");
        }
        assert_eq!(window.check(2), Err(Refused::TooOld));
        assert_eq!(window.check(3), Ok(()));
        assert_eq!(window.check(5), Err(Refused::Repeated));
        window.accept(131);
        assert_eq!(window.check(99), Ok(()));
        assert_eq!(window.check(101), Ok(()));
    }

    #[test]
    fn a_far_jump_forgets_everything_older() {
        let mut window = ReplayWindow::<2>::new();
        window.accept(1);
        window.accept(1_000);
        assert_eq!(window.check(1), Err(Refused::TooOld));
        assert_eq!(window.check(999), Ok(()));
        assert_eq!(window.check(1_000), Err(Refused::Repeated));
    }

    #[test]
    fn the_ring_agrees_with_a_set() {
        let mut window = ReplayWindow::<2>::new();
        let mut set = std::collections::BTreeSet::new();
        let mut state = 1_u64;
        for step in 0..20_000_u64 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let index = step + (state >> 33) % 150;
            let highest = set.last().copied().unwrap_or(0);
            let expected = !set.contains(&index) && (set.is_empty() || index + 128 > highest);
            assert_eq!(window.check(index).is_ok(), expected, "step {step}");
            if expected {
                window.accept(index);
                set.insert(index);
            }
        }
    }
}
