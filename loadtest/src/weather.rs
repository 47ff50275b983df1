//! What a bad link does to packets: it loses them, one by one or in bursts, delays them, lets them overtake each
//! other, carries so many a second and lets what goes beyond wait in a queue that is full at some time.
//!
//! Told the time and its random numbers, so that one seed is one weather.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The weather of one direction of a link. The default is a perfect link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// Every packet takes this long, in milliseconds.
    pub delay_ms: u32,
    /// And up to this much longer, at random, in milliseconds; packets may overtake each other.
    pub jitter_ms: u32,
    /// Packets lost in a thousand, on average.
    pub loss_per_mille: u32,
    /// How many are lost at a time, on average; 0 and 1 lose each by itself.
    pub burst: u32,
    /// What the link carries, in kilobits a second; 0 sets no limit.
    pub kilobits: u32,
    /// Longest time that a packet waits for the link, in milliseconds; what would wait longer is dropped. 0 is 300.
    pub queue_ms: u32,
}

const QUEUE_MS: u32 = 300;

/// One direction of a link.
#[derive(Debug)]
pub struct Lane {
    weather: Weather,
    /// When the link has sent what waits for it.
    free_at: Option<Instant>,
    in_burst: bool,
    random: u64,
}

impl Lane {
    /// A perfect link.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            weather: Weather {
                delay_ms: 0,
                jitter_ms: 0,
                loss_per_mille: 0,
                burst: 0,
                kilobits: 0,
                queue_ms: 0,
            },
            free_at: None,
            in_burst: false,
            random: seed | 1,
        }
    }

    /// From now on the weather is this.
    pub const fn change(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// When a packet of `len` bytes that enters now comes out at the other end; `None` when it never does.
    pub fn pass(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let weather = self.weather;
        if self.loses() {
            return None;
        }
        let mut sent_at = now;
        if weather.kilobits > 0 {
            let begins = self.free_at.map_or(now, |free| free.max(now));
            let patience = if weather.queue_ms == 0 {
                QUEUE_MS
            } else {
                weather.queue_ms
            };
            if begins - now > Duration::from_millis(patience.into()) {
                return None;
            }
            let micros = len as u64 * 8_000 / u64::from(weather.kilobits);
            sent_at = begins + Duration::from_micros(micros);
            self.free_at = Some(sent_at);
        }
        let jitter = match u64::from(weather.jitter_ms) * 1_000 {
            0 => 0,
            most => self.next() % most,
        };
        let delay = u64::from(weather.delay_ms) * 1_000 + jitter;
        Some(sent_at + Duration::from_micros(delay))
    }

    /// A chain of two states (Gilbert): good, in which nothing is lost, and bad, in which all is.
    fn loses(&mut self) -> bool {
        let loss = f64::from(self.weather.loss_per_mille.min(1_000)) / 1_000.0;
        if loss == 0.0 {
            return false;
        }
        let burst = f64::from(self.weather.burst.max(1));
        let dice = (self.next() % 1_000_000) as f64 / 1_000_000.0;
        self.in_burst = if self.weather.burst <= 1 {
            dice < loss
        } else if self.in_burst {
            dice >= 1.0 / burst
        } else {
            dice < loss / ((1.0 - loss).max(0.001) * burst)
        };
        self.in_burst
    }

    /// An xorshift generator (Marsaglia 2003): chance, not secrets.
    const fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        Instant::now()
    }

    fn lane(weather: Weather) -> Lane {
        let mut lane = Lane::new(7);
        lane.change(weather);
        lane
    }

    #[test]
    fn a_perfect_link_lets_all_through_at_once() {
        let (mut lane, now) = (Lane::new(1), start());
        assert!((0..1_000).all(|_| lane.pass(now, 1_200) == Some(now)));
    }

    #[test]
    fn as_many_are_lost_as_said_alone_or_in_bursts() {
        for burst in [1, 8] {
            let mut lane = lane(Weather {
                loss_per_mille: 50,
                burst,
                ..Weather::default()
            });
            let now = start();
            let fates: Vec<bool> = (0..100_000)
                .map(|_| lane.pass(now, 100).is_none())
                .collect();
            let lost = fates.iter().filter(|lost| **lost).count();
            assert!((4_000..6_000).contains(&lost), "{burst}: {lost}");
            let bursts = fates.windows(2).filter(|pair| !pair[0] && pair[1]).count();
            let mean = lost as f64 / bursts as f64;
            let near = f64::from(burst) * 0.8..f64::from(burst) * 1.25;
            assert!(near.contains(&mean), "{burst}: {mean}");
        }
    }

    #[test]
    fn a_narrow_link_sends_one_after_the_other_and_drops_what_would_wait_too_long() {
        // 1,250 bytes take 10 ms.
        let mut lane = lane(Weather {
            kilobits: 1_000,
            queue_ms: 25,
            delay_ms: 5,
            ..Weather::default()
        });
        let now = start();
        let after = |millis| Some(now + Duration::from_millis(millis));
        let out: Vec<_> = (0..5).map(|_| lane.pass(now, 1_250)).collect();
        assert_eq!(out, [after(15), after(25), after(35), None, None]);
        let later = now + Duration::from_millis(100);
        assert_eq!(lane.pass(later, 1_250), after(115));
    }
}
