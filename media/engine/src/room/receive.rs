//! A publisher's RTP packet: opened, stored once, and written for every receiver.

use super::commands::{Context, Room};
use super::peer::{Incoming, Peer};
use super::reception::Position;
use super::slots::{PeerSlot, Slots, TrackSlot};
use super::subscription::Subscription;
use super::track::{Source, Track};
use crate::counters::DropReason;
use crate::transport::sdp::{HeaderExtension, Kind};
use crate::wire::forward::{Rewrite, SEAL_ROOM, write_forwarded};
use crate::wire::ids::ExtensionId;
use crate::wire::rtp::RtpPacket;
use crate::wire::rtx::{self, RtxError};

/// What a receiver's header may be longer than the publisher's: a mid of 16 bytes, the transport-wide
/// number, the original number of a retransmission, and two-byte elements in place of one-byte ones.
pub(super) const HEADER_GROWTH_MAX: usize = 64;

impl Room {
    /// Takes a sealed RTP packet from a peer.
    pub(crate) fn handle_rtp(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        datagram: &mut [u8],
    ) {
        if let Err(reason) = self.receive(context, slot, datagram) {
            self.count_drop(context, slot, reason);
        }
    }

    fn receive(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        datagram: &mut [u8],
    ) -> Result<(), DropReason> {
        let now = context.now;
        let peer = self.peers.get_mut(slot.0).ok_or(DropReason::UnknownPath)?;
        let (len, progress) = peer.connection.open_rtp(now, datagram)?;
        self.note_progress(context, slot, progress);
        let clear = &mut datagram[..len];
        context.counters.rtp_in += 1;
        context.tap.packet(clear);
        let packet = RtpPacket::parse(clear).map_err(|_| DropReason::RtpMalformed)?;
        let incoming = self.find_incoming(now, slot, &packet)?;
        let track = self
            .tracks
            .get_mut(incoming.track.0)
            .ok_or(DropReason::UnknownStream)?;
        let source = track.source.as_mut().ok_or(DropReason::UnknownStream)?;
        let original = if incoming.retransmission {
            let ssrc = source.ssrc.ok_or(DropReason::UnknownStream)?;
            rtx::restore(clear, ssrc, source.codec.payload_type).map_err(rtx_reason)?
        } else {
            clear
        };
        let packet = RtpPacket::parse(original).map_err(|_| DropReason::RtpMalformed)?;
        if packet.payload_type() != source.codec.payload_type {
            return Err(DropReason::UnknownPayloadType);
        }
        let index = accept(context, track, &packet)?;
        self.forward(context, slot, incoming.track, index, &packet);
        Ok(())
    }

    /// Counts the packet for its sender and finds the stream that it belongs to.
    fn find_incoming(
        &mut self,
        now: std::time::Instant,
        slot: PeerSlot,
        packet: &RtpPacket<'_>,
    ) -> Result<Incoming, DropReason> {
        let peer = self.peers.get_mut(slot.0).ok_or(DropReason::UnknownPath)?;
        peer.figures.packets_in += 1;
        if let Some(value) = peer.transport_id.and_then(|id| packet.extension(id))
            && let Ok(bytes) = value.try_into()
        {
            peer.arrivals.note(now, u16::from_be_bytes(bytes));
        }
        let (known, wake) = (peer.incoming(packet.ssrc()), peer.arrivals.wake_at());
        self.wake(wake);
        match known {
            Some(incoming) => Ok(incoming),
            None => self.learn(slot, packet),
        }
    }

    /// Binds a new SSRC to a section by its mid or, if only one section fits, by its payload type.
    fn learn(&mut self, slot: PeerSlot, packet: &RtpPacket<'_>) -> Result<Incoming, DropReason> {
        let peer = self.peers.get_mut(slot.0).ok_or(DropReason::UnknownPath)?;
        let mid = peer.mid_id.and_then(|id| packet.extension(id));
        let payload_type = packet.payload_type();
        let mut fitting = self.tracks.iter_mut().filter_map(|(at, track)| {
            let source = track.source.as_ref().filter(|source| source.peer == slot)?;
            let codec = &source.codec;
            let known = codec.payload_type == payload_type || codec.rtx == Some(payload_type);
            let named = mid.is_none_or(|mid| source.mid.as_bytes() == mid);
            (known && named).then_some((at, track))
        });
        let (at, track) = fitting.next().ok_or(DropReason::UnknownStream)?;
        if fitting.next().is_some() {
            return Err(DropReason::UnknownStream);
        }
        let Some(source) = track.source.as_mut() else {
            return Err(DropReason::UnknownStream);
        };
        let retransmission = source.codec.rtx == Some(payload_type);
        let place = if retransmission {
            &mut source.rtx_ssrc
        } else {
            &mut source.ssrc
        };
        let replaced = place.replace(packet.ssrc());
        if !retransmission && replaced.is_some() {
            source.restart();
            track.pause();
        }
        let incoming = Incoming {
            ssrc: packet.ssrc(),
            track: TrackSlot(at),
            retransmission,
        };
        peer.incoming.retain(|known| Some(known.ssrc) != replaced);
        peer.incoming.push(incoming);
        Ok(incoming)
    }

