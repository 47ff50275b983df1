//! Queued packets, written for their receivers: one receiver after the other, with all that it gets.
//!
//! So a receiver's keys stay in the cache for its packets, and its datagrams lie beside each other and can
//! leave as one train. Near-equal packets are padded to the same length for that.

use super::commands::{Context, Room};
use super::path::pace_train;
use super::peer::Peer;
use super::slots::PeerSlot;
use super::subscription::Subscription;
use super::track::{Queued, Source, Track};
use crate::counters::DropReason;
use crate::transport::sdp::{HeaderExtension, Kind};
use crate::wire::forward::{Rewrite, SEAL_ROOM, pad, write_forwarded, write_padding};
use crate::wire::ids::ExtensionId;
use crate::wire::rtp::RtpPacket;

/// What a receiver's header may be longer than the publisher's: a mid of 16 bytes, the transport-wide
/// number, the original number of a retransmission, and two-byte elements in place of one-byte ones.
pub(super) const HEADER_GROWTH_MAX: usize = 64;

/// Padding that makes a packet as long as the others of its train. Packetisers cut a frame into parts that
/// differ by a byte, and descriptors by a few; more would cost more bytes than the train saves time.
const PADDING_MAX: usize = 16;

impl Room {
    /// Whether packets wait to be written.
    pub(crate) const fn is_queued(&self) -> bool {
        !self.queued.is_empty()
    }

    /// Writes queued packets for one receiver after the other, until that many bytes wait to be sent.
    /// Returns whether there is more to write.
    pub(crate) fn write_queued(&mut self, context: &mut Context<'_>, enough: usize) -> bool {
        while context.outbox.used() < enough {
            let lists = self.queued.iter();
            let next = lists
                .filter_map(|at| self.tracks.get(at.0)?.next_receiver())
                .min();
            let Some(slot) = next else {
                self.clear_queues();
                return false;
            };
            let mut receiver = self.peers.get_mut(slot.0).filter(|peer| peer.takes_part());
            for at in &self.queued {
                let Some(track) = self.tracks.get_mut(at.0) else {
                    continue;
                };
                while track.next_receiver() == Some(slot) {
                    if let Some(receiver) = receiver.as_mut() {
                        pace_train(context, receiver, *at, track);
                    }
                    track.written += 1;
                }
            }
            let wake = receiver.and_then(|peer| peer.path.as_ref().map(|path| path.wake_at()));
            self.wake(wake);
        }
        true
    }

    fn clear_queues(&mut self) {
        for at in self.queued.drain(..) {
            if let Some(track) = self.tracks.get_mut(at.0) {
                track.queue.clear();
                track.written = 0;
            }
        }
    }
}

impl Track {
    fn next_receiver(&self) -> Option<PeerSlot> {
        Some(self.subscriptions.get(self.written)?.peer)
    }
}

/// Writes packets of a track for the receiver with the subscription `own`.
pub(super) fn write_train(
    context: &mut Context<'_>,
    receiver: &mut Peer,
    track: &mut Track,
    own: usize,
    queue: &[Queued],
) {
    let (Some(source), Some(subscription)) = (&track.source, track.subscriptions.get_mut(own))
    else {
        return;
    };
    let trains = context.outbox.train_max() > 1 && queue.len() > 1;
    let trains = trains && receiver.connection.takes_trains();
    let mut target = 0;
    if trains {
        let stored = queue
            .iter()
            .filter_map(|queued| stored_packet(source, queued));
        target = stored.map(<[u8]>::len).max().unwrap_or(0);
    }
    let mut first_len = None;
    for (at, queued) in queue.iter().enumerate() {
        // The ring may have gone on, or begun anew.
        let stored = stored_packet(source, queued);
        let Some(packet) = stored.and_then(|bytes| RtpPacket::parse(bytes).ok()) else {
            context.counters.drop(DropReason::NotSent);
            continue;
        };
        // The last may be shorter than the others.
        let is_last = at + 1 == queue.len();
        let wanted = match first_len {
            _ if !trains || is_last => Wanted::AsItIs,
            None => Wanted::More(target - packet.as_bytes().len()),
            Some(len) => Wanted::UpTo(len),
        };
        let len = write_copy(
            context,
            receiver,
            (source, subscription),
            *queued,
            &packet,
            wanted,
        );
        first_len = first_len.or(len);
    }
}

fn stored_packet<'a>(source: &'a Source, queued: &Queued) -> Option<&'a [u8]> {
    let encoding = source.encodings.get(usize::from(queued.encoding))?;
    encoding.ring.packet(queued.index)
}

/// How long a written packet should be.
#[derive(Clone, Copy)]
enum Wanted {
    AsItIs,
    /// Longer by this.
    More(usize),
    /// As long as this.
    UpTo(usize),
}

/// Writes one packet for one receiver. Returns its length before it was sealed.
fn write_copy(
    context: &mut Context<'_>,
    receiver: &mut Peer,
    (source, subscription): (&Source, &mut Subscription),
    queued: Queued,
    packet: &RtpPacket<'_>,
    wanted: Wanted,
) -> Option<usize> {
    let payload_type = subscription.codec.as_ref()?.payload_type;
    let numbers = subscription.number(context.now, &queued, packet.timestamp(), source)?;
    let transport_sequence = receiver.next_transport_sequence();
    let mid = mid_element(subscription);
    let rewrite = Rewrite {
        payload_type,
        sequence: numbers.sequence,
        timestamp: numbers.timestamp,
        ssrc: subscription.ssrc,
        marker: numbers.ends_picture.then_some(true),
        extensions: &subscription.extensions,
        insert: mid.as_slice(),
        transport_sequence,
        frame_number: subscription.descriptor_id().zip(numbers.frame_number),
        padding: u8::from(numbers.fills),
    };
    let room = packet.as_bytes().len() + HEADER_GROWTH_MAX + PADDING_MAX + SEAL_ROOM;
    let is_video = subscription.kind == Kind::Video;
    context.outbox.expendable(is_video).taken(queued.taken);
    let mut clear_len = 0;
    let sent = receiver
        .connection
        .send_rtp(context.outbox, room, |buffer| {
            if numbers.fills {
                return write_padding(&rewrite, buffer).ok();
            }
            let len = write_forwarded(packet, &rewrite, buffer).ok()?;
            let missing = match wanted {
                Wanted::AsItIs => 0,
                Wanted::More(bytes) => bytes,
                Wanted::UpTo(target) => target.saturating_sub(len),
            };
            clear_len = if missing <= PADDING_MAX {
                pad(buffer, len, missing as u8).unwrap_or(len)
            } else {
                len
            };
            Some(clear_len)
        });
    let Some(len) = sent else {
        context.counters.drop(DropReason::NotSent);
        return None;
    };
    receiver.note_sent(context.now, transport_sequence, len);
    receiver.figures.packets_out += 1;
    context.counters.rtp_forwarded += 1;
    subscription.packets = subscription.packets.wrapping_add(1);
    subscription.served.frames += u64::from(packet.marker() || numbers.ends_picture);
    let payload = packet.payload().len() as u32;
    subscription.octets = subscription.octets.wrapping_add(payload);
    Some(clear_len)
}

/// The mid for the first packets of a stream.
pub(super) fn mid_element(subscription: &Subscription) -> Option<(ExtensionId, &[u8])> {
    let id = subscription
        .ids
        .id(HeaderExtension::Mid)
        .filter(|_| subscription.names_mid())?;
    Some((id, subscription.mid.as_bytes()))
}
