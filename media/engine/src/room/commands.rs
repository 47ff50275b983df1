//! The room itself: its peers and tracks, and the commands that change them.

use std::time::Instant;

use homeline_protocol::id::{PeerId, RoomId, TrackId};
use homeline_protocol::media_control::MediaEvent;
use homeline_protocol::media_control::View;
use rand::rngs::StdRng;

use super::peer::Peer;
use super::slots::{PeerSlot, Slots, TrackSlot};
use super::span::Span;
use super::speakers::Speakers;
use super::subscription::Subscription;
use super::track::Track;
use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::counters::{Counters, DropReason};
use crate::outbox::Outbox;
use crate::population::Population;
use crate::span::EngineId;
use crate::tap::Tap;
use crate::transport::{Identity, Path, Progress};
use crate::wire::stun::StunMessage;

/// What a room is lent by the engine for one step.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) clock: &'a Clock,
    pub(crate) config: &'a EngineConfig,
    pub(crate) identity: &'a Identity,
    pub(crate) rng: &'a mut StdRng,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) counters: &'a mut Counters,
    pub(crate) tap: &'a mut Tap,
}

/// Routes that a step made and unmade, for the engine's tables.
#[derive(Default)]
pub(crate) struct RouteChanges {
    pub(crate) added_path: Option<Path>,
    pub(crate) removed_paths: Vec<Path>,
    pub(crate) removed_ufrags: Vec<String>,
}

/// See the module's description.
pub(crate) struct Room {
    pub(super) id: RoomId,
    pub(super) peers: Slots<Peer>,
    pub(super) tracks: Slots<Track>,
    /// Tracks with packets that are not yet written for their receivers, each once.
    pub(super) queued: Vec<TrackSlot>,
    /// Who takes what may have changed since senders were told.
    pub(super) demand_changed: bool,
    pub(super) speakers: Speakers,
    /// The other parts of the room, when its peers are spread over several engines.
    pub(super) span: Span,
    /// Not after the next moment at which [`Self::handle_timeout`] has something to do.
    wake_at: Option<Instant>,
}

impl Room {
    /// `leads` says that this is the part that tells what is said once for the whole room.
    pub(crate) const fn new(id: RoomId, leads: bool, first_run: u32) -> Self {
        Self {
            id,
            peers: Slots::new(),
            tracks: Slots::new(),
            queued: Vec::new(),
            demand_changed: false,
            speakers: Speakers::new(),
            span: Span::new(leads, first_run),
            wake_at: None,
        }
    }

    pub(crate) const fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// Makes sure that the room is woken at `at` or before.
    pub(super) fn wake(&mut self, at: Option<Instant>) {
        self.wake_at = [self.wake_at, at].into_iter().flatten().min();
    }

    pub(super) fn settle_wake(&mut self, at: Option<Instant>) {
        self.wake_at = at;
    }

    pub(crate) fn slot_of(&self, peer: PeerId) -> Option<PeerSlot> {
        self.peers
            .iter()
            .find(|(_, found)| found.id == peer)
            .map(|(at, _)| PeerSlot(at))
    }

    /// Every ufrag under which a peer's checks are answered.
    pub(crate) fn ufrags(&self, slot: PeerSlot) -> Vec<String> {
        let peer = self.peers.get(slot.0);
        peer.map(|peer| peer.connection.agent.ufrags().map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// Takes a connectivity check that names one of a peer's ufrags.
    pub(crate) fn handle_check(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        path: Path,
        request: &StunMessage<'_>,
        changes: &mut RouteChanges,
    ) {
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return;
        };
        match peer
            .connection
            .handle_check(context.now, path, request, context.outbox)
        {
            Err(reason) => self.count_drop(context, slot, reason),
            Ok((checked, progress)) => {
                changes.added_path = checked.accepted.then_some(path);
                changes.removed_paths.extend(checked.evicted);
                self.note_progress(context, slot, progress);
                self.wake_for(slot);
            }
        }
    }

    /// One of a peer's connections was closed.
    pub(crate) fn lose_path(&mut self, context: &Context<'_>, slot: PeerSlot, path: Path) {
        if let Some(peer) = self.peers.get_mut(slot.0) {
            peer.connection.agent.lose(context.now, path);
        }
    }

    /// Takes a datagram of a peer's DTLS handshake.
    pub(crate) fn handle_dtls(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        path: Path,
        datagram: &[u8],
    ) {
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return;
        };
        let progress = peer
            .connection
            .handle_dtls(context.now, path, datagram, context.outbox);
        self.note_progress(context, slot, progress);
        self.wake_for(slot);
    }

    pub(super) fn wake_for(&mut self, slot: PeerSlot) {
        let wake = self.peers.get(slot.0).and_then(Peer::wake_at);
        self.wake(wake);
    }

