//! A publisher's RTP packet: opened, stored once, and queued for its receivers.

use std::time::Instant;

use super::commands::{Context, Room};
use super::peer::Incoming;
use super::reception::Position;
use super::slots::{PeerSlot, TrackSlot};
use super::track::{Queued, Source, Track};
use super::voice::Verdict;
use crate::counters::DropReason;
use crate::transport::sdp::Kind;
use crate::wire::rtp::RtpPacket;
use crate::wire::rtx::{self, RtxError};

/// Packets of one track that are queued before they are written: less than the shortest ring holds.
const QUEUE_MAX: usize = 64;

/// How a packet came.
#[derive(Clone, Copy)]
enum Arrival {
    /// On its own stream.
    First(Verdict),
    /// As a retransmission.
    Again,
}

impl Arrival {
    const fn verdict(self) -> Verdict {
        match self {
            Self::First(verdict) => verdict,
            Self::Again => Verdict::Forward,
        }
    }
}

impl Room {
    /// Takes a sealed RTP packet from a peer. Returns how many copies of it are queued, at most.
    pub(crate) fn handle_rtp(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        datagram: &mut [u8],
    ) -> usize {
        match self.receive(context, slot, datagram) {
            Ok(copies) => copies,
            Err(reason) => {
                self.count_drop(context, slot, reason);
                0
            }
        }
    }

    fn receive(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        datagram: &mut [u8],
    ) -> Result<usize, DropReason> {
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
            let encoding = source.encodings.get(usize::from(incoming.encoding));
            let ssrc = encoding.and_then(|encoding| encoding.ssrc);
            let ssrc = ssrc.ok_or(DropReason::UnknownStream)?;
            rtx::restore(clear, ssrc, source.codec.payload_type).map_err(rtx_reason)?
        } else {
            clear
        };
        self.take(context, slot, incoming, original)
    }

    /// Takes a publisher's packet as it was sent, whether it came to us or to another part of the room. Returns how
    /// many copies of it are queued, at most.
    pub(super) fn take(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        incoming: Incoming,
        original: &[u8],
    ) -> Result<usize, DropReason> {
        let now = context.now;
        let track = self
            .tracks
            .get_mut(incoming.track.0)
            .ok_or(DropReason::UnknownStream)?;
        let source = track.source.as_ref().ok_or(DropReason::UnknownStream)?;
        let packet = RtpPacket::parse(original).map_err(|_| DropReason::RtpMalformed)?;
        if packet.payload_type() != source.codec.payload_type {
            return Err(DropReason::UnknownPayloadType);
        }
        if track.queue.len() >= QUEUE_MAX {
            self.write_queued(context, usize::MAX);
        }
        let arrival = if incoming.retransmission {
            Arrival::Again
        } else {
            Arrival::First(self.hear(context, slot, incoming.track, &packet))
        };
        let track = self
            .tracks
            .get_mut(incoming.track.0)
            .ok_or(DropReason::UnknownStream)?;
        let of = incoming.encoding;
        let placed = accept(context, track, of, &packet, arrival)?;
        if !track.relays.is_empty() {
            track.hand_over(context, self.id, incoming, &packet);
        }
        let Some(index) = placed else {
            return Ok(0);
        };
        let Some((queued, fed)) = describe(context.now, track, of, index, &packet) else {
            return Ok(0);
        };
        let flows = track
            .source
            .as_mut()
            .is_some_and(|source| source.kind == Kind::Video && source.note_flow(now, of));
        // A new structure, and an encoding or layers that began or stopped, change what each receiver can have.
        if flows || fed || queued.begins && queued.place.is_some() {
            track.choose();
            self.note_demand(now);
        }
        if flows {
            self.ask_for_awaited_key_frames(context);
        }
        let track = self
            .tracks
            .get_mut(incoming.track.0)
            .ok_or(DropReason::UnknownStream)?;
        // For the estimation; pictures are measured layer by layer.
        if context.config.estimation
            && track
                .source
                .as_ref()
                .is_some_and(|source| source.kind == Kind::Audio)
        {
            track.rate.note(now, packet.as_bytes().len());
        }
        Ok(self.enqueue(now, slot, incoming.track, queued))
    }

    /// Counts the packet for its sender and finds the stream that it belongs to.
    fn find_incoming(
        &mut self,
        now: Instant,
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
            None => {
                let learned = self.learn(slot, packet);
                // Other parts get nothing of a stream that began anew until they are told.
                if self.demand_changed {
                    self.wake(Some(now));
                }
                learned
            }
        }
    }

    /// Binds a new SSRC to a section by its mid or, if only one section fits, by its payload type.
    fn learn(&mut self, slot: PeerSlot, packet: &RtpPacket<'_>) -> Result<Incoming, DropReason> {
        let peer = self.peers.get_mut(slot.0).ok_or(DropReason::UnknownPath)?;
        let mid = peer.mid_id.and_then(|id| packet.extension(id));
        let rid = peer.rid_id.and_then(|id| packet.extension(id));
        let repaired = peer.repaired_rid_id.and_then(|id| packet.extension(id));
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
        let named = if retransmission { repaired } else { rid };
        let number = source
            .encoding_named(named)
            .ok_or(DropReason::UnknownStream)?;
        let encoding = &mut source.encodings[usize::from(number)];
        let place = if retransmission {
            &mut encoding.rtx_ssrc
        } else {
            &mut encoding.ssrc
        };
        let replaced = place.replace(packet.ssrc());
        if !retransmission && replaced.is_some() {
            track.relays.clear();
            self.demand_changed = true;
            encoding.restart();
            if source.is_simulcast() {
                track
                    .subscriptions
                    .iter_mut()
                    .for_each(|s| s.begin_anew(number));
            } else {
                track.pause();
            }
        }
        let incoming = Incoming {
            ssrc: packet.ssrc(),
            track: TrackSlot(at),
            encoding: number,
            retransmission,
        };
        peer.incoming.retain(|known| Some(known.ssrc) != replaced);
        peer.incoming.push(incoming);
        Ok(incoming)
    }

    /// Queues the stored packet for everyone who gets it; returns how many that are at most.
    fn enqueue(
        &mut self,
        now: Instant,
        publisher: PeerSlot,
        at: TrackSlot,
        queued: Queued,
    ) -> usize {
        let flows = self.span.forwards(&self.peers, publisher);
        let Some(track) = self.tracks.get_mut(at.0) else {
            return 0;
        };
        let Some(source) = track.source.as_mut() else {
            return 0;
        };
        let (of, index, begins) = (queued.encoding, queued.index, queued.begins);
        if begins && let Some(encoding) = source.encodings.get_mut(usize::from(of)) {
            encoding.key_frames.arrived();
        }
        let flows = flows && !track.held;
        source.note_key_frame(now, of, index, begins, flows);
        let wake = source.wake_at(now);
        let copies = track.subscriptions.len();
        let queues = flows && copies > 0;
        if queues {
            if track.queue.is_empty() {
                self.queued.push(at);
            }
            track.queue.push(queued);
        }
        self.wake(wake);
        if queues { copies } else { 0 }
    }
}

