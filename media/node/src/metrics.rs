//! What a worker measures of itself: counts, and how long packets spend inside.

use std::sync::Mutex;
use std::time::Duration;

use homeline_media_engine::{Counters, DropReason};

/// Upper bounds of the histogram's buckets, in microseconds; one more bucket holds everything above. From
/// below a tenth of a millisecond, where a healthy node is, to where a call would notice.
pub const TRANSIT_BOUNDS_MICROS: [u64; 18] = [
    10, 15, 25, 35, 50, 70, 100, 140, 200, 400, 700, 1_000, 1_600, 3_200, 6_400, 12_800, 25_600,
    51_200,
];

/// Times from the arrival of a packet in the kernel until a copy of it was given to the kernel, for each copy.
/// A copy in a train counts from the arrival of the train's first packet. By UDP in and out, on one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransitTimes {
    /// How many fell into each bucket, the last being above all bounds.
    pub buckets: [u64; TRANSIT_BOUNDS_MICROS.len() + 1],
    /// All times together, in microseconds.
    pub sum_micros: u64,
}

impl TransitTimes {
    /// Notes that so many copies were inside for `time`.
    pub fn note(&mut self, time: Duration, copies: u64) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = TRANSIT_BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets[bucket] += copies;
        let sum = micros.saturating_mul(copies);
        self.sum_micros = self.sum_micros.saturating_add(sum);
    }

    fn add(&mut self, other: &Self) {
        for (bucket, count) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket += count;
        }
        self.sum_micros = self.sum_micros.saturating_add(other.sum_micros);
    }

    /// Those that came after an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = *self;
        for (bucket, before) in since.buckets.iter_mut().zip(earlier.buckets) {
            *bucket = bucket.saturating_sub(before);
        }
        since.sum_micros = since.sum_micros.saturating_sub(earlier.sum_micros);
        since
    }

    /// How many were measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bound under which `share` (0 to 1) of the times lie; `None` without times or beyond the bounds.
    pub fn quantile_micros(&self, share: f64) -> Option<u64> {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, bound) in self.buckets.iter().zip(TRANSIT_BOUNDS_MICROS) {
            seen += bucket;
            if seen >= wanted && seen > 0 {
                return Some(bound);
            }
        }
        None
    }
}

/// What a node's TCP connections came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFigures {
    /// Connections at the moment.
    pub connections: u64,
    /// Connections closed at once, for a limit.
    pub refused: u64,
    /// Connections that ended, whoever closed them.
    pub ended: u64,
    /// Packets not sent, because a receiver took too little or its connection was gone.
    pub dropped: u64,
}

impl TcpFigures {
    fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.refused += other.refused;
        self.ended += other.ended;
        self.dropped += other.dropped;
    }
}

/// A node's figures at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeMetrics {
    /// What the engine counted.
    pub counters: Counters,
    /// Rooms at the moment.
    pub rooms: u64,
    /// Peers at the moment.
    pub peers: u64,
    /// Calls to the system for sending: fewer than datagrams, as far as those leave in trains.
    pub send_calls: u64,
    /// Datagrams that the kernel did not take for sending.
    pub send_errors: u64,
    /// Times that a socket's queue was full and a datagram was dropped.
    pub send_queue_full: u64,
    /// Rooms that failed inside and were dropped.
    pub rooms_failed: u64,
    /// Packets that found the way to another worker full, in rooms that several have a part of.
    pub relay_full: u64,
    /// Connections of clients whose network lets no UDP through.
    pub tcp: TcpFigures,
    /// Time from socket to socket of forwarded copies.
    pub transit: TransitTimes,
    /// Processor time of the media threads.
    pub cpu_time: Duration,
}

impl NodeMetrics {
    /// Adds another worker's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counters.add(&other.counters);
        self.rooms += other.rooms;
        self.peers += other.peers;
        self.send_calls += other.send_calls;
        self.send_errors += other.send_errors;
        self.send_queue_full += other.send_queue_full;
        self.rooms_failed += other.rooms_failed;
        self.relay_full += other.relay_full;
        self.tcp.add(&other.tcp);
        self.transit.add(&other.transit);
        self.cpu_time += other.cpu_time;
    }

    /// Every reason for which packets were dropped, as a label, with its count.
    pub fn dropped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        DropReason::ALL
            .into_iter()
            .map(|reason| (reason.label(), self.counters.dropped(reason)))
    }
}

/// Where a worker leaves its figures for whoever asks.
#[derive(Default)]
pub(crate) struct MetricsBoard(Mutex<NodeMetrics>);

impl MetricsBoard {
    pub(crate) fn publish(&self, metrics: &NodeMetrics) {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = *metrics;
    }

    /// Holds up the worker, once it wants to publish.
    #[cfg(test)]
    pub(crate) fn hold(&self) -> std::sync::MutexGuard<'_, NodeMetrics> {
        self.0.lock().unwrap()
    }

    pub(crate) fn read(&self) -> NodeMetrics {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_bounds_of_their_buckets() {
        let mut times = TransitTimes::default();
        assert_eq!(times.quantile_micros(0.5), None);
        for micros in [10, 20, 30, 90, 90, 300, 500, 900, 2_000, 90_000] {
            times.note(Duration::from_micros(micros), 1);
        }
        assert_eq!(times.count(), 10);
        assert_eq!(times.quantile_micros(0.5), Some(100));
        assert_eq!(times.quantile_micros(0.9), Some(3_200));
        assert_eq!(times.quantile_micros(1.0), None);
        let earlier = times;
        times.note(Duration::from_micros(20), 9);
        let since = times.since(&earlier);
        assert_eq!((since.count(), since.sum_micros), (9, 180));
        assert_eq!(since.quantile_micros(1.0), Some(25));
    }
}
