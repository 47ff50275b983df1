//! What probes measured, and what an outage does.

use super::super::probe::Measured;
use super::{ESTIMATE_MAX, ESTIMATE_MIN, Estimator, PROBE_EVERY_MICROS};

/// Rate of a probe that follows a success over the estimate.
const PROBE_ON: f64 = 2.0;
/// The longest time between two probes.
const PROBE_EVERY_MICROS_MAX: i64 = 16_000_000;
/// A probe that arrives at this part of its rate found no limit.
const UNLIMITED: f64 = 0.86;
/// No feedback for this long, beyond a round trip, is an outage.
const SILENCE_MICROS: i64 = 600_000;
/// How often the estimate is halved in an outage.
const HALVING_MICROS: i64 = 500_000;

impl Estimator {
    pub(super) fn finish_probe(&mut self, micros: i64) {
        let Some(measured) = self.prober.take(micros, self.round_trip, self.loss.own()) else {
            return;
        };
        let Some(Measured { sent, arrived }) = measured else {
            self.probe_every = (self.probe_every * 2).min(PROBE_EVERY_MICROS_MAX);
            return;
        };
        if arrived >= UNLIMITED * sent {
            self.estimate = self.estimate.max(arrived).min(ESTIMATE_MAX);
            self.loss.proved(arrived);
            self.probe_every = PROBE_EVERY_MICROS;
            if self.wanted > self.estimate * 1.02 {
                self.probe_at = micros;
                self.probe_rate = PROBE_ON * self.estimate;
            }
            return;
        }
        // The limit was found: near it a measurement moves the estimate half way, since jitter is in it.
        let found = (0.95 * arrived).clamp(ESTIMATE_MIN, ESTIMATE_MAX);
        let near = (found / self.estimate - 1.0).abs() < 0.25;
        let measured = if near {
            0.5 * (self.estimate + found)
        } else {
            found.max(0.6 * self.estimate)
        };
        // What comes through anyway is carried, whatever a short cluster met.
        let rates = self.arrived.rate().zip(self.echoed.rate());
        let through = rates.filter(|_| self.carries());
        let carried = through.map_or(0.0, |(arrived, echoed)| arrived.min(echoed));
        self.estimate = measured.max(carried).min(ESTIMATE_MAX);
        self.loss.proved(found);
        self.excused_until = micros + 300_000;
    }

    pub(super) fn watch_silence(&mut self, micros: i64) {
        // While nothing is sent, nothing is to be heard.
        let Some(since) = self.unanswered_since.filter(|_| self.heard_at.is_some()) else {
            return;
        };
        if micros - since <= SILENCE_MICROS + 2 * self.round_trip {
            return;
        }
        let (before, halved_at) = self.outage.unwrap_or((self.estimate, i64::MIN / 2));
        if micros - halved_at >= HALVING_MICROS {
            self.prober.cancel();
            self.estimate = (self.estimate / 2.0).max(ESTIMATE_MIN);
            self.outage = Some((before, micros));
        }
    }

    /// The path is back. When what was sent meanwhile was only late it carries what it did; else that is tried at
    /// once.
    pub(super) fn recover(&mut self, micros: i64, before: f64, late: bool) {
        self.trend.reset();
        self.loss.begin_anew();
        (self.arrived, self.echoed, self.told) = Default::default();
        let least = if late { before } else { 0.3 * before };
        self.estimate = self.estimate.max(least);
        self.probe_at = micros + 150_000;
        self.probe_every = PROBE_EVERY_MICROS;
        self.probe_rate = before;
        self.excused_until = micros + 500_000;
    }
}
