//! What an engine is told at its start.

use std::net::SocketAddr;
use std::time::Duration;

/// Limits and addresses of one engine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Addresses at which clients can reach the sockets, most preferred first: the candidates of every
    /// answer.
    pub candidates: Vec<SocketAddr>,
    /// Addresses at which clients can open connections, most preferred first: candidates of every answer too,
    /// after those above. Empty without TCP.
    pub tcp_candidates: Vec<SocketAddr>,
    /// Time since the Unix epoch at the moment that is given to `Engine::new` as now.
    pub unix_time: Duration,
    /// Rooms; another one is refused.
    pub rooms_max: usize,
    /// Peers of one room; another one is refused.
    pub peers_per_room_max: usize,
    /// Tracks that one peer publishes; an offer with more is refused.
    pub tracks_per_peer_max: usize,
    /// Tracks that one peer receives; an offer with more is refused.
    pub subscriptions_per_peer_max: usize,
    /// Datagrams that are handed out as one train when they are alike; 1 for a system that can send only
    /// one at a time.
    pub train_max: usize,
    /// Whether what a receiver is sent follows what its path carries, if it tells of arrivals.
    pub estimation: bool,
    /// Audio tracks whose sound is forwarded at once in a room where more than these send; of the others
    /// only the loudest are. Tracks that name no level are forwarded besides. `usize::MAX` forwards all.
    pub audio_forwarded_max: usize,
    /// From so many decibels below overload on, sound is silence and not forwarded for long; 127 is digital
    /// silence. `None` forwards silence like sound.
    pub silence_db: Option<u8>,
    /// Media sections of one offer, stopped ones included; an offer with more is refused.
    pub sections_per_offer_max: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            candidates: Vec::new(),
            tcp_candidates: Vec::new(),
            unix_time: Duration::ZERO,
            rooms_max: 1_000,
            peers_per_room_max: 100,
            tracks_per_peer_max: 8,
            subscriptions_per_peer_max: 256,
            train_max: 1,
            estimation: true,
            // More than three voices at once cannot be followed; two more places are for those who laugh or
            // agree, so that they take no place from a speaker.
            audio_forwarded_max: 5,
            // A quiet room is sound too, and cutting it off is heard.
            silence_db: Some(127),
            sections_per_offer_max: 512,
        }
    }
}
