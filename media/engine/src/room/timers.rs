//! What a room does when time passes: reports, feedback, requests for repair and key frames.

use std::time::{Duration, Instant};

use super::commands::{Context, Room, RouteChanges};
use super::encoding::Encoding;
use super::peer::{Peer, REPORT_INTERVAL};
use super::slots::{PeerSlot, Slots};
use super::span::{Publisher, Span};
use super::subscription::Subscription;
use super::track::{Source, Track};
use crate::clock::{Clock, NtpTime};
use crate::transport::sdp::{Feedback, Kind};
use crate::wire::ids::Ssrc;
use crate::wire::rtcp::{FeedbackHeader, ReportBlock, SenderInfo, Writer};

/// Packets told of in one feedback message, so that it fits a datagram however they are spread.
const FEEDBACK_PACKETS_MAX: usize = 256;

/// Timers are this coarse.
const TIMER_STEP: Duration = Duration::from_millis(1);

/// A sender report without blocks (28 bytes) and a name of 32 bytes with its headers.
const SENDER_REPORT_LEN_MAX: usize = 28 + 4 + 4 + 2 + 32 + 2;

/// What a receiver is told of one stream that it gets.
struct Reported {
    ssrc: Ssrc,
    name: String,
    info: SenderInfo,
}

impl Room {
    /// Does what is due, and finds out when to be called again.
    pub(crate) fn handle_timeout(&mut self, context: &mut Context<'_>, changes: &mut RouteChanges) {
        for at in 0..self.peers.places() {
            self.tend_peer(context, PeerSlot(at), changes);
            self.tend_path(context, PeerSlot(at));
        }
        for (_, track) in self.tracks.iter_mut() {
            if let Some(source) = track.source.as_mut() {
                if let Some(origin) = source.origin {
                    Span::ask(context, self.id, origin, source);
                    continue;
                }
                let (publisher, feedback) = (source.peer, source.codec.feedback);
                for encoding in &mut source.encodings {
                    request_repair(context, &mut self.peers, publisher, encoding);
                    request_key_frame(context, &mut self.peers, publisher, feedback, encoding);
                }
            }
        }
        self.look_for_speakers(context);
        let tells = self.demand_changed || self.span.must_greet(context.now);
        if self.demand_is_due(context.now) {
            self.tell_demand(context);
        }
        if tells {
            self.tell_neighbours(context);
        }
        let now = context.now;
        let peers = self.peers.iter().filter_map(|(_, peer)| peer.wake_at());
        let sources = self
            .tracks
            .iter()
            .filter_map(|(_, track)| track.source.as_ref());
        let tracks = sources.filter_map(|source| source.wake_at(now));
        let demands = self
            .tracks
            .iter()
            .filter_map(|(_, track)| track.demand.wake_at());
        let due = peers
            .chain(tracks)
            .chain(demands)
            .chain(self.speakers.wake_at())
            .chain(self.span.wake_at());
        // Whatever a timer says, time moves on between two calls: no timer can keep the thread busy.
        let next = due.min().map(|at| at.max(now + TIMER_STEP));
        self.settle_wake(next);
    }

