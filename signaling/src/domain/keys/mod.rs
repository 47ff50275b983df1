//! The key group of a call, as the server relays it: who is in it, which commit won an epoch.

mod group;
#[cfg(test)]
mod tests;

#[cfg(test)]
use group::MESSAGE_BYTES_MAX;
pub use group::{CommitError, Group, KeyEffect, SentCommit};
