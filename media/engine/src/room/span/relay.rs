//! What passes between parts from packet to packet. No packet costs an allocation here.

use homeline_protocol::id::RoomId;

use super::super::commands::{Context, Room};
use super::super::gaps::MISSING_MAX;
use super::super::peer::{ClockOffset, Incoming};
use super::super::reception::Reported;
use super::super::ring::PACKET_LEN_MAX;
use super::super::slots::TrackSlot;
use super::super::track::{Source, Track};
use super::{Origin, Relay, Span};
use crate::counters::DropReason;
use crate::outbox::Outbox;
use crate::span::{EngineId, Header, Report, What};
use crate::wire::ids::Ssrc;
use crate::wire::rtp::RtpPacket;

impl Relay {
    pub(super) const fn header(
        self,
        room: RoomId,
        what: What,
        at: TrackSlot,
        encoding: u8,
    ) -> Header {
        Header {
            room,
            what,
            encoding,
            slot: at.0 as u32,
            run: self.run,
        }
    }
}

impl Track {
    /// Hands a packet over to the parts that take the track, as it came.
    pub(in crate::room) fn hand_over(
        &self,
        context: &mut Context<'_>,
        room: RoomId,
        incoming: Incoming,
        packet: &RtpPacket<'_>,
    ) {
        let what = if incoming.retransmission {
            What::Again
        } else {
            What::Packet
        };
        let bytes = packet.as_bytes();
        for relay in self.relays.iter().filter(|_| bytes.len() <= PACKET_LEN_MAX) {
            let header = relay.header(room, what, incoming.track, incoming.encoding);
            context.outbox.relay(relay.to, &header, bytes);
            context.counters.relayed_out += 1;
        }
    }
}

impl Room {
    /// Takes a message from another part. Returns how many copies are queued of it, at most.
    pub(crate) fn hear_message(
        &mut self,
        context: &mut Context<'_>,
        from: EngineId,
        header: &Header,
        body: &[u8],
    ) -> usize {
        let taken = match header.what {
            What::Packet | What::Again => self.take_relayed(context, from, header, body),
            What::Report => self.take_report(context, from, header, body),
            What::KeyFrame | What::Resend => {
                self.answer_part(context, from, header, body);
                Ok(0)
            }
        };
        taken.unwrap_or_else(|reason| {
            context.counters.drop(reason);
            0
        })
    }

    fn take_relayed(
        &mut self,
        context: &mut Context<'_>,
        from: EngineId,
        header: &Header,
        body: &[u8],
    ) -> Result<usize, DropReason> {
        context.counters.relayed_in += 1;
        let at = self.place_of(from, header)?;
        let source = self.tracks.get(at.0).and_then(|t| t.source.as_ref());
        let source = source.ok_or(DropReason::UnknownStream)?;
        let publisher = source.peer;
        let incoming = Incoming {
            ssrc: Ssrc(0),
            track: at,
            encoding: header.encoding,
            retransmission: header.what == What::Again,
        };
        self.take(context, publisher, incoming, body)
    }

    /// The place here of what a message from the publisher's part means.
    fn place_of(&self, from: EngineId, header: &Header) -> Result<TrackSlot, DropReason> {
        let mut neighbours = self.span.neighbours.iter();
        let other = neighbours.find(|other| other.id == from);
        let place = other.and_then(|other| *other.places.get(header.slot as usize)?);
        let at = place.ok_or(DropReason::UnknownStream)?;
        let track = self.tracks.get(at.0);
        let origin = track.and_then(|track| track.source.as_ref()?.origin);
        let expected = Origin {
            from,
            slot: header.slot,
            run: Some(header.run),
        };
        if origin == Some(expected) {
            Ok(at)
        } else {
            Err(DropReason::UnknownStream)
        }
    }

    fn take_report(
        &mut self,
        context: &Context<'_>,
        from: EngineId,
        header: &Header,
        body: &[u8],
    ) -> Result<usize, DropReason> {
        let at = self.place_of(from, header)?;
        let report = Report::parse(body).ok_or(DropReason::RtcpMalformed)?;
        let source = self.tracks.get_mut(at.0).and_then(|t| t.source.as_mut());
        let source = source.ok_or(DropReason::UnknownStream)?;
        let encoding = source.encodings.get_mut(usize::from(header.encoding));
        let encoding = encoding.ok_or(DropReason::UnknownStream)?;
        encoding.reception.report = Some(Reported {
            info: report.info,
            at: context.now,
        });
        let peer = source.peer.remote();
        if let Some(peer) = peer.and_then(|at| self.span.peers.get_mut(at)) {
            peer.clock_offset = ClockOffset::of(report.offset);
            peer.round_trip = (!report.round_trip.is_zero()).then_some(report.round_trip);
        }
        Ok(0)
    }

