//! Which packets of a silent stream are worth forwarding.
//!
//! Silence is what the sender's audio level says (RFC 6464), which lies in the clear beside the encrypted
//! frame. The first packets of a pause pass, so that a receiver's concealment continues silence and not the
//! last sound; then only signs of life do. Sound passes at once.

use std::time::{Duration, Instant};

/// Silent packets that pass at the beginning of a pause: a tenth of a second at 20 ms.
const TAIL: u32 = 5;

/// Time between the packets that pass during a pause, so that receivers' buffers and reports stay alive. The
/// same as of Opus' own discontinuous transmission.
const SIGN_OF_LIFE: Duration = Duration::from_millis(400);

/// The pauses of one stream.
#[derive(Default)]
pub(super) struct Silence {
    /// Silent packets since the last sound.
    silent: u32,
    passed_at: Option<Instant>,
}

impl Silence {
    /// Whether a packet passes.
    pub(super) fn lets_pass(&mut self, now: Instant, silent: bool) -> bool {
        self.silent = if silent {
            self.silent.saturating_add(1)
        } else {
            0
        };
        let recent = self.passed_at.is_some_and(|at| now < at + SIGN_OF_LIFE);
        let passes = self.silent <= TAIL || !recent;
        if passes {
            self.passed_at = Some(now);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_has_a_tail_and_signs_of_life_and_ends_at_once() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let mut silence = Silence::default();
        let at = |count: u32| now + count * Duration::from_millis(20);
        assert!(silence.lets_pass(at(0), false));
        let passed: Vec<u32> = (1..=50)
            .filter(|count| silence.lets_pass(at(*count), true))
            .collect();
        assert_eq!(passed, [1, 2, 3, 4, 5, 25, 45]);
        assert!(silence.lets_pass(at(51), false));
        assert!(
            silence.lets_pass(at(52), true),
            "the tail of the next pause"
        );
    }
}
