//! Can this home be reached from outside? The server's own look at its network, for signaling, the log and a command.
//!
//! It asks the home's router and, if the operator names one, a STUN server; nobody else. What comes in is only known
//! by a test from outside (`homeline_signaling::domain::outside`).

mod command;
mod config;
mod here;
mod home;
mod http;
mod look;
mod nat_pmp;
mod pcp;
mod stun;
mod udp;
mod upnp;
mod watch;

pub use command::report;
pub use config::AsksConfig;
pub(crate) use home::{Alone, Home};
pub(crate) use look::ports;
pub(crate) use watch::{KEPT, Watch};

#[cfg(test)]
mod tests;
