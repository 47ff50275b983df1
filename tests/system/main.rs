//! The whole system: the real binary, real clients, real networks, one story a file.

#![expect(clippy::unwrap_used, reason = "what fails in a test may panic")]

mod announcements;
mod durability;
mod fenced;
mod front;
mod logs;
mod media_node;
mod namespace;
mod network;
mod people;
mod recorder;
mod restart;
mod router;
mod search;
mod sees_nothing;
mod server;
mod third_party;
mod web;
