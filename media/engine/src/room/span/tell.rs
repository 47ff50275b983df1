//! What this part tells the others of itself, and which tracks it hands over to whom.

use super::super::commands::{Context, Room};
use super::super::peer::Peer;
use super::super::replay::{FRESH, REPLAY_BYTES_MAX};
use super::super::slots::TrackSlot;
use super::super::track::{Source, Track};
use super::{GREETING_INTERVAL, Neighbour, Relay};
use crate::span::{EncodingNews, EngineId, PeerNews, RoomNews, TrackNews, Want, What};
use crate::transport::sdp::Kind;

/// Something that is handed over from now on.
struct Beginning {
    track: TrackSlot,
    relay: Relay,
    layers: u8,
}

impl Room {
    /// Knows of other parts of the room, and tells them of this one.
    pub(crate) fn extend(&mut self, context: &Context<'_>, with: &[EngineId]) {
        for id in with {
            self.span.add(*id);
        }
        self.note_demand(context.now);
    }

    /// Tells the other parts what changed here and begins and ends what they are handed.
    pub(in crate::room) fn tell_neighbours(&mut self, context: &mut Context<'_>) {
        if self.span.is_alone() {
            return;
        }
        let beginnings = self.settle_relays();
        let ids: Vec<EngineId> = self.span.neighbours().collect();
        for id in ids {
            let Some(other) = self.span.neighbours.iter().find(|other| other.id == id) else {
                continue;
            };
            let news = self.news_for(other);
            let now = context.now;
            if let Some(other) = self.span.neighbour(id)
                && other.must_hear(&news, now)
            {
                other.told = Some(Box::new(news.clone()));
                other.greet_at = Some(now + GREETING_INTERVAL);
                context.outbox.news(id, news);
            }
        }
        // What a run begins with comes after the news of it.
        for beginning in beginnings {
            self.begin_relay(context, &beginning);
        }
    }

    /// Says goodbye to the other parts.
    pub(in crate::room) fn leave_neighbours(&mut self, context: &mut Context<'_>) {
        for other in self.span.neighbours.drain(..) {
            context.outbox.news(other.id, RoomNews::farewell(self.id));
        }
    }

    /// Ends relays of what does not flow or is not wanted any more, and finds those that begin.
    fn settle_relays(&mut self) -> Vec<Beginning> {
        let Self {
            peers,
            tracks,
            span,
            ..
        } = self;
        let mut beginnings = Vec::new();
        for (at, track) in tracks.iter_mut() {
            let flows = !track.held
                && track.source.as_ref().is_some_and(|source| {
                    source.origin.is_none() && span.takes_part(peers, source.peer)
                });
            let id = track.id;
            let wanted = |other: &Neighbour| other.want(id);
            let find = |to| span.neighbours.iter().find(|other| other.id == to);
            track
                .relays
                .retain(|relay| flows && find(relay.to).and_then(wanted).is_some());
            if !flows {
                continue;
            }
            for other in &span.neighbours {
                let present = track.relays.iter().any(|relay| relay.to == other.id);
                let Some(layers) = wanted(other).filter(|_| !present) else {
                    continue;
                };
                let relay = Relay {
                    to: other.id,
                    run: span.next_run,
                };
                span.next_run = span.next_run.wrapping_add(1);
                track.relays.push(relay);
                beginnings.push(Beginning {
                    track: TrackSlot(at),
                    relay,
                    layers,
                });
            }
        }
        beginnings
    }

