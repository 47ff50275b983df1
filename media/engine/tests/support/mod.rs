//! A simulated network on a virtual clock, with `str0m` as the clients: another implementation than ours,
//! so that no shared mistake hides.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "shared by test binaries and a benchmark, each of which uses a part"
)]

pub mod client;
pub mod network;
pub mod parts;
pub mod world;
