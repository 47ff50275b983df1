//! Turns a peer's offer into tracks and subscriptions, and writes the answer.
//!
//! Everything that can be refused is refused before anything changes, so that a failed negotiation leaves
//! the peer as it was.

use std::net::SocketAddr;

use homeline_protocol::id::{PeerId, TrackId};
use homeline_protocol::media_control::{MediaError, Publish, Subscribe};
use rand::Rng;
use rand::rngs::StdRng;

use super::arrivals::Arrivals;
use super::commands::{Context, Room, RouteChanges};
use super::peer::{Figures, Incoming, Peer};
use super::slots::{PeerSlot, TrackSlot};
use super::subscription::{Subscription, Terms};
use super::track::{Source, Track};
use crate::transport::sdp::{
    Accepted, AnswerParameters, Codec, HeaderExtension, Kind, Offer, Section, Sending, write_answer,
};
use crate::transport::{Connection, Credentials};
use crate::wire::ids::Ssrc;

/// A peer's offer with what signaling says of its sections.
pub(crate) struct Proposal<'a> {
    pub(crate) peer: PeerId,
    pub(crate) offer: &'a Offer,
    pub(crate) publish: &'a [Publish],
    pub(crate) subscribe: &'a [Subscribe],
    pub(crate) candidates: &'a [SocketAddr],
}

impl Room {
    /// Takes a proposal and answers it. The engine renews the peer's routes afterwards.
    pub(crate) fn negotiate(
        &mut self,
        context: &mut Context<'_>,
        proposal: &Proposal<'_>,
        changes: &mut RouteChanges,
    ) -> Result<(PeerSlot, String), MediaError> {
        self.check(context, proposal)?;
        let slot = self.prepare_peer(context, proposal, changes);
        self.apply_publish(slot, proposal);
        self.apply_subscribe(context, slot, proposal);
        self.collect_unused_tracks();
        self.rebind_incoming(slot, proposal.offer);
        self.ask_for_awaited_key_frames(context);
        let sdp = self.answer(context, slot, proposal);
        Ok((slot, sdp))
    }

    fn check(&self, context: &Context<'_>, proposal: &Proposal<'_>) -> Result<(), MediaError> {
        let config = context.config;
        let slot = self.slot_of(proposal.peer);
        if slot.is_none() && self.peers() >= config.peers_per_room_max {
            return Err(MediaError::Limit("peers in a room"));
        }
        if proposal.publish.len() > config.tracks_per_peer_max {
            return Err(MediaError::Limit("tracks published by a peer"));
        }
        if proposal.subscribe.len() > config.subscriptions_per_peer_max {
            return Err(MediaError::Limit("tracks received by a peer"));
        }
        let bad = |why: &str| Err(MediaError::BadOffer(why.to_owned()));
        let named = proposal.publish.iter().map(|publish| &publish.mid);
        for mid in named.chain(proposal.subscribe.iter().map(|subscribe| &subscribe.mid)) {
            if find_section(proposal.offer, mid).is_none() {
                return bad("a named section is not in it");
            }
        }
        for (at, publish) in proposal.publish.iter().enumerate() {
            let before = &proposal.publish[..at];
            if before
                .iter()
                .any(|other| other.mid == publish.mid || other.track == publish.track)
            {
                return bad("a section or track is named twice");
            }
            let source = self.track_at(publish.track).and_then(|at| self.source(at));
            let other = source.is_some_and(|source| match source.peer.remote() {
                None => Some(source.peer) != slot,
                // It may have moved over and not yet be forgotten there.
                Some(_) => {
                    let publisher = self.span.publisher(&self.peers, source.peer);
                    publisher.is_some_and(|publisher| publisher.id != proposal.peer)
                }
            });
            if other {
                return bad("a track belongs to another peer");
            }
        }
        for (at, subscribe) in proposal.subscribe.iter().enumerate() {
            if proposal.subscribe[..at]
                .iter()
                .any(|other| other.mid == subscribe.mid)
            {
                return bad("a section or track is named twice");
            }
        }
        Ok(())
    }

