//! Introductions in a call: who calls, before any key exists, and whose key package this is.

mod invitation;
mod ringing;

pub use invitation::{CallInvitation, INVITATION_AGE_MS_MAX, InvitationError};
pub use ringing::{Ringing, RingingError};

#[cfg(test)]
mod tests;
