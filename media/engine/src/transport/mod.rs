//! A peer's transport: ICE-lite, DTLS and SRTP over whichever path the client chose.
//!
//! [`sdp`] reads what the client offers and writes the answer; [`Agent`] answers its connectivity checks
//! (RFC 8445 section 6.1.1.1 and 7.3, lite); [`Handshake`] is the DTLS server; [`Connection`] joins them.

/// Longest datagram of our own making, for DTLS and RTCP: what every network carries that carries IPv6 or a VPN.
/// What is forwarded is as long as its publisher made it, and a few bytes more.
pub(crate) const DATAGRAM_MAX: usize = 1_200;

mod agent;
mod connection;
mod credentials;
mod handshake;
mod path;
pub(crate) mod sdp;

pub(crate) use connection::{Connection, Progress};
pub(crate) use credentials::Credentials;
pub use handshake::{Identity, IdentityError};
pub(crate) use path::Path;
pub use path::Protocol;