    /// Makes the peer, renews its connection when the client did, or restarts ICE.
    fn prepare_peer(
        &mut self,
        context: &mut Context<'_>,
        proposal: &Proposal<'_>,
        changes: &mut RouteChanges,
    ) -> PeerSlot {
        let offer = proposal.offer;
        let Some(slot) = self.slot_of(proposal.peer) else {
            let peer = new_peer(context, proposal.peer, offer);
            return PeerSlot(self.peers.insert(peer));
        };
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return slot;
        };
        let same =
            peer.origin == offer.origin && *peer.connection.fingerprint() == offer.fingerprint;
        if !same || peer.connection.is_over() {
            // The client began a new peer connection, for instance after a reload.
            let forwarding = peer.forwarding;
            changes.removed_paths.extend(peer.connection.agent.paths());
            changes
                .removed_ufrags
                .extend(peer.connection.agent.ufrags().map(str::to_owned));
            *peer = new_peer(context, proposal.peer, offer);
            peer.forwarding = forwarding;
            self.forget_tracks_of(slot);
        } else if *peer.connection.agent.remote() != offer.ice {
            let local = Credentials::random(context.rng);
            let agent = &mut peer.connection.agent;
            changes
                .removed_ufrags
                .extend(agent.restart(context.now, local, offer.ice.clone()));
        }
        slot
    }

    fn apply_publish(&mut self, slot: PeerSlot, proposal: &Proposal<'_>) {
        for (_, track) in self.tracks.iter_mut() {
            let Some(source) = track.source.as_ref().filter(|source| source.peer == slot) else {
                continue;
            };
            let stays = proposal.publish.iter().any(|publish| {
                publish.track == track.id
                    && publish.mid == source.mid
                    && find_section(proposal.offer, &publish.mid).is_some_and(Section::may_send)
            });
            if !stays {
                track.end();
            }
        }
        for publish in proposal.publish {
            let section = find_section(proposal.offer, &publish.mid);
            let Some(section) = section.filter(|section| section.may_send()) else {
                continue;
            };
            let Some(new) = Source::new(slot, section) else {
                continue;
            };
            let at = self.track_or_new(publish.track);
            let Some(track) = self.tracks.get_mut(at.0) else {
                continue;
            };
            match &mut track.source {
                Some(source) if source.is_same_stream(&new) => source.renegotiate(new),
                _ => track.begin(new),
            }
            track.bind();
        }
    }

    fn apply_subscribe(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        proposal: &Proposal<'_>,
    ) {
        for (_, track) in self.tracks.iter_mut() {
            let id = track.id;
            track.subscriptions.retain(|subscription| {
                let stays = proposal.subscribe.iter().any(|subscribe| {
                    let section = find_section(proposal.offer, &subscribe.mid);
                    subscribe.track == id
                        && subscribe.mid == subscription.mid
                        && section.is_some_and(Section::may_receive)
                });
                subscription.peer != slot || stays
            });
        }
        for subscribe in proposal.subscribe {
            let section = find_section(proposal.offer, &subscribe.mid);
            let Some(section) = section.filter(|section| section.may_receive()) else {
                continue;
            };
            let (Some(kind), codecs) = (section.kind, receiving_codecs(section)) else {
                continue;
            };
            let at = self.track_or_new(subscribe.track);
            let stream = self.stream_of(at);
            let Some(track) = self.tracks.get_mut(at.0) else {
                continue;
            };
            let mut present = track.subscriptions.iter_mut();
            if let Some(kept) = present.find(|s| s.peer == slot && s.mid == subscribe.mid) {
                kept.codecs = codecs;
                kept.ids = section.extensions;
                kept.stream = stream;
            } else {
                let terms = new_terms(context.rng, slot, section, kind, codecs, stream);
                track.subscribe(Subscription::new(terms));
            }
            track.bind();
        }
    }

    /// Knows the publisher's streams by the SSRCs that the offer or earlier packets named.
    fn rebind_incoming(&mut self, slot: PeerSlot, offer: &Offer) {
        let mut incoming = Vec::new();
        for (at, track) in self.tracks.iter() {
            let Some(source) = track.source.as_ref().filter(|source| source.peer == slot) else {
                continue;
            };
            let track = TrackSlot(at);
            for (number, encoding) in (0..).zip(&source.encodings) {
                let of = |ssrc, retransmission| Incoming {
                    ssrc,
                    track,
                    encoding: number,
                    retransmission,
                };
                let media = encoding.ssrc.map(|ssrc| of(ssrc, false));
                let rtx = encoding.rtx_ssrc.map(|ssrc| of(ssrc, true));
                incoming.extend([media, rtx].into_iter().flatten());
            }
        }
        let id = |extension| {
            offer
                .sections
                .iter()
                .find_map(|section| section.extensions.id(extension))
        };
        if let Some(peer) = self.peers.get_mut(slot.0) {
            peer.incoming = incoming;
            peer.transport_id = id(HeaderExtension::TransportSequence);
            peer.mid_id = id(HeaderExtension::Mid);
            peer.rid_id = id(HeaderExtension::RtpStreamId);
            peer.repaired_rid_id = id(HeaderExtension::RepairedRtpStreamId);
        }
    }

    fn answer(&mut self, context: &Context<'_>, slot: PeerSlot, proposal: &Proposal<'_>) -> String {
        let decisions: Vec<Accepted> = proposal
            .offer
            .sections
            .iter()
            .map(|section| self.decide(slot, section))
            .collect();
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return String::new();
        };
        peer.answers += 1;
        let parameters = AnswerParameters {
            session_id: peer.session_id,
            version: peer.answers,
            ice: peer.connection.agent.local(),
            fingerprint: context.identity.fingerprint(),
            candidates: proposal.candidates,
            tcp_candidates: &context.config.tcp_candidates,
            generation: peer.connection.agent.restarts(),
        };
        write_answer(proposal.offer, &decisions, &parameters)
    }

    fn decide(&self, slot: PeerSlot, section: &Section) -> Accepted {
        if section.stopped || section.codecs.is_empty() || section.kind.is_none() {
            return Accepted::No;
        }
        let mut receives = false;
        let mut sends = None;
        for (_, track) in self.tracks.iter() {
            let source = track.source.as_ref();
            receives |= source.is_some_and(|s| s.peer == slot && s.mid == section.mid);
            let mut subscriptions = track.subscriptions.iter();
            if let Some(s) = subscriptions.find(|s| s.peer == slot && s.mid == section.mid) {
                sends = Some(Sending {
                    ssrc: s.ssrc,
                    rtx_ssrc: s.rtx_ssrc,
                    stream: s.stream.clone(),
                    track: track.id.to_string(),
                });
            }
        }
        Accepted::Yes { receives, sends }
    }

    /// The publisher, so that its tracks are played in step; the track alone while there is none yet.
    fn stream_of(&self, at: TrackSlot) -> String {
        let publisher = self
            .source(at)
            .and_then(|source| self.span.publisher(&self.peers, source.peer));
        match (publisher, self.tracks.get(at.0)) {
            (Some(peer), _) => peer.id.to_string(),
            (None, Some(track)) => track.id.to_string(),
            (None, None) => String::from("-"),
        }
    }

    fn source(&self, at: TrackSlot) -> Option<&Source> {
        self.tracks.get(at.0)?.source.as_ref()
    }

    fn track_at(&self, id: TrackId) -> Option<TrackSlot> {
        self.tracks
            .iter()
            .find(|(_, track)| track.id == id)
            .map(|(at, _)| TrackSlot(at))
    }

    pub(super) fn track_or_new(&mut self, id: TrackId) -> TrackSlot {
        match self.track_at(id) {
            Some(at) => at,
            None => TrackSlot(self.tracks.insert(Track::new(id))),
        }
    }
}

