//! Drop-in: whom an adult lets do what, and what the device that would be heard makes of it.
//!
//! A device opens its microphone by nobody's word but that of an adult of its own household. `grant` is
//! that word, signed; `hours` its weekly times; `held` what a device keeps of all grants, so that an older
//! one or one that was ended at the device never counts again; `asking` is what the initiator signs; `judge` decides
//! about one request; `target` is what may open when; `ledger` is what happened, for the adults of the
//! household.

mod asking;
mod grant;
mod held;
mod hours;
mod judge;
pub mod ledger;
mod target;

pub use asking::{
    ASKED_FOR_MS, ASKED_MAX, ASKING_AGE_MS_MAX, Asked, Asking, AskingError, Expected,
};
pub use grant::{
    DEVICES_MAX, Grant, GrantError, Grantee, LIFETIME_MS_MAX, Opening, PEOPLE_MAX,
    PERSON_BYTES_MAX, RENEW_BELOW_MS,
};
pub use held::{ENDED_HERE_MAX, HELD_MAX, HeldGrants, SEEN_MAX, Seen, TakeError};
pub use hours::{BadHours, Hours, WINDOWS_MAX, Window};
pub use judge::{Permit, Refusal, Request, Standing, judge};
pub use target::{
    FROSTED_MS, FROSTED_MS_MAX, FROSTED_MS_MIN, KNOCK_MS, Live, REMIND_EVERY_MS, SIGNAL_MS_MAX,
    Target, TargetInput, TargetOutput, frosted_for,
};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
#[cfg(test)]
pub(crate) use vectors::{sample_bodies, vectors};
