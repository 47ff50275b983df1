//! RTCP from a peer: what it reports as a receiver and as a sender, what it asks for.

use std::time::Duration;

use super::commands::{Context, Room};
use super::outflow::{HEADER_GROWTH_MAX, mid_element};
use super::peer::Peer;
use super::reception::Reported;
use super::resent::Resend;
use super::slots::PeerSlot;
use super::subscription::{Missed, RESENDS_MAX, Subscription};
use super::track::{Source, Track};
use crate::clock::NtpTime;
use crate::counters::DropReason;
use crate::transport::sdp::Kind;
use crate::wire::descriptor::Mandatory;
use crate::wire::forward::{Rewrite, SEAL_ROOM, write_rtx, write_rtx_padding};
use crate::wire::ids::{ExtensionId, Ssrc};
use crate::wire::rtcp::{Packet, ReportBlock, SenderReport, packets};
use crate::wire::rtp::RtpPacket;

impl Room {
    /// Takes a sealed compound RTCP packet from a peer.
    pub(crate) fn handle_rtcp(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        datagram: &mut [u8],
    ) {
        if let Err(reason) = self.read_control(context, slot, datagram) {
            self.count_drop(context, slot, reason);
        }
    }

    fn read_control(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        datagram: &mut [u8],
    ) -> Result<(), DropReason> {
        let peer = self.peers.get_mut(slot.0).ok_or(DropReason::UnknownPath)?;
        let (len, progress) = peer.connection.open_rtcp(context.now, datagram)?;
        self.note_progress(context, slot, progress);
        for packet in packets(&datagram[..len]) {
            match packet.map_err(|_| DropReason::RtcpMalformed)? {
                Packet::SenderReport(report) => {
                    self.note_sender_report(context, slot, &report);
                    for block in report.blocks() {
                        self.note_block(context, slot, &block);
                    }
                }
                Packet::ReceiverReport(report) => {
                    for block in report.blocks() {
                        self.note_block(context, slot, &block);
                    }
                }
                Packet::Nack(nack) => self.resend(context, slot, nack.media, nack.lost()),
                Packet::PictureLoss(loss) => self.want_key_frame(context, slot, loss.media),
                Packet::FullIntraRequest(request) => {
                    for (ssrc, _) in request.requests() {
                        self.want_key_frame(context, slot, ssrc);
                    }
                }
                Packet::TransportFeedback(feedback) => self.note_feedback(context, slot, &feedback),
                Packet::Remb(remb) => self.note_limit(context, slot, remb.bits_per_second),
                Packet::SourceDescription(_) | Packet::Goodbye(_) | Packet::Other { .. } => {}
            }
        }
        Ok(())
    }

    fn note_sender_report(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        report: &SenderReport<'_>,
    ) {
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return;
        };
        let Some(incoming) = peer.incoming(report.ssrc).filter(|i| !i.retransmission) else {
            return;
        };
        let sent = NtpTime(report.info.ntp_time);
        peer.clock_offset.note(sent, context.clock.ntp(context.now));
        let track = self.tracks.get_mut(incoming.track.0);
        let source = track.and_then(|track| track.source.as_mut());
        if let Some(source) = source
            && let Some(encoding) = source.encodings.get_mut(usize::from(incoming.encoding))
        {
            encoding.reception.report = Some(Reported {
                info: report.info,
                at: context.now,
            });
        }
        self.relay_report(context, incoming);
    }

    fn note_block(&mut self, context: &Context<'_>, slot: PeerSlot, block: &ReportBlock) {
        let Some((_, subscription)) = self.find_subscription(slot, block.ssrc) else {
            return;
        };
        subscription.view.fraction_lost = block.fraction_lost;
        let jitter = u64::from(block.jitter) * 1_000 / u64::from(subscription.kind.clock_rate());
        subscription.view.jitter_ms = u32::try_from(jitter).unwrap_or(u32::MAX);
        if block.last_sender_report == 0 {
            return;
        }
        // RFC 3550 section 6.4.1: now minus LSR minus DLSR, in 65,536ths of a second.
        let since = context
            .clock
            .ntp(context.now)
            .middle()
            .wrapping_sub(block.last_sender_report);
        let round_trip = since.wrapping_sub(block.delay_since_last_sender_report);
        if let Some(peer) = self.peers.get_mut(slot.0)
            && round_trip < 0x8000_0000
        {
            let time = Duration::from_micros(u64::from(round_trip) * 1_000_000 / 65_536);
            peer.figures.round_trip = Some(time);
        }
    }

    fn find_subscription(
        &mut self,
        slot: PeerSlot,
        ssrc: Ssrc,
    ) -> Option<(Option<&mut Source>, &mut Subscription)> {
        self.tracks.iter_mut().find_map(|(_, track)| {
            let Track {
                source,
                subscriptions,
                ..
            } = track;
            subscriptions
                .iter_mut()
                .find(|subscription| subscription.peer == slot && subscription.ssrc == ssrc)
                .map(|subscription| (source.as_mut(), subscription))
        })
    }

    fn want_key_frame(&mut self, context: &Context<'_>, slot: PeerSlot, ssrc: Ssrc) {
        if !self.peers.get(slot.0).is_some_and(Peer::takes_part) {
            return;
        }
        let Some((Some(source), subscription)) = self.find_subscription(slot, ssrc) else {
            return;
        };
        subscription.served.key_frame_requests += 1;
        let chosen = subscription
            .selection
            .chosen()
            .map(|chosen| chosen.encoding);
        let of = subscription.encoding().or(chosen);
        let encoding = of.and_then(|at| source.encodings.get_mut(usize::from(at)));
        if source.kind == Kind::Video
            && let Some(encoding) = encoding
        {
            encoding.key_frames.want();
            let wake = source.wake_at(context.now);
            self.wake(wake);
        }
    }

    /// Sends again what the receiver missed, as long as the ring has it.
    fn resend(
        &mut self,
        context: &mut Context<'_>,
        slot: PeerSlot,
        ssrc: Ssrc,
        lost: impl Iterator<Item = u16>,
    ) {
        let Self { peers, tracks, .. } = self;
        let Some(peer) = peers.get_mut(slot.0).filter(|peer| peer.takes_part()) else {
            return;
        };
        let found = tracks.iter_mut().find_map(|(_, track)| {
            let source = track.source.as_ref()?;
            let mut subscriptions = track.subscriptions.iter_mut();
            let subscription = subscriptions.find(|s| s.peer == slot && s.ssrc == ssrc)?;
            Some((source, subscription))
        });
        let Some((source, subscription)) = found else {
            return;
        };
        let repeats = peer.path.as_ref().map_or(1, |path| path.repeats());
        let is_picture = subscription.kind == Kind::Video;
        // A picture that is paused begins anew at a key frame: nothing of what was before is needed.
        let paused = is_picture && subscription.selection.chosen().is_none();
        for sequence in lost {
            subscription.served.nacks += 1;
            if subscription.resends >= RESENDS_MAX {
                return;
            }
            let path = peer.path.as_mut().filter(|_| is_picture);
            if paused || path.is_some_and(|path| !path.may_repair(context.now)) {
                continue;
            }
            // Nothing that is not sent is remembered as sent.
            if repeats > 0 {
                resend_one(context, peer, source, subscription, (sequence, repeats));
            }
        }
    }
}

