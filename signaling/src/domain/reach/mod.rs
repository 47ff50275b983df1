//! May A reach B now, on which devices, and if not, what is A told.
//!
//! `facts` is what a decision looks at, and `service` loads it; `rules` decides; `plan` chooses the
//! devices; `quiet` knows do not disturb and its weekly times; `together` knows who may be in a call
//! with a child; `words` says what the asker hears.

mod facts;
mod plan;
mod quiet;
mod rules;
mod service;
mod strangers;
mod together;
mod words;

#[cfg(test)]
mod tests;

pub use facts::{
    Asker, ChildFacts, DeviceFacts, Grant, Grantee, PersonFacts, StrangerCalls, StrangerLimits,
    Target, Way, World,
};
pub use plan::{DEVICES_MAX, Plan, Ring};
pub use quiet::{BadSchedule, QuietFacts, Schedule, WINDOWS_MAX};
pub use rules::reach;
pub use service::{Asking, Reach};
pub use together::Companion;
pub use words::Refusal;
