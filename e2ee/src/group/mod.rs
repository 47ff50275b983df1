//! The MLS group of a call: who is in it, and the secrets each epoch gives.
//!
//! RFC 9420 over mls-rs, suite 0x0001. Members come by Welcome only; handshake messages are
//! PrivateMessages; a leaf is taken only if its chain verifies and `Expect` allows it. No rule
//! about when to commit or to switch keys lives here: `member` has those.

mod call_group;
mod code;
mod expect;
mod identity;
mod party;

pub use call_group::{Applied, CallGroup, CommitPlan, Committed, GroupError, Member};
pub use code::call_code;
pub use expect::{Expect, MemberError, RefusedMember};
pub use party::{AcceptedKeyPackage, CallParty, Credential, CredentialError, KeyPackageOffer};

#[cfg(test)]
mod tests;
