//! Announcements: said at one device, sealed, and heard at the others at one moment.
//!
//! `clock` estimates the server's clock, `ogg` is the form of the sound, `making` announces,
//! `hearing` takes what others announce, `heard` keeps what became of it, `live` is heard while it is spoken,
//! and `quiet` knows do not disturb here. See docs/announcements.md.

mod clock;
mod heard;
mod hearing;
mod live;
mod making;
mod ogg;
mod quiet;

pub use clock::{ServerClock, SteadyClock};
pub(crate) use hearing::{Hearing, hear, settle};
pub use hearing::{IncomingAnnouncement, NotTaken};
pub use homeline_e2ee::announcement::{Content, LENGTH_MS_MAX, TEXT_BYTES_MAX};
pub(crate) use live::told_live;
pub use live::{IncomingLive, LiveRefused};
pub use making::{AnnounceError, Announcing};
pub use ogg::{SoundError, decode, encode};
pub(crate) use quiet::{is_quiet, take_after_quiet_times};
