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

/// See the module's description. Takes memory only once something was sent again.
#[derive(Default)]
pub(super) struct Resent {
    /// By the lower bits of the receiver's sequence number.
    sent: Vec<Option<(u16, Instant)>>,
}

impl Resent {
    /// Whether the packet may be sent again now; if so, it is remembered.
    pub(super) fn allows(
        &mut self,
        now: Instant,
        sequence: u16,
        round_trip: Option<Duration>,
    ) -> bool {
        if self.sent.is_empty() {
            self.sent.resize(REMEMBERED_MAX, None);
        }
        let wait = round_trip.unwrap_or_default() / 2;
        let wait = wait.clamp(WAIT_MIN, WAIT_MAX);
        let place = &mut self.sent[usize::from(sequence) % REMEMBERED_MAX];
        let recent = place.is_some_and(|(known, at)| known == sequence && now < at + wait);
        if !recent {
            *place = Some((sequence, now));
        }
        !recent
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
        assert!(resent.allows(at(0), 40_000, round_trip));
        assert!(resent.allows(at(1), 40_001, round_trip));
        assert!(!resent.allows(at(49), 40_000, round_trip));
        assert!(resent.allows(at(50), 40_000, round_trip));
        assert!(!resent.allows(at(55), 40_000, None));
        assert!(resent.allows(at(60), 40_000, None));
    }
}