/// Sends a packet again, so often, if it was not only just.
fn resend_one(
    context: &mut Context<'_>,
    peer: &mut Peer,
    source: &Source,
    subscription: &mut Subscription,
    (sequence, repeats): (u16, u32),
) -> Option<()> {
    subscription.rtx_ssrc?;
    let missed = subscription.missed(sequence)?;
    let round_trip = peer.figures.round_trip;
    let resent = &mut subscription.resent;
    let resend = resent.allows(context.now, sequence, round_trip)?;
    // Another loss would be seen.
    let repeats = match resend {
        Resend::First => repeats,
        Resend::Repeated => repeats.max(2),
    };
    for _ in 0..repeats {
        write_again(context, peer, source, subscription, (sequence, &missed))?;
    }
    Some(())
}

/// Writes one packet anew on the RTX stream. Without RTX there is no repair: the same number can't be
/// sealed twice under one key.
fn write_again(
    context: &mut Context<'_>,
    peer: &mut Peer,
    source: &Source,
    subscription: &mut Subscription,
    (sequence, missed): (u16, &Missed),
) -> Option<()> {
    let rtx = subscription.codec.as_ref().and_then(|codec| codec.rtx);
    let (payload_type, ssrc) = rtx.zip(subscription.rtx_ssrc)?;
    let encoding = source.encodings.get(usize::from(missed.encoding))?;
    let packet = RtpPacket::parse(encoding.ring.packet(missed.index)?).ok()?;
    let frame_number = frame_number(source, subscription, &packet, missed.frame_offset);
    let (fills, ends_picture) = part_of(source, missed, &packet);
    let rtx_sequence = subscription.next_rtx_sequence();
    let transport_sequence = peer.next_transport_sequence();
    let mid = mid_element(subscription);
    let rewrite = Rewrite {
        payload_type,
        sequence: rtx_sequence,
        timestamp: packet.timestamp().wrapping_add(missed.timestamp_offset),
        ssrc,
        marker: ends_picture.then_some(true),
        extensions: &subscription.extensions,
        insert: mid.as_slice(),
        transport_sequence,
        frame_number,
        padding: u8::from(fills),
    };
    let room = packet.as_bytes().len() + HEADER_GROWTH_MAX + SEAL_ROOM;
    context.outbox.expendable(subscription.kind == Kind::Video);
    let len = peer.connection.send_rtp(context.outbox, room, |buffer| {
        if fills {
            return write_rtx_padding(sequence, &rewrite, buffer).ok();
        }
        write_rtx(&packet, sequence, &rewrite, buffer).ok()
    })?;
    peer.note_sent(context.now, transport_sequence, len);
    if let Some(path) = &mut peer.path {
        path.note_repair(len);
    }
    peer.figures.packets_out += 1;
    subscription.served.resends += 1;
    subscription.resends += 1;
    context.counters.rtp_retransmitted += 1;
    Some(())
}

/// What a packet is to this receiver, as when it was new: whether it got padding in its place, since it came too late
/// to be left out without a hole, and whether it ends what the receiver gets of the picture.
fn part_of(source: &Source, missed: &Missed, packet: &RtpPacket<'_>) -> (bool, bool) {
    let layers = source.layers_of(missed.encoding);
    let place = layers
        .zip(source.descriptor(packet))
        .and_then(|(layers, descriptor)| layers.place_of(descriptor));
    layers.zip(place).map_or((false, false), |(layers, place)| {
        let target = missed.target;
        let left_out = target.is_some_and(|target| !target.needs(&place));
        (left_out, layers.ends_picture(target, &place))
    })
}

/// The number of a packet's frame for the receiver, where that is not the publisher's.
fn frame_number(
    source: &Source,
    subscription: &Subscription,
    packet: &RtpPacket<'_>,
    offset: u16,
) -> Option<(ExtensionId, u16)> {
    let id = subscription.descriptor_id().filter(|_| offset != 0)?;
    let mandatory = Mandatory::parse(source.descriptor(packet)?)?;
    Some((id, mandatory.frame_number.wrapping_add(offset)))
}
