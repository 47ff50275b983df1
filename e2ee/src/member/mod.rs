//! A member of a call: when it commits, which keys it sends and receives under, what it warns about.
//!
//! `CallCrypto` is a machine without clock or I/O: `step(now, input)` returns what is to be done, in
//! order; `next_timeout` says when to come back with `Input::Tick` at the latest. The rules are
//! docs/call-keys.md; the browser's twin is `app/src/e2ee/call/member.ts`.

mod comparison;
mod epochs;
mod frames;
mod machine;
mod message;
mod session;
mod vouching;
mod wishes;

pub use comparison::{COMPARE_EVERY_MS, SILENCE_MS_MAX};
pub use epochs::{EXECUTE_AFTER_MS, KEEP_OLD_KEY_MS};
pub use machine::CallCrypto;
pub use message::{Input, LeftReason, Output, Phase, Refusal, StopReason, Warning};
pub use session::REMOVE_ECHO_MS_MAX;
pub use wishes::WISHES_MAX;

/// What members say to compare epochs: for the vectors.
#[cfg(test)]
pub(crate) fn comparison_message(epoch: u64, authenticator: &[u8; 32]) -> Vec<u8> {
    comparison::Comparison::new(epoch, authenticator).encode()
}

#[cfg(test)]
mod tests;
