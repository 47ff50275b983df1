//! Who speaks in a room, and in a crowded one whose sound is forwarded: that of the loudest.
//!
//! Few can be followed when they speak at once; the others cost every receiver its link and its processor.
//! Somebody enters with the first packet, as soon as there is a place or a quieter one to take it from, and
//! goes after a hold. In a room with no more publishers than places all are forwarded.

use std::time::{Duration, Instant};

use homeline_protocol::id::PeerId;
use homeline_protocol::media_control::MediaEvent;

use super::commands::{Context, Room};
use super::loudness::Envelope;
use super::slots::{Slots, TrackSlot};
use super::track::Track;
use crate::transport::sdp::Kind;

/// How often the room is looked at, and so the least time between two words to signaling.
const LOOK_INTERVAL: Duration = Duration::from_millis(300);

/// A newcomer must be so many decibels louder than the quietest of the chosen, and a speaker than the one
/// before them in the list, or places would change with every syllable.
const MARGIN: u32 = 6;

/// Speakers named in one event: nobody shows more, and a room of a hundred tones stays a short message.
const TOLD_MAX: usize = 16;

/// See the module's description.
#[derive(Default)]
pub(super) struct Speakers {
    /// More publishers than places.
    crowded: bool,
    /// Whose sound is forwarded in a crowded room; at most `audio_forwarded_max`.
    chosen: Vec<TrackSlot>,
    /// What signaling was told last, loudest first.
    told: Vec<PeerId>,
    looked_at: Option<Instant>,
    look_at: Option<Instant>,
}

impl Speakers {
    pub(super) const fn new() -> Self {
        Self {
            crowded: false,
            chosen: Vec::new(),
            told: Vec::new(),
            looked_at: None,
            look_at: None,
        }
    }

    /// Who speaks loudest, as signaling was told.
    pub(super) fn loudest(&self) -> Option<PeerId> {
        self.told.first().copied()
    }

    pub(super) const fn wake_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Sees to it that the room is looked at.
    pub(super) fn look_soon(&mut self, now: Instant) {
        if self.look_at.is_none() {
            let next = self.looked_at.map_or(now, |at| at + LOOK_INTERVAL);
            self.look_at = Some(next.max(now));
        }
    }

    /// Whether the track's newest packet is forwarded. Gives it a place when it is loud enough.
    pub(super) fn choose(
        &mut self,
        tracks: &Slots<Track>,
        now: Instant,
        at: TrackSlot,
        places: usize,
    ) -> bool {
        if !self.crowded || self.chosen.contains(&at) {
            return true;
        }
        let envelope = |at: TrackSlot| {
            let track = tracks.get(at.0);
            track.map_or(Envelope::default(), |track| {
                track.voice.loudness.envelope(now)
            })
        };
        let heard = tracks
            .get(at.0)
            .is_some_and(|track| track.voice.loudness.is_heard(now));
        if !heard {
            return false;
        }
        if self.chosen.len() < places {
            self.chosen.push(at);
            return true;
        }
        let chosen = self.chosen.iter_mut();
        let Some(quietest) = chosen.min_by_key(|chosen| envelope(**chosen)) else {
            return false;
        };
        let louder = envelope(at).exceeds(envelope(*quietest), MARGIN);
        if louder {
            *quietest = at;
        }
        louder
    }

    /// Finds out whether the room is crowded, and who of the chosen goes.
    fn settle(&mut self, tracks: &Slots<Track>, now: Instant, places: usize) -> bool {
        let loudness = |at: usize| tracks.get(at).map(|track| &track.voice.loudness);
        let live = tracks.iter().filter(|(_, track)| is_live(track, now));
        let count = live.count();
        self.chosen
            .retain(|at| loudness(at.0).is_some_and(|loudness| loudness.is_heard(now)));
        let crowded = count > places;
        if crowded && !self.crowded {
            self.chosen.clear();
            let live = tracks.iter().filter(|(_, track)| is_live(track, now));
            let mut loudest: Vec<_> = live
                .map(|(at, track)| (track.voice.loudness.envelope(now), at))
                .collect();
            loudest.sort_unstable_by(|a, b| b.cmp(a));
            let places = loudest.iter().take(places);
            self.chosen.extend(places.map(|(_, at)| TrackSlot(*at)));
        }
        self.crowded = crowded;
        count > 0
    }
}