    /// Lets a peer's media flow, or holds it.
    pub(crate) fn set_forwarding(&mut self, context: &mut Context<'_>, slot: PeerSlot, on: bool) {
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return;
        };
        if peer.forwarding == on {
            return;
        }
        peer.forwarding = on;
        self.peer_begins_or_stops(context, slot);
    }

    /// Lets a track flow, or holds it. Its receivers begin anew, as after a loss.
    pub(crate) fn set_track_forwarding(
        &mut self,
        context: &mut Context<'_>,
        id: TrackId,
        on: bool,
    ) {
        for (_, track) in self.tracks.iter_mut() {
            // Of a track of another part, that part tells whether it is held.
            let is_here = track
                .source
                .as_ref()
                .is_none_or(|source| source.origin.is_none());
            if track.id == id && track.held == on && is_here {
                track.held = !on;
                track.subscriptions.iter_mut().for_each(Subscription::wait);
            }
        }
        self.replay_key_frames(context);
        self.ask_for_awaited_key_frames(context);
    }

    /// Takes how large a receiver shows a track.
    pub(crate) fn set_view(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        id: TrackId,
        view: View,
    ) {
        for (_, track) in self.tracks.iter_mut().filter(|(_, track)| track.id == id) {
            let mut subscriptions = track.subscriptions.iter_mut();
            for subscription in subscriptions.by_ref().filter(|s| s.peer == slot) {
                subscription.selection.set_view(view);
            }
            track.choose();
        }
        self.replay_key_frames(context);
        self.ask_for_awaited_key_frames(context);
    }

    /// A peer was held, let go, lost or found: all that it takes part in begins anew.
    pub(super) fn peer_begins_or_stops(&mut self, context: &mut Context<'_>, slot: PeerSlot) {
        for (_, track) in self.tracks.iter_mut() {
            let published = track
                .source
                .as_ref()
                .is_some_and(|source| source.peer == slot);
            for subscription in &mut track.subscriptions {
                if published || subscription.peer == slot {
                    subscription.wait();
                }
            }
        }
        self.replay_key_frames(context);
        self.ask_for_awaited_key_frames(context);
    }

    /// Takes a peer out at once.
    pub(crate) fn remove_peer(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        changes: &mut RouteChanges,
    ) {
        let Some(mut peer) = self.peers.remove(slot.0) else {
            return;
        };
        peer.connection.close(context.outbox);
        changes.removed_paths.extend(peer.connection.agent.paths());
        changes
            .removed_ufrags
            .extend(peer.connection.agent.ufrags().map(str::to_owned));
        self.forget_tracks_of(slot);
        self.note_demand(context.now);
    }

    pub(super) fn forget_tracks_of(&mut self, slot: PeerSlot) {
        for (_, track) in self.tracks.iter_mut() {
            track.forget(slot);
        }
        self.collect_unused_tracks();
    }

    /// Drops tracks with neither source nor receivers. Streams of peers hold slots of tracks that have a
    /// source, so nothing points at what goes.
    pub(super) fn collect_unused_tracks(&mut self) {
        let unused = self.tracks.iter().filter(|(_, track)| track.is_unused());
        let unused: Vec<usize> = unused.map(|(at, _)| at).collect();
        for at in unused {
            self.tracks.remove(at);
        }
    }

    /// Takes everyone out.
    pub(crate) fn close(&mut self, context: &mut Context<'_>, changes: &mut RouteChanges) {
        self.leave_neighbours(context);
        let slots: Vec<usize> = self.peers.iter().map(|(at, _)| at).collect();
        for slot in slots {
            self.remove_peer(context, PeerSlot(slot), changes);
        }
    }

    /// Every route of every peer, to be forgotten when the room failed.
    pub(crate) fn routes(&self) -> RouteChanges {
        let mut changes = RouteChanges::default();
        for (_, peer) in self.peers.iter() {
            changes.removed_paths.extend(peer.connection.agent.paths());
            changes
                .removed_ufrags
                .extend(peer.connection.agent.ufrags().map(str::to_owned));
        }
        changes
    }

    /// Whether this part tells what is said once for the whole room.
    pub(crate) const fn leads(&self) -> bool {
        self.span.leads
    }

    /// The other parts that are known.
    pub(crate) fn neighbours(&self) -> impl Iterator<Item = EngineId> {
        self.span.neighbours()
    }

    /// Whether all other parts that are known have told of themselves.
    pub(crate) fn is_whole(&self) -> bool {
        self.span.is_whole()
    }

    pub(crate) fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Counts what is alive.
    pub(crate) fn count_into(&self, population: &mut Population) {
        population.peers += self.peers.len();
        self.span.count_into(population);
        population.tracks += self.tracks.len();
        let estimated = self.peers.iter().filter(|(_, peer)| peer.path.is_some());
        population.estimated += estimated.count();
        let streams = self.peers.iter().map(|(_, peer)| peer.incoming.len());
        population.streams += streams.sum::<usize>();
        for (_, track) in self.tracks.iter() {
            population.subscriptions += track.subscriptions.len();
            population.queued += track.queue.len();
            if let Some(source) = &track.source {
                population.sources += 1;
                population.encodings += source.encodings.len();
                for encoding in &source.encodings {
                    population.ring_slots += encoding.ring.len();
                    population.missing += encoding.gaps.len();
                }
            }
        }
    }

    /// Counts something of a peer that was dropped.
    pub(super) fn count_drop(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        reason: DropReason,
    ) {
        context.counters.drop(reason);
        // Redundant packets are a sender's probing, no fault of anyone.
        if reason != DropReason::Redundant
            && let Some(peer) = self.peers.get_mut(slot.0)
        {
            peer.figures.packets_dropped += 1;
        }
    }

    /// Tells signaling of a change, and lets media begin or stop.
    pub(super) fn note_progress(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        progress: Option<Progress>,
    ) {
        let (Some(progress), Some(peer)) = (progress, self.peers.get_mut(slot.0)) else {
            return;
        };
        let (room, id) = (self.id, peer.id);
        context.outbox.event(match progress {
            Progress::Connected => MediaEvent::PeerConnected { room, peer: id },
            Progress::Silent => MediaEvent::PeerSilent { room, peer: id },
            Progress::Closed => MediaEvent::PeerClosed { room, peer: id },
        });
        if progress == Progress::Connected {
            peer.reports_at = context.now;
        }
        self.peer_begins_or_stops(context, slot);
        self.wake_for(slot);
    }
}
