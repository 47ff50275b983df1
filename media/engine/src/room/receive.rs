//! A publisher's RTP packet: opened, stored once, and queued for its receivers.

use super::commands::{Context, Room};
use super::peer::Incoming;
use super::reception::Position;
use super::slots::{PeerSlot, TrackSlot};
use super::track::{Queued, Source, Track};
use crate::counters::DropReason;
use crate::transport::sdp::Kind;
use crate::wire::rtp::RtpPacket;
use crate::wire::rtx::{self, RtxError};

/// Packets of one track that are queued before they are written: less than the shortest ring holds.
const QUEUE_MAX: usize = 64;

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
            let ssrc = source.ssrc.ok_or(DropReason::UnknownStream)?;
            rtx::restore(clear, ssrc, source.codec.payload_type).map_err(rtx_reason)?
        } else {
            clear
        };
        let packet = RtpPacket::parse(original).map_err(|_| DropReason::RtpMalformed)?;
        if packet.payload_type() != source.codec.payload_type {
            return Err(DropReason::UnknownPayloadType);
        }
        if track.queue.len() >= QUEUE_MAX {
            self.write_queued(context, usize::MAX);
        }
        let track = self
            .tracks
            .get_mut(incoming.track.0)
            .ok_or(DropReason::UnknownStream)?;
        let index = accept(context, track, &packet)?;
        let begins = track
            .source
            .as_ref()
            .is_some_and(|source| source.begins(&packet));
        track.rate.note(now, packet.as_bytes().len());
        let queued = Queued {
            index,
            begins,
            len: u16::try_from(packet.as_bytes().len()).unwrap_or(u16::MAX),
        };
        Ok(self.enqueue(now, slot, incoming.track, queued))
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

    /// Queues the stored packet for everyone who gets it; returns how many that are at most.
    fn enqueue(
        &mut self,
        now: std::time::Instant,
        publisher: PeerSlot,
        at: TrackSlot,
        queued: Queued,
    ) -> usize {
        let flows = self
            .peers
            .get(publisher.0)
            .is_some_and(|peer| peer.forwarding);
        let Some(track) = self.tracks.get_mut(at.0) else {
            return 0;
        };
        let Some(source) = track.source.as_mut() else {
            return 0;
        };
        if queued.begins {
            source.key_frames.arrived();
        }
        let wake = source.wake_at(now);
        let copies = track.subscriptions.len();
        let queues = flows && !track.held && copies > 0;
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
            if !source.ring.store(context.now, index, packet.as_bytes()) {
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
    if source.ring.store(context.now, index, packet.as_bytes()) {
        Ok(index)
    } else {
        Err(DropReason::NotSent)
    }
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
