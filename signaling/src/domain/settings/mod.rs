//! What people and devices set for themselves: do not disturb, blocks, switches, rooms, top contact.

mod error;
mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use error::SettingsError;
pub use service::Settings;
