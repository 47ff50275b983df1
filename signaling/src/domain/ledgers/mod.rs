//! What happened at home devices, kept as the devices signed it and shown to the household's adults.
//!
//! The server stores entries in order. It can hold one back, and neither change, drop nor reorder one
//! unnoticed. The ledger of a device that was removed stays readable for as long as its household is.

mod error;
mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use error::{AppendError, ReadLedgerError};
pub use service::Ledgers;
