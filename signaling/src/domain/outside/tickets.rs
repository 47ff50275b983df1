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

#[derive(Debug, Default)]
pub(super) struct Tickets(Vec<Ticket>);

#[derive(Debug)]
struct Ticket {
    hash: [u8; 32],
    until: UnixMillis,
    offers: u32,
}

impl Tickets {
    pub(super) fn make(&mut self, now: UnixMillis) -> (Secret, UnixMillis) {
        self.0.retain(|ticket| ticket.until > now);
        if self.0.len() >= TICKETS_MAX {
            self.0.remove(0);
        }
        let ((secret, hash), until) = (new_token(), now.plus(TICKET_LASTS));
        let offers = 0;
        self.0.push(Ticket {
            hash,
            until,
            offers,
        });
        (secret, until)
    }

    pub(super) fn counts(&mut self, now: UnixMillis, secret: &Secret) -> bool {
        self.find(now, secret).is_some()
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
