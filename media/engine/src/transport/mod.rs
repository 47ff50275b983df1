//! A peer's transport: ICE-lite, DTLS and SRTP over whichever path the client chose.
//!
//! [`sdp`] reads what the client offers and writes the answer; [`Agent`] answers its connectivity checks
//! (RFC 8445 section 6.1.1.1 and 7.3, lite); [`Handshake`] is the DTLS server; [`Connection`] joins them.

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
