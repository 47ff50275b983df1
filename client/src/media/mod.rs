//! Media of a call: one peer connection, sound in and out, pictures in and out, all frames encrypted.
//!
//! The `webrtc` crate does ICE, DTLS, SRTP and repair. What is in a packet is ours: each Opus frame and
//! each picture is encrypted whole (SFrame) before it is put into packets, and decrypted after it is
//! taken out of them. There is no way around the encryption,
//! but in a build with the feature `plaintext-control`, which one test of the whole system asks for.

mod chain;
mod config;
mod descriptor;
mod frames;
mod happens;
mod keyframe;
mod peer;
mod picture;
mod reorder;
mod sound;
mod vp8;
mod ways;

#[cfg(feature = "plaintext-control")]
pub use frames::Control;
pub(crate) use frames::{Frames, Owner};
pub(crate) use happens::PeerEvent;
pub use peer::PeerError;
pub(crate) use peer::{Line, Offer, Peer};
pub use picture::{Camera, KeyFrameWanted, Seen, VideoFrame};
pub(crate) use picture::{PictureReceiver, PictureSender};
pub use sound::{Heard, Pcm, SAMPLE_RATE, SAMPLES, Sound};
pub(crate) use sound::{SoundReceiver, SoundSender};