impl Room {
    /// Looks at who speaks, if it is time, and tells signaling when that changed.
    pub(super) fn look_for_speakers(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        if self.speakers.look_at.is_none_or(|at| at > now) {
            return;
        }
        let places = context.config.audio_forwarded_max;
        let live = self.speakers.settle(&self.tracks, now, places);
        let mut speaking: Vec<(PeerId, Envelope)> = Vec::new();
        for (_, track) in self.tracks.iter().filter(|(_, track)| is_live(track, now)) {
            let source = track.source.as_ref();
            let peer = source.and_then(|source| self.span.publisher(&self.peers, source.peer));
            let loudness = &track.voice.loudness;
            let Some(peer) = peer.filter(|peer| peer.takes_part && loudness.speaks(now)) else {
                continue;
            };
            let envelope = loudness.envelope(now);
            match speaking.iter_mut().find(|(id, _)| *id == peer.id) {
                Some((_, loudest)) => *loudest = envelope.max(*loudest),
                None => speaking.push((peer.id, envelope)),
            }
        }
        let peers = ranked(&self.speakers.told, speaking);
        let speakers = &mut self.speakers;
        if peers != speakers.told {
            speakers.told.clone_from(&peers);
            let room = self.id;
            if self.span.leads {
                context.outbox.event(MediaEvent::Speakers { room, peers });
            }
        }
        speakers.looked_at = Some(now);
        let goes_on = live || !speakers.told.is_empty();
        speakers.look_at = goes_on.then_some(now + LOOK_INTERVAL);
    }
}

/// Sends sound that names its level, and flows.
fn is_live(track: &Track, now: Instant) -> bool {
    let source = track.source.as_ref();
    source.is_some_and(|source| source.kind == Kind::Audio)
        && !track.held
        && track.voice.loudness.is_live(now)
}

/// The loudest first, but as they were told before as long as the difference is small.
fn ranked(told: &[PeerId], mut speaking: Vec<(PeerId, Envelope)>) -> Vec<PeerId> {
    speaking.sort_by(|(_, a), (_, b)| b.cmp(a));
    speaking.sort_by_key(|(peer, _)| {
        told.iter()
            .position(|known| known == peer)
            .unwrap_or(told.len())
    });
    for end in (1..speaking.len()).rev() {
        for at in 0..end {
            if speaking[at + 1].1.exceeds(speaking[at].1, MARGIN) {
                speaking.swap(at, at + 1);
            }
        }
    }
    speaking.truncate(TOLD_MAX);
    speaking.into_iter().map(|(peer, _)| peer).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use homeline_protocol::id::TrackId;

    use super::*;
    use crate::wire::audio_level::AudioLevel;

    fn start() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        Instant::now()
    }

    fn note(tracks: &mut Slots<Track>, now: Instant, at: usize, below_overload_db: u8) {
        let level = AudioLevel {
            voice: true,
            below_overload_db,
        };
        tracks.get_mut(at).unwrap().voice.loudness.note(now, level);
    }

    #[test]
    fn the_loudest_have_the_places_and_a_newcomer_takes_the_quietest_ones_at_once() {
        let (mut tracks, now) = (Slots::new(), start());
        let mut speakers = Speakers {
            crowded: true,
            ..Speakers::default()
        };
        for (number, level) in [(0, 30), (1, 40), (2, 38), (3, 20), (4, 127)] {
            tracks.insert(Track::new(TrackId([number; 16])));
            note(&mut tracks, now, usize::from(number), level);
        }
        let mut choose =
            |tracks: &Slots<Track>, now, at| speakers.choose(tracks, now, TrackSlot(at), 2);
        assert!(!choose(&tracks, now, 4), "silence takes no place");
        assert!(choose(&tracks, now, 0) && choose(&tracks, now, 1));
        assert!(!choose(&tracks, now, 2), "hardly louder");
        assert!(choose(&tracks, now, 3));
        assert!(!choose(&tracks, now, 1), "it had to go");
        assert!(choose(&tracks, now, 0));
        let later = now + Duration::from_secs(1);
        note(&mut tracks, later, 3, 20);
        note(&mut tracks, later, 1, 40);
        assert!(choose(&tracks, later, 1), "the other fell silent");
    }

    #[test]
    fn speakers_change_places_only_when_one_is_clearly_louder() {
        let peer = |number| PeerId([number; 16]);
        let mut loudness = super::super::loudness::Loudness::default();
        let (now, mut envelopes) = (start(), Vec::new());
        for below_overload_db in [60, 33, 30, 20] {
            let level = AudioLevel {
                voice: true,
                below_overload_db,
            };
            loudness.note(now, level);
            envelopes.push(loudness.envelope(now));
        }
        let speaking = |levels: &[(u8, usize)]| -> Vec<(PeerId, Envelope)> {
            levels
                .iter()
                .map(|(number, at)| (peer(*number), envelopes[*at]))
                .collect()
        };
        let told = ranked(&[], speaking(&[(1, 1), (2, 2)]));
        assert_eq!(told, [peer(2), peer(1)]);
        assert_eq!(ranked(&told, speaking(&[(1, 2), (2, 1)])), told);
        let turned = ranked(&told, speaking(&[(1, 3), (2, 1), (3, 2)]));
        assert_eq!(turned, [peer(1), peer(2), peer(3)]);
    }
}
