//! Near which home devices somebody was lately: told by the devices, kept in memory only and for ten minutes,
//! and shown, rounded, to those who may drop in there.
//!
//! `table` knows who was near when (pure); `service` asks who may see it, and tells them.

mod error;
mod service;
mod table;
#[cfg(test)]
mod tests;

pub use error::{ReportError, SetNearbyError};
pub use service::Nearby;
