//! One receiver of one track: which packets it gets, and under which numbers.
//!
//! The receiver sees a single stream without holes of our making: whenever forwarding begins again, after
//! a hold, a restart of the publisher, a change to another encoding or another publisher of the track, numbers
//! and timestamps go on where they stopped. Video begins and changes encodings only at a key frame. What of an
//! encoding's layers is left out leaves no hole either.

mod span;

use std::time::Instant;

use self::span::{Span, Targets};
use super::layers::{Layers, Place, Target};
use super::resent::Resent;
use super::seam::Seam;
use super::selection::Selection;
use super::slots::PeerSlot;
use super::statistics::Served;
use super::track::{Queued, Source};
use crate::transport::sdp::{Codec, ExtensionIds, HeaderExtension, Kind};
use crate::wire::extension::ExtensionMap;
use crate::wire::ids::{ExtensionId, Ssrc};

/// The mid is repeated on this many first packets, until the receiver has surely bound the stream.
const MID_PACKETS: u32 = 32;

/// Packets sent again to one receiver between two reports: a second's worth of video at 10 Mbit/s. A
/// receiver that asks for more is broken or up to no good.
pub(super) const RESENDS_MAX: u32 = 1_000;

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing is sent until the next beginning: for video a key frame, for audio any packet.
    Waiting,
    Flowing(Span),
}

/// The last packet that the receiver was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    index: u64,
    timestamp: u32,
    at: Instant,
    /// The highest number of a frame, ours.
    frame: Option<u16>,
}

/// What the receiver reported last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReceiverView {
    pub(super) fraction_lost: u8,
    pub(super) jitter_ms: u32,
}

/// Numbers for one forwarded packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    /// It is the last of what the receiver gets of its picture, whatever the publisher's marker bit says.
    pub(super) ends_picture: bool,
    /// Its frame's number, where that is not the publisher's.
    pub(super) frame_number: Option<u16>,
    /// The receiver does not get the packet, but its number was kept free for it: padding closes the gap.
    pub(super) fills: bool,
}

/// A sent packet that the receiver asks for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    /// Of which encoding, and the publisher's index there.
    pub(super) encoding: u8,
    pub(super) index: u64,
    /// Ours minus the publisher's.
    pub(super) timestamp_offset: u32,
    pub(super) frame_offset: u16,
    /// What of its encoding's layers the receiver got when it was new.
    pub(super) target: Option<Target>,
}

/// See the module's description.
pub(super) struct Subscription {
    pub(super) peer: PeerSlot,
    pub(super) mid: String,
    pub(super) kind: Kind,
    /// What the receiver takes, in its order.
    pub(super) codecs: Vec<Codec>,
    /// The publisher's, as the receiver takes it; without it, it gets nothing.
    pub(super) codec: Option<Codec>,
    pub(super) ids: ExtensionIds,
    pub(super) selection: Selection,
    /// From the publisher's extension ids to the receiver's.
    pub(super) extensions: ExtensionMap,
    pub(super) ssrc: Ssrc,
    pub(super) rtx_ssrc: Option<Ssrc>,
    /// What is played in step with it: the publisher.
    pub(super) stream: String,
    pub(super) view: ReceiverView,
    pub(super) served: Served,
    /// Packets sent again since the last report, bounded by `RESENDS_MAX`.
    pub(super) resends: u32,
    pub(super) resent: Resent,
    /// RTP packets and payload bytes sent, for sender reports.
    pub(super) packets: u32,
    pub(super) octets: u32,
    state: State,
    /// What was left out of the present span, once something was.
    seam: Option<Box<Seam>>,
    /// The span before, for what the receiver misses of it.
    before: Option<Span>,
    seam_before: Option<Box<Seam>>,
    sent: Option<Sent>,
    rtx_sequence: u16,
    first_sequence: u16,
    first_timestamp: u32,
}

/// What a new subscription is made of.
pub(super) struct Terms {
    pub(super) peer: PeerSlot,
    pub(super) mid: String,
    pub(super) kind: Kind,
    pub(super) codecs: Vec<Codec>,
    pub(super) ids: ExtensionIds,
    pub(super) ssrc: Ssrc,
    pub(super) rtx_ssrc: Option<Ssrc>,
    pub(super) stream: String,
    /// Random, below 0x8000 so that SRTP's rollover counter can't be guessed wrongly.
    pub(super) first_sequence: u16,
    pub(super) first_timestamp: u32,
}

