//! The last key frame with all that followed it, for a receiver that begins just after it.
//!
//! So its first picture takes one way from here, and the publisher is not asked for a key frame that would
//! cost everybody. Only what was allowed to flow when it arrived is replayed: nothing from while a camera's
//! switch was off; and nothing at once over a path whose capacity is known and paced. And nothing from before the room's keys changed, which a newcomer could not read.

use std::time::{Duration, Instant};

use super::commands::{Context, Room};
use super::outflow::write_train;
use super::peer::Peer;
use super::slots::PeerSlot;
use super::track::{Queued, Source, Track};
use crate::transport::sdp::Kind;
use crate::wire::rtp::RtpPacket;

/// An older key frame is not replayed: so much video at once takes longer to arrive than a new one.
pub(super) const FRESH: Duration = Duration::from_secs(2);

/// Most that one receiver is sent of one track at once: a third of a second on a link of 5 Mbit/s. With more
/// a new key frame is asked for instead.
pub(super) const REPLAY_BYTES_MAX: usize = 200_000;

/// Most that waits to be sent of all replays of one step; whoever comes after gets a new key frame.
const REPLAYS_BYTES_MAX: usize = 2_000_000;

impl Source {
    /// Notes where the last key frame began that may be replayed.
    pub(super) fn note_key_frame(
        &mut self,
        now: Instant,
        encoding: u8,
        index: u64,
        begins: bool,
        flows: bool,
    ) {
        // Without a descriptor every packet may be a beginning, and none is known to be one.
        let described = self.is_described();
        let Some(encoding) = self.encodings.get_mut(usize::from(encoding)) else {
            return;
        };
        if !flows {
            encoding.ring.forget_key_frame();
        } else if begins && described {
            encoding.ring.begin_key_frame(now, index);
        }
    }
}

impl Track {
    /// Queues the last key frame of the best encoding that has a fresh one and that this receiver may have.
    fn queue_fresh(&mut self, now: Instant, at: usize) -> bool {
        self.queue.clear();
        let (Some(source), Some(own)) = (&self.source, self.subscriptions.get(at)) else {
            return false;
        };
        let Some(chosen) = own.selection.chosen() else {
            return false;
        };
        for number in (0..=chosen.encoding).rev() {
            let Some(encoding) = source.encodings.get(usize::from(number)) else {
                continue;
            };
            let fresh = encoding.ring.since_key_frame(now, FRESH, REPLAY_BYTES_MAX);
            let Some(fresh) = fresh else { continue };
            let first = *fresh.start();
            if own.had(number, first) {
                continue;
            }
            self.queue.extend(fresh.map(|index| {
                let packet = encoding.ring.packet(index);
                let packet = packet.and_then(|bytes| RtpPacket::parse(bytes).ok());
                let len = packet.as_ref().map_or(0, |packet| packet.as_bytes().len());
                let descriptor = packet.and_then(|packet| source.descriptor(&packet));
                Queued {
                    encoding: number,
                    index,
                    begins: index == first,
                    len: len as u16,
                    place: descriptor.and_then(|bytes| encoding.layers.place_of(bytes)),
                    taken: None,
                }
            }));
            return true;
        }
        false
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
        let Self {
            peers,
            tracks,
            span,
            ..
        } = self;
        for (_, track) in tracks.iter_mut() {
            let Some(source) = track.source.as_ref().filter(|_| !track.held) else {
                continue;
            };
            let takes_part = |slot: PeerSlot| span.takes_part(peers, slot);
            if source.kind != Kind::Video || !takes_part(source.peer) {
                continue;
            }
            for at in 0..track.subscriptions.len() {
                let subscription = &track.subscriptions[at];
                let receiver = peers.get_mut(subscription.peer.0);
                if let Some(receiver) = receiver.filter(|receiver| receiver.takes_part())
                    && subscription.awaits_key_frame()
                    && !receiver.is_paced()
                    && context.outbox.used() < REPLAYS_BYTES_MAX
                    && track.queue_fresh(context.now, at)
                {
                    let queue = std::mem::take(&mut track.queue);
                    write_train(context, receiver, track, at, &queue);
                    track.queue = queue;
                    context.counters.key_frames_replayed += 1;
                }
            }
            track.queue.clear();
            track.written = 0;
        }
    }

    fn someone_waits_for_a_picture(&self) -> bool {
        let waits = |track: &Track| {
            let mut waiting = track.subscriptions.iter().filter(|s| s.awaits_key_frame());
            waiting.any(|s| {
                s.kind == Kind::Video && self.peers.get(s.peer.0).is_some_and(Peer::takes_part)
            })
        };
        self.tracks.iter().any(|(_, track)| waits(track))
    }
}
