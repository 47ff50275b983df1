//! A bound on a rate: so much a second, with a second's worth at once.

use std::time::Instant;

/// Fills up evenly; what does not fit is refused.
pub(super) struct Bucket {
    per_second: u64,
    /// In thousandths.
    level: u64,
    at: Instant,
}

impl Bucket {
    pub(super) fn new(per_second: u64, now: Instant) -> Self {
        Self {
            per_second,
            level: per_second.saturating_mul(1_000),
            at: now,
        }
    }

    /// Whether there is room for so much more.
    pub(super) fn take(&mut self, now: Instant, amount: u64) -> bool {
        let passed = now.saturating_duration_since(self.at).as_millis();
        // Shorter steps than a millisecond are kept for later, not lost.
        if passed > 0 {
            let gained = self
                .per_second
                .saturating_mul(u64::try_from(passed).unwrap_or(u64::MAX));
            let most = self.per_second.saturating_mul(1_000);
            self.level = self.level.saturating_add(gained).min(most);
            self.at = now;
        }
        let wanted = amount.saturating_mul(1_000);
        let fits = wanted <= self.level;
        if fits {
            self.level -= wanted;
        }
        fits
    }
}