impl Subscription {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            peer: terms.peer,
            mid: terms.mid,
            kind: terms.kind,
            codec: None,
            codecs: terms.codecs,
            selection: Selection::default(),
            extensions: ExtensionMap::new(terms.ids.mixed),
            ids: terms.ids,
            ssrc: terms.ssrc,
            rtx_ssrc: terms.rtx_ssrc,
            stream: terms.stream,
            view: ReceiverView::default(),
            served: Served::default(),
            resends: 0,
            resent: Resent::default(),
            packets: 0,
            octets: 0,
            state: State::Waiting,
            seam: None,
            before: None,
            seam_before: None,
            sent: None,
            rtx_sequence: terms.first_sequence,
            first_sequence: terms.first_sequence & 0x7fff,
            first_timestamp: terms.first_timestamp,
        }
    }

    /// Whether the receiver was sent this packet before it last began to wait. It would take it for a repetition.
    pub(super) fn had(&self, encoding: u8, index: u64) -> bool {
        self.before.is_some_and(|span| {
            let until = span.highest.map_or(span.from, |(index, _)| index);
            span.encoding == encoding && (span.from..=until).contains(&index)
        })
    }

    /// Takes the publisher's codec, if the receiver has it.
    pub(super) fn bind(&mut self, source: &Source) {
        let mut codecs = self.codecs.iter();
        self.codec = codecs
            .find(|codec| codec.coding == source.codec.coding)
            .cloned();
    }

    /// Stops until the next beginning.
    pub(super) fn wait(&mut self) {
        if let State::Flowing(span) = std::mem::replace(&mut self.state, State::Waiting) {
            self.keep(span);
        }
    }

    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    /// Whether the next beginning is waited for by a receiver that may have it.
    pub(super) const fn awaits_key_frame(&self) -> bool {
        self.is_waiting() && self.codec.is_some() && self.selection.chosen().is_some()
    }

    /// Whether packets can be sent to it again, and padding with them.
    pub(super) fn can_repair(&self) -> bool {
        let codec = self.codec.as_ref();
        self.rtx_ssrc.is_some() && codec.is_some_and(|codec| codec.rtx.is_some())
    }

    /// Whether the packet may be one for this receiver, now or once a beginning before it was written.
    pub(super) fn may_take(&self, queued: &Queued) -> bool {
        self.selection.chosen().is_some_and(|chosen| {
            chosen.encoding == queued.encoding
                || match self.state {
                    State::Waiting => queued.encoding < chosen.encoding,
                    State::Flowing(span) => span.encoding == queued.encoding,
                }
        })
    }

    /// Whether it is one of a layer that the receiver does not get.
    pub(super) fn leaves_out(&self, queued: &Queued) -> bool {
        let target = self.target();
        target
            .zip(queued.place.as_ref())
            .is_some_and(|(target, place)| !target.needs(place))
    }

    /// The encoding that flows to the receiver.
    pub(super) const fn encoding(&self) -> Option<u8> {
        match self.state {
            State::Waiting => None,
            State::Flowing(span) => Some(span.encoding),
        }
    }

    /// What of its layers does; `None` is all.
    pub(super) const fn target(&self) -> Option<Target> {
        match self.state {
            State::Waiting => None,
            State::Flowing(span) => span.targets.present(),
        }
    }

    /// The source begins anew or ends: the receiver waits, and nothing that was sent can be repaired, since
    /// indices mean other packets from now on.
    pub(super) fn forget(&mut self) {
        self.wait();
        self.before = None;
    }

    /// The same for one encoding of the source.
    pub(super) fn begin_anew(&mut self, encoding: u8) {
        if self.encoding() == Some(encoding) {
            self.wait();
        }
        self.before = self.before.filter(|span| span.encoding != encoding);
    }

    /// Keeps a span that ended, for what is missed of it.
    fn keep(&mut self, span: Span) {
        self.before = Some(span);
        std::mem::swap(&mut self.seam, &mut self.seam_before);
        if let Some(seam) = &mut self.seam {
            seam.clear();
        }
    }

    /// Numbers for a publisher's packet, or `None` when this receiver does not get it.
    pub(super) fn number(
        &mut self,
        now: Instant,
        queued: &Queued,
        timestamp: u32,
        source: &Source,
    ) -> Option<Numbers> {
        let chosen = self.selection.chosen()?;
        let mut span = match self.state {
            State::Flowing(span) if span.encoding == queued.encoding => span,
            State::Flowing(span) => {
                let changes =
                    queued.begins && chosen.encoding == queued.encoding && source.is_described();
                if !changes {
                    return None;
                }
                let next = self.begin(now, queued, timestamp, source, Some(span));
                self.keep(span);
                next
            }
            State::Waiting if !queued.begins || queued.encoding > chosen.encoding => return None,
            State::Waiting => self.begin(now, queued, timestamp, source, None),
        };
        let before = span.highest;
        let newest = before.is_none_or(|(highest, _)| queued.index > highest);
        if newest {
            span.highest = Some((queued.index, timestamp));
        }
        let fills = match &queued.place {
            None => false,
            Some(place) => {
                if newest {
                    let begins = before.is_none_or(|(_, before)| before != timestamp);
                    let layers = source.layers_of(queued.encoding)?;
                    self.turn(&mut span, layers, queued.index, begins, place);
                }
                let target = span.targets.at(queued.index);
                let left_out = target.is_some_and(|target| !target.needs(place));
                if left_out && newest {
                    self.state = State::Flowing(span);
                    self.seam.get_or_insert_default().leave_out(queued.index);
                    return None;
                }
                left_out
            }
        };
        self.state = State::Flowing(span);
        let relative = self.place(queued.index)?.checked_sub(span.from)?;
        let ours = span.to + relative;
        let timestamp = timestamp.wrapping_add(span.timestamp_offset);
        let frame = queued
            .place
            .map(|place| place.frame_number.wrapping_add(span.frame_offset));
        if self.sent.is_none_or(|sent| ours > sent.index) {
            let before = self.sent.and_then(|sent| sent.frame);
            self.sent = Some(Sent {
                index: ours,
                timestamp,
                at: now,
                frame: latest(before, frame),
            });
        }
        let layers = source.layers_of(queued.encoding);
        let ends_picture = layers.zip(queued.place).is_some_and(|(layers, place)| {
            layers.ends_picture(span.targets.at(queued.index), &place)
        });
        Some(Numbers {
            sequence: ours as u16,
            timestamp,
            ends_picture,
            frame_number: frame.filter(|_| span.frame_offset != 0),
            fills,
        })
    }

    /// Changes the target at a packet, if the receiver wants another and may change. `begins`: the packet is the first
    /// of its picture.
    fn turn(&self, span: &mut Span, layers: &Layers, index: u64, begins: bool, place: &Place) {
        let wanted = self.selection.first_target(layers);
        if begins {
            span.accords = wanted.filter(|_| place.starts);
        }
        if !place.starts || span.accords != wanted {
            return;
        }
        let present = span.targets.present();
        let target = self.selection.target(layers, present, place);
        span.targets.turn(index, target);
        // A picture is of one target: in its middle only what makes no difference to its parts so far may change.
        let pair = target
            .zip(wanted)
            .filter(|(target, wanted)| target != wanted);
        if let Some((target, wanted)) = pair {
            let needed = target.needs(place);
            let ends_alike = layers.has_same_picture(target, wanted);
            if needed != wanted.needs(place) || needed && !ends_alike {
                span.accords = None;
            }
        }
    }

    fn place(&self, index: u64) -> Option<u64> {
        match &self.seam {
            None => Some(index),
            Some(seam) => seam.place(index),
        }
    }

    /// A span that begins with this packet. `from` is the one that it follows at once.
    fn begin(
        &self,
        now: Instant,
        queued: &Queued,
        timestamp: u32,
        source: &Source,
        from: Option<Span>,
    ) -> Span {
        let (to, first) = match self.sent {
            None => (u64::from(self.first_sequence), self.first_timestamp),
            Some(sent) => {
                let ticks = from
                    .and_then(|span| self.captured_since(&sent, &span, queued, timestamp, source))
                    .unwrap_or_else(|| {
                        let passed = (now - sent.at).as_micros();
                        (passed * u128::from(self.kind.clock_rate()) / 1_000_000) as u32
                    });
                // At least one tick on: a receiver takes equal timestamps for one frame.
                (sent.index + 1, sent.timestamp.wrapping_add(ticks.max(1)))
            }
        };
        let frame = queued.place.map(|place| place.frame_number);
        let last_frame = self.sent.and_then(|sent| sent.frame);
        let layers = source.layers_of(queued.encoding);
        Span {
            encoding: queued.encoding,
            targets: Targets::new(layers.and_then(|layers| self.selection.first_target(layers))),
            from: queued.index,
            to,
            timestamp_offset: first.wrapping_sub(timestamp),
            frame_offset: last_frame
                .zip(frame)
                .map_or(0, |(last, frame)| last.wrapping_add(1).wrapping_sub(frame)),
            highest: None,
            accords: None,
        }
    }

    /// Ticks between the capture of the last frame sent and of this one of another encoding, as the publisher's
    /// reports have it. `None` without reports, or when they are beyond belief.
    fn captured_since(
        &self,
        sent: &Sent,
        span: &Span,
        queued: &Queued,
        timestamp: u32,
        source: &Source,
    ) -> Option<u32> {
        let captured = |encoding: u8, timestamp: u32| {
            let encoding = source.encodings.get(usize::from(encoding))?;
            encoding.captured(self.kind, timestamp)
        };
        let last = sent.timestamp.wrapping_sub(span.timestamp_offset);
        let since = captured(queued.encoding, timestamp)? - captured(span.encoding, last)?;
        let ten_seconds = i128::from(self.kind.clock_rate()) * 10;
        (-ten_seconds..ten_seconds)
            .contains(&since)
            .then(|| since.max(0) as u32)
    }

    /// Where to find a packet that the receiver misses: in the present span or in the one before.
    pub(super) fn missed(&self, sequence: u16) -> Option<Missed> {
        let sent = self.sent?;
        let behind = (sent.index as u16).wrapping_sub(sequence);
        let ours = sent
            .index
            .checked_sub(u64::from(behind))
            .filter(|_| behind < 0x8000)?;
        let present = match self.state {
            State::Flowing(span) => Some((span, &self.seam)),
            State::Waiting => None,
        };
        let spans = [present, self.before.map(|span| (span, &self.seam_before))];
        let (span, seam) = spans
            .into_iter()
            .flatten()
            .find(|(span, _)| ours >= span.to)?;
        let place = span.from + (ours - span.to);
        let index = seam
            .as_ref()
            .map_or(Some(place), |seam| seam.index_at(place))?;
        Some(Missed {
            encoding: span.encoding,
            index,
            timestamp_offset: span.timestamp_offset,
            frame_offset: span.frame_offset,
            target: span.targets.at(index),
        })
    }

    /// Our timestamp for a publisher's of the encoding that flows.
    pub(super) fn timestamp(&self, publishers: u32) -> Option<u32> {
        match self.state {
            State::Flowing(span) => Some(publishers.wrapping_add(span.timestamp_offset)),
            State::Waiting => None,
        }
    }

    /// Under which id the receiver reads descriptors.
    pub(super) fn descriptor_id(&self) -> Option<ExtensionId> {
        self.ids.id(HeaderExtension::DependencyDescriptor)
    }

    pub(super) fn next_rtx_sequence(&mut self) -> u16 {
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        self.rtx_sequence
    }

    /// Whether the next packet still names its section.
    pub(super) const fn names_mid(&self) -> bool {
        self.packets < MID_PACKETS
    }
}

/// The later of two numbers of frames, which wrap.
fn latest(before: Option<u16>, frame: Option<u16>) -> Option<u16> {
    match (before, frame) {
        (Some(before), Some(frame)) if frame.wrapping_sub(before) >= 0x8000 => Some(before),
        (before, frame) => frame.or(before),
    }
}

#[cfg(test)]
mod tests;
