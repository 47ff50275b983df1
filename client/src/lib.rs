//! The Rust SDK of Homeline: sign up, pair, call; end-to-end encrypted, with media by the `webrtc` crate.
//!
//! In reading order: `server` (where), `api` (before a session), `session` (requests, replies, events),
//! `store` (keys and pins in a file), `home` (what the household is, verified), `media` (one peer
//! connection for each call), `announcements`, `call` (a call from ringing to its end), `drop_in` (being dropped
//! in on), `client` (all of it together), `guest` (somebody without
//! an account, by a call link).

pub mod announcements;
pub mod api;
pub mod call;
mod chance;
pub mod client;
pub mod drop_in;
pub mod guest;
pub mod home;
pub mod media;
mod media_ways;
#[cfg(feature = "vp8")]
pub mod picture;
pub mod server;
pub mod session;
pub mod sound;
pub mod store;
#[cfg(test)]
mod testkit;
mod time;

pub use call::{Call, CallEvent, IncomingCall, Outgoing};
pub use client::{Client, ClientEvent};
pub use drop_in::{Visit, VisitEvent};
pub use media_ways::{MediaWays, UnknownWay};
pub use server::Server;
pub use store::Identity;
