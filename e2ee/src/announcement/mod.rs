//! Announcements: said once, sealed to each home device of the household, and to nobody else.
//!
//! See docs/announcements.md. `sealing` is the key that a device takes things with, and its statement;
//! `statement` what is signed of an announcement; `sealed` what is encrypted; `heard` what a device
//! remembers, so that none is played twice; `live` what is signed of one that is heard while it is spoken.

mod heard;
mod live;
mod sealed;
mod sealing;
mod statement;

pub use heard::{HEARD_MAX, Heard, HeardError};
pub use live::{LIVE_DEVICES_MAX, LIVE_MS_MAX, LiveAnnouncement, LiveError, LiveSayError};
pub use sealed::{Content, Draft, OpenError, SealError, Sealed, open};
pub use sealing::{SealingKey, SealingKeyError, SealingPublic, SealingStatement};
pub use statement::{
    Announcement, AnnouncementError, DEVICES_MAX, FRESH_MS, Kind, LENGTH_MS_MAX, SOUND_BYTES_MAX,
    SealedKey, TEXT_BYTES_MAX,
};

#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
#[cfg(test)]
pub(crate) use vectors::{live_vectors, sample_bodies, vectors};
