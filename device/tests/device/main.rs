//! The device as its owner sees it: two processes, each on its own folder, and a whole server.

#![expect(clippy::unwrap_used, reason = "what fails in a test may panic")]

mod announcements;
mod calls;
mod company;
mod drop_in;
mod live;
mod support;
