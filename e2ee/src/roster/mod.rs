//! A household's roster: an append-only chain of signed entries, folded to who belongs to it now.

mod entry;
mod fold;

pub use entry::{Change, Entry};
pub use fold::{ENTRIES_MAX, Rollback, Roster, RosterDevice, RosterError, RosterPin};

#[cfg(test)]
mod tests;
