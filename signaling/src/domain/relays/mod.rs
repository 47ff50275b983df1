//! Relays (TURN) for hostile networks: where they are, and who gets credentials for them.

mod config;
mod rules;
mod service;

pub use config::RelaysConfig;
pub use rules::BadRelay;
pub use service::{Relays, RelaysError};

#[cfg(test)]
mod tests;
