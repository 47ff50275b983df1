//! The embedded TURN server (RFC 8656): the way in for clients whose network lets our media through neither
//! directly nor by another port.
//!
//! It listens on UDP, and on one TCP port for both plain TCP and TLS. It is no open relay, by construction:
//! each of its outgoing sockets is connected to a media socket of this very node when it is made, and a
//! client only says by which of the node's addresses it knows that socket. Whatever else it names is
//! forbidden. Since the node is ICE-lite and answers where a check came from, nothing needs to reach the
//! relay from outside: a relayed address is a name, behind which no port is open.
//!
//! `relay` decides and is told the time; `server` and `streams` put sockets around it.

mod allocation;
mod attribute;
mod bucket;
mod config;
mod credentials;
mod doors;
mod framing;
mod nonce;
mod refused;
mod relay;
mod requests;
mod server;
mod shared;
mod sockets;
mod streams;

pub use config::{SharedSecret, TurnConfig};
pub use refused::Refused;
pub use server::{Turn, TurnError, TurnFigures, TurnPorts};

#[cfg(test)]
mod tests;
