//! How much may be sent again: what media leaves of a path, so that repair never crowds out what it repairs, nor
//! the sound beside it.

use std::time::Instant;

/// Part of the path that repair may take though media fills it: a picture without any would soon stand still.
const LEAST: f64 = 0.15;
/// Seconds of the rate that may be saved up: the packets of a key frame are missed at once.
const SAVED: f64 = 0.3;
/// The same in bytes, at least: a few packets on the narrowest path.
const SAVED_MIN: f64 = 6_000.0;

/// See the module's description.
pub(crate) struct Repair {
    /// Bytes that may be sent again; below zero after the last packet.
    credit: f64,
    bits_per_second: f64,
    filled_at: Instant,
}

impl Repair {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            credit: SAVED_MIN,
            bits_per_second: 0.0,
            filled_at: now,
        }
    }

    /// What a path carries and what of it media takes, in bits a second; `full` says that packets wait on it.
    pub(crate) fn set_rates(&mut self, now: Instant, path: f64, media: f64, full: bool) {
        self.fill(now);
        let left = if full { 0.0 } else { path - media };
        self.bits_per_second = left.max(LEAST * path);
    }

    /// Whether anything may be sent again now.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.credit > 0.0
    }

    /// Charges bytes that were sent again.
    pub(crate) fn charge(&mut self, bytes: usize) {
        self.credit -= bytes as f64;
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.filled_at = now;
        let rate = self.bits_per_second / 8.0;
        self.credit = (self.credit + rate * elapsed).min((SAVED * rate).max(SAVED_MIN));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn repair_takes_what_media_leaves_and_always_a_little() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut repair = Repair::new(start);
        let sent_until = |repair: &mut Repair, from: u64, until: u64| {
            let mut sent = 0;
            for millis in from..until {
                while repair.allows(at(millis)) {
                    repair.charge(1_000);
                    sent += 1_000;
                }
            }
            sent
        };
        assert_eq!(sent_until(&mut repair, 0, 1), 6_000, "a few at once");
        repair.set_rates(at(0), 1_000_000.0, 600_000.0, false);
        let sent = sent_until(&mut repair, 0, 1_000);
        assert!((49_000..=51_000).contains(&sent), "what is left: {sent}");
        repair.set_rates(at(1_000), 1_000_000.0, 600_000.0, true);
        let sent = sent_until(&mut repair, 1_000, 2_000);
        assert!((18_000..=20_000).contains(&sent), "a little: {sent}");
    }
}
