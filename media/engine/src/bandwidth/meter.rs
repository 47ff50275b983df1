//! Bytes a second over the last half second, on any clock.

use std::time::Instant;

/// One bucket, in microseconds.
const BUCKET: i64 = 50_000;
/// Buckets kept: a second.
const BUCKETS: usize = 20;
/// Buckets that a rate is taken over: long enough for two frames at 10 a second, short enough to follow.
const WINDOW: i64 = 10;
/// Buckets below which there is no rate yet.
const WINDOW_MIN: i64 = 4;

/// See the module's description. Bounded: a clock that jumps begins anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    bytes: [u64; BUCKETS],
    /// First and newest bucket since it began.
    span: Option<(i64, i64)>,
}

impl Meter {
    /// Counts bytes at a moment. Those from before all that is kept are not counted.
    pub(super) fn note(&mut self, micros: i64, bytes: usize) {
        self.advance(micros);
        let at = micros.div_euclid(BUCKET);
        if let Some((first, newest)) = self.span
            && newest - at < BUCKETS as i64
        {
            self.span = Some((first.min(at), newest));
            self.bytes[place(at)] += bytes as u64;
        }
    }

    /// Moves on to a moment without counting.
    pub(super) fn advance(&mut self, micros: i64) {
        let at = micros.div_euclid(BUCKET);
        let Some((first, newest)) = self.span else {
            self.span = Some((at, at));
            return;
        };
        // Beyond ten seconds in either direction it is another clock.
        if at.abs_diff(newest) > 200 {
            *self = Self::default();
            self.span = Some((at, at));
            return;
        }
        for skipped in newest + 1..=at {
            self.bytes[place(skipped)] = 0;
        }
        self.span = Some((first, newest.max(at)));
    }

    /// Bits a second over the whole buckets of the window; `None` before there are enough of them.
    pub(super) fn rate(&self) -> Option<f64> {
        let (first, newest) = self.span?;
        let count = (newest - first).min(WINDOW);
        if count < WINDOW_MIN {
            return None;
        }
        let bytes: u64 = (newest - count..newest)
            .map(|at| self.bytes[place(at)])
            .sum();
        Some(bytes as f64 * 8.0 / (count * BUCKET) as f64 * 1e6)
    }
}

/// What a track's source sends, on the engine's clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rate {
    started: Option<Instant>,
    meter: Meter,
}

impl Rate {
    /// Counts a packet.
    pub(crate) fn note(&mut self, now: Instant, bytes: usize) {
        let micros = self.micros(now);
        self.meter.note(micros, bytes);
    }

    /// Bits a second, once there is a rate.
    pub(crate) fn bits_per_second(&mut self, now: Instant) -> Option<f64> {
        self.started?;
        let micros = self.micros(now);
        self.meter.advance(micros);
        self.meter.rate()
    }

    fn micros(&mut self, now: Instant) -> i64 {
        let started = *self.started.get_or_insert(now);
        let elapsed = now.saturating_duration_since(started);
        i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
    }
}

const fn place(bucket: i64) -> usize {
    bucket.rem_euclid(BUCKETS as i64) as usize
}
