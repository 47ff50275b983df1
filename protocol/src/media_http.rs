//! Bodies of a media node's control interface (docs/media-node.md): the same commands that signaling sends,
//! as HTTP and JSON for operators, tests and the load test.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{RoomId, TrackId};
use crate::media_control::{MediaEvent, PeerStatistics};
use crate::session::OutsideTried;

/// `POST /v1/rooms`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeRoom {
    /// The room's id; the node picks one when it is left out.
    #[serde(default)]
    pub room: Option<RoomId>,
}

/// The answer to [`MakeRoom`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomMade {
    /// The room.
    pub room: RoomId,
}

/// `PUT /v1/rooms/{room}/peers/{peer}`: a peer's offer. The first makes the peer, later ones add or remove
/// media or restart ICE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerOffer {
    /// The SDP offer.
    pub offer: String,
    /// Which of its sections send, and what.
    #[serde(default)]
    pub publish: Vec<SectionTrack>,
    /// Which of its sections receive, and from which track.
    #[serde(default)]
    pub subscribe: Vec<SectionTrack>,
    /// Whether the peer's media flows. Without it a new peer's does, and one that is there stays as it is.
    #[serde(default)]
    pub forwarding: Option<bool>,
}

/// A section of an offer and its track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionTrack {
    /// The section's `a=mid`.
    pub mid: String,
    /// The track.
    pub track: TrackId,
}

/// The answer to [`PeerOffer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerAnswer {
    /// The SDP answer.
    pub answer: String,
}

/// `PATCH /v1/rooms/{room}/peers/{peer}` and `PUT /v1/rooms/{room}/tracks/{track}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forwarding {
    /// Whether media flows.
    pub forwarding: bool,
}

/// `PUT /v1/rooms/{room}/peers/{peer}/views/{track}`, in physical pixels. Nothing is sent of a picture of no
/// size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewSize {
    /// Pixels across.
    pub width: u16,
    /// Pixels down.
    pub height: u16,
}

/// `GET /v1/rooms/{room}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoomFigures {
    /// The room.
    pub room: RoomId,
    /// Each of its peers.
    pub peers: Vec<PeerStatistics>,
}

/// `GET /v1/node`: at most a quarter of a second old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeFigures {
    /// The node's version.
    pub version: String,
    /// Milliseconds since its start.
    pub uptime_ms: u64,
    /// Where clients were told at the start to send media.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<SocketAddr>,
    /// Rooms at the moment.
    pub rooms: u64,
    /// Peers at the moment.
    pub peers: u64,
    /// Processor time of the whole process, microseconds.
    pub process_cpu_micros: u64,
    /// Processor time of the media threads, microseconds.
    pub media_cpu_micros: u64,
    /// Resident memory of the process, where the system tells.
    pub resident_bytes: Option<u64>,
    /// Totals since the start, by name.
    pub counters: BTreeMap<String, u64>,
    /// Packets dropped since the start, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// How long datagrams that led to forwarding were inside, from socket to socket.
    pub transit: TransitFigures,
}

/// A histogram of times inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransitFigures {
    /// Upper bounds of the buckets, microseconds.
    pub bounds_micros: Vec<u64>,
    /// How many fell into each; one more than bounds, the last being above all of them.
    pub buckets: Vec<u64>,
    /// All times together, microseconds.
    pub sum_micros: u64,
    /// How many were measured.
    pub count: u64,
    /// The bound under which half of them lie; absent without any.
    pub p50_micros: Option<u64>,
    /// The bound under which 99 of 100 lie.
    pub p99_micros: Option<u64>,
}

/// `POST /v1/reachability`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskReachability {
    /// What somebody outside has found, if a test was made.
    #[serde(default)]
    pub test: Option<OutsideTest>,
}

/// A test from outside, made by whoever commands the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutsideTest {
    /// The address from which the tester came. It says whether the tester stood outside at all.
    #[schema(value_type = String)]
    pub source: IpAddr,
    /// The address at which it reached this home, if it was told one of its own accord.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub reached_at: Option<IpAddr>,
    /// Each way that it tried, at most one entry for each.
    pub tried: Vec<OutsideTried>,
}

/// A line of `GET /v1/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventLine {
    /// The reader was too slow, and so many events before the next line are lost to it.
    Lagged {
        /// How many.
        lost: u64,
    },
    /// What the node said.
    #[serde(untagged)]
    Event(MediaEvent),
}
