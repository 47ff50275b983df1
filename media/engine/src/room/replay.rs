//! The last key frame with all that followed it, for a receiver that begins just after it.
//!
//! So its first picture takes one way from here, and the publisher is not asked for a key frame that would
//! cost everybody. Only what was allowed to flow when it arrived is replayed: nothing from while a camera's
//! switch was off. And nothing from before the room's keys changed, which a newcomer could not read.

use std::time::{Duration, Instant};

use super::commands::{Context, Room};
use super::outflow::write_train;
use super::peer::Peer;
use super::slots::PeerSlot;
use super::track::{Queued, Source, Track};
use crate::transport::sdp::{HeaderExtension, Kind};

/// An older key frame is not replayed: so much video at once takes longer to arrive than a new one.
const FRESH: Duration = Duration::from_secs(2);

/// Most that one receiver is sent of one track at once: a third of a second on a link of 5 Mbit/s. With more
/// a new key frame is asked for instead.
const REPLAY_BYTES_MAX: usize = 200_000;

/// Most that waits to be sent of all replays of one step; whoever comes after gets a new key frame.
const REPLAYS_BYTES_MAX: usize = 2_000_000;

impl Source {
    /// Notes where the last key frame began that may be replayed.
    pub(super) fn note_key_frame(&mut self, now: Instant, index: u64, begins: bool, flows: bool) {
        // Without a descriptor every packet may be a beginning, and none is known to be one.
        let described = self.ids.id(HeaderExtension::DependencyDescriptor).is_some();
        if !flows {
            self.ring.forget_key_frame();
        } else if begins && described && self.kind == Kind::Video {
            self.ring.begin_key_frame(now, index);
        }
    }
}

impl Room {
    /// Begins the pictures of receivers that wait, wherever a fresh key frame is at hand.
    pub(super) fn replay_key_frames(&mut self, context: &mut Context<'_>) {
        if !self.someone_waits_for_a_picture() {
            return;
        }
        // What is queued is part of what is replayed, and must not be written twice.
        self.write_queued(context, usize::MAX);
        let Self { peers, tracks, .. } = self;
        for (_, track) in tracks.iter_mut() {
            let Some(source) = track.source.as_ref().filter(|_| !track.held) else {
                continue;
            };
            let takes_part = |slot: PeerSlot| peers.get(slot.0).is_some_and(Peer::takes_part);
            if source.kind != Kind::Video || !takes_part(source.peer) {
                continue;
            }
            let fresh = source
                .ring
                .since_key_frame(context.now, FRESH, REPLAY_BYTES_MAX);
            let Some(fresh) = fresh else { continue };
            let first = *fresh.start();
            track.queue.extend(fresh.map(|index| Queued {
                index,
                begins: index == first,
            }));
            for at in 0..track.subscriptions.len() {
                let subscription = &track.subscriptions[at];
                let receiver = peers.get_mut(subscription.peer.0);
                if let Some(receiver) = receiver.filter(|receiver| receiver.takes_part())
                    && subscription.is_waiting()
                    && context.outbox.used() < REPLAYS_BYTES_MAX
                {
                    track.written = at;
                    write_train(context, receiver, track);
                    context.counters.key_frames_replayed += 1;
                }
            }
            track.queue.clear();
            track.written = 0;
        }
    }

    fn someone_waits_for_a_picture(&self) -> bool {
        let waits = |track: &Track| {
            let mut waiting = track.subscriptions.iter().filter(|s| s.is_waiting());
            waiting.any(|s| {
                s.kind == Kind::Video && self.peers.get(s.peer.0).is_some_and(Peer::takes_part)
            })
        };
        self.tracks.iter().any(|(_, track)| waits(track))
    }
}
