//! The tickets of tests that may run, of which only the hashes are kept.

use std::time::Duration;

use homeline_protocol::Secret;

use crate::domain::secrets::{hash_token, new_token};
use crate::model::UnixMillis;

/// How long a ticket counts: long enough to look for the phone, go out and open the link.
pub(super) const TICKET_LASTS: Duration = Duration::from_secs(60 * 60);

/// Tickets at the same time; the oldest goes for a new one.
const TICKETS_MAX: usize = 16;

/// Connections to the media node that one ticket may open: each test needs two to four.
const OFFERS_MAX: u32 = 60;

/// Beginnings and reports of one ticket: each test has one of each.
const ASKS_MAX: u32 = 60;

#[derive(Debug, Default)]
pub(super) struct Tickets(Vec<Ticket>);

#[derive(Debug)]
struct Ticket {
    hash: [u8; 32],
    until: UnixMillis,
    offers: u32,
    asks: u32,
}

impl Tickets {
    pub(super) fn make(&mut self, now: UnixMillis) -> (Secret, UnixMillis) {
        self.0.retain(|ticket| ticket.until > now);
        if self.0.len() >= TICKETS_MAX {
            self.0.remove(0);
        }
        let ((secret, hash), until) = (new_token(), now.plus(TICKET_LASTS));
        self.0.push(Ticket {
            hash,
            until,
            offers: 0,
            asks: 0,
        });
        (secret, until)
    }

    /// Counts a beginning or a report; like [`Self::offer`].
    pub(super) fn ask(&mut self, now: UnixMillis, secret: &Secret) -> Option<bool> {
        let ticket = self.find(now, secret)?;
        ticket.asks += 1;
        Some(ticket.asks <= ASKS_MAX)
    }

    /// Counts a connection; false when the ticket has had as many as it may.
    pub(super) fn offer(&mut self, now: UnixMillis, secret: &Secret) -> Option<bool> {
        let ticket = self.find(now, secret)?;
        ticket.offers += 1;
        Some(ticket.offers <= OFFERS_MAX)
    }

    fn find(&mut self, now: UnixMillis, secret: &Secret) -> Option<&mut Ticket> {
        let hash = hash_token(secret);
        let mut tickets = self.0.iter_mut();
        tickets.find(|ticket| ticket.hash == hash && ticket.until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_counts_for_an_hour_and_so_often() {
        let (mut tickets, now) = (Tickets::default(), UnixMillis(1_000));
        let (secret, until) = tickets.make(now);
        for _ in 0..OFFERS_MAX {
            assert_eq!(tickets.offer(now, &secret), Some(true));
        }
        assert_eq!(tickets.offer(now, &secret), Some(false));
        for _ in 0..ASKS_MAX {
            assert_eq!(tickets.ask(now, &secret), Some(true));
        }
        assert_eq!(tickets.ask(now, &secret), Some(false));
        let (other, _) = tickets.make(now);
        let last = UnixMillis(until.0 - 1);
        assert_eq!(tickets.ask(last, &other), Some(true));
        assert_eq!(tickets.ask(until, &other), None);
        assert_eq!(tickets.offer(until, &other), None);
    }

    #[test]
    fn the_oldest_ticket_goes_for_one_too_many() {
        let (mut tickets, now) = (Tickets::default(), UnixMillis(1_000));
        let made: Vec<_> = (0..=TICKETS_MAX).map(|_| tickets.make(now).0).collect();
        assert_eq!(tickets.ask(now, &made[0]), None);
        assert_eq!(tickets.ask(now, &made[1]), Some(true));
        assert_eq!(tickets.ask(now, &made[TICKETS_MAX]), Some(true));
    }
}
