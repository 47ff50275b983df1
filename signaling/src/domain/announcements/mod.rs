//! Announcements: taken as ciphertext, handed to the devices that may play them, and deleted when they
//! are not fresh any more.
//!
//! The server can't read what is announced. `reach` decides where it is heard.

mod error;
mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use error::{AnnounceError, NotAMember, NotForYou, PutSealingKeyError};
pub use service::Announcements;
