//! A drop-in, once through: asked, decided by its target, opened as a call, ended.
//!
//! `table` knows which are asked and which go on (pure, told the time), `rules` chooses the target,
//! `service` asks `reach` and tells the devices, `opening` makes a call of one, `watching` ends
//! what may not go on. Who may drop in at all is
//! for `drop_in`, and for the target itself.

mod error;
mod opening;
mod rules;
mod service;
mod table;
#[cfg(test)]
mod tests;
mod watching;

pub use error::{AskError, TargetError};
pub use service::{DroppingIn, DroppingInParts, NewAsking};
