//! The wall clock that sender reports carry, told at the start and counted on from there.

use std::time::{Duration, Instant};

/// Seconds from the NTP epoch, 1900, to the Unix epoch (RFC 5905 figure 4).
const UNIX_EPOCH_IN_NTP: u64 = 2_208_988_800;

/// NTP format: seconds in the upper, fraction in the lower 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NtpTime(pub(crate) u64);

impl NtpTime {
    /// The middle 32 bits, as report blocks carry it.
    pub(crate) const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// Signed distance in microseconds, right within 68 years.
    pub(crate) const fn micros_since(self, earlier: Self) -> i64 {
        let difference = self.0.wrapping_sub(earlier.0) as i64;
        ((difference as i128 * 1_000_000) >> 32) as i64
    }
}

/// Translates instants to NTP time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    unix_time: Duration,
}

impl Clock {
    pub(crate) const fn new(started: Instant, unix_time: Duration) -> Self {
        Self { started, unix_time }
    }

    pub(crate) fn ntp(&self, now: Instant) -> NtpTime {
        let time = self.unix_time + now.saturating_duration_since(self.started);
        let seconds = time.as_secs() + UNIX_EPOCH_IN_NTP;
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        NtpTime((seconds << 32) | fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 5905 figure 4: 1 January 1970 is 2,208,988,800 in era 0.
    #[test]
    fn the_unix_epoch_and_fractions_are_where_ntp_has_them() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let started = Instant::now();
        let clock = Clock::new(started, Duration::ZERO);
        assert_eq!(clock.ntp(started).0, 2_208_988_800 << 32);
        let later = clock.ntp(started + Duration::from_millis(1_500));
        assert_eq!(later.0, 2_208_988_801 << 32 | 0x8000_0000);
        assert_eq!(
            later.middle(),
            (2_208_988_801_u64 as u16 as u32) << 16 | 0x8000
        );
        assert_eq!(later.micros_since(clock.ntp(started)), 1_500_000);
        assert_eq!(clock.ntp(started).micros_since(later), -1_500_000);
    }
}
