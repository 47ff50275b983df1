//! Announcements: said once, sealed to each home device of the household, and to nobody else.
//!
//! See docs/announcements.md. `sealing` is the key that a device takes things with, and its statement;
//! `statement` what is signed of an announcement; `sealed` what is encrypted; `heard` what a device
//! remembers, so that none is played twice.

mod heard;
mod sealed;
mod sealing;
mod statement;

pub use heard::{HEARD_MAX, Heard, HeardError};
pub use sealed::{Content, Draft, OpenError, SealError, Sealed, open};
pub use sealing::{SealingKey, SealingKeyError, SealingPublic, SealingStatement};
pub use statement::{
    Announcement, AnnouncementError, DEVICES_MAX, FRESH_MS, Kind, LENGTH_MS_MAX, SOUND_BYTES_MAX,
    SealedKey, TEXT_BYTES_MAX,
};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
#[cfg(test)]
pub(crate) use vectors::{sample_bodies, vectors};
