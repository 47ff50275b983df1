//! One receiver of one track: which packets it gets, and under which numbers.
//!
//! The receiver sees a single stream without holes of our making: whenever forwarding begins again, after
//! a hold, a restart of the publisher or another publisher of the track, numbers and timestamps go on
//! where they stopped. Video begins only at a key frame.

use std::time::Instant;

use super::slots::PeerSlot;
use crate::transport::sdp::{Codec, ExtensionIds, Kind};
use crate::wire::extension::ExtensionMap;
use crate::wire::ids::Ssrc;

/// The mid is repeated on this many first packets, until the receiver has surely bound the stream.
const MID_PACKETS: u32 = 32;

/// Packets sent again to one receiver between two reports: a second's worth of video at 10 Mbit/s. A
/// receiver that asks for more is broken or up to no good.
pub(super) const RESENDS_MAX: u32 = 1_000;

/// A span in which numbers run in step with the publisher's.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// The publisher's index of the first packet, and ours.
    from: u64,
    to: u64,
    /// Ours minus the publisher's.
    timestamp_offset: u32,
}

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
}

/// A sent packet that the receiver asks for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    /// The publisher's index.
    pub(super) index: u64,
    /// Ours minus the publisher's.
    pub(super) timestamp_offset: u32,
}

/// See the module's description.
pub(super) struct Subscription {
    pub(super) peer: PeerSlot,
    pub(super) mid: String,
    pub(super) kind: Kind,
    pub(super) codec: Codec,
    pub(super) ids: ExtensionIds,
    /// From the publisher's extension ids to the receiver's.
    pub(super) extensions: ExtensionMap,
    pub(super) ssrc: Ssrc,
    pub(super) rtx_ssrc: Option<Ssrc>,
    /// What is played in step with it: the publisher.
    pub(super) stream: String,
    pub(super) view: ReceiverView,
    /// Packets sent again since the last report, bounded by `RESENDS_MAX`.
    pub(super) resends: u32,
    /// The path to the receiver does not carry it.
    pub(super) paused: bool,
    /// RTP packets and payload bytes sent, for sender reports.
    pub(super) packets: u32,
    pub(super) octets: u32,
    state: State,
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
    pub(super) codec: Codec,
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
            codec: terms.codec,
            extensions: ExtensionMap::new(terms.ids.mixed),
            ids: terms.ids,
            ssrc: terms.ssrc,
            rtx_ssrc: terms.rtx_ssrc,
            stream: terms.stream,
            view: ReceiverView::default(),
            resends: 0,
            paused: false,
            packets: 0,
            octets: 0,
            state: State::Waiting,
            sent: None,
            rtx_sequence: terms.first_sequence,
            first_sequence: terms.first_sequence & 0x7fff,
            first_timestamp: terms.first_timestamp,
        }
    }

    /// Stops until the next beginning.
    pub(super) fn wait(&mut self) {
        self.state = State::Waiting;
    }

    /// Whether the next beginning is waited for.
    pub(super) const fn awaits_key_frame(&self) -> bool {
        self.is_waiting() && !self.paused
    }

    const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    /// Numbers for the publisher's packet `index`, or `None` when this receiver does not get it.
    /// `begins` says that a receiver may begin here.
    pub(super) fn number(
        &mut self,
        now: Instant,
        index: u64,
        timestamp: u32,
        begins: bool,
    ) -> Option<Numbers> {
        let span = match self.state {
            State::Flowing(span) => span,
            State::Waiting if !begins || self.paused => return None,
            State::Waiting => {
                let span = self.begin(now, index, timestamp);
                self.state = State::Flowing(span);
                span
            }
        };
        let ours = span.to + index.checked_sub(span.from)?;
        let timestamp = timestamp.wrapping_add(span.timestamp_offset);
        if self.sent.is_none_or(|sent| ours > sent.index) {
            self.sent = Some(Sent {
                index: ours,
                timestamp,
                at: now,
            });
        }
        Some(Numbers {
            sequence: ours as u16,
            timestamp,
        })
    }

    fn begin(&self, now: Instant, index: u64, timestamp: u32) -> Span {
        let (to, first) = match self.sent {
            None => (u64::from(self.first_sequence), self.first_timestamp),
            Some(sent) => {
                let ticks = (now - sent.at).as_micros() * u128::from(self.kind.clock_rate());
                // At least one tick on: a receiver takes equal timestamps for one frame.
                let ticks = ((ticks / 1_000_000) as u32).max(1);
                (sent.index + 1, sent.timestamp.wrapping_add(ticks))
            }
        };
        Span {
            from: index,
            to,
            timestamp_offset: first.wrapping_sub(timestamp),
        }
    }

    /// The publisher's index of a packet that the receiver misses, if it belongs to the present span.
    pub(super) fn missed(&self, sequence: u16) -> Option<Missed> {
        let (State::Flowing(span), Some(sent)) = (self.state, self.sent) else {
            return None;
        };
        let behind = (sent.index as u16).wrapping_sub(sequence);
        let ours = sent
            .index
            .checked_sub(u64::from(behind))
            .filter(|_| behind < 0x8000)?;
        let index = span.from + ours.checked_sub(span.to)?;
        Some(Missed {
            index,
            timestamp_offset: span.timestamp_offset,
        })
    }

    /// Our timestamp for a publisher's, while forwarding.
    pub(super) fn timestamp(&self, publishers: u32) -> Option<u32> {
        match self.state {
            State::Flowing(span) => Some(publishers.wrapping_add(span.timestamp_offset)),
            State::Waiting => None,
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::ids::PayloadType;

    fn subscription(kind: Kind) -> Subscription {
        Subscription::new(Terms {
            peer: PeerSlot(0),
            mid: "1".to_owned(),
            kind,
            codec: Codec {
                payload_type: PayloadType::new(96).unwrap(),
                rtx: None,
                feedback: Default::default(),
                parameters: None,
            },
            ids: ExtensionIds::default(),
            ssrc: Ssrc(1),
            rtx_ssrc: None,
            stream: "a".to_owned(),
            first_sequence: 100,
            first_timestamp: 5_000,
        })
    }

    fn start() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "an arbitrary start of the test's clock"
        )]
        Instant::now()
    }

    #[test]
    fn video_begins_at_a_key_frame_and_takes_nothing_from_before_it() {
        let (mut stream, now) = (subscription(Kind::Video), start());
        assert_eq!(stream.number(now, 70_000, 1, false), None);
        assert_eq!(
            stream.number(now, 70_001, 9_000, true),
            Some(Numbers {
                sequence: 100,
                timestamp: 5_000
            })
        );
        assert_eq!(stream.number(now, 70_000, 1, false), None);
        assert_eq!(
            stream.number(now, 70_003, 12_000, false),
            Some(Numbers {
                sequence: 102,
                timestamp: 8_000
            })
        );
        assert_eq!(
            stream.number(now, 70_002, 9_000, false),
            Some(Numbers {
                sequence: 101,
                timestamp: 5_000
            }),
            "a late packet fills its own gap"
        );
    }

    #[test]
    fn numbers_go_on_seamlessly_after_a_pause_and_time_passes() {
        let (mut stream, now) = (subscription(Kind::Audio), start());
        assert_eq!(stream.number(now, 70_000, 960, true).unwrap().sequence, 100);
        stream.wait();
        let later = now + Duration::from_secs(2);
        assert_eq!(
            stream.number(later, 200_000, 77, true),
            Some(Numbers {
                sequence: 101,
                timestamp: 5_000 + 96_000
            })
        );
        assert_eq!(stream.missed(101).unwrap().index, 200_000);
        assert_eq!(stream.missed(100), None, "from before the pause");
        assert_eq!(stream.missed(102), None, "not sent yet");
    }
}
