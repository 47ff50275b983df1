//! The ledger of a target device: what happened at it, each entry signed by it and chained to the one before.
//!
//! `entry` is one entry, `own` what the device keeps of its own ledger until the server has stored it, and
//! `reader` checks a ledger that somebody else shows. The server can hold entries back, and can neither
//! change, drop nor reorder one unnoticed by whoever remembers how long the ledger was.

mod entry;
mod own;
mod reader;

pub use entry::{Change, EndedBy, Entry, LABEL_BYTES_MAX, What, Who};
pub use own::{LedgerFull, OwnLedger, REFUSALS_A_MINUTE_MAX, UNSENT_MAX};
pub use reader::{Head, LedgerFault, LedgerReader};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
#[cfg(test)]
pub(crate) use vectors::{sample_bodies, vectors};
