//! When each packet of a transport arrived, until its sender has been told.

use std::time::{Duration, Instant};

/// How often senders are told: libwebrtc's estimator expects 50 to 250 ms.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(100);

/// Packets remembered between two messages: 100 ms at 20,000 packets a second. A jump beyond it starts
/// over.
const ARRIVALS_MAX: usize = 2_048;

/// The log of one transport.
pub(super) struct Arrivals {
    started: Instant,
    /// Sequence number of the log's first entry, once there was a packet.
    base: Option<u16>,
    log: Vec<Option<Duration>>,
    due: Option<Instant>,
    pub(super) count: u8,
}

impl Arrivals {
    pub(super) const fn new(started: Instant) -> Self {
        Self {
            started,
            base: None,
            log: Vec::new(),
            due: None,
            count: 0,
        }
    }

    /// Notes a packet. One that comes after its number was reported missing stays missing.
    pub(super) fn note(&mut self, now: Instant, sequence: u16) {
        let base = *self.base.get_or_insert(sequence);
        let offset = sequence.wrapping_sub(base);
        if offset >= 0x8000 {
            return;
        }
        let offset = usize::from(offset);
        if offset >= ARRIVALS_MAX {
            self.base = Some(sequence);
            self.log.clear();
            self.log.push(Some(now - self.started));
        } else {
            if self.log.len() <= offset {
                self.log.resize(offset + 1, None);
            }
            self.log[offset].get_or_insert(now - self.started);
        }
        self.due.get_or_insert(now + FEEDBACK_INTERVAL);
    }

    pub(super) const fn wake_at(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// What is to be told: the first number and the arrivals from there on.
    pub(super) fn pending(&self) -> Option<(u16, &[Option<Duration>])> {
        let base = self.base.filter(|_| !self.log.is_empty())?;
        Some((base, &self.log))
    }

    /// The first `count` were told.
    pub(super) fn told(&mut self, count: usize) {
        let count = count.min(self.log.len());
        self.log.drain(..count);
        self.base = self.base.map(|base| base.wrapping_add(count as u16));
        self.count = self.count.wrapping_add(1);
        if self.log.is_empty() {
            self.due = None;
        }
    }

    /// Nothing can be told now: forgets the log.
    pub(super) fn give_up(&mut self) {
        let count = self.log.len();
        self.told(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_told_once_in_order_over_the_wrap() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let mut arrivals = Arrivals::new(now);
        arrivals.note(now, 65_535);
        arrivals.note(now + Duration::from_millis(2), 1);
        let (base, log) = arrivals.pending().unwrap();
        assert_eq!(base, 65_535);
        assert_eq!(
            log,
            [Some(Duration::ZERO), None, Some(Duration::from_millis(2))]
        );
        assert!(!arrivals.is_due(now) && arrivals.is_due(now + FEEDBACK_INTERVAL));
        arrivals.told(3);
        assert!(arrivals.pending().is_none() && arrivals.wake_at().is_none());
        arrivals.note(now, 0);
        assert!(
            arrivals.pending().is_none(),
            "reported missing, stays missing"
        );
        arrivals.note(now, 2);
        assert_eq!(arrivals.pending().unwrap().0, 2);
    }

    #[test]
    fn a_jump_starts_over() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let mut arrivals = Arrivals::new(now);
        arrivals.note(now, 0);
        arrivals.note(now, 20_000);
        let (base, log) = arrivals.pending().unwrap();
        assert_eq!((base, log.len()), (20_000, 1));
    }
}
