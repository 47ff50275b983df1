//! A leaky bucket for one receiver's video: references that wait until the path has room.
//!
//! Bursts last ten milliseconds of the pace: short enough to be harmless to a queue on the path, long enough
//! that the packets of a frame leave as one train. What does not wait (sound, repair) is charged and delays
//! the video behind it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far apart bursts are.
const BURST: Duration = Duration::from_millis(10);
/// A burst is at least this many bytes: two packets.
const BURST_BYTES_MIN: f64 = 2_400.0;
/// What waits at most: four frames of 5 Mbit/s. When more comes, all is dropped and the receiver's video
/// begins anew at a key frame, since a hole would freeze it anyway.
const WAITING_MAX: usize = 256;
/// What waits longer is dropped in the same way: the picture is too old by then.
const WAIT_MAX: Duration = Duration::from_millis(800);

/// See the module's description.
pub(crate) struct Pacer<T> {
    waiting: VecDeque<(Instant, T)>,
    /// Bytes that may leave; below zero after a burst.
    budget: f64,
    bits_per_second: f64,
    filled_at: Instant,
}

impl<T: Copy> Pacer<T> {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            budget: 0.0,
            bits_per_second: 0.0,
            filled_at: now,
        }
    }

    /// The rate from now on.
    pub(crate) fn set_pace(&mut self, now: Instant, bits_per_second: f64) {
        self.fill(now);
        self.bits_per_second = bits_per_second.max(1.0);
    }

    /// Bytes that may leave now; the last packet may exceed them. `None` while in debt.
    pub(crate) fn room(&mut self, now: Instant) -> Option<f64> {
        self.fill(now);
        (self.budget >= 0.0).then_some(self.budget)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Charges bytes that left.
    pub(crate) fn charge(&mut self, bytes: usize) {
        // A debt of a second is the most: sound alone can exceed the pace for ever.
        let least = -self.bits_per_second / 8.0;
        self.budget = (self.budget - bytes as f64).max(least.min(-BURST_BYTES_MIN));
    }

    /// Lets one wait. False when too many do or the first waits too long: then all are to be dropped.
    pub(crate) fn push(&mut self, now: Instant, item: T) -> bool {
        let late = self.waiting.front();
        let late = late.is_some_and(|(at, _)| now.saturating_duration_since(*at) > WAIT_MAX);
        if late || self.waiting.len() >= WAITING_MAX {
            return false;
        }
        self.waiting.push_back((now, item));
        true
    }

    /// The first that waits, without a look at the budget.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.waiting.pop_front().map(|(_, item)| item)
    }

    /// The first that waits, if it is fit.
    pub(crate) fn pop_if(&mut self, fit: impl FnOnce(&T) -> bool) -> Option<T> {
        self.waiting.front().filter(|(_, item)| fit(item))?;
        self.pop()
    }

    /// When the next burst may leave, if something waits.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        if self.waiting.is_empty() {
            return None;
        }
        let missing = (-self.budget).max(0.0) * 8.0 / self.bits_per_second.max(1.0);
        let wait = Duration::from_secs_f64(missing.min(1.0)).max(BURST);
        Some(self.filled_at + wait)
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.filled_at = now;
        let burst = self.bits_per_second / 8.0 * BURST.as_secs_f64();
        let most = burst.max(BURST_BYTES_MIN);
        self.budget = (self.budget + self.bits_per_second / 8.0 * elapsed).min(most);
    }
}