    /// Hands over what a receiver needs to begin with, or asks for it.
    fn begin_relay(&mut self, context: &mut Context<'_>, beginning: &Beginning) {
        self.report_to(context, beginning.track, &[beginning.relay]);
        let (room, at) = (self.id, beginning.track);
        let Some(track) = self.tracks.get_mut(at.0) else {
            return;
        };
        let Some(source) = track.source.as_mut().filter(|s| s.kind == Kind::Video) else {
            return;
        };
        let none_flows = !(0..8).any(|of| source.flows(of));
        let takes = |source: &Source, of: u8| {
            let wanted = !source.is_simulcast() || beginning.layers & (1 << of) != 0;
            wanted && (none_flows || source.flows(of))
        };
        for of in 0..source.encodings.len() as u8 {
            let taken = takes(source, of);
            let Some(encoding) = source.encodings.get_mut(usize::from(of)) else {
                continue;
            };
            let fresh = encoding
                .ring
                .since_key_frame(context.now, FRESH, REPLAY_BYTES_MAX);
            if fresh.is_none() && taken {
                encoding.key_frames.want();
            }
            for index in fresh.into_iter().flatten() {
                if let Some(packet) = encoding.ring.packet(index) {
                    let header = beginning.relay.header(room, What::Packet, at, of);
                    context.outbox.relay(beginning.relay.to, &header, packet);
                    context.counters.relayed_out += 1;
                }
            }
        }
        let wake = source.wake_at(context.now);
        self.wake(wake);
    }

    fn news_for(&self, other: &Neighbour) -> RoomNews {
        let peers = self.peers.iter().map(|(_, peer)| PeerNews {
            id: peer.id,
            takes_part: peer.takes_part(),
        });
        let tracks = self.tracks.iter();
        let told = tracks.filter_map(|(at, track)| self.track_news(at, track, other.id));
        let tracks = self.tracks.iter();
        let wants = tracks.filter_map(|(_, track)| self.want_of(track, other.id));
        let mut wants: Vec<Want> = wants.collect();
        wants.sort_unstable_by_key(|want| want.track);
        RoomNews {
            room: self.id,
            gone: false,
            heard: other.heard,
            peers: peers.collect(),
            tracks: told.collect(),
            wants,
        }
    }

    fn track_news(&self, at: usize, track: &Track, to: EngineId) -> Option<TrackNews> {
        let source = track.source.as_ref().filter(|s| s.origin.is_none())?;
        let relay = track.relays.iter().find(|relay| relay.to == to);
        let encodings = source.encodings.iter().map(|encoding| EncodingNews {
            rid: encoding.rid.clone(),
            ssrc: encoding.ssrc,
        });
        Some(TrackNews {
            id: track.id,
            peer: self.peers.get(source.peer.0)?.id,
            slot: at as u32,
            run: relay.map(|relay| relay.run),
            held: track.held,
            kind: source.kind,
            codec: source.codec.clone(),
            ids: source.ids,
            encodings: encodings.collect(),
        })
    }

    /// What is taken here of a track of another part: every sound, so that all parts agree on who is loud.
    fn want_of(&self, track: &Track, from: EngineId) -> Option<Want> {
        let source = track.source.as_ref();
        let source = source.filter(|source| source.origin.is_some_and(|of| of.from == from))?;
        let layers = match source.kind {
            Kind::Audio => 1,
            Kind::Video => {
                let takers = track.subscriptions.iter().filter(|s| {
                    let receiver = self.peers.get(s.peer.0);
                    s.codec.is_some() && receiver.is_some_and(Peer::takes_part)
                });
                takers.fold(0, |taken, s| taken | s.selection.takes(source))
            }
        };
        (layers != 0).then_some(Want {
            track: track.id,
            layers,
        })
    }
}

impl super::Span {
    /// Whether the whole room is here.
    pub(in crate::room) const fn is_alone(&self) -> bool {
        self.neighbours.is_empty()
    }

    /// Whether a part must be greeted again.
    pub(in crate::room) fn must_greet(&self, now: std::time::Instant) -> bool {
        self.wake_at().is_some_and(|at| at <= now)
    }
}

impl Neighbour {
    fn must_hear(&self, news: &RoomNews, now: std::time::Instant) -> bool {
        let greets = !self.heard && self.greet_at.is_none_or(|at| at <= now);
        greets || self.told.as_deref() != Some(news)
    }
}