impl Section {
    fn may_send(&self) -> bool {
        !self.stopped && self.direction.sends && !self.codecs.is_empty()
    }

    fn may_receive(&self) -> bool {
        !self.stopped && self.direction.receives && !self.codecs.is_empty()
    }
}

fn find_section<'a>(offer: &'a Offer, mid: &str) -> Option<&'a Section> {
    offer.sections.iter().find(|section| section.mid == mid)
}

/// The codecs as they will be sent: repair needs RTX, so without it a NACK would go unanswered.
fn receiving_codecs(section: &Section) -> Vec<Codec> {
    let mut codecs = section.codecs.clone();
    for codec in &mut codecs {
        codec.feedback.nack &= codec.rtx.is_some();
    }
    codecs
}

fn new_peer(context: &mut Context<'_>, id: PeerId, offer: &Offer) -> Peer {
    let local = Credentials::random(context.rng);
    let (remote, fingerprint) = (offer.ice.clone(), offer.fingerprint.clone());
    Peer {
        id,
        connection: Connection::new(context.now, context.identity, local, remote, fingerprint),
        origin: offer.origin.clone(),
        // RFC 9429 section 5.2.1: below 2^62.
        session_id: context.rng.random::<u64>() >> 2,
        answers: 0,
        forwarding: false,
        incoming: Vec::new(),
        ssrc: random_ssrc(context.rng),
        transport_id: None,
        transport_sequence: 0,
        mid_id: None,
        rid_id: None,
        repaired_rid_id: None,
        arrivals: Arrivals::new(context.now),
        path: None,
        clock_offset: Default::default(),
        reports_at: context.now,
        figures: Figures::default(),
    }
}

fn new_terms(
    rng: &mut StdRng,
    peer: PeerSlot,
    section: &Section,
    kind: Kind,
    codecs: Vec<Codec>,
    stream: String,
) -> Terms {
    Terms {
        peer,
        mid: section.mid.clone(),
        kind,
        ids: section.extensions,
        ssrc: random_ssrc(rng),
        rtx_ssrc: codecs
            .iter()
            .any(|codec| codec.rtx.is_some())
            .then(|| random_ssrc(rng)),
        codecs,
        stream,
        first_sequence: rng.random_range(0..0x8000),
        first_timestamp: rng.random(),
    }
}

/// Never 0, which some receivers take for "none". A collision within one peer's few streams has a chance
/// of one in a hundred million.
fn random_ssrc(rng: &mut StdRng) -> Ssrc {
    Ssrc(rng.random_range(1..=u32::MAX))
}
