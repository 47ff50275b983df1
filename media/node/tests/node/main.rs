//! A whole media node over real sockets, with clients that are not ours.

#![expect(clippy::unwrap_used, reason = "a test may")]

#[allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "shared with the engine's scenarios, which use more of it"
)]
#[path = "../../../engine/tests/support/client.rs"]
mod client;

mod loopback;
mod tcp;
mod turn;
