//! The SFU: forwards end-to-end encrypted media between the peers of a room.
//!
//! Sans-IO: [`Engine`] is told the time and what arrived, and says what to send, what to tell signaling and
//! when to be called again. It owns no socket, no clock, no thread and no randomness of its own, so that
//! thousands of calls can be simulated on a virtual clock. It knows rooms, peers and tracks; it knows no
//! people and no end-to-end keys, rewrites headers, and never touches a frame's bytes.
//!
//! `wire` reads and writes packets, `srtp` protects them, `transport` is one peer's ICE-lite, DTLS and SDP,
//! `room` forwards. `media/node` puts sockets and a thread around it.

#![warn(missing_docs)]

mod bandwidth;
mod clock;
mod config;
mod counters;
mod engine;
pub mod layer;
mod outbox;
mod population;
pub mod quality;
mod rebinding;
mod room;
mod span;
pub mod srtp;
mod tap;
mod transport;
pub mod wire;

pub use config::EngineConfig;
pub use counters::{Counters, DropReason};
pub use engine::{Engine, Output};
pub use outbox::Transmit;
pub use population::Population;
pub use span::{EngineId, RoomNews};
pub use transport::{Identity, IdentityError, Protocol};
