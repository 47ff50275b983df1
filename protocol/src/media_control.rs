//! What signaling says to a media node, and what it hears back: over a channel in one process, over
//! QUIC between machines. Knows rooms, peers and tracks; knows no people and no keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{PeerId, RoomId, TrackId};
use crate::media_statistics::{PublishedStatistics, ReceivedStatistics, TransportStatistics};

/// A command to a media node. Each is answered by one [`MediaReply`] or [`MediaError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaCommand {
    /// Makes an empty room. Making one that exists is no error.
    CreateRoom {
        /// The room to make.
        room: RoomId,
    },
    /// Ends a room and all its transports. Closing one that does not exist is no error.
    CloseRoom {
        /// The room to end.
        room: RoomId,
    },
    /// Takes a peer's SDP offer (the client always offers) and answers it. The first makes the peer,
    /// later ones add or remove media or restart ICE.
    Negotiate {
        /// The room.
        room: RoomId,
        /// The peer that offers.
        peer: PeerId,
        /// The offer, RFC 8866, as the browser or the `webrtc` crate wrote it.
        offer: String,
        /// Which of the offer's sections send, and what.
        publish: Vec<Publish>,
        /// Which of the offer's sections receive, and from which track.
        subscribe: Vec<Subscribe>,
    },
    /// Lets a peer's media flow in both directions, or holds it. A new peer is held: a device that only
    /// rings may connect, but hears nothing and is not heard.
    SetForwarding {
        /// The room.
        room: RoomId,
        /// The peer.
        peer: PeerId,
        /// Whether its media flows.
        on: bool,
    },
    /// Lets one track flow, or holds it: the switch of a device's microphone or camera. A new track
    /// flows. Of a track that is not there nothing is kept, and it is no error.
    SetTrackForwarding {
        /// The room.
        room: RoomId,
        /// The track.
        track: TrackId,
        /// Whether it flows.
        on: bool,
    },
    /// Takes a peer out of a room at once. Removing one that is not there is no error.
    RemovePeer {
        /// The room.
        room: RoomId,
        /// The peer.
        peer: PeerId,
    },
    /// Asks every video sender of the room for a key frame (a new key epoch executes).
    RequestKeyFrames {
        /// The room.
        room: RoomId,
    },
    /// Says how large a receiver shows a picture, which is the most that it is sent. Until then it is sent
    /// the best that its link carries. Of a track that the peer does not receive nothing is kept, and it is
    /// no error.
    SetView {
        /// The room.
        room: RoomId,
        /// The receiver.
        peer: PeerId,
        /// The track it shows.
        track: TrackId,
        /// How large.
        view: View,
    },
    /// Asks for the room's figures.
    Statistics {
        /// The room.
        room: RoomId,
    },
}

/// A sending section of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// The section's `a=mid`.
    pub mid: String,
    /// The id under which others subscribe.
    pub track: TrackId,
}

/// A receiving section of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// The section's `a=mid`.
    pub mid: String,
    /// The track wanted; it may not have begun yet.
    pub track: TrackId,
}

/// How large a receiver shows a picture, in physical pixels. Nothing is sent of a picture of no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
}

/// A media node's answer to a command.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaReply {
    /// Done, nothing to tell.
    Done,
    /// The SDP answer to an offer.
    Answer {
        /// The answer, RFC 8866.
        sdp: String,
    },
    /// A room's figures.
    Statistics(Vec<PeerStatistics>),
}

/// Figures of one peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeerStatistics {
    /// The peer.
    pub peer: PeerId,
    /// Whether ICE and DTLS are up.
    pub connected: bool,
    /// Packets received from it and forwarded to it.
    pub packets_in: u64,
    /// Packets sent to it.
    pub packets_out: u64,
    /// Packets from it that were refused: malformed, replayed, unauthentic.
    pub packets_dropped: u64,
    /// Round trip, milliseconds, from its receiver reports or ICE checks.
    pub round_trip_ms: Option<u32>,
    /// Fraction lost on its way to us in the last interval, in 1/256.
    pub loss_in_256ths: u8,
    /// Fraction lost on the way from us to it as it last reported, in 1/256.
    pub loss_out_256ths: u8,
    /// Jitter it last reported, milliseconds.
    pub jitter_ms: u32,
    /// How the call is for it, 0 (nothing gets through) to 100: the worse of both directions. Absent until
    /// something is known.
    pub quality: Option<u8>,
    /// The same of what it sends.
    pub quality_up: Option<u8>,
    /// The same of what it receives.
    pub quality_down: Option<u8>,
    /// What the way to it is estimated to carry, bits a second.
    pub estimate_bits_per_second: Option<u64>,
    /// The way in use; absent until there is one.
    pub transport: Option<TransportStatistics>,
    /// What it publishes.
    pub published: Vec<PublishedStatistics>,
    /// What it receives.
    pub received: Vec<ReceivedStatistics>,
}

/// Why a media command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// No such room on this node.
    #[error("no such room")]
    NoRoom,
    /// No such peer in that room.
    #[error("no such peer")]
    NoPeer,
    /// The offer can't be used.
    #[error("the offer can't be used: {0}")]
    BadOffer(String),
    /// A limit is reached (rooms, peers, tracks).
    #[error("limit reached: {0}")]
    Limit(&'static str),
    /// The node is shutting down or gone.
    #[error("the media node is gone")]
    Gone,
}

/// What a media node says by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MediaEvent {
    /// ICE and DTLS are up for the first time, or again after a loss.
    PeerConnected {
        /// The room.
        room: RoomId,
        /// The peer.
        peer: PeerId,
    },
    /// Nothing was heard from the peer for some seconds (consent, RFC 7675). It may come back: the
    /// transport is kept until signaling removes the peer.
    PeerSilent {
        /// The room.
        room: RoomId,
        /// The peer.
        peer: PeerId,
    },
    /// The peer closed its transport (DTLS close-notify).
    PeerClosed {
        /// The room.
        room: RoomId,
        /// The peer.
        peer: PeerId,
    },
    /// Which encodings or spatial layers of a video track somebody takes now; the sender may stop the others
    /// until the next word. Said when it changes.
    LayersWanted {
        /// The room.
        room: RoomId,
        /// The publisher.
        peer: PeerId,
        /// Its track.
        track: TrackId,
        /// Indices of encodings (in the order of the offer's rids) or of spatial layers, ascending; 0 is the
        /// smallest picture. Empty when nobody takes any.
        wanted: Vec<u8>,
    },
    /// Who speaks, loudest first; said when it changes. Empty when all are silent.
    Speakers {
        /// The room.
        room: RoomId,
        /// The peers that speak.
        peers: Vec<PeerId>,
    },
    /// The room failed inside the node and was dropped.
    RoomFailed {
        /// The room.
        room: RoomId,
    },
}
