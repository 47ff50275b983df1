//! Signaling: who people are, what their homes hold, and how calls come about.
//!
//! Layers point right only: `edge -> domain -> store | bus | gateway -> model -> protocol`. What must
//! travel left goes as an event on the bus, and the edge subscribes.

pub mod bus;
mod config;
pub mod domain;
pub mod edge;
pub mod gateway;
pub mod model;
mod signaling;
pub mod store;

pub use config::SignalingConfig;
pub use signaling::{MediaLink, Signaling, StartError};
