//! The SDK against a whole server in this process: people, devices and calls as a program sees them.

#![expect(clippy::unwrap_used, reason = "what fails in a test may panic")]

mod accounts;
mod announcements;
mod calls;
mod drop_in;
mod drop_in_refused;
mod groups;
mod guests;
mod house;
mod live;
mod pairing;
mod pictures;
mod proxy;
mod refused;
mod removed;
mod server;
mod ways;
