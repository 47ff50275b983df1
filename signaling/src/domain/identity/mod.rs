//! The signed statements of docs/identity.md, checked as far as a server can without trusting it.
//!
//! Clients check all of this again, and more: the server is not believed. It checks so that a client
//! with a fault cannot wreck a household for the others. Pure: no store, told the time. One point is
//! left to the clients: keys of small order, which only their owner's household would suffer from.

mod announcement;
mod certificate;
mod encoding;
mod grant;
mod guest;
mod keys;
mod ledger;
mod roster;
mod signed;
mod statements;

pub use announcement::{AnnouncementStatement, LiveStatement, SealingKeyStatement};
pub use certificate::{Chain, ChainError, Identity, Kind};
pub use encoding::Malformed;
pub use grant::{GrantHours, GrantStatement, GrantTo};
pub use guest::GuestIdentity;
pub use keys::{PublicKey, device_id, household_id, pairing_commit, verify_app_proof};
pub use ledger::LedgerStatement;
pub use roster::{Change, ENTRIES_MAX, Entry, Roster, RosterError};
pub use signed::{Context, Signed, StatementError};
pub use statements::{ContactCard, Pin, PolicyStatement};

#[cfg(test)]
mod tests;
