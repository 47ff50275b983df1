//! What is alive in an engine: the first thing to look at when memory grows.

/// Live objects, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// Rooms, without those of which there is only a part that another engine leads.
    pub rooms: usize,
    /// Parts of rooms that another engine leads.
    pub parts: usize,
    /// Other engines' parts of these rooms.
    pub neighbours: usize,
    /// Peers in those.
    pub remote_peers: usize,
    /// Peers of all rooms.
    pub peers: usize,
    /// Tracks that somebody sends or waits for.
    pub tracks: usize,
    /// Tracks that somebody sends.
    pub sources: usize,
    /// Their streams, each with its ring.
    pub encodings: usize,
    /// Packets that the rings have room for.
    pub ring_slots: usize,
    /// Receivers of tracks.
    pub subscriptions: usize,
    /// Streams known by their SSRC.
    pub streams: usize,
    /// Paths that lead to a peer.
    pub paths: usize,
    /// Receivers whose path is estimated.
    pub estimated: usize,
    /// ICE user fragments that lead to a peer.
    pub ufrags: usize,
    /// Rooms that wait to be woken.
    pub deadlines: usize,
    /// Packets that wait to be written, and datagrams that wait to be sent.
    pub queued: usize,
    /// Packets missed of publishers and still hoped for.
    pub missing: usize,
}
