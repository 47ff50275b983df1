//! One published track: its source, its packets, its receivers.

use std::ops::Range;
use std::time::Instant;

use homeline_protocol::id::TrackId;

use super::demand::Demand;
use super::encoding::{Encoding, STOPPED_AFTER};
use super::layers::{Layers, Place};
use super::slots::PeerSlot;
use super::span::{Origin, Relay};
use super::subscription::Subscription;
use super::voice::Voice;
use crate::bandwidth::Rate;
use crate::transport::sdp::{Codec, ExtensionIds, HeaderExtension, Kind, Section};
use crate::wire::descriptor;
use crate::wire::rtp::RtpPacket;

/// Who sends the track, and how.
pub(super) struct Source {
    pub(super) peer: PeerSlot,
    /// Where it comes from, when its peer is in another part of the room.
    pub(super) origin: Option<Origin>,
    pub(super) mid: String,
    pub(super) kind: Kind,
    pub(super) codec: Codec,
    pub(super) ids: ExtensionIds,
    /// One, or up to three of simulcast, smallest first.
    pub(super) encodings: Vec<Encoding>,
    /// Encodings that flow now, one bit each; 0 before the first packet.
    flowing: u8,
}

impl Source {
    /// A source as the section describes it; `None` without a codec that is forwarded.
    pub(super) fn new(peer: PeerSlot, section: &Section) -> Option<Self> {
        let kind = section.kind?;
        let rids = section.rids.iter().cloned().map(Some);
        let mut encodings: Vec<Encoding> = rids.map(|rid| Encoding::new(kind, rid)).collect();
        if encodings.is_empty() {
            let mut only = Encoding::new(kind, None);
            (only.ssrc, only.rtx_ssrc) = (section.ssrc, section.rtx_ssrc);
            encodings.push(only);
        }
        Some(Self {
            peer,
            origin: None,
            mid: section.mid.clone(),
            kind,
            codec: section.codec()?.clone(),
            ids: section.extensions,
            encodings,
            flowing: 0,
        })
    }

    /// A source whose peer is in another part of the room.
    pub(super) fn from_elsewhere(
        peer: PeerSlot,
        origin: Origin,
        kind: Kind,
        codec: Codec,
        encodings: Vec<Encoding>,
    ) -> Self {
        Self {
            peer,
            origin: Some(origin),
            mid: String::new(),
            kind,
            codec,
            ids: ExtensionIds::default(),
            encodings,
            flowing: 0,
        }
    }

    /// Whether `new` describes the same stream again: a re-offer that changed nothing here.
    pub(super) fn is_same_stream(&self, new: &Self) -> bool {
        let same = |ours: &Encoding, theirs: &Encoding| {
            let moved = ours.ssrc.zip(theirs.ssrc).is_some_and(|(a, b)| a != b);
            ours.rid == theirs.rid && !moved
        };
        self.peer == new.peer
            && self.mid == new.mid
            && self.kind == new.kind
            && self.codec.coding == new.codec.coding
            && self.encodings.len() == new.encodings.len()
            && self
                .encodings
                .iter()
                .zip(&new.encodings)
                .all(|(a, b)| same(a, b))
    }

    /// Takes payload types and ids from a re-offer; what was received stays.
    pub(super) fn renegotiate(&mut self, new: Self) {
        self.codec = new.codec;
        self.ids = new.ids;
        for (ours, theirs) in self.encodings.iter_mut().zip(new.encodings) {
            ours.ssrc = ours.ssrc.or(theirs.ssrc);
            ours.rtx_ssrc = theirs.rtx_ssrc.or(ours.rtx_ssrc);
        }
    }

    pub(super) const fn is_simulcast(&self) -> bool {
        self.encodings.len() > 1
    }

    /// The layers of one of its encodings.
    pub(super) fn layers_of(&self, encoding: u8) -> Option<&Layers> {
        let encoding = self.encodings.get(usize::from(encoding));
        encoding.map(|encoding| &encoding.layers)
    }

