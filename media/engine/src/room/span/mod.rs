//! A room whose peers are spread over several engines: each has its part, with its own peers, and the tracks of the
//! others beside its own.
//!
//! `tell` says what this part has and wants, and begins and ends what is handed over; `hear` makes remote peers and
//! tracks of what the others say; `relay` hands packets over and takes them. A packet that is handed over goes the
//! same way as one that was received here, so that each part decides alike who is loud, what is missing and who
//! begins where: only what is asked of a publisher goes back through its own engine.

mod hear;
mod relay;
mod tell;

use std::time::{Duration, Instant};

use homeline_protocol::id::{PeerId, TrackId};

use super::peer::{ClockOffset, Peer};
use super::slots::{PeerSlot, Slots, TrackSlot};
use crate::population::Population;
use crate::span::{EngineId, RoomNews, Want};

/// How often a part that has not answered is told of this one.
const GREETING_INTERVAL: Duration = Duration::from_millis(100);

/// See the module's description.
pub(super) struct Span {
    /// Whether this part tells what is said once for the whole room: who speaks.
    pub(super) leads: bool,
    neighbours: Vec<Neighbour>,
    /// Peers of the other parts, under slots that say so.
    peers: Slots<RemotePeer>,
    next_run: u32,
}

/// Another part of the room.
struct Neighbour {
    id: EngineId,
    /// Its news have come.
    heard: bool,
    greet_at: Option<Instant>,
    /// What it was told last.
    told: Option<Box<RoomNews>>,
    /// In order of the tracks.
    wants: Vec<Want>,
    /// The places here of the tracks in its places.
    places: Vec<Option<TrackSlot>>,
}

impl Neighbour {
    /// What it takes of a track, one bit for each encoding or spatial layer.
    fn want(&self, track: TrackId) -> Option<u8> {
        let found = self.wants.binary_search_by_key(&track, |want| want.track);
        found.ok().map(|at| self.wants[at].layers)
    }
}

/// A peer of another part.
struct RemotePeer {
    id: PeerId,
    from: EngineId,
    takes_part: bool,
    clock_offset: ClockOffset,
    round_trip: Option<Duration>,
}

/// Where a remote track comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) from: EngineId,
    /// Its place there.
    slot: u32,
    run: Option<u32>,
}

/// A neighbour to which a track's packets are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Relay {
    to: EngineId,
    run: u32,
}

/// Who publishes a track, wherever it is connected.
#[derive(Clone, Copy)]
pub(super) struct Publisher {
    pub(super) id: PeerId,
    /// Connected and not held.
    pub(super) takes_part: bool,
    pub(super) clock_offset: ClockOffset,
    pub(super) round_trip: Option<Duration>,
}

impl Span {
    pub(super) const fn new(leads: bool, first_run: u32) -> Self {
        Self {
            leads,
            neighbours: Vec::new(),
            peers: Slots::new(),
            next_run: first_run,
        }
    }

    /// The peer in a slot, here or in another part.
    pub(super) fn publisher(&self, peers: &Slots<Peer>, slot: PeerSlot) -> Option<Publisher> {
        if let Some(at) = slot.remote() {
            let peer = self.peers.get(at)?;
            return Some(Publisher {
                id: peer.id,
                takes_part: peer.takes_part,
                clock_offset: peer.clock_offset,
                round_trip: peer.round_trip,
            });
        }
        let peer = peers.get(slot.0)?;
        Some(Publisher {
            id: peer.id,
            takes_part: peer.takes_part(),
            clock_offset: peer.clock_offset,
            round_trip: peer.figures.round_trip,
        })
    }

    /// Whether the peer in a slot is not held.
    pub(super) fn forwards(&self, peers: &Slots<Peer>, slot: PeerSlot) -> bool {
        match slot.remote() {
            None => peers.get(slot.0).is_some_and(|peer| peer.forwarding),
            Some(at) => self.peers.get(at).is_some_and(|peer| peer.takes_part),
        }
    }

    /// Whether the peer in a slot takes part.
    pub(super) fn takes_part(&self, peers: &Slots<Peer>, slot: PeerSlot) -> bool {
        match slot.remote() {
            None => peers.get(slot.0).is_some_and(Peer::takes_part),
            Some(at) => self.peers.get(at).is_some_and(|peer| peer.takes_part),
        }
    }

    /// What the other parts take of a track, one bit for each encoding or spatial layer.
    pub(super) fn wanted(&self, track: TrackId) -> u8 {
        let wants = self.neighbours.iter().filter_map(|other| other.want(track));
        wants.fold(0, |wanted, layers| wanted | layers)
    }

    /// Other parts of the room.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = EngineId> {
        self.neighbours.iter().map(|other| other.id)
    }

    /// Whether all other parts that are known have told of themselves.
    pub(super) fn is_whole(&self) -> bool {
        self.neighbours.iter().all(|other| other.heard)
    }

    pub(super) fn wake_at(&self) -> Option<Instant> {
        let unheard = self.neighbours.iter().filter(|other| !other.heard);
        unheard.filter_map(|other| other.greet_at).min()
    }

    pub(super) fn count_into(&self, population: &mut Population) {
        population.neighbours += self.neighbours.len();
        population.remote_peers += self.peers.len();
    }

    fn neighbour(&mut self, id: EngineId) -> Option<&mut Neighbour> {
        self.neighbours.iter_mut().find(|other| other.id == id)
    }

    /// Knows of another part from now on.
    fn add(&mut self, id: EngineId) {
        if self.neighbour(id).is_some() {
            return;
        }
        self.neighbours.push(Neighbour {
            id,
            heard: false,
            greet_at: None,
            told: None,
            wants: Vec::new(),
            places: Vec::new(),
        });
    }
}
