//! When a publisher is asked for a key frame, however many receivers want one.

use std::time::{Duration, Instant};

/// Least time between two requests: an encoder needs about this long to send one, and a storm of key
/// frames costs every receiver its picture quality.
const INTERVAL: Duration = Duration::from_millis(300);

/// The throttle of one stream.
#[derive(Default)]
pub(super) struct KeyFrames {
    asked_at: Option<Instant>,
    wanted: bool,
    /// Only a key frame that is made after the next request will do.
    fresh: bool,
    /// Counts FIR commands (RFC 5104 section 4.3.1.1).
    pub(super) command: u8,
}

impl KeyFrames {
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// Like [`Self::want`], but one that is already on its way will not do: it has the old key.
    pub(super) fn want_fresh(&mut self) {
        self.wanted = true;
        self.fresh = true;
    }

    /// Somebody else asked just now.
    pub(super) const fn asked(&mut self, now: Instant) {
        self.asked_at = Some(now);
    }

    /// A key frame began: earlier wishes are fulfilled.
    pub(super) fn arrived(&mut self) {
        self.wanted = self.fresh;
    }

    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        self.wanted
            .then(|| self.asked_at.map_or(now, |at| at + INTERVAL))
    }

    /// Whether to ask now. The wish stands until the key frame comes, so that a lost request is repeated.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let due = self.wake_at(now).is_some_and(|at| at <= now);
        if due {
            self.asked_at = Some(now);
            self.fresh = false;
            self.command = self.command.wrapping_add(1);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spaced_and_end_with_the_key_frame() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let mut frames = KeyFrames::default();
        assert!(!frames.take_due(now));
        frames.want();
        assert!(frames.take_due(now));
        frames.want();
        assert!(!frames.take_due(now + INTERVAL / 2));
        assert_eq!(frames.wake_at(now), Some(now + INTERVAL));
        assert!(frames.take_due(now + INTERVAL));
        frames.arrived();
        assert_eq!(frames.wake_at(now), None);
        frames.want();
        assert!(frames.take_due(now + 3 * INTERVAL));
        frames.want_fresh();
        frames.arrived();
        assert!(
            frames.take_due(now + 4 * INTERVAL),
            "the one that came was made before"
        );
        frames.arrived();
        assert_eq!(frames.wake_at(now), None);
    }
}
