//! What leaves at once and what waits: a receiver's pictures at the pace of its path.

use std::time::Instant;

use super::super::commands::{Context, Room};
use super::super::outflow::write_train;
use super::super::peer::Peer;
use super::super::slots::{PeerSlot, TrackSlot};
use super::super::subscription::Subscription;
use super::super::track::{Queued, Track};
use super::ReceiverPath;
use crate::transport::sdp::Kind;
use crate::wire::ids::Ssrc;

/// Packets of one burst of the pacer; what is left goes in the next.
const BURST_PACKETS_MAX: usize = 32;

/// A packet that waits for the pacer.
#[derive(Clone, Copy)]
pub(super) struct Paced {
    track: TrackSlot,
    /// The receiver's stream.
    stream: Ssrc,
    queued: Queued,
}

impl Room {
    /// Writes what waits, as far as the pace allows.
    pub(super) fn release(&mut self, context: &mut Context<'_>, slot: PeerSlot) {
        let Self {
            peers,
            tracks,
            span,
            ..
        } = self;
        loop {
            let Some(peer) = peers.get_mut(slot.0) else {
                return;
            };
            let Some(path) = peer.path.as_mut() else {
                return;
            };
            let Some((first, items, count)) = path.next_burst(context.now) else {
                return;
            };
            let at = first.track;
            let publisher = tracks.get(at.0).and_then(|track| track.source.as_ref());
            let publisher = publisher.map(|source| source.peer);
            let flows = publisher.is_some_and(|at| span.forwards(peers, at));
            let Some(track) = tracks.get_mut(at.0).filter(|track| flows && !track.held) else {
                continue;
            };
            let is_own = |at: &usize| track.subscriptions[*at].ssrc == first.stream;
            let Some(own) = track.of_receiver(slot).find(is_own) else {
                continue;
            };
            if let Some(peer) = peers.get_mut(slot.0) {
                write_train(context, peer, track, own, &items[..count]);
            }
        }
    }
}

impl ReceiverPath {
    /// The next packets of one track that may leave.
    fn next_burst(&mut self, now: Instant) -> Option<(Paced, [Queued; BURST_PACKETS_MAX], usize)> {
        let mut room = self.pacer.room(now)?;
        let first = self.pacer.pop()?;
        let mut items = [first.queued; BURST_PACKETS_MAX];
        let mut count = 1;
        room -= f64::from(first.queued.len);
        while room >= 0.0 && count < BURST_PACKETS_MAX {
            let Some(next) = self.pacer.pop_if(|next| next.stream == first.stream) else {
                break;
            };
            room -= f64::from(next.queued.len);
            items[count] = next.queued;
            count += 1;
        }
        Some((first, items, count))
    }

    /// How many of the packets may leave at once.
    fn open_for(&mut self, now: Instant, own: &Subscription, queue: &[Queued]) -> usize {
        if !self.pacer.is_empty() {
            return 0;
        }
        let Some(mut room) = self.pacer.room(now) else {
            return 0;
        };
        let fitting = queue.iter().take_while(|queued| {
            let fits = room >= 0.0;
            if own.may_take(queued) && !own.leaves_out(queued) {
                room -= f64::from(queued.len);
            }
            fits
        });
        fitting.count()
    }
}

/// Writes a track's packets for its receiver, or lets them wait for the pacer.
pub(in crate::room) fn pace_train(
    context: &mut Context<'_>,
    receiver: &mut Peer,
    at: TrackSlot,
    track: &mut Track,
) {
    let own = track.written;
    let mut now_many = track.queue.len();
    if let Some(subscription) = track.subscriptions.get(own)
        && subscription.kind == Kind::Video
        && let Some(path) = receiver.path.as_mut().filter(|path| path.paces())
    {
        now_many = path.open_for(context.now, subscription, &track.queue);
        let waiting = track.queue[now_many..].iter();
        for queued in waiting.filter(|queued| subscription.may_take(queued)) {
            let paced = Paced {
                track: at,
                stream: subscription.ssrc,
                queued: *queued,
            };
            path.spilled |= !path.pacer.push(context.now, paced);
        }
        if path.spilled {
            path.due = context.now;
        }
    }
    let queue = std::mem::take(&mut track.queue);
    write_train(context, receiver, track, own, &queue[..now_many]);
    track.queue = queue;
}
