//! The server's clock, as a device estimates it, so that rooms start together.
//!
//! Of all exchanges the one with the shortest way there and back says most: the server read its clock
//! somewhere in between, and nothing is known of where. `ServerClock` is told the time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use homeline_e2ee::time::UnixMs;

use crate::time::now;

/// Exchanges that are remembered; the oldest goes.
const EXCHANGES_MAX: usize = 16;

/// How far two clocks may drift apart, in millionths: more than any quartz in a home does.
const DRIFT_PPM: u64 = 100;

/// The server tells whole milliseconds, rounded down; on average it is half of one later.
const ROUNDED_US: u64 = 500;

/// One exchange: the server's clock, and when it was read by ours.
#[derive(Debug, Clone, Copy)]
struct Exchange {
    local_us: u64,
    server_us: u64,
    round_trip_us: u64,
}

/// What is known of the server's clock.
#[derive(Debug, Clone, Default)]
pub struct ServerClock {
    exchanges: VecDeque<Exchange>,
}

impl ServerClock {
    /// Takes in an exchange: sent and answered by the own steady clock, in microseconds.
    pub fn exchanged(&mut self, sent_us: u64, server_ms: u64, received_us: u64) {
        let round_trip_us = received_us.saturating_sub(sent_us);
        if self.exchanges.len() >= EXCHANGES_MAX {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange {
            local_us: sent_us + round_trip_us / 2,
            server_us: server_ms.saturating_mul(1000).saturating_add(ROUNDED_US),
            round_trip_us,
        });
    }

    /// When it is `server_ms` there, by the own steady clock as it is now. Before the first moment of the
    /// own clock: its first. `None` without any exchange.
    #[must_use]
    pub fn when(&self, server_ms: u64, now_us: u64) -> Option<u64> {
        let uncertain = |one: &&Exchange| {
            let age = now_us.saturating_sub(one.local_us);
            one.round_trip_us / 2 + age.saturating_mul(DRIFT_PPM) / 1_000_000
        };
        let best = self.exchanges.iter().min_by_key(uncertain)?;
        let server_us = server_ms.saturating_mul(1000);
        Some(if server_us >= best.server_us {
            best.local_us.saturating_add(server_us - best.server_us)
        } else {
            best.local_us.saturating_sub(best.server_us - server_us)
        })
    }
}

/// A device's own clock: one that only goes on, and the time of day that it stands for.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    started: Instant,
    started_at: UnixMs,
    /// By how many millionths it runs fast.
    fast_ppm: i32,
}

impl Default for SteadyClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            started_at: now(),
            fast_ppm: 0,
        }
    }
}

impl SteadyClock {
    /// A clock that is wrong, as clocks are: ahead by so much, and fast by so many millionths.
    #[must_use]
    pub fn wrong_by(ahead_ms: i64, fast_ppm: i32) -> Self {
        let right = Self::default();
        Self {
            started_at: UnixMs(right.started_at.0.saturating_add_signed(ahead_ms)),
            fast_ppm,
            ..right
        }
    }

    /// Since it started, in microseconds of its own.
    #[must_use]
    pub fn micros(&self) -> u64 {
        let real = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        real.saturating_add_signed(self.gained(real))
    }

    /// The time of day, as it believes.
    #[must_use]
    pub fn time_of_day(&self) -> UnixMs {
        self.started_at.plus(self.micros() / 1000)
    }

    /// The moment at which it shows so many microseconds.
    #[must_use]
    pub fn moment(&self, micros: u64) -> tokio::time::Instant {
        let real = micros.saturating_add_signed(-self.gained(micros));
        (self.started + Duration::from_micros(real)).into()
    }

    fn gained(&self, micros: u64) -> i64 {
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        micros / 1_000_000 * i64::from(self.fast_ppm)
            + micros % 1_000_000 * i64::from(self.fast_ppm) / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device whose clock is ahead and fast, and a way to the server that is longer one way.
    struct Device {
        ahead_us: i64,
        fast_ppm: i64,
        clock: ServerClock,
    }

    impl Device {
        fn local(&self, real_us: u64) -> u64 {
            let real = i64::try_from(real_us).unwrap();
            let gained = real * self.fast_ppm / 1_000_000;
            u64::try_from(real + self.ahead_us + gained).unwrap()
        }

        fn exchange(&mut self, at_us: u64, there_us: u64, back_us: u64) {
            let sent = self.local(at_us);
            let received = self.local(at_us + there_us + back_us);
            self.clock
                .exchanged(sent, (at_us + there_us) / 1000, received);
        }
    }

    // req: ANN-1
    #[test]
    fn devices_with_wrong_clocks_meet_at_one_moment() {
        let begin_us = 610_000_000;
        for (ahead_s, fast_ppm) in [(0, 0), (5, 50), (-5, -50), (5, -50), (-3, 20)] {
            let mut device = Device {
                ahead_us: ahead_s * 1_000_000,
                fast_ppm,
                clock: ServerClock::default(),
            };
            // Ten minutes ago a perfect exchange, now four over a busy Wi-Fi, of which one was lucky.
            device.exchange(10_000_000, 1_000, 1_000);
            for (at, there, back) in [
                (609_000_000, 80_000, 2_000),
                (609_100_000, 3_000, 150_000),
                (609_300_000, 6_000, 4_000),
                (609_400_000, 60_000, 60_000),
            ] {
                device.exchange(at, there, back);
            }
            let now = device.local(609_600_000);
            let found = device.clock.when(begin_us / 1000, now).unwrap();
            let off = found.abs_diff(device.local(begin_us));
            assert!(off < 6_000, "{ahead_s} s, {fast_ppm} ppm: {off} us");
        }
    }

    #[test]
    fn without_an_exchange_nothing_is_known_and_a_late_moment_is_now() {
        let mut clock = ServerClock::default();
        assert_eq!(clock.when(1, 0), None);
        for number in 0..100 {
            clock.exchanged(number * 10, 1_000, number * 10 + 2);
        }
        assert_eq!(clock.exchanges.len(), EXCHANGES_MAX);
        assert_eq!(clock.when(0, 1_000), Some(0));
    }

    #[test]
    fn a_wrong_clock_is_wrong_and_knows_its_own_moments() {
        let right = SteadyClock::default();
        let wrong = SteadyClock::wrong_by(5_000, 50);
        let ahead = wrong.time_of_day().since(right.time_of_day());
        assert!((4_900..5_100).contains(&ahead));
        // Of a hundred seconds by a fast clock five milliseconds are missing.
        let moment = wrong.moment(100_000_000) - tokio::time::Instant::from(wrong.started);
        assert_eq!(moment.as_micros(), 99_995_000);
    }
}
