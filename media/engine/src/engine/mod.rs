//! The engine: takes commands, datagrams and time, and gives datagrams, events and the next time.

mod arrivals;
mod span;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::{MediaCommand, MediaError, MediaEvent, MediaReply, View};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::counters::Counters;
use crate::outbox::{Outbox, Transmit};
use crate::population::Population;
use crate::rebinding::Rebindings;
use crate::room::{Context, PeerSlot, Proposal, Room, RouteChanges};
use crate::span::{EngineId, RoomNews};
use crate::tap::Tap;
use crate::transport::sdp::Offer;
use crate::transport::{Identity, Path};

/// How long the engine may be left alone when nothing is due.
const IDLE: Duration = Duration::from_secs(60);

/// Bytes that are written before they are handed out: the copies of a few receivers, which stay in the
/// processor's first cache until they are sent.
const CHUNK_BYTES: usize = 32 * 1_024;

/// What the engine wants. See [`Engine`] for when to ask.
#[derive(Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// Send this.
    Transmit(Transmit<'a>),
    /// Tell signaling this.
    Event(MediaEvent),
    /// Bring this to another engine, which takes it with [`Engine::handle_news`]. It must arrive, before any message
    /// that follows, unless newer news of the same room are there to replace it.
    News(EngineId, RoomNews),
    /// Bring this to another engine, which takes it with [`Engine::handle_message`]. It may be lost; what arrives must
    /// arrive in order.
    Message(EngineId, &'a [u8]),
    /// Nothing more now; call [`Engine::handle_timeout`] at this moment, if nothing else comes first.
    Timeout(Instant),
}

/// Where a datagram or a check belongs.
#[derive(Clone, Copy)]
struct Route {
    room: RoomId,
    peer: PeerSlot,
}

/// The SFU without sockets and clock.
///
/// **The drain rule**: after every `handle_*` call, and once after `new`, call [`Self::poll_output`] until it
/// returns [`Output::Timeout`]; only then call the next `handle_*`. What an input causes is queued inside, and
/// this rule is what bounds the queue. Datagrams that arrived together may be handed in one after the other
/// before draining: media is then written receiver by receiver, so that what goes to one of them leaves as a
/// train.
///
/// Instants must not go backwards.
pub struct Engine {
    config: EngineConfig,
    identity: Identity,
    clock: Clock,
    rng: StdRng,
    now: Instant,
    rooms: HashMap<RoomId, Room>,
    by_path: HashMap<Path, Route>,
    by_ufrag: HashMap<String, Route>,
    rebindings: Rebindings<Route>,
    /// When each room wants to be woken.
    deadlines: BTreeSet<(Instant, RoomId)>,
    /// The room in whose code a panic would have its cause.
    in_room: Option<RoomId>,
    outbox: Outbox,
    /// Rooms with media that is received and not yet written for its receivers, each once.
    queued_rooms: Vec<RoomId>,
    /// Copies that this media will be, at most.
    queued_copies: usize,
    /// Rooms made so far.
    rooms_made: u32,
    counters: Counters,
    tap: Tap,
}

impl Engine {
    /// An engine without rooms. `seed` is the source of all its random numbers, passwords among them: it
    /// must come from the operating system, but in a simulation.
    pub fn new(config: EngineConfig, identity: Identity, seed: [u8; 32], now: Instant) -> Self {
        Self {
            clock: Clock::new(now, config.unix_time),
            outbox: Outbox::new(config.train_max),
            config,
            identity,
            rng: StdRng::from_seed(seed),
            now,
            rooms: HashMap::new(),
            by_path: HashMap::new(),
            by_ufrag: HashMap::new(),
            rebindings: Rebindings::default(),
            deadlines: BTreeSet::new(),
            in_room: None,
            queued_rooms: Vec::new(),
            queued_copies: 0,
            rooms_made: 0,
            counters: Counters::default(),
            tap: Tap::default(),
        }
    }

    /// Carries out a command.
    pub fn handle_command(
        &mut self,
        now: Instant,
        command: MediaCommand,
    ) -> Result<MediaReply, MediaError> {
        self.now = now;
        self.write_all_queued();
        match command {
            MediaCommand::CreateRoom { room } => self.create_room(room),
            MediaCommand::CloseRoom { room } => {
                self.close_room(room);
                Ok(MediaReply::Done)
            }
            MediaCommand::Negotiate {
                room,
                peer,
                offer,
                publish,
                subscribe,
            } => {
                let parsed = Offer::parse(&offer, self.config.sections_per_offer_max)
                    .map_err(|error| MediaError::BadOffer(error.to_string()))?;
                let candidates = std::mem::take(&mut self.config.candidates);
                let proposal = Proposal {
                    peer,
                    offer: &parsed,
                    publish: &publish,
                    subscribe: &subscribe,
                    candidates: &candidates,
                };
                let answered = self.negotiate(room, &proposal);
                self.config.candidates = candidates;
                answered
            }
            MediaCommand::SetForwarding { room, peer, on } => {
                let slot = self.find_peer(room, peer)?;
                self.in_room(room, |room, context, _| {
                    room.set_forwarding(context, slot, on)
                })?;
                Ok(MediaReply::Done)
            }
            MediaCommand::SetTrackForwarding { room, track, on } => {
                self.in_room(room, |room, context, _| {
                    room.set_track_forwarding(context, track, on);
                })?;
                Ok(MediaReply::Done)
            }
            MediaCommand::RemovePeer { room, peer } => {
                if let Ok(slot) = self.find_peer(room, peer) {
                    self.in_room(room, |room, context, changes| {
                        room.remove_peer(context, slot, changes);
                    })?;
                }
                Ok(MediaReply::Done)
            }
            MediaCommand::RequestKeyFrames { room } => {
                self.in_room(room, |room, context, _| room.request_key_frames(context))?;
                Ok(MediaReply::Done)
            }
            MediaCommand::SetView {
                room,
                peer,
                track,
                view,
            } => self.set_view(room, peer, track, view),
            MediaCommand::Statistics { room } => {
                let room = self.rooms.get(&room).ok_or(MediaError::NoRoom)?;
                Ok(MediaReply::Statistics(room.statistics(self.now)))
            }
        }
    }

    /// Queues a room that has media to write now.
    fn note_queued(&mut self, room: RoomId, was_queued: bool, copies: usize) {
        if copies > 0 {
            self.queued_copies += copies;
            if !was_queued {
                self.queued_rooms.push(room);
            }
        }
    }

    /// Writes all queued media: what comes next may take receivers out of the lists along which it is written.
    fn write_all_queued(&mut self) {
        while !self.queued_rooms.is_empty() {
            self.write_queued(usize::MAX);
        }
    }

    fn set_view(
        &mut self,
        room: RoomId,
        peer: PeerId,
        track: TrackId,
        view: View,
    ) -> Result<MediaReply, MediaError> {
        let slot = self.find_peer(room, peer)?;
        self.in_room(room, |room, context, _| {
            room.set_view(context, slot, track, view);
        })?;
        Ok(MediaReply::Done)
    }

    /// Copies that the next drain will write of media taken since the last, at most.
    pub const fn queued_copies(&self) -> usize {
        self.queued_copies
    }

    /// From now on trains are at most this long; see [`EngineConfig::train_max`].
    pub const fn set_train_max(&mut self, train_max: usize) {
        self.outbox.set_train_max(train_max);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        while let Some((at, room)) = self.deadlines.first().copied()
            && at <= now
        {
            let woken = self.in_room(room, |room, context, changes| {
                room.handle_timeout(context, changes);
            });
            debug_assert!(woken.is_ok(), "deadlines go with their rooms");
            debug_assert!(
                self.deadlines.first() != Some(&(at, room)),
                "a room that was woken has another deadline"
            );
        }
    }

    /// The next thing to be done; see the drain rule.
    pub fn poll_output(&mut self) -> Output<'_> {
        if let Some(event) = self.outbox.next_event() {
            return Output::Event(event);
        }
        if let Some((to, news)) = self.outbox.next_news() {
            return Output::News(to, news);
        }
        if let Some((to, at)) = self.outbox.next_relayed() {
            return Output::Message(to, self.outbox.relayed(at));
        }
        if self.outbox.is_empty() {
            self.outbox.reuse();
            if self.queued_rooms.is_empty() {
                self.queued_copies = 0;
            } else {
                self.write_queued(CHUNK_BYTES);
            }
        }
        let idle = self.now + IDLE;
        let next = self
            .deadlines
            .first()
            .map_or(idle, |(at, _)| (*at).min(idle));
        match self.outbox.next_train() {
            Some((transmit, count)) => {
                self.counters.datagrams_out += count as u64;
                self.counters.bytes_out += transmit.payload.len() as u64;
                Output::Transmit(transmit)
            }
            None => Output::Timeout(next),
        }
    }

    /// Writes queued media for its receivers until that many bytes wait to be sent, or nothing is queued.
    fn write_queued(&mut self, enough: usize) {
        while let Some(room) = self.queued_rooms.last().copied()
            && self.outbox.used() < enough
        {
            let more = self.in_room(room, |room, context, _| room.write_queued(context, enough));
            if more != Ok(true) {
                self.queued_rooms.pop();
            }
        }
    }

    /// Totals since the start.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What is alive.
    pub fn population(&self) -> Population {
        let mut population = Population {
            rooms: self.rooms.values().filter(|room| room.leads()).count(),
            parts: self.rooms.values().filter(|room| !room.leads()).count(),
            paths: self.by_path.len(),
            ufrags: self.by_ufrag.len(),
            deadlines: self.deadlines.len(),
            queued: self.queued_rooms.len() + self.outbox.waiting(),
            ..Population::default()
        };
        for room in self.rooms.values() {
            room.count_into(&mut population);
        }
        population
    }

    /// New addresses for the answers from now on, most preferred first.
    pub fn set_candidates(&mut self, candidates: Vec<SocketAddr>) {
        self.config.candidates = candidates;
    }

    /// After a panic inside a `handle_*` call: drops the room whose code it was, and the datagrams that
    /// were queued; an event says so. Everything else lives on.
    pub fn drop_failed_room(&mut self) -> Option<RoomId> {
        self.outbox.clear();
        let failed = self.in_room.take()?;
        self.queued_rooms.retain(|room| *room != failed);
        if let Some(room) = self.rooms.remove(&failed) {
            self.deadlines.retain(|(_, owner)| *owner != failed);
            self.unroute(failed, room.routes());
            for other in room.neighbours() {
                self.outbox.news(other, RoomNews::farewell(failed));
            }
        }
        self.outbox.event(MediaEvent::RoomFailed { room: failed });
        Some(failed)
    }

    /// Ends all rooms: every peer is told that its transport closes.
    pub fn close_all_rooms(&mut self, now: Instant) {
        self.now = now;
        let rooms: Vec<RoomId> = self.rooms.keys().copied().collect();
        for room in rooms {
            self.close_room(room);
        }
    }

    /// New addresses at which clients can open connections; see [`EngineConfig::tcp_candidates`].
    pub fn set_tcp_candidates(&mut self, candidates: Vec<SocketAddr>) {
        self.config.tcp_candidates = candidates;
    }

    /// Shows every clear packet to a test.
    #[cfg(feature = "tap")]
    pub fn open_tap(&mut self, sender: std::sync::mpsc::Sender<Vec<u8>>) {
        self.tap.open(sender);
    }

    /// Where a new room's numbering of what it hands over begins: not where one of the same name did before it.
    const fn next_run(&mut self) -> u32 {
        self.rooms_made = self.rooms_made.wrapping_add(1);
        self.rooms_made << 16
    }

    fn create_room(&mut self, room: RoomId) -> Result<MediaReply, MediaError> {
        if !self.rooms.contains_key(&room) {
            if self.rooms.len() >= self.config.rooms_max {
                return Err(MediaError::Limit("rooms"));
            }
            let whole = Room::new(room, true, self.next_run());
            self.rooms.insert(room, whole);
        }
        Ok(MediaReply::Done)
    }

    fn close_room(&mut self, id: RoomId) {
        let closed = self.in_room(id, |room, context, changes| room.close(context, changes));
        if closed.is_ok() {
            self.rooms.remove(&id);
            self.deadlines.retain(|(_, owner)| *owner != id);
        }
    }

    fn negotiate(
        &mut self,
        room: RoomId,
        proposal: &Proposal<'_>,
    ) -> Result<MediaReply, MediaError> {
        let (peer, sdp, ufrags) = self.in_room(room, |room, context, changes| {
            let (slot, sdp) = room.negotiate(context, proposal, changes)?;
            Ok::<_, MediaError>((slot, sdp, room.ufrags(slot)))
        })??;
        for ufrag in ufrags {
            self.by_ufrag.insert(ufrag, Route { room, peer });
        }
        Ok(MediaReply::Answer { sdp })
    }

    fn find_peer(&self, room: RoomId, peer: PeerId) -> Result<PeerSlot, MediaError> {
        let room = self.rooms.get(&room).ok_or(MediaError::NoRoom)?;
        room.slot_of(peer).ok_or(MediaError::NoPeer)
    }

    /// Runs `step` in a room, then brings routes and deadlines up to date.
    fn in_room<T>(
        &mut self,
        id: RoomId,
        step: impl FnOnce(&mut Room, &mut Context<'_>, &mut RouteChanges) -> T,
    ) -> Result<T, MediaError> {
        let room = self.rooms.get_mut(&id).ok_or(MediaError::NoRoom)?;
        self.in_room = Some(id);
        let before = room.wake_at();
        let mut changes = RouteChanges::default();
        let mut context = Context {
            now: self.now,
            clock: &self.clock,
            config: &self.config,
            identity: &self.identity,
            rng: &mut self.rng,
            outbox: &mut self.outbox,
            counters: &mut self.counters,
            tap: &mut self.tap,
        };
        let result = step(room, &mut context, &mut changes);
        // What became due at once, such as a request for a key frame, goes out with this step.
        if room.wake_at().is_some_and(|at| at <= self.now) {
            room.handle_timeout(&mut context, &mut changes);
        }
        let after = room.wake_at();
        if before != after {
            if let Some(at) = before {
                self.deadlines.remove(&(at, id));
            }
            if let Some(at) = after {
                self.deadlines.insert((at, id));
            }
        }
        self.in_room = None;
        if !changes.removed_paths.is_empty() || !changes.removed_ufrags.is_empty() {
            self.unroute(id, changes);
        }
        Ok(result)
    }

    fn unroute(&mut self, room: RoomId, changes: RouteChanges) {
        for path in changes.removed_paths {
            // The path may have gone over to another peer since: a port that was used again.
            if self
                .by_path
                .get(&path)
                .is_some_and(|route| route.room == room)
            {
                self.by_path.remove(&path);
            }
        }
        for ufrag in changes.removed_ufrags {
            self.by_ufrag.remove(&ufrag);
        }
    }
}
