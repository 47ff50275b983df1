//! The timers of a call, each with a name.

use std::collections::BTreeMap;
use std::time::Instant;

use homeline_protocol::id::DeviceId;

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Nobody has begun to ring.
    Unreachable,
    /// It rings, and nobody answers.
    NoAnswer,
    /// The caller's app is gone while it rings.
    CallerGone,
    /// Nothing rings at the person who is being added.
    AddedUnreachable,
    /// It rings there, and nobody answers.
    AddedNoAnswer,
    /// A device was asked to take the call over.
    Moving(DeviceId),
    /// A participant's device is lost in mid-call.
    Lost(DeviceId),
    /// A member was asked to remove those who left.
    Removal,
    /// Members get ready for the next key.
    KeySwitch,
    /// A live announcement has lasted as long as one may.
    Spoken,
    /// Nobody hears a live announcement.
    Unheard,
    /// The node is asked for figures.
    Measure,
}

/// When each timer goes off, if it is set. As many as there are participants, and a few.
#[derive(Debug, Default)]
pub(super) struct TimerTable(BTreeMap<Timer, Instant>);

impl TimerTable {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.0.insert(timer, at);
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0.contains_key(&timer)
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    pub(super) fn clear_all(&mut self) {
        self.0.clear();
    }

    /// When the next one goes off.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// Takes out one that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = |(_, at): &(&Timer, &Instant)| **at <= now;
        let (timer, _) = self.0.iter().find(due)?;
        let timer = *timer;
        self.clear(timer);
        Some(timer)
    }
}
