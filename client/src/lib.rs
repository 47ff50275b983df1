//! The Rust SDK of Homeline: sign up, pair, call; end-to-end encrypted, with media by the `webrtc` crate.
//!
//! In reading order: `server` (where), `api` (before a session), `session` (requests, replies, events),
//! `store` (keys and pins in a file), `home` (what the household is, verified), `media` (one peer
//! connection for each call), `call` (a call from ringing to its end), `client` (all of it together).

pub mod api;
mod chance;
pub mod server;
pub mod session;
pub mod store;
mod time;

pub use server::Server;
pub use store::Identity;