    /// Writes the packet for everyone who gets it.
    fn forward(
        &mut self,
        context: &mut Context<'_>,
        publisher: PeerSlot,
        at: TrackSlot,
        index: u64,
        packet: &RtpPacket<'_>,
    ) {
        let Some(Track {
            source: Some(source),
            subscriptions,
            held,
            ..
        }) = self.tracks.get_mut(at.0)
        else {
            return;
        };
        let begins = source.begins(packet);
        if begins {
            source.key_frames.arrived();
        }
        let wake = source.wake_at(context.now);
        let flows = self
            .peers
            .get(publisher.0)
            .is_some_and(|peer| peer.forwarding);
        if flows && !*held {
            for subscription in subscriptions {
                forward_to(
                    context,
                    &mut self.peers,
                    subscription,
                    index,
                    packet,
                    begins,
                );
            }
        }
        self.wake(wake);
    }
}

/// Places the packet in its stream and stores it. Returns its index.
fn accept(
    context: &mut Context<'_>,
    track: &mut Track,
    packet: &RtpPacket<'_>,
) -> Result<u64, DropReason> {
    let source = track.source.as_mut().ok_or(DropReason::UnknownStream)?;
    let clock_rate = source.kind.clock_rate();
    let (sequence, timestamp) = (packet.sequence(), packet.timestamp());
    let index = match source
        .reception
        .note(context.now, sequence, timestamp, clock_rate)
    {
        Position::TooLate => return Err(DropReason::TooOld),
        Position::Earlier { index } => {
            if !source.ring.store(index, packet.as_bytes()) {
                return Err(DropReason::Redundant);
            }
            source.reception.recovered();
            source.gaps.arrived(index);
            return Ok(index);
        }
        Position::Restart { index } => {
            source.ring.clear();
            source.gaps.clear();
            for subscription in &mut track.subscriptions {
                subscription.wait();
            }
            if source.kind == Kind::Video {
                source.key_frames.want();
            }
            index
        }
        Position::Newest { index, expected } => {
            if source.codec.feedback.nack
                && source.gaps.skipped(context.now, expected, index).is_err()
                && source.kind == Kind::Video
            {
                source.key_frames.want();
            }
            index
        }
    };
    if source.ring.store(index, packet.as_bytes()) {
        Ok(index)
    } else {
        Err(DropReason::NotSent)
    }
}

/// Writes the packet for one receiver.
fn forward_to(
    context: &mut Context<'_>,
    peers: &mut Slots<Peer>,
    subscription: &mut Subscription,
    index: u64,
    packet: &RtpPacket<'_>,
    begins: bool,
) {
    let Some(receiver) = peers
        .get_mut(subscription.peer.0)
        .filter(|peer| peer.takes_part())
    else {
        return;
    };
    let Some(numbers) = subscription.number(context.now, index, packet.timestamp(), begins) else {
        return;
    };
    let mid = mid_element(subscription);
    let rewrite = Rewrite {
        payload_type: subscription.codec.payload_type,
        sequence: numbers.sequence,
        timestamp: numbers.timestamp,
        ssrc: subscription.ssrc,
        marker: None,
        extensions: &subscription.extensions,
        insert: mid.as_slice(),
        transport_sequence: receiver.next_transport_sequence(),
        frame_number: None,
        padding: 0,
    };
    let room = packet.as_bytes().len() + HEADER_GROWTH_MAX + SEAL_ROOM;
    let sent = receiver
        .connection
        .send_rtp(context.outbox, room, |buffer| {
            write_forwarded(packet, &rewrite, buffer).ok()
        });
    if sent.is_some() {
        receiver.figures.packets_out += 1;
        context.counters.rtp_forwarded += 1;
        subscription.packets = subscription.packets.wrapping_add(1);
        let payload = packet.payload().len() as u32;
        subscription.octets = subscription.octets.wrapping_add(payload);
    } else {
        context.counters.drop(DropReason::NotSent);
    }
}

/// The mid for the first packets of a stream.
pub(super) fn mid_element(subscription: &Subscription) -> Option<(ExtensionId, &[u8])> {
    let id = subscription
        .ids
        .id(HeaderExtension::Mid)
        .filter(|_| subscription.names_mid())?;
    Some((id, subscription.mid.as_bytes()))
}

impl Source {
    /// The publisher began a new stream in the same section.
    fn restart(&mut self) {
        self.reception = Default::default();
        self.ring.clear();
        self.gaps.clear();
    }
}

fn rtx_reason(error: RtxError) -> DropReason {
    match error {
        RtxError::PaddingOnly => DropReason::Redundant,
        RtxError::Rtp(_) | RtxError::Truncated => DropReason::RtpMalformed,
    }
}
