//! STUN messages as ICE needs them: read from borrowed bytes, written into a given buffer.
//!
//! RFC 8489 (format, integrity, fingerprint) and RFC 8445 section 16 (ICE attributes). Only the 96-bit
//! transaction ids of RFC 5389 and later are read.

pub mod attribute;

mod checks;
mod message;
mod writer;

pub use checks::IntegrityKey;
pub use message::{Class, StunError, StunMessage, TransactionId};
pub use writer::{NoRoom, StunWriter};

/// The only method that ICE uses.
pub const BINDING: u16 = 0x001;

/// Longest message that is read: ICE's have under 200 bytes, and parsing walks the attributes.
pub const STUN_LEN_MAX: usize = 1_500;

const HEADER_LEN: usize = 20;
const MAGIC_COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
