//! The words that Homeline's parts say to each other: ids, requests, replies, events, media control.
//!
//! No I/O and no logic beyond parsing: what arrives here malformed is refused by serde, what leaves here
//! has the bytes that `tests/golden.rs` holds. The app's TypeScript types are generated from these
//! (`tests/typescript.rs`), so a change here is a change of the public protocol: add, and never rename.

#![warn(missing_docs)]

pub mod blob;
pub mod email;
pub mod handle;
pub mod http;
pub mod id;
pub mod media_control;
pub mod media_http;
pub mod media_statistics;
pub mod phone;
pub mod secret;
pub mod session;

pub use blob::Blob;
pub use email::EmailAddress;
pub use handle::Handle;
pub use phone::{E164, PhoneText};
pub use secret::Secret;

/// The version of the session protocol spoken by this build. A client of another version is told to reload.
pub const PROTOCOL_VERSION: u16 = 1;
