//! Ways out of signaling: the link to the media node, and push services.

mod media;
pub mod push;

pub use media::{Media, MediaExchange, PendingReply};
