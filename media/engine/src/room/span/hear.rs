//! What other parts tell of themselves, made into remote peers and tracks.

use std::time::Instant;

use super::super::commands::{Context, Room};
use super::super::encoding::Encoding;
use super::super::peer::ClockOffset;
use super::super::slots::{PeerSlot, TrackSlot};
use super::super::subscription::Subscription;
use super::super::track::{Source, Track};
use super::{Origin, RemotePeer};
use crate::span::{EngineId, PeerNews, RoomNews, TrackNews};

impl Room {
    /// Takes another part's news.
    pub(crate) fn hear_news(&mut self, context: &mut Context<'_>, from: EngineId, news: RoomNews) {
        if news.gone {
            self.forget_tracks_from(from, &[]);
            self.renew_remote_peers(from, &[]);
            self.span.neighbours.retain(|other| other.id != from);
            self.collect_unused_tracks();
            self.note_demand(context.now);
            return;
        }
        self.span.add(from);
        if let Some(other) = self.span.neighbour(from) {
            other.heard = true;
            if !news.heard {
                // It began anew and knows nothing.
                other.told = None;
            }
            other.wants = news.wants;
        }
        self.forget_tracks_from(from, &news.tracks);
        self.renew_remote_peers(from, &news.peers);
        for told in &news.tracks {
            self.renew_remote_track(context.now, from, told);
        }
        self.collect_unused_tracks();
        self.renew_places(from);
        self.replay_key_frames(context);
        self.ask_for_awaited_key_frames(context);
    }

    /// Ends remote tracks of a part that it has no more, or that became others.
    fn forget_tracks_from(&mut self, from: EngineId, told: &[TrackNews]) {
        let span = &self.span;
        for (_, track) in self.tracks.iter_mut() {
            let Some(source) = track.source.as_ref().filter(|s| s.is_from(from)) else {
                continue;
            };
            let peer = source.peer.remote().and_then(|at| span.peers.get(at));
            let same = |news: &&TrackNews| {
                news.id == track.id
                    && peer.is_some_and(|peer| peer.id == news.peer)
                    && source.is_described_by(news)
            };
            if !told.iter().any(|news| same(&news)) {
                track.end();
                track.held = false;
            }
        }
    }

    fn renew_remote_peers(&mut self, from: EngineId, told: &[PeerNews]) {
        let peers = &mut self.span.peers;
        let known: Vec<usize> = peers.iter().map(|(at, _)| at).collect();
        for at in known {
            let Some(peer) = peers.get_mut(at).filter(|peer| peer.from == from) else {
                continue;
            };
            match told.iter().find(|news| news.id == peer.id) {
                Some(news) => peer.takes_part = news.takes_part,
                None => drop(peers.remove(at)),
            }
        }
        for news in told {
            let is_known = |peer: &RemotePeer| peer.from == from && peer.id == news.id;
            if !peers.iter().any(|(_, peer)| is_known(peer)) {
                peers.insert(RemotePeer {
                    id: news.id,
                    from,
                    takes_part: news.takes_part,
                    clock_offset: ClockOffset::default(),
                    round_trip: None,
                });
            }
        }
    }

    fn renew_remote_track(&mut self, now: Instant, from: EngineId, told: &TrackNews) {
        let is_publisher = |peer: &RemotePeer| peer.from == from && peer.id == told.peer;
        let peers = &self.span.peers;
        let found = peers.iter().find(|(_, peer)| is_publisher(peer));
        let Some(slot) = found.map(|(at, _)| PeerSlot::of_remote(at)) else {
            return;
        };
        let at = self.track_or_new(told.id);
        let Some(track) = self.tracks.get_mut(at.0) else {
            return;
        };
        match &mut track.source {
            // A peer that moved over publishes here before its old part has told that it is gone.
            Some(source) if !source.is_from(from) => return,
            Some(source) => source.renew(told),
            None => track.begin(Source::remote(slot, from, told)),
        }
        track.held = told.held;
        track.follow_run(now, told);
        track.bind();
    }

    /// Which of this part's places are meant by another's.
    fn renew_places(&mut self, from: EngineId) {
        let mut places = Vec::new();
        for (at, track) in self.tracks.iter() {
            let source = track.source.as_ref().filter(|s| s.is_from(from));
            let Some(origin) = source.and_then(|source| source.origin) else {
                continue;
            };
            let place = origin.slot as usize;
            if places.len() <= place {
                places.resize(place + 1, None);
            }
            places[place] = Some(TrackSlot(at));
        }
        if let Some(other) = self.span.neighbour(from) {
            other.places = places;
        }
    }
}

impl Track {
    /// Begins anew when its packets come under another number.
    fn follow_run(&mut self, now: Instant, told: &TrackNews) {
        let Some(source) = self.source.as_mut() else {
            return;
        };
        let Some(origin) = source.origin.as_mut() else {
            return;
        };
        origin.slot = told.slot;
        if origin.run == told.run {
            return;
        }
        origin.run = told.run;
        if told.run.is_none() {
            self.subscriptions.iter_mut().for_each(Subscription::wait);
            return;
        }
        for encoding in &mut source.encodings {
            encoding.restart();
            // The publisher's engine has a key frame at hand or asks for it.
            encoding.key_frames.asked(now);
        }
        self.pause();
    }
}

impl Source {
    fn remote(peer: PeerSlot, from: EngineId, told: &TrackNews) -> Self {
        let names = told.encodings.iter().map(|encoding| encoding.rid.clone());
        let encodings = names.map(|rid| Encoding::new(told.kind, rid)).collect();
        let origin = Origin {
            from,
            slot: told.slot,
            run: None,
        };
        let codec = told.codec.clone();
        let mut source = Self::from_elsewhere(peer, origin, told.kind, codec, encodings);
        source.renew(told);
        source
    }

    /// Takes what may change while it is the same stream.
    fn renew(&mut self, told: &TrackNews) {
        self.codec = told.codec.clone();
        self.ids = told.ids;
        for (ours, theirs) in self.encodings.iter_mut().zip(&told.encodings) {
            ours.ssrc = theirs.ssrc;
        }
    }

    fn is_described_by(&self, told: &TrackNews) -> bool {
        let ours = self.encodings.iter().map(|encoding| &encoding.rid);
        let theirs = told.encodings.iter().map(|encoding| &encoding.rid);
        self.kind == told.kind && self.codec.coding == told.codec.coding && ours.eq(theirs)
    }

    fn is_from(&self, from: EngineId) -> bool {
        self.origin.is_some_and(|origin| origin.from == from)
    }
}
