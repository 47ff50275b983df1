//! Who may drop in on a household: signed grants, kept, served and pushed to whom they concern.
//!
//! The server hands grants to the devices that go by them, and asks them itself before it lets anybody try.
//! It can take a grant away without a signature, and never give one.

mod error;
mod people;
mod rules;
mod service;
#[cfg(test)]
mod tests;

pub use error::{MayDropInError, PutGrantError, SetDropInError};
pub use people::PeopleError;
pub use service::DropIn;