    /// Whether descriptors tell of frames and layers.
    pub(super) fn is_described(&self) -> bool {
        self.kind == Kind::Video && self.ids.id(HeaderExtension::DependencyDescriptor).is_some()
    }

    /// A packet's descriptor, if it has one.
    pub(super) fn descriptor<'a>(&self, packet: &RtpPacket<'a>) -> Option<&'a [u8]> {
        packet.extension(self.ids.id(HeaderExtension::DependencyDescriptor)?)
    }

    /// Notes that an encoding flows. Returns whether others stopped or this one began.
    pub(super) fn note_flow(&mut self, now: Instant, encoding: u8) -> bool {
        let flows = |encoding: &Encoding| {
            let since = |at: Instant| now.saturating_duration_since(at);
            encoding
                .heard_at
                .is_some_and(|at| since(at) < STOPPED_AFTER)
        };
        let all_paused = !self.encodings.iter().any(flows);
        let before = self.flowing;
        self.flowing = 0;
        for (bit, each) in self.encodings.iter_mut().enumerate() {
            let flowed = before & (1 << bit) != 0;
            // A pause of all says nothing of one: the others have as long from now on.
            if bit == usize::from(encoding) || all_paused && flowed {
                each.heard_at = Some(now);
            }
            let flows = flows(each);
            if flowed && !flows {
                // It can't be had any more; who wants it when it comes back asks then.
                each.key_frames.arrived();
            }
            self.flowing |= u8::from(flows) << bit;
        }
        self.flowing != before
    }

    /// Whether an encoding flows, as far as is known.
    pub(super) const fn flows(&self, encoding: u8) -> bool {
        self.flowing & (1 << encoding) != 0
    }

    /// Whether a receiver may begin with this packet. Frames are encrypted, so for video only the
    /// descriptor can tell; without one there is no telling and the receiver's decoder must wait itself.
    pub(super) fn begins(&self, packet: &RtpPacket<'_>) -> bool {
        match (
            self.kind,
            self.ids.id(HeaderExtension::DependencyDescriptor),
        ) {
            (Kind::Audio, _) | (Kind::Video, None) => true,
            (Kind::Video, Some(id)) => packet
                .extension(id)
                .is_some_and(descriptor::starts_key_frame),
        }
    }

    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        let encodings = self.encodings.iter();
        encodings.filter_map(|encoding| encoding.wake_at(now)).min()
    }
}

/// A packet that is stored in the ring and not yet written for the receivers.
#[derive(Clone, Copy)]
pub(super) struct Queued {
    /// Which of the source's encodings it is of.
    pub(super) encoding: u8,
    pub(super) index: u64,
    /// Whether a receiver may begin with it.
    pub(super) begins: bool,
    /// Its length as the publisher sent it.
    pub(super) len: u16,
    /// Where its descriptor places it.
    pub(super) place: Option<Place>,
    /// When it was given to the engine; `None` when it is replayed.
    pub(super) taken: Option<Instant>,
}

/// See the module's description. Lives as long as it has a source or receivers.
pub(super) struct Track {
    pub(super) id: TrackId,
    pub(super) source: Option<Source>,
    /// In order of the receiver's slot: `outflow` goes through the lists of several tracks side by side.
    pub(super) subscriptions: Vec<Subscription>,
    /// In the order of their arrival; empty outside of a batch.
    pub(super) queue: Vec<Queued>,
    /// The first subscription that the queue is still to be written for.
    pub(super) written: usize,
    /// What its source sends.
    pub(super) rate: Rate,
    /// Received, and forwarded to nobody: its sender's switch is off.
    pub(super) held: bool,
    /// How loud it is, and what is left out of it.
    pub(super) voice: Voice,
    /// What its sender was told of who takes what.
    pub(super) demand: Demand,
    /// Other parts of the room to which its packets are handed over.
    pub(super) relays: Vec<Relay>,
}

