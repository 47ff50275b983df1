//! The packet formats of the media path: parsers that borrow and writers that fill a given buffer.
//!
//! Nothing here allocates on the packet path, keeps a key or knows a room. Every parser is total: it
//! returns an error for bytes it cannot read and never panics.

#![warn(missing_docs)]

pub mod audio_level;
pub mod demux;
pub mod descriptor;
pub mod extension;
pub mod forward;
pub mod ids;
pub mod rtcp;
pub mod rtp;
pub mod rtx;
pub mod stun;

mod bits;

#[cfg(test)]
pub(crate) mod tests;
