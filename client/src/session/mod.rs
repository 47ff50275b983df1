//! The WebSocket session: typed requests, numbered events, resumed after a loss with nothing lost or repeated.

mod connection;
mod handle;
mod ledger;
mod run;

pub use handle::{EVENTS_MAX, Events, OpenError, RequestError, Session, SessionEvent, Speaker};

#[cfg(test)]
mod tests;
