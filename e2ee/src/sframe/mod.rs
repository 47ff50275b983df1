//! Frames of sound and picture, encrypted for the members of a call (RFC 9605).
//!
//! Suite 0x0004 (AES_128_GCM_SHA256_128), keys by section 5.2 from the epoch's base key. One
//! counter for all tracks of a member; exactly one key for each frame, chosen by its KID; never
//! plaintext. Which epoch's key is used when is `member`'s business.

mod key_id;
mod receiver;
mod replay;
mod sender;

pub use key_id::KeyId;
pub use receiver::{
    FrameCounts, FrameError, FrameReceiver, FrameSource, HELD_FRAMES_MAX, HELD_MS_MAX, LateFrame,
};
pub use replay::REPLAY_WINDOW;
pub use sender::{FrameSender, NoKey};

use std::collections::BTreeMap;

use homeline_protocol::id::DeviceId;
use sframe::CipherSuite;
use zeroize::Zeroizing;

const SUITE: CipherSuite = CipherSuite::AesGcm128Sha256;

/// The bytes of an authentication tag in this suite: the shortest ciphertext there is.
const TAG_BYTES: usize = 16;

/// What an epoch of the group gives to frames: its base key, and who sits at which leaf.
#[derive(Clone)]
pub struct EpochKey {
    pub epoch: u64,
    pub base_key: Zeroizing<[u8; 16]>,
    pub leaves: BTreeMap<u32, DeviceId>,
}

#[cfg(test)]
mod tests;
