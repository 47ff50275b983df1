//! Which packets of a publisher's stream are missing, and when to ask for them again.

use std::time::{Duration, Instant};

/// A gap is asked for this long after it was seen: reordering on real paths is over within a few
/// milliseconds, and a repair that starts later comes too late for the receiver's buffer.
const REORDERING: Duration = Duration::from_millis(5);

/// Wait between two requests for the same packet, doubled each time; about a home's round trip.
const RETRY: Duration = Duration::from_millis(30);

/// Requests for one packet. The last goes out a second after the first, when no buffer waits any longer.
const TRIES_MAX: u8 = 6;

/// Missing packets followed at once. More than this is an outage, which a key frame mends better.
pub(super) const MISSING_MAX: usize = 256;

struct Missing {
    index: u64,
    due: Instant,
    tries: u8,
}

/// The gaps of one stream.
#[derive(Default)]
pub(super) struct Gaps {
    /// In order of index.
    missing: Vec<Missing>,
}

/// The gap is too big to be repaired packet by packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Gaps {
    /// Notes that `first..end` were skipped.
    pub(super) fn skipped(&mut self, now: Instant, first: u64, end: u64) -> Result<(), TooMany> {
        let count = usize::try_from(end.saturating_sub(first)).unwrap_or(usize::MAX);
        if self.missing.len().saturating_add(count) > MISSING_MAX {
            self.missing.clear();
            return Err(TooMany);
        }
        let due = now + REORDERING;
        self.missing.extend((first..end).map(|index| Missing {
            index,
            due,
            tries: 0,
        }));
        Ok(())
    }

    /// Notes that a packet came after all.
    pub(super) fn arrived(&mut self, index: u64) {
        if let Ok(at) = self
            .missing
            .binary_search_by_key(&index, |missing| missing.index)
        {
            self.missing.remove(at);
        }
    }

    /// When [`Self::take_due`] has something to give.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.missing.iter().map(|missing| missing.due).min()
    }

    /// The sequence numbers to ask for now, in order. Those given up are forgotten.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<u16> {
        let mut lost = Vec::new();
        self.missing.retain_mut(|missing| {
            if missing.due > now {
                return true;
            }
            if missing.tries == TRIES_MAX {
                return false;
            }
            lost.push(missing.index as u16);
            missing.due = now + RETRY * (1 << missing.tries);
            missing.tries += 1;
            true
        });
        lost
    }

    pub(super) const fn len(&self) -> usize {
        self.missing.len()
    }

    pub(super) fn clear(&mut self) {
        self.missing.clear();
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
    fn a_gap_is_asked_for_within_ten_milliseconds_and_reordering_is_not() {
        let now = start();
        let mut gaps = Gaps::default();
        gaps.skipped(now, 10, 13).unwrap();
        gaps.arrived(11);
        assert!(gaps.wake_at().unwrap() <= now + Duration::from_millis(10));
        assert!(gaps.take_due(now).is_empty());
        assert_eq!(gaps.take_due(now + REORDERING), [10, 12]);
        gaps.arrived(10);
        gaps.arrived(12);
        assert_eq!(gaps.wake_at(), None);
    }

    #[test]
    fn requests_are_repeated_ever_more_slowly_and_given_up() {
        let mut gaps = Gaps::default();
        gaps.skipped(start(), 70_000, 70_001).unwrap();
        let mut requests = 0;
        while let Some(at) = gaps.wake_at() {
            let due = gaps.take_due(at);
            requests += due.len();
            assert!(
                due.iter()
                    .all(|sequence| *sequence == (70_000_u32 % 65_536) as u16)
            );
        }
        assert_eq!(requests, usize::from(TRIES_MAX));
    }

    #[test]
    fn an_outage_is_not_followed_packet_by_packet() {
        let mut gaps = Gaps::default();
        assert_eq!(
            gaps.skipped(start(), 0, MISSING_MAX as u64 + 1),
            Err(TooMany)
        );
        assert_eq!(gaps.wake_at(), None);
    }
}
