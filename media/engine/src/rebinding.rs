//! Peers whose packets come from an address that nobody has checked: a router gave them another mapping.
//!
//! A browser checks a path that works every two and a half seconds, and would learn of it no sooner. So we ask: one
//! check of our own to the new address, which only the peer can answer. An address that knows no password gets one
//! datagram of about ninety bytes and nothing else, and all addresses together at most a hundred of them a second.

use std::time::{Duration, Instant};

use crate::transport::Path;
use crate::wire::stun::TransactionId;

/// Looking through all rooms for the sender of a packet is done this often at most: a flood from nowhere must not
/// cost more than it does, and a peer sends every 20 ms.
const SEARCH_INTERVAL: Duration = Duration::from_millis(10);

/// A question is not repeated for this long; then it or its answer was lost.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// An answer that takes longer comes too late: the client has checked by itself meanwhile.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Questions that wait for their answer; the oldest goes.
const ASKED_MAX: usize = 64;

/// See the module's description. `R` says whom a question was for.
#[derive(Debug)]
pub(crate) struct Rebindings<R> {
    asked: Vec<Asked<R>>,
    search_at: Option<Instant>,
}

#[derive(Debug)]
struct Asked<R> {
    transaction: TransactionId,
    path: Path,
    at: Instant,
    whom: R,
}

impl<R> Default for Rebindings<R> {
    fn default() -> Self {
        Self {
            asked: Vec::new(),
            search_at: None,
        }
    }
}

impl<R: Copy> Rebindings<R> {
    /// Whether to look for whoever sent from `path`. Counts as done.
    pub(crate) fn may_search(&mut self, now: Instant, path: Path) -> bool {
        let early = self.search_at.is_some_and(|at| now < at);
        let mut asked = self.asked.iter();
        if early || asked.any(|one| one.path == path && now < one.at + ASK_AGAIN) {
            return false;
        }
        self.search_at = Some(now + SEARCH_INTERVAL);
        true
    }

    pub(crate) fn note(&mut self, now: Instant, transaction: TransactionId, path: Path, whom: R) {
        self.asked.retain(|one| now < one.at + ANSWER_WITHIN);
        if self.asked.len() == ASKED_MAX {
            self.asked.remove(0);
        }
        let at = now;
        self.asked.push(Asked {
            transaction,
            path,
            at,
            whom,
        });
    }

    /// Whose answer this is, if it comes from where the question went.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        path: Path,
    ) -> Option<R> {
        let fits = |one: &Asked<R>| {
            one.transaction == transaction && one.path == path && now < one.at + ANSWER_WITHIN
        };
        let at = self.asked.iter().position(fits)?;
        Some(self.asked.remove(at).whom)
    }
}

/// The stream that a packet says to be of: of RTP its SSRC, of RTCP its sender's.
pub(crate) fn stream_of(datagram: &[u8], is_rtcp: bool) -> Option<u32> {
    let at = if is_rtcp { 4 } else { 8 };
    datagram
        .get(at..)?
        .first_chunk()
        .map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(port: u16) -> Path {
        Path::new(([127, 0, 0, 1], 9).into(), ([127, 0, 0, 1], port).into())
    }

    #[test]
    fn a_flood_costs_a_search_now_and_then_and_an_answer_counts_once_from_its_place() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let mut rebindings = Rebindings::default();
        let flood = (0..1_000).filter(|port| rebindings.may_search(now, path(*port)));
        assert_eq!(flood.count(), 1);
        let later = now + SEARCH_INTERVAL;
        assert!(rebindings.may_search(later, path(7)));
        rebindings.note(later, TransactionId([1; 12]), path(7), "anna");
        let soon = later + ASK_AGAIN - Duration::from_millis(1);
        assert!(!rebindings.may_search(soon, path(7)) && rebindings.may_search(soon, path(8)));
        let mut answer = |transaction, port| {
            rebindings.answered(soon, TransactionId([transaction; 12]), path(port))
        };
        assert_eq!(answer(2, 7), None);
        assert_eq!(answer(1, 8), None, "from elsewhere");
        assert_eq!(answer(1, 7), Some("anna"));
        assert_eq!(answer(1, 7), None);
        for number in 0..200 {
            rebindings.note(soon, TransactionId([number; 12]), path(9), "ben");
        }
        assert_eq!(rebindings.asked.len(), ASKED_MAX);
        let late = soon + ANSWER_WITHIN;
        assert_eq!(
            rebindings.answered(late, TransactionId([199; 12]), path(9)),
            None
        );
    }
}
