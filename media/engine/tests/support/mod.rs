//! A simulated network on a virtual clock, with `str0m` as the clients: another implementation than ours,
//! so that no shared mistake hides.

#![expect(unreachable_pub, reason = "shared by test binaries, each of which uses a part")]
#![allow(dead_code, clippy::allow_attributes, reason = "shared by test binaries, each of which uses a part")]

pub mod client;
pub mod network;
pub mod world;
