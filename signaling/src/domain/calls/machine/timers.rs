//! The timers of a call, each with a name.

use std::time::Instant;

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// Nobody has begun to ring.
    Unreachable,
    /// It rings, and nobody answers.
    NoAnswer,
    /// The caller's app is gone while it rings.
    CallerGone,
    /// The caller's device is lost in mid-call.
    CallerLost,
    /// The callee's device is lost in mid-call.
    CalleeLost,
    /// Members get ready for the next key.
    KeySwitch,
}

const TIMERS: [Timer; 6] = [
    Timer::Unreachable,
    Timer::NoAnswer,
    Timer::CallerGone,
    Timer::CallerLost,
    Timer::CalleeLost,
    Timer::KeySwitch,
];

/// When each timer goes off, if it is set.
#[derive(Debug, Default)]
pub(super) struct TimerTable([Option<Instant>; TIMERS.len()]);

impl TimerTable {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.0[timer as usize] = Some(at);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(super) fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// When the next one goes off.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes out one that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = |timer: &&Timer| self.0[**timer as usize].is_some_and(|at| at <= now);
        let timer = *TIMERS.iter().find(due)?;
        self.clear(timer);
        Some(timer)
    }
}