    /// Tells other parts what a publisher last reported of a track.
    pub(super) fn report_to(&self, context: &mut Context<'_>, at: TrackSlot, relays: &[Relay]) {
        let Some(source) = self.tracks.get(at.0).and_then(|t| t.source.as_ref()) else {
            return;
        };
        for of in 0..source.encodings.len() as u8 {
            self.report_encoding_to(context, at, of, relays);
        }
    }

    /// The same of one encoding, to all parts that take it.
    pub(in crate::room) fn relay_report(&self, context: &mut Context<'_>, incoming: Incoming) {
        if let Some(track) = self.tracks.get(incoming.track.0) {
            self.report_encoding_to(context, incoming.track, incoming.encoding, &track.relays);
        }
    }

    fn report_encoding_to(
        &self,
        context: &mut Context<'_>,
        at: TrackSlot,
        of: u8,
        relays: &[Relay],
    ) {
        let source = self.tracks.get(at.0).and_then(|t| t.source.as_ref());
        let Some((source, encoding)) =
            source.and_then(|source| Some((source, source.encodings.get(usize::from(of))?)))
        else {
            return;
        };
        let publisher = self.span.publisher(&self.peers, source.peer);
        let Some((reported, publisher)) = encoding.reception.report.zip(publisher) else {
            return;
        };
        let Some(offset) = publisher.clock_offset.micros() else {
            return;
        };
        let report = Report {
            info: reported.info,
            offset,
            round_trip: publisher.round_trip.unwrap_or_default(),
        };
        for relay in relays {
            let header = relay.header(self.id, What::Report, at, of);
            context.outbox.relay(relay.to, &header, &report.to_bytes());
        }
    }

    /// Does what another part asks of a track that is published here.
    fn answer_part(
        &mut self,
        context: &mut Context<'_>,
        from: EngineId,
        header: &Header,
        body: &[u8],
    ) {
        let at = TrackSlot(header.slot as usize);
        let Some(track) = self.tracks.get_mut(at.0) else {
            return;
        };
        let relay = Relay {
            to: from,
            run: header.run,
        };
        let Some(source) = track
            .source
            .as_mut()
            .filter(|_| track.relays.contains(&relay))
        else {
            return;
        };
        let Some(encoding) = source.encodings.get_mut(usize::from(header.encoding)) else {
            return;
        };
        if header.what == What::KeyFrame {
            encoding.key_frames.want();
            let wake = source.wake_at(context.now);
            self.wake(wake);
            return;
        }
        let again = relay.header(self.id, What::Again, at, header.encoding);
        for sequence in body.as_chunks::<2>().0.iter().take(MISSING_MAX) {
            let index = encoding.reception.index_of(u16::from_be_bytes(*sequence));
            let place = index.and_then(|index| track.voice.place_late(index));
            if let Some(packet) = place.and_then(|place| encoding.ring.packet(place)) {
                context.outbox.relay(from, &again, packet);
                context.counters.relayed_out += 1;
            }
        }
    }
}

impl Span {
    /// Asks the publisher's part for what is missing of a remote track.
    pub(in crate::room) fn ask(
        context: &mut Context<'_>,
        room: RoomId,
        origin: Origin,
        source: &mut Source,
    ) {
        let Some(run) = origin.run else {
            // Nothing comes, so nothing is missing; a key frame stays wished for.
            for encoding in &mut source.encodings {
                encoding.gaps.clear();
                encoding.key_frames.take_due(context.now);
            }
            return;
        };
        for (of, encoding) in (0..).zip(&mut source.encodings) {
            let mut header = Header {
                room,
                what: What::Resend,
                encoding: of,
                slot: origin.slot,
                run,
            };
            let lost = encoding.gaps.take_due(context.now);
            if !lost.is_empty() {
                ask_again(context.outbox, origin.from, &header, &lost);
            }
            if encoding.ssrc.is_some() && encoding.key_frames.take_due(context.now) {
                header.what = What::KeyFrame;
                context.outbox.relay(origin.from, &header, &[]);
            }
        }
    }
}

fn ask_again(outbox: &mut Outbox, to: EngineId, header: &Header, lost: &[u16]) {
    let sequences: Vec<u8> = lost.iter().flat_map(|s| s.to_be_bytes()).collect();
    outbox.relay(to, header, &sequences);
}
