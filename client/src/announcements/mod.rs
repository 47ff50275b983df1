//! Announcements: said at one device, sealed, and heard at the others at one moment.
//!
//! `clock` estimates the server's clock, `ogg` is the form of the sound, `making` announces, and
//! `hearing` takes what others announce; `live` is heard while it is spoken. See docs/announcements.md.

mod clock;
mod hearing;
mod live;
mod making;
mod ogg;

pub use clock::{ServerClock, SteadyClock};
pub(crate) use hearing::{Hearing, hear, settle};
pub use hearing::{IncomingAnnouncement, NotTaken};
pub use homeline_e2ee::announcement::{Content, LENGTH_MS_MAX, TEXT_BYTES_MAX};
pub(crate) use live::told_live;
pub use live::{IncomingLive, LiveRefused};
pub use making::{AnnounceError, Announcing};
pub use ogg::{SoundError, decode, encode};
