//! The media node: sockets, threads and a clock around the engine, and channels to signaling.
//!
//! [`Node::start`] needs nothing but a configuration and gives a handle and the [`Link`] that signaling
//! speaks through. It knows no accounts and no keys.

#![warn(missing_docs)]

mod addresses;
pub mod bind;
mod config;
pub mod control;
mod cpu;
mod extending;
mod link;
mod links;
mod metrics;
mod node;
mod orders;
mod placement;
mod pulse;
mod router;
mod sockets;
mod tcp;
mod telling;
pub mod turn;
mod worker;

#[cfg(test)]
mod hanging;

pub use config::{NodeConfig, OperatingPoint};
pub use homeline_media_engine::{Counters, DropReason};
pub use link::{Link, MediaExchange};
pub use metrics::{NodeMetrics, TRANSIT_BOUNDS_MICROS, TcpFigures, TransitTimes};
pub use node::{Node, StartError};