    fn tend_peer(&mut self, context: &mut Context<'_>, slot: PeerSlot, changes: &mut RouteChanges) {
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return;
        };
        changes
            .removed_ufrags
            .extend(peer.connection.agent.retire(context.now));
        let progress = peer.connection.handle_timeout(context.now, context.outbox);
        if peer.arrivals.is_due(context.now) {
            send_feedback(context, peer);
        }
        let reports_due = peer.connection.is_up() && peer.reports_at <= context.now;
        self.note_progress(context, slot, progress);
        if reports_due {
            self.send_reports(context, slot);
        }
    }

    fn send_reports(&mut self, context: &mut Context<'_>, slot: PeerSlot) {
        let now = context.now;
        let (mut blocks, mut streams) = (Vec::new(), Vec::new());
        for (_, track) in self.tracks.iter_mut() {
            let Track {
                source,
                subscriptions,
                ..
            } = track;
            for subscription in subscriptions.iter_mut().filter(|s| s.peer == slot) {
                subscription.resends = 0;
                subscription.sample(now);
                let info = source.as_ref().and_then(|source| {
                    let publisher = self.span.publisher(&self.peers, source.peer)?;
                    sender_info(context.clock, now, publisher, source, subscription)
                });
                streams.extend(info.map(|info| Reported {
                    ssrc: subscription.ssrc,
                    name: subscription.stream.clone(),
                    info,
                }));
                if let Some(source) = source {
                    subscription.ask_for_missed_key_frame(source);
                }
            }
            if let Some(source) = source
                && source.peer == slot
            {
                for encoding in &mut source.encodings {
                    let Some(ssrc) = encoding.ssrc else { continue };
                    encoding.reception.traffic.sample(now);
                    encoding.layers.sample(now);
                    blocks.extend(encoding.reception.report_block(now, ssrc));
                }
            }
        }
        let Some(peer) = self.peers.get_mut(slot.0) else {
            return;
        };
        peer.reports_at = now + REPORT_INTERVAL;
        write_reports(context, peer, &blocks, &streams);
    }

    /// Asks for key frames wherever a receiver waits for one.
    pub(super) fn ask_for_awaited_key_frames(&mut self, context: &Context<'_>) {
        self.note_demand(context.now);
        let mut wake = None;
        for (_, track) in self.tracks.iter_mut() {
            let Track {
                source: Some(source),
                subscriptions,
                ..
            } = track
            else {
                continue;
            };
            let takes_part = |slot: PeerSlot| self.peers.get(slot.0).is_some_and(Peer::takes_part);
            if source.kind != Kind::Video || !self.span.takes_part(&self.peers, source.peer) {
                continue;
            }
            let awaiting = subscriptions
                .iter()
                .filter(|s| s.awaits_key_frame() && takes_part(s.peer));
            let awaited = awaiting
                .filter_map(|s| s.selection.chosen())
                .fold(0, |awaited, chosen| awaited | 1_u8 << chosen.encoding);
            for (bit, encoding) in source.encodings.iter_mut().enumerate() {
                if awaited & (1 << bit) != 0 {
                    encoding.key_frames.want();
                }
            }
            if awaited != 0 {
                wake = [wake, source.wake_at(context.now)]
                    .into_iter()
                    .flatten()
                    .min();
            }
        }
        self.wake(wake);
    }

    /// Asks every video sender for a key frame that is made after this.
    pub(crate) fn request_key_frames(&mut self, context: &Context<'_>) {
        let sources = self
            .tracks
            .iter_mut()
            .filter_map(|(_, track)| track.source.as_mut());
        for source in sources.filter(|source| source.kind == Kind::Video) {
            // Of remote tracks their own part asks: it has this command too.
            let is_here = source.origin.is_none();
            for encoding in &mut source.encodings {
                encoding.ring.forget_key_frame();
                if is_here {
                    encoding.key_frames.want_fresh();
                }
            }
        }
        self.wake(Some(context.now));
    }
}

/// The sender report for a receiver: the publisher's mapping of time to timestamps, on our clock and in
/// the receiver's numbers, so that sound and picture of one publisher stay in step.
fn sender_info(
    clock: &Clock,
    now: Instant,
    publisher: Publisher,
    source: &Source,
    subscription: &Subscription,
) -> Option<SenderInfo> {
    let encoding = source
        .encodings
        .get(usize::from(subscription.encoding()?))?;
    let reported = encoding.reception.report?;
    let offset = publisher.clock_offset.micros()?;
    let ntp = clock.ntp(now);
    let elapsed = ntp.micros_since(NtpTime(reported.info.ntp_time)) - offset;
    let ticks = i128::from(elapsed) * i128::from(source.kind.clock_rate()) / 1_000_000;
    let publishers = reported.info.rtp_timestamp.wrapping_add(ticks as u32);
    Some(SenderInfo {
        ntp_time: ntp.0,
        rtp_timestamp: subscription.timestamp(publishers)?,
        packets: subscription.packets,
        octets: subscription.octets,
    })
}

