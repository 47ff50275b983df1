//! What a media node knows of each stream: figures for the app, for operators and for the load test.
//!
//! Rates are those of the last second or so. Loss and jitter of what a peer sends are measured by the node;
//! those of what it receives are as the receiver last reported them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::TrackId;

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// How datagrams travel between a peer and the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// UDP, directly or through a relay.
    Udp,
    /// A TCP connection to the node.
    Tcp,
}

/// The way to a peer that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransportStatistics {
    /// UDP or TCP.
    pub path: PathKind,
    /// 4 or 6.
    pub ip_version: u8,
    /// The SRTP profile that was agreed on, by its name in the registry of RFC 5764.
    pub srtp_profile: String,
}

/// Figures of a track that a peer publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PublishedStatistics {
    /// The track.
    pub track: TrackId,
    /// Sound or picture.
    pub kind: TrackKind,
    /// Whether its sender's switch is on.
    pub forwarding: bool,
    /// How it arrives at the node, 0 to 100; absent while it does not flow.
    pub quality: Option<u8>,
    /// Its encodings or layers, the smallest picture first. Sound has one.
    pub layers: Vec<LayerStatistics>,
}

/// Figures of one encoding or layer as it arrives at the node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LayerStatistics {
    /// Encoding or spatial layer; 0 is the smallest picture.
    pub spatial: u8,
    /// Temporal layer, where they are told apart.
    pub temporal: Option<u8>,
    /// The encoding's `rid`, where it has one.
    pub rid: Option<String>,
    /// RTP packets received, repaired ones among them.
    pub packets: u64,
    /// Their bytes, RTP headers included.
    pub bytes: u64,
    /// Bits a second.
    pub bits_per_second: u64,
    /// Pictures a second; absent for sound.
    pub frames_per_second: Option<u32>,
    /// Packets that never came.
    pub lost: u64,
    /// Fraction lost in the last interval, in 1/256.
    pub loss_256ths: u8,
    /// Jitter, milliseconds (RFC 3550 appendix A.8).
    pub jitter_ms: u32,
    /// Key frames received, as far as the dependency descriptor tells.
    pub key_frames: u64,
    /// Pixels across, if known.
    pub width: Option<u16>,
    /// Pixels down, if known.
    pub height: Option<u16>,
}

/// Figures of a track that a peer receives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedStatistics {
    /// The track.
    pub track: TrackId,
    /// Sound or picture.
    pub kind: TrackKind,
    /// The encoding or spatial layer that it is sent; absent while it is sent nothing.
    pub spatial: Option<u8>,
    /// The temporal layer up to which it is sent.
    pub temporal: Option<u8>,
    /// RTP packets sent, repairs not among them.
    pub packets: u64,
    /// Their payload's bytes.
    pub bytes: u64,
    /// Bits of payload a second.
    pub bits_per_second: u64,
    /// Pictures sent a second; absent for sound.
    pub frames_per_second: Option<u32>,
    /// Fraction lost on the way as last reported, in 1/256.
    pub loss_256ths: u8,
    /// Jitter as last reported, milliseconds.
    pub jitter_ms: u32,
    /// Packets that the receiver asked for again.
    pub nacks: u64,
    /// Packets that it was sent again.
    pub resends: u64,
    /// Key frames that it asked for (PLI and FIR).
    pub plis: u64,
    /// Nothing is sent: the track is held or has no source, or the receiver waits for a key frame.
    pub paused: bool,
    /// How it arrives, 0 to 100; absent while it does not flow.
    pub quality: Option<u8>,
}
