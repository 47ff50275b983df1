//! Which encodings and layers of a picture anybody takes, so that its sender stops the others (dynacast).

use std::time::{Duration, Instant};

use homeline_protocol::media_control::MediaEvent;

use super::commands::{Context, Room};
use super::peer::Peer;
use super::track::Track;
use crate::transport::sdp::Kind;

/// What nobody takes is stopped only after this: whoever changes their mind gets it without a new beginning.
const STOPS_AFTER: Duration = Duration::from_secs(2);

/// What the sender was told.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// One bit for each layer; `None` before the first word, while all are sent.
    told: Option<u8>,
    stops_at: Option<Instant>,
}

impl Demand {
    /// Takes what is taken now, of `all` there are; says what the sender must be told, if anything.
    fn step(&mut self, now: Instant, taken: u8, all: u8) -> Option<u8> {
        let told = self.told.unwrap_or(all);
        if taken & !told != 0 {
            self.told = Some(told | taken);
            return self.told;
        }
        if taken == told {
            self.stops_at = None;
            return None;
        }
        let stops_at = *self.stops_at.get_or_insert(now + STOPS_AFTER);
        if now < stops_at {
            return None;
        }
        self.stops_at = None;
        self.told = Some(taken);
        self.told
    }

    /// When what was left is to be stopped.
    pub(super) const fn wake_at(&self) -> Option<Instant> {
        self.stops_at
    }
}

impl Room {
    /// Who takes what may have changed.
    pub(super) fn note_demand(&mut self, now: Instant) {
        self.demand_changed = true;
        self.wake(Some(now));
    }

    /// Whether there may be something to tell.
    pub(super) fn demand_is_due(&self, now: Instant) -> bool {
        let mut stops = self
            .tracks
            .iter()
            .filter_map(|(_, track)| track.demand.wake_at());
        self.demand_changed || stops.any(|at| at <= now)
    }

    /// Tells the senders of pictures what is taken of them, where that changed.
    pub(super) fn tell_demand(&mut self, context: &mut Context<'_>) {
        let Self {
            id,
            peers,
            tracks,
            demand_changed,
            span,
            ..
        } = self;
        *demand_changed = false;
        let mut wake = None;
        for (_, track) in tracks.iter_mut() {
            let Track {
                id: track_id,
                source: Some(source),
                subscriptions,
                demand,
                ..
            } = track
            else {
                continue;
            };
            let Some(publisher) = peers
                .get(source.peer.0)
                .filter(|_| source.kind == Kind::Video)
            else {
                continue;
            };
            let takes_part = |at: usize| peers.get(at).is_some_and(Peer::takes_part);
            let all = u8::MAX >> (8 - source.layer_count().clamp(1, 8));
            let takers = subscriptions
                .iter()
                .filter(|s| takes_part(s.peer.0) && s.codec.is_some());
            let elsewhere = span.wanted(*track_id);
            let taken = takers.fold(elsewhere, |taken, s| taken | s.selection.takes(source)) & all;
            if let Some(told) = demand.step(context.now, taken, all) {
                context.outbox.event(MediaEvent::LayersWanted {
                    room: *id,
                    peer: publisher.id,
                    track: *track_id,
                    wanted: (0..8).filter(|bit| told & (1 << bit) != 0).collect(),
                });
            }
            wake = [wake, demand.wake_at()].into_iter().flatten().min();
        }
        self.wake(wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_begins_at_once_and_what_is_not_stops_after_two_seconds() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let at = |millis| now + Duration::from_millis(millis);
        let mut demand = Demand::default();
        assert_eq!(demand.step(at(0), 0b111, 0b111), None);
        assert_eq!(demand.step(at(0), 0b001, 0b111), None);
        assert_eq!(demand.step(at(1_999), 0b001, 0b111), None);
        assert_eq!(demand.step(at(2_000), 0b001, 0b111), Some(0b001));
        assert_eq!(demand.step(at(2_100), 0b100, 0b111), Some(0b101));
        assert_eq!(
            demand.step(at(3_000), 0b101, 0b111),
            None,
            "changed their mind"
        );
        assert_eq!(demand.step(at(4_000), 0, 0b111), None);
        assert_eq!(demand.wake_at(), Some(at(6_000)));
        assert_eq!(demand.step(at(6_000), 0, 0b111), Some(0));
    }
}
