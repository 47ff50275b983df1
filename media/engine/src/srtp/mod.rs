//! SRTP and SRTCP protection in place (RFC 3711, RFC 7714), keyed by DTLS (RFC 5764).
//!
//! A transport has one [`Outbound`] and one [`Inbound`], made by [`from_exporter`]. Each holds its session
//! keys with their schedules computed, and for every SSRC a rollover counter and a replay window. Packets
//! are sealed and opened in the buffer they lie in. Errors are returned, never logged: the caller counts.

#![warn(missing_docs)]

mod cipher;
mod derive;
mod inbound;
mod outbound;
mod profile;
mod rollover;
mod streams;

pub use inbound::{Inbound, UnprotectError};
pub use outbound::{Outbound, ProtectError};
pub use profile::{DtlsRole, KeyError, MasterKey, Profile, from_exporter};
pub use streams::STREAMS_MAX;

#[cfg(test)]
mod tests;
