//! One peer: its connection, the streams it sends, and its figures.

use std::time::{Duration, Instant};

use homeline_protocol::id::PeerId;
use homeline_protocol::media_control::PeerStatistics;

use super::arrivals::Arrivals;
use super::path::ReceiverPath;
use super::slots::TrackSlot;
use super::statistics;
use crate::clock::NtpTime;
use crate::transport::Connection;
use crate::wire::ids::{ExtensionId, Ssrc};

/// How often reports are sent (RFC 3550 section 6.2 allows more at these rates; browsers do the same).
pub(super) const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What an incoming SSRC carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) ssrc: Ssrc,
    pub(super) track: TrackSlot,
    /// Which of its encodings.
    pub(super) encoding: u8,
    pub(super) retransmission: bool,
}

/// From a publisher's clock to ours: the least delay seen between its reports and their arrival.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClockOffset {
    micros: Option<i64>,
}

impl ClockOffset {
    /// As another part of the room measured it.
    pub(super) const fn of(micros: i64) -> Self {
        Self {
            micros: Some(micros),
        }
    }

    /// Notes a sender report. A smaller offset counts at once, a greater one slowly: delay only adds.
    pub(super) fn note(&mut self, sent: NtpTime, arrived: NtpTime) {
        let sample = arrived.micros_since(sent);
        self.micros = Some(match self.micros {
            // Beyond ten seconds the publisher set its clock.
            Some(offset) if sample > offset && sample - offset < 10_000_000 => {
                offset + (sample - offset) / 64
            }
            _ => sample,
        });
    }

    /// Microseconds to add to the publisher's time.
    pub(super) const fn micros(self) -> Option<i64> {
        self.micros
    }
}

/// Figures for statistics.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) packets_in: u64,
    pub(super) packets_out: u64,
    pub(super) packets_dropped: u64,
    pub(super) round_trip: Option<Duration>,
}

/// See the module's description.
pub(super) struct Peer {
    pub(super) id: PeerId,
    pub(super) connection: Connection,
    /// The `o=` line of its offers.
    pub(super) origin: String,
    pub(super) session_id: u64,
    pub(super) answers: u64,
    /// Whether its media flows; a new peer is held.
    pub(super) forwarding: bool,
    /// Bounded by two for each encoding of a published track.
    pub(super) incoming: Vec<Incoming>,
    /// Our name in RTCP to this peer.
    pub(super) ssrc: Ssrc,
    /// The transport-wide sequence number: its id in each direction is the same in a bundle.
    pub(super) transport_id: Option<ExtensionId>,
    pub(super) transport_sequence: u16,
    pub(super) mid_id: Option<ExtensionId>,
    pub(super) rid_id: Option<ExtensionId>,
    pub(super) repaired_rid_id: Option<ExtensionId>,
    pub(super) arrivals: Arrivals,
    /// What the path to it carries, once it tells.
    pub(super) path: Option<Box<ReceiverPath>>,
    pub(super) clock_offset: ClockOffset,
    pub(super) reports_at: Instant,
    pub(super) figures: Figures,
}

impl Peer {
    pub(super) fn incoming(&self, ssrc: Ssrc) -> Option<Incoming> {
        self.incoming
            .iter()
            .copied()
            .find(|incoming| incoming.ssrc == ssrc)
    }

    /// Whether it takes part right now: connected and not held.
    pub(super) fn takes_part(&self) -> bool {
        self.forwarding && self.connection.is_up()
    }

    pub(super) fn wake_at(&self) -> Option<Instant> {
        let reports = self.connection.is_up().then_some(self.reports_at);
        let path = self.path.as_ref().map(|path| path.wake_at());
        let (connection, arrivals) = (self.connection.wake_at(), self.arrivals.wake_at());
        [connection, arrivals, reports, path]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether its pictures leave no faster than its path is thought to carry them.
    pub(super) fn is_paced(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.paces())
    }

    pub(super) fn next_transport_sequence(&mut self) -> Option<(ExtensionId, u16)> {
        let id = self.transport_id?;
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        Some((id, self.transport_sequence))
    }

    /// Notes a packet that left under a transport-wide number.
    pub(super) fn note_sent(
        &mut self,
        now: Instant,
        numbered: Option<(ExtensionId, u16)>,
        len: usize,
    ) {
        if let (Some(path), Some((_, sequence))) = (self.path.as_mut(), numbered) {
            path.note_sent(now, sequence, len);
        }
    }

    /// Its figures, but for what its tracks and subscriptions know.
    pub(super) fn statistics(&self, now: Instant) -> PeerStatistics {
        let figures = &self.figures;
        PeerStatistics {
            peer: self.id,
            connected: self.connection.is_up(),
            packets_in: figures.packets_in,
            packets_out: figures.packets_out,
            packets_dropped: figures.packets_dropped,
            round_trip_ms: figures
                .round_trip
                .map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX)),
            loss_in_256ths: 0,
            loss_out_256ths: 0,
            jitter_ms: 0,
            quality: None,
            quality_up: None,
            quality_down: None,
            estimate_bits_per_second: self.path.as_ref().and_then(|path| path.estimate(now)),
            transport: statistics::transport(&self.connection),
            published: Vec::new(),
            received: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_delay_counts_and_drift_is_followed_slowly() {
        let at = |micros: i64| NtpTime(((i128::from(micros) << 32) / 1_000_000) as u64);
        let mut offset = ClockOffset::default();
        assert_eq!(offset.micros(), None);
        let near = |offset: ClockOffset, expected: i64| {
            let micros = offset.micros().unwrap();
            assert!((micros - expected).abs() <= 2, "{micros}");
        };
        offset.note(at(1_000_000), at(5_020_000));
        near(offset, 4_020_000);
        offset.note(at(2_000_000), at(6_010_000));
        near(offset, 4_010_000);
        offset.note(at(3_000_000), at(7_074_000));
        near(offset, 4_011_000);
        offset.note(at(4_000_000), at(90_000_000));
        near(offset, 86_000_000);
    }
}
