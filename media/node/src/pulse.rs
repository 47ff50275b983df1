//! What a worker shows of itself while it runs. Nobody has to ask it, since one that hangs answers nothing.

use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Without a beat for this long a worker counts as silent: eight of its intervals. A machine that lets a thread wait
/// as long carries no call either.
const SILENT_AFTER: Duration = Duration::from_secs(2);

/// Orders that may wait for a silent worker before it gets nothing more to do. What ends rooms and peers comes through
/// even then: there are no more of those than rooms and peers.
const ORDERS_MAX: usize = 1_024;

/// The same for one that is only behind: it comes to them.
const ORDERS_BEHIND_MAX: usize = 8 * ORDERS_MAX;

/// How a worker stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// It has not been heard of for two seconds.
    pub(crate) silent: bool,
    /// As many orders wait for it as may.
    pub(crate) full: bool,
    /// How much of a processor core it uses, in thousandths.
    pub(crate) busy_permille: u16,
}

/// A worker's beats, load and waiting orders: written by it and by the router, read by anybody.
#[derive(Debug)]
pub(crate) struct Pulse {
    started: Instant,
    beat_ms: AtomicU64,
    busy_permille: AtomicU16,
    waiting: AtomicUsize,
}

impl Pulse {
    /// Begins with a beat.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            started: now,
            beat_ms: AtomicU64::new(0),
            busy_permille: AtomicU16::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The worker has come round to here.
    pub(crate) fn beat(&self, now: Instant, busy_permille: u16) {
        self.busy_permille.store(busy_permille, Ordering::Relaxed);
        let since = now.saturating_duration_since(self.started);
        let beat_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self.beat_ms.store(beat_ms, Ordering::Relaxed);
    }

    /// An order is given to the worker.
    pub(crate) fn gave(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// The worker has taken an order.
    pub(crate) fn took(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// How it stands.
    pub(crate) fn load(&self, now: Instant) -> Load {
        let beat = self.started + Duration::from_millis(self.beat_ms.load(Ordering::Relaxed));
        let silent = now.saturating_duration_since(beat) > SILENT_AFTER;
        let most = if silent {
            ORDERS_MAX
        } else {
            ORDERS_BEHIND_MAX
        };
        Load {
            silent,
            full: self.waiting.load(Ordering::Relaxed) >= most,
            busy_permille: self.busy_permille.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_silent_without_beats_and_full_with_too_many_orders() {
        let start = Instant::now();
        let pulse = Pulse::new(start);
        let after = |ms| pulse.load(start + Duration::from_millis(ms));
        assert_eq!(after(2_000), Load::default());
        assert!(after(2_001).silent);
        pulse.beat(start + Duration::from_millis(2_001), 420);
        let expected = Load {
            busy_permille: 420,
            ..Load::default()
        };
        assert_eq!(after(4_001), expected);
        (0..ORDERS_MAX).for_each(|_| pulse.gave());
        assert!(!after(4_001).full, "it is only behind");
        assert!(after(4_002).full);
        pulse.took();
        assert!(!after(4_002).full);
        (0..ORDERS_BEHIND_MAX).for_each(|_| pulse.gave());
        assert!(after(4_001).full);
    }
}