/// Places the packet in its stream and stores it. Returns its index, or `None` when it is left out.
fn accept(
    context: &mut Context<'_>,
    track: &mut Track,
    of: u8,
    packet: &RtpPacket<'_>,
    arrival: Arrival,
) -> Result<Option<u64>, DropReason> {
    let source = track.source.as_mut().ok_or(DropReason::UnknownStream)?;
    let (kind, repairs) = (source.kind, source.codec.feedback.nack);
    let encoding = source.encodings.get_mut(usize::from(of));
    let encoding = encoding.ok_or(DropReason::UnknownStream)?;
    let clock_rate = kind.clock_rate();
    let (sequence, timestamp) = (packet.sequence(), packet.timestamp());
    let index = match encoding
        .reception
        .note(context.now, sequence, timestamp, clock_rate)
    {
        Position::TooLate => return Err(DropReason::TooOld),
        Position::Earlier { index } => {
            let place = track.voice.place_late(index);
            let place = place.ok_or(DropReason::Redundant)?;
            if !encoding.ring.store(context.now, place, packet.as_bytes()) {
                return Err(DropReason::Redundant);
            }
            // What had to be sent again was lost, and its sender shall know.
            if matches!(arrival, Arrival::First(_)) {
                encoding.reception.recovered();
            }
            encoding.gaps.arrived(index);
            return Ok(Some(place));
        }
        Position::Restart { index } => {
            encoding.begin_anew();
            for subscription in &mut track.subscriptions {
                subscription.begin_anew(of);
            }
            if kind == Kind::Video {
                encoding.key_frames.want();
            }
            index
        }
        Position::Newest { index, expected } => {
            if repairs
                && encoding.gaps.skipped(context.now, expected, index).is_err()
                && kind == Kind::Video
            {
                encoding.key_frames.want();
            }
            index
        }
    };
    let Some(placed) = track.voice.place(index, arrival.verdict()) else {
        context.counters.rtp_left_out += 1;
        return Ok(None);
    };
    if !encoding
        .ring
        .store(context.now, placed.index, packet.as_bytes())
    {
        return Err(DropReason::NotSent);
    }
    if placed.begins_spurt {
        encoding.ring.mark(placed.index);
    }
    Ok(Some(placed.index))
}

/// Reads what the packet tells of itself, and counts it. Says as well whether other layers are fed from here on.
fn describe(
    now: Instant,
    track: &mut Track,
    of: u8,
    index: u64,
    packet: &RtpPacket<'_>,
) -> Option<(Queued, bool)> {
    let source = track.source.as_mut()?;
    let begins = source.begins(packet);
    source.note_traffic(of, packet, begins);
    let descriptor = source.descriptor(packet).filter(|_| source.is_described());
    let encoding = source.encodings.get_mut(usize::from(of))?;
    let fed = encoding.layers.active();
    let place = descriptor.and_then(|bytes| encoding.layers.read(bytes));
    encoding
        .layers
        .count(place.as_ref(), packet.as_bytes().len());
    let queued = Queued {
        encoding: of,
        index,
        begins,
        len: packet.as_bytes().len() as u16,
        place,
        taken: Some(now),
    };
    Some((queued, encoding.layers.active() != fed))
}

impl Source {
    /// The encoding of this name; the only one needs none.
    fn encoding_named(&self, rid: Option<&[u8]>) -> Option<u8> {
        if !self.is_simulcast() && self.encodings.first()?.rid.is_none() {
            return Some(0);
        }
        let named = |rid: &[u8]| {
            let mut names = self.encodings.iter();
            names.position(|encoding| encoding.rid.as_deref().map(str::as_bytes) == Some(rid))
        };
        rid.and_then(named).map(|at| at as u8)
    }
}

fn rtx_reason(error: RtxError) -> DropReason {
    match error {
        RtxError::PaddingOnly => DropReason::Redundant,
        RtxError::Rtp(_) | RtxError::Truncated => DropReason::RtpMalformed,
    }
}