/// Writes blocks and sender reports into as few datagrams as they need.
fn write_reports(
    context: &mut Context<'_>,
    peer: &mut Peer,
    blocks: &[ReportBlock],
    streams: &[Reported],
) {
    let mut block_lists = blocks.chunks(31);
    let mut streams = streams;
    let mut first = true;
    while first || !streams.is_empty() || block_lists.len() > 0 {
        first = false;
        let list = block_lists.next().unwrap_or_default();
        let sender = peer.ssrc;
        let mut taken = 0;
        let sent = peer.connection.send_rtcp(context.outbox, |buffer| {
            let mut writer = Writer::new(buffer);
            writer.receiver_report(sender, list).ok()?;
            for stream in streams {
                // What does not fit goes into the next datagram.
                if writer.room() < SENDER_REPORT_LEN_MAX {
                    break;
                }
                writer.sender_report(stream.ssrc, &stream.info, &[]).ok()?;
                writer
                    .source_description(stream.ssrc, stream.name.as_bytes())
                    .ok()?;
                taken += 1;
            }
            Some(writer.len())
        });
        if sent.is_none() {
            return;
        }
        streams = &streams[taken..];
    }
}

fn send_feedback(context: &mut Context<'_>, peer: &mut Peer) {
    let media = peer
        .incoming
        .first()
        .map_or(Ssrc(0), |incoming| incoming.ssrc);
    while let Some((base_sequence, log)) = peer.arrivals.pending() {
        let log = &log[..log.len().min(FEEDBACK_PACKETS_MAX)];
        let count = peer.arrivals.count;
        let header = FeedbackHeader {
            sender: peer.ssrc,
            media,
            count,
            base_sequence,
        };
        let mut told = 0;
        let sent = peer.connection.send_rtcp(context.outbox, |buffer| {
            let mut writer = Writer::new(buffer);
            told = writer.transport_feedback(&header, log).ok()?;
            Some(writer.len())
        });
        if sent.is_none() || told == 0 {
            peer.arrivals.give_up();
            return;
        }
        peer.arrivals.told(told);
    }
}

fn request_repair(
    context: &mut Context<'_>,
    peers: &mut Slots<Peer>,
    publisher: PeerSlot,
    encoding: &mut Encoding,
) {
    let lost = encoding.gaps.take_due(context.now);
    let (Some(ssrc), Some(peer)) = (encoding.ssrc, peers.get_mut(publisher.0)) else {
        return;
    };
    let sender = peer.ssrc;
    let mut rest = lost.as_slice();
    while !rest.is_empty() {
        let mut fitted = 0;
        let sent = peer.connection.send_rtcp(context.outbox, |buffer| {
            let mut writer = Writer::new(buffer);
            fitted = writer.nack(sender, ssrc, rest).ok()?;
            Some(writer.len())
        });
        if sent.is_none() || fitted == 0 {
            return;
        }
        context.counters.nacks_sent += fitted as u64;
        rest = &rest[fitted..];
    }
}

fn request_key_frame(
    context: &mut Context<'_>,
    peers: &mut Slots<Peer>,
    publisher: PeerSlot,
    feedback: Feedback,
    encoding: &mut Encoding,
) {
    let (Some(ssrc), Some(peer)) = (encoding.ssrc, peers.get_mut(publisher.0)) else {
        return;
    };
    if !encoding.key_frames.take_due(context.now) {
        return;
    }
    let (sender, command) = (peer.ssrc, encoding.key_frames.command);
    let sent = peer.connection.send_rtcp(context.outbox, |buffer| {
        let mut writer = Writer::new(buffer);
        if feedback.picture_loss {
            writer.picture_loss(sender, ssrc).ok()?;
        } else if feedback.full_intra {
            writer.full_intra_request(sender, ssrc, command).ok()?;
        }
        Some(writer.len())
    });
    if sent.is_some() {
        context.counters.key_frame_requests_sent += 1;
    }
}
