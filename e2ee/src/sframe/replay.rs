//! The replay window of one sender in one epoch.

/// Counters further behind the newest than this are refused. All tracks of a sender share a
/// counter, so it spans what video sends in some seconds.
pub const REPLAY_WINDOW: u64 = 1024;

const WORDS: usize = (REPLAY_WINDOW / 64) as usize;

/// Which of the last counters were seen: a ring of bits.
#[derive(Clone, Default)]
pub(super) struct ReplayWindow {
    newest: Option<u64>,
    seen: [u64; WORDS],
}

impl ReplayWindow {
    /// Is this counter new, and not too old to tell?
    pub(super) fn admits(&self, counter: u64) -> bool {
        match self.newest {
            None => true,
            Some(newest) if counter > newest => true,
            Some(newest) if newest - counter >= REPLAY_WINDOW => false,
            Some(_) => !self.bit(counter),
        }
    }

    /// Called once the frame is authentic: a forged header must not move the window.
    pub(super) fn record(&mut self, counter: u64) {
        match self.newest {
            Some(newest) if counter <= newest => {}
            Some(newest) => {
                let skipped = counter - newest;
                match skipped >= REPLAY_WINDOW {
                    true => self.seen = [0; WORDS],
                    false => (newest + 1..counter).for_each(|between| self.set(between, false)),
                }
                self.newest = Some(counter);
            }
            None => self.newest = Some(counter),
        }
        self.set(counter, true);
    }

    fn place(counter: u64) -> (usize, u64) {
        let index = counter % REPLAY_WINDOW;
        ((index / 64) as usize, 1 << (index % 64))
    }

    fn bit(&self, counter: u64) -> bool {
        let (word, mask) = Self::place(counter);
        self.seen[word] & mask != 0
    }

    fn set(&mut self, counter: u64, value: bool) {
        let (word, mask) = Self::place(counter);
        match value {
            true => self.seen[word] |= mask,
            false => self.seen[word] &= !mask,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_counter_passes_once_and_not_when_too_old() {
        let mut window = ReplayWindow::default();
        for counter in [5, 3, 4, 5000] {
            assert!(window.admits(counter), "{counter}");
            window.record(counter);
            assert!(!window.admits(counter), "{counter}");
        }
        assert!(!window.admits(5000 - REPLAY_WINDOW));
        assert!(window.admits(5001 - REPLAY_WINDOW));
        assert!(window.admits(u64::MAX));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_all_counters(
            counters in proptest::collection::vec(0_u64..4000, 1..400),
        ) {
            let mut window = ReplayWindow::default();
            let mut model = BTreeSet::new();
            for counter in counters {
                let newest = model.last().copied().unwrap_or(0);
                let fresh = !model.contains(&counter) && counter + REPLAY_WINDOW > newest;
                prop_assert_eq!(window.admits(counter), fresh);
                if fresh {
                    window.record(counter);
                    model.insert(counter);
                }
            }
        }
    }
}
