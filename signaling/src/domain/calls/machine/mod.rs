//! The call machine: `step(now, input) -> effects`, told the time, doing nothing by itself.

mod adding;
mod answered;
mod call;
mod drop_in;
mod excluded;
mod keys;
mod leaving;
mod live;
mod media;
mod moving;
mod part;
mod pictures;
mod ringing;
mod switches;
mod timers;

pub(super) use answered::Introduction;
pub(super) use call::{Call, is_missed};
pub(super) use drop_in::Initiator;
pub(super) use live::{Announcement, Hearer};
#[cfg(test)]
pub(super) use media::camera_of;
pub(super) use part::{Part, Someone};
