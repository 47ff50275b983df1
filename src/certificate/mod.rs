//! HTTPS at home: a certificate authority of this server's own, and the server's certificate under it.
//!
//! The authority can vouch for nothing but this host's names and addresses (name constraints, RFC 5280
//! section 4.2.1.10), so a family that installs it on a phone trusts this server with nothing else.

mod authority;
mod leaf;
mod names;

pub use authority::{Authority, AuthorityError};
pub use leaf::server_config;
pub use names::Names;

#[cfg(test)]
mod tests;
