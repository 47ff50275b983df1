//! What a session has in flight, and what of it survives a new connection. Pure bookkeeping, no I/O.

use std::collections::BTreeMap;

use homeline_protocol::id::SessionId;
use homeline_protocol::session::{ClientFrame, Outcome, Request, Resume};

/// Requests that may wait for their replies at once. More are refused: the caller is in a loop.
pub(super) const PENDING_MAX: usize = 256;

/// Numbers, and requests that are not yet answered. `T` is whoever waits for the answer.
pub(super) struct Ledger<T> {
    session: Option<SessionId>,
    next_request: u64,
    last_event: u64,
    acked: (u64, u64),
    pending: BTreeMap<u64, Pending<T>>,
}

struct Pending<T> {
    body: Request,
    waiter: T,
    sent: bool,
}

/// What an event's number means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The next one: hand it on.
    Next,
    /// Seen before, sent again after a resume: drop it.
    Repeated,
    /// One is missing: the connection can't be trusted.
    Gap,
}

impl<T> Ledger<T> {
    pub(super) fn new() -> Self {
        Self {
            session: None,
            next_request: 1,
            last_event: 0,
            acked: (0, 0),
            pending: BTreeMap::new(),
        }
    }

    /// What to say in `hello`.
    pub(super) fn resume(&self) -> Option<Resume> {
        self.session.map(|session| Resume {
            session,
            last_event: self.last_event,
        })
    }

    /// Takes in a request; gives the waiter back when too many wait already.
    pub(super) fn add(&mut self, body: Request, waiter: T) -> Result<u64, T> {
        if self.pending.len() >= PENDING_MAX {
            return Err(waiter);
        }
        let id = self.next_request;
        self.next_request += 1;
        self.pending.insert(
            id,
            Pending {
                body,
                waiter,
                sent: false,
            },
        );
        Ok(id)
    }

    /// The frame of a pending request, which counts as sent from now on.
    pub(super) fn frame(&mut self, id: u64) -> Option<ClientFrame> {
        let pending = self.pending.get_mut(&id)?;
        pending.sent = true;
        Some(ClientFrame::Request {
            id,
            body: Box::new(pending.body.clone()),
        })
    }

    /// A connection is up. Taken up again: everything pending goes out anew under its old number. Else
    /// the session is a new one: what was sent has an unknown fate and its waiters are given back;
    /// what was never sent goes out under new numbers.
    pub(super) fn connected(&mut self, session: SessionId, resumed: bool) -> (Vec<u64>, Vec<T>) {
        let continued = resumed && self.session == Some(session);
        self.session = Some(session);
        if continued {
            return (self.pending.keys().copied().collect(), Vec::new());
        }
        let mut unknown = Vec::new();
        let mut fresh = BTreeMap::new();
        let mut next = 1;
        for (_, pending) in std::mem::take(&mut self.pending) {
            if pending.sent {
                unknown.push(pending.waiter);
            } else {
                fresh.insert(next, pending);
                next += 1;
            }
        }
        self.pending = fresh;
        self.next_request = next;
        self.last_event = 0;
        self.acked = (0, 0);
        (self.pending.keys().copied().collect(), unknown)
    }

    /// The next connection begins a new session, since this one can't be taken up again.
    pub(super) fn forget_session(&mut self) {
        self.session = None;
    }

    /// A reply: who waited for it, unless it was answered before.
    pub(super) fn reply(&mut self, id: u64, outcome: Outcome) -> Option<(T, Outcome)> {
        self.pending
            .remove(&id)
            .map(|pending| (pending.waiter, outcome))
    }

