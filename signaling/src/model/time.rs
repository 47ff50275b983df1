//! The time, as a value that is passed in, so that tests can say what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// This moment and a while more.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This moment less a while.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long ago `earlier` was; nothing if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// As a column holds it.
    #[must_use]
    pub fn column(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

/// What a column holds; a negative time cannot have been written.
impl From<i64> for UnixMillis {
    fn from(column: i64) -> Self {
        Self(u64::try_from(column).unwrap_or(0))
    }
}

/// The time of day: the system's, or one that a test sets.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands still until it is advanced; clones share it.
    Fixed(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn fixed(now: UnixMillis) -> Self {
        Self::Fixed(Arc::new(AtomicU64::new(now.0)))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        match self {
            Self::System => UnixMillis(millis(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or(Duration::ZERO),
            )),
            Self::Fixed(now) => UnixMillis(now.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock on; the system's moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(now) = self {
            now.fetch_add(millis(by), Ordering::SeqCst);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_for_all_its_clones() {
        let clock = Clock::fixed(UnixMillis(1_000));
        let other = clock.clone();
        clock.advance(Duration::from_secs(2));
        assert_eq!(other.now(), UnixMillis(3_000));
        assert_eq!(other.now().since(UnixMillis(1_000)), Duration::from_secs(2));
        assert_eq!(UnixMillis(1).since(other.now()), Duration::ZERO);
    }
}
