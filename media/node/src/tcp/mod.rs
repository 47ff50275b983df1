//! ICE over TCP (RFC 6544, passive): for clients whose network lets no UDP through.
//!
//! A worker listens on a port of its own, and serves its connections in its loop, without ever waiting for one:
//! [`framing`] finds packets in a stream (RFC 4571), [`Connection`] is one stream with what waits to be written,
//! [`Connections`] are all of a worker's, with their limits, and `turns` is the worker's part.

mod connection;
mod connections;
mod framing;
mod listeners;
mod turns;

pub(crate) use connections::{Connections, network_of};
pub(crate) use listeners::{Listeners, bind};
