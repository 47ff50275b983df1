//! Call links, and the guests who come by one (docs/guests.md).
//!
//! `links` keeps the links; `table` knows who waits at which, in memory only; `waiting` lets people knock,
//! and tells the link's maker and the guest what becomes of it; `rules` says what a link may be.

mod error;
mod links;
mod rules;
mod service;
mod table;
#[cfg(test)]
mod tests;
mod waiting;

pub use error::{KnockError, LinkError, RefuseGuestError};
pub use service::Guests;
pub use table::Visitor;

/// The handle that stands for a guest, who has none. Nobody can have it.
pub const GUEST_HANDLE: &str = "call-guest";
