//! Which packets were sent to a receiver again a moment ago.
//!
//! A receiver repeats its request until the packet is there, and requests that were under way when it was
//! sent need no answer. So the same packet goes out again only once the receiver can have noticed that it
//! did not come.

use std::time::{Duration, Instant};

/// Packets remembered: more than are missed within a round trip on any link that still carries a call. Who
/// asks for more than these gets them, as long as `RESENDS_MAX` lasts.
const REMEMBERED_MAX: usize = 128;

/// Wait while no round trip is known, and the least wait: shorter ones are within a home.
const WAIT_MIN: Duration = Duration::from_millis(10);

/// The longest wait, whatever a report claims.
const WAIT_MAX: Duration = Duration::from_millis(200);

/// A packet that may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resend {
    First,
    /// What was sent in its place was lost as well.
    Repeated,
}

/// See the module's description. Takes memory only once something was sent again.
#[derive(Default)]
pub(super) struct Resent {
    /// By the lower bits of the receiver's sequence number.
    sent: Vec<Option<(u16, Instant)>>,
}

impl Resent {
    /// Says how, if the packet may be sent again now; then it is remembered.
    pub(super) fn allows(
        &mut self,
        now: Instant,
        sequence: u16,
        round_trip: Option<Duration>,
    ) -> Option<Resend> {
        if self.sent.is_empty() {
            self.sent.resize(REMEMBERED_MAX, None);
        }
        let wait = round_trip.unwrap_or_default() / 2;
        let wait = wait.clamp(WAIT_MIN, WAIT_MAX);
        let place = &mut self.sent[usize::from(sequence) % REMEMBERED_MAX];
        let before = place.filter(|(known, _)| *known == sequence);
        if before.is_some_and(|(_, at)| now < at + wait) {
            return None;
        }
        *place = Some((sequence, now));
        // Before a whole round trip the request crossed what was sent, and while none is known it may have.
        let seen = before
            .zip(round_trip)
            .is_some_and(|((_, at), round_trip)| now >= at + round_trip);
        Some(if seen {
            Resend::Repeated
        } else {
            Resend::First
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_crosses_its_answer_is_not_answered_again() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let mut resent = Resent::default();
        let at = |millis| now + Duration::from_millis(millis);
        let round_trip = Some(Duration::from_millis(100));
        let (first, repeated) = (Some(Resend::First), Some(Resend::Repeated));
        assert_eq!(resent.allows(at(0), 40_000, round_trip), first);
        assert_eq!(resent.allows(at(1), 40_001, round_trip), first);
        assert_eq!(resent.allows(at(49), 40_000, round_trip), None);
        assert_eq!(resent.allows(at(50), 40_000, round_trip), first);
        assert_eq!(resent.allows(at(150), 40_000, round_trip), repeated);
        assert_eq!(resent.allows(at(155), 40_000, None), None);
        assert_eq!(
            resent.allows(at(160), 40_000, None),
            first,
            "it may have crossed"
        );
    }
}
