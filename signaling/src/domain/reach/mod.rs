//! May A reach B now, on which devices, and if not, what is A told.
//!
//! `facts` is what a decision looks at, and `service` loads it; `rules` decides, and `company` for a call
//! that others are in; `plan` chooses the devices; `quiet` knows do not disturb and its weekly times;
//! `together` knows who may stay in one call with a child; `dropping_in` is asked while a drop-in goes on; `words` says what the asker hears.

mod company;
mod dropping_in;
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

pub use dropping_in::{Stop, granting, may_see, may_stay};
pub(in crate::domain) use facts::ALL_ON;
pub use facts::{
    Asker, ChildFacts, Companion, DeviceFacts, Grant, Grantee, GuestFacts, PersonFacts,
    StrangerCalls, StrangerLimits, Target, Way, World,
};
pub use plan::{DEVICES_MAX, Plan, Ring};
pub use quiet::{BadSchedule, QuietFacts, Schedule, WINDOWS_MAX};
pub use rules::reach;
pub use service::{Asking, Reach};
#[cfg(test)]
pub(in crate::domain) use strangers::Strangers;
pub use together::Attendee;
pub use words::Refusal;