    /// Whether every request has its reply.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn event(&mut self, seq: u64) -> Arrival {
        if seq <= self.last_event {
            return Arrival::Repeated;
        }
        if seq > self.last_event + 1 {
            return Arrival::Gap;
        }
        self.last_event = seq;
        Arrival::Next
    }

    /// An acknowledgement, if there is something new to acknowledge.
    pub(super) fn ack(&mut self) -> Option<ClientFrame> {
        let reply = self
            .pending
            .keys()
            .next()
            .map_or(self.next_request, |first| *first)
            - 1;
        let now = (self.last_event, reply);
        if now == self.acked {
            return None;
        }
        self.acked = now;
        Some(ClientFrame::Ack {
            event: now.0,
            reply: now.1,
        })
    }

    /// Everybody who still waits, when the session ends for good.
    pub(super) fn drain(&mut self) -> Vec<T> {
        std::mem::take(&mut self.pending)
            .into_values()
            .map(|pending| pending.waiter)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use homeline_protocol::session::Reply;

    use super::*;

    const FIRST: SessionId = SessionId([1; 16]);
    const SECOND: SessionId = SessionId([2; 16]);

    fn done() -> Outcome {
        Outcome::Ok(Box::new(Reply::Done))
    }

    #[test]
    fn a_resumed_session_sends_what_is_pending_again_under_its_number() {
        let mut ledger = Ledger::new();
        assert_eq!(ledger.connected(FIRST, false), (vec![], vec![]));
        for waiter in ["a", "b", "c"] {
            let id = ledger.add(Request::GetHome, waiter).unwrap();
            assert!(ledger.frame(id).is_some());
        }
        assert!(ledger.reply(2, done()).is_some());
        assert_eq!(ledger.connected(FIRST, true), (vec![1, 3], vec![]));
        // The server may answer twice; the second answer finds nobody.
        assert!(ledger.reply(1, done()).is_some());
        assert!(ledger.reply(1, done()).is_none());
    }

    #[test]
    fn a_new_session_gives_up_what_was_sent_and_sends_what_was_not() {
        let mut ledger = Ledger::new();
        ledger.connected(FIRST, false);
        let sent = ledger.add(Request::GetHome, "sent").unwrap();
        ledger.frame(sent);
        ledger.add(Request::ListCalls, "unsent").unwrap();
        assert_eq!(ledger.connected(SECOND, false), (vec![1], vec!["sent"]));
        let resume = ledger.resume().unwrap();
        assert_eq!((resume.session, resume.last_event), (SECOND, 0));
        assert!(matches!(
            ledger.frame(1),
            Some(ClientFrame::Request { id: 1, body }) if *body == Request::ListCalls
        ));
    }

    #[test]
    fn events_are_taken_in_once_and_in_order() {
        let mut ledger = Ledger::<()>::new();
        assert_eq!(ledger.event(1), Arrival::Next);
        assert_eq!(ledger.event(2), Arrival::Next);
        assert_eq!(ledger.event(1), Arrival::Repeated);
        assert_eq!(ledger.event(4), Arrival::Gap);
        assert_eq!(ledger.event(3), Arrival::Next);
    }

    #[test]
    fn an_acknowledgement_says_where_the_replies_are_without_a_gap() {
        let mut ledger = Ledger::new();
        assert_eq!(ledger.ack(), None);
        for _ in 0..3 {
            ledger.add(Request::GetHome, ()).unwrap();
        }
        ledger.event(1);
        ledger.reply(2, done());
        assert_eq!(ledger.ack(), Some(ClientFrame::Ack { event: 1, reply: 0 }));
        ledger.reply(1, done());
        assert_eq!(ledger.ack(), Some(ClientFrame::Ack { event: 1, reply: 2 }));
        ledger.reply(3, done());
        assert_eq!(ledger.ack(), Some(ClientFrame::Ack { event: 1, reply: 3 }));
        assert_eq!(ledger.ack(), None);
    }

    #[test]
    fn more_requests_than_the_bound_are_refused() {
        let mut ledger = Ledger::new();
        for _ in 0..PENDING_MAX {
            assert!(ledger.add(Request::GetHome, ()).is_ok());
        }
        assert!(ledger.add(Request::GetHome, ()).is_err());
        assert_eq!(ledger.drain().len(), PENDING_MAX);
    }
}
