//! Ways out of signaling: for now the link to the media node.

mod media;

pub use media::{Media, MediaExchange, PendingReply};
