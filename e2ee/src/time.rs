//! The time this crate is told: milliseconds since 1970.

/// A moment, in milliseconds since 1970 (UTC). Callers that run timers derive it from a monotonic
/// clock anchored once to the wall clock, so that a jump of the latter moves no timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// The largest moment that a JavaScript number holds exactly: "never".
    pub const NEVER: Self = Self((1 << 53) - 1);

    pub const fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    pub const fn minus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_sub(milliseconds))
    }

    /// Milliseconds since `earlier`, zero when it lies ahead.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// How far the clocks of two honest parties may be apart.
pub const CLOCK_SKEW_MS: u64 = 5 * 60 * 1000;

pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