impl Track {
    pub(super) fn new(id: TrackId) -> Self {
        Self {
            id,
            source: None,
            subscriptions: Vec::new(),
            queue: Vec::new(),
            written: 0,
            rate: Rate::default(),
            held: false,
            voice: Voice::default(),
            demand: Demand::default(),
            relays: Vec::new(),
        }
    }

    pub(super) fn is_unused(&self) -> bool {
        self.source.is_none() && self.subscriptions.is_empty()
    }

    /// Begins with a new source: receivers wait for its first key frame.
    pub(super) fn begin(&mut self, source: Source) {
        self.source = Some(source);
        self.relays.clear();
        self.demand = Demand::default();
        self.pause();
        self.bind();
    }

    /// Ends the source; receivers hear nothing more.
    pub(super) fn end(&mut self) {
        self.source = None;
        self.relays.clear();
        self.pause();
    }

    /// All receivers wait for the next beginning, and its packets are counted anew.
    pub(super) fn pause(&mut self) {
        self.voice = Voice::default();
        self.subscriptions.iter_mut().for_each(Subscription::forget);
    }

    /// Adds a receiver.
    pub(super) fn subscribe(&mut self, subscription: Subscription) {
        let slot = subscription.peer;
        let at = self
            .subscriptions
            .partition_point(|other| other.peer <= slot);
        self.subscriptions.insert(at, subscription);
        self.bind();
    }

    /// Where a receiver's subscriptions lie: side by side, mostly one.
    pub(super) fn of_receiver(&self, slot: PeerSlot) -> Range<usize> {
        let from = self.subscriptions.partition_point(|s| s.peer < slot);
        let own = self.subscriptions[from..].iter();
        from..from + own.take_while(|s| s.peer == slot).count()
    }

    /// Renews what depends on both ends: the map of extension ids.
    pub(super) fn bind(&mut self) {
        let Some(source) = &self.source else { return };
        for subscription in &mut self.subscriptions {
            subscription.extensions = source.ids.map_to(&subscription.ids);
            subscription.bind(source);
        }
        self.choose();
    }

    /// Ends what a peer publishes and receives here.
    pub(super) fn forget(&mut self, peer: PeerSlot) {
        if self
            .source
            .as_ref()
            .is_some_and(|source| source.peer == peer)
        {
            self.end();
        }
        self.subscriptions
            .retain(|subscription| subscription.peer != peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::sdp::Offer;

    fn camera() -> Source {
        let offer = include_str!("../transport/sdp/fixtures/chromium-156.sdp");
        let offer = Offer::parse(offer, 8).unwrap();
        Source::new(PeerSlot(0), &offer.sections[1]).unwrap()
    }

    /// A packet with a dependency descriptor under Chromium's id, 12.
    fn packet(descriptor: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xbe, 0xde, 0, 2];
        bytes.push(12 << 4 | (descriptor.len() as u8 - 1));
        bytes.extend(descriptor);
        bytes.resize(24, 0);
        bytes.extend([0xaa; 10]);
        bytes
    }

    #[test]
    fn receivers_begin_only_where_the_descriptor_starts_a_key_frame() {
        let source = camera();
        let begins = |bytes: &[u8]| source.begins(&RtpPacket::parse(bytes).unwrap());
        assert!(begins(&packet(&[0x80, 0, 1, 0x80, 0])));
        assert!(
            !begins(&packet(&[0x00, 0, 1, 0x80, 0])),
            "not the first packet of its frame"
        );
        assert!(
            !begins(&packet(&[0xc0, 0, 2])),
            "no structure: a delta frame"
        );
        let padding = [0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        assert!(!begins(&padding));
    }

    #[test]
    fn a_key_frame_is_asked_for_only_once_the_stream_has_a_name() {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        let now = Instant::now();
        let mut source = camera();
        source.encodings[0].ssrc = None;
        source.encodings[0].key_frames.want();
        assert_eq!(source.wake_at(now), None);
        source.encodings[0].ssrc = Some(crate::wire::ids::Ssrc(5));
        assert_eq!(source.wake_at(now), Some(now));
    }
}
