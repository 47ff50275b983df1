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
pub(in crate::domain) use rules::{
    CLOCK_SKEW, DEVICES_COUNTED_MAX, RATE, STATEMENT_BYTES_MAX, fates,
};
pub use service::Announcements;
pub(in crate::domain) use service::member;
