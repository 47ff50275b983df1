//! Sessions: one WebSocket after another for each app and device, with nothing lost in between.
//!
//! `core` is the pure machine of a session's numbers, replies and events; `actor` runs one, and
//! lives on while its connection is away; `socket` is a connection; `sessions` knows them all;
//! `dispatch` hands requests to the domain.

mod actor;
mod config;
mod core;
mod dispatch;
mod failures;
mod figures;
mod frames;
mod origin;
mod sessions;
mod socket;
#[cfg(test)]
mod tests;
mod words;

pub use config::SessionConfig;
pub use dispatch::{Rules, Services};
pub use figures::{SessionFigures, SignalingFigures};
pub use sessions::Sessions;
pub use socket::routes;
