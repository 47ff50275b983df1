//! What the generating threads measured: each writes into its own, and the run takes from all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::counting::Counts;
use crate::result::Times;

/// One thread's measurements.
#[derive(Debug, Default)]
pub struct Measured {
    /// Latencies of decrypted sound, since they were last taken.
    pub audio: Times,
    /// Latencies of decrypted pictures, since they were last taken.
    pub video: Times,
    /// How late bursts left, since that was last taken.
    pub late: Times,
    /// Since the start.
    pub totals: Totals,
}

/// Counters that only grow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Packets that publishers sent.
    pub sent: u64,
    /// Bursts that were not sent, since they were too late.
    pub skipped: u64,
    /// What receivers counted.
    pub counts: Counts,
    /// Packets that were decrypted.
    pub opened: u64,
    /// Datagrams that the system did not take.
    pub unsent: u64,
    /// Processor time of the threads.
    pub cpu: Duration,
    /// Processor time of the busiest thread.
    pub busiest: Duration,
    /// Peers that are connected.
    pub connected: u64,
    /// Peers whose connection broke.
    pub broken: u64,
    /// Streams of media that receivers have got.
    pub streams: u64,
}

/// A thread's measurements, shared with the run. The lock is taken once for each round of the thread's loop
/// and once a second by the run.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Measured>>);

impl Recorder {
    /// To write into.
    pub fn lock(&self) -> MutexGuard<'_, Measured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the times, and reads the totals.
    pub fn take(&self) -> Measured {
        let mut empty = Measured::default();
        let mut measured = self.lock();
        empty.totals = measured.totals;
        std::mem::replace(&mut *measured, empty)
    }
}

impl Measured {
    /// Adds another thread's.
    pub fn add(&mut self, other: &Self) {
        self.audio.add(&other.audio);
        self.video.add(&other.video);
        self.late.add(&other.late);
        self.totals.add(&other.totals);
    }

    /// Sound and picture together.
    pub fn all(&self) -> Times {
        let mut all = self.audio.clone();
        all.add(&self.video);
        all
    }
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.skipped += other.skipped;
        self.counts.expected += other.counts.expected;
        self.counts.received += other.counts.received;
        self.counts.duplicates += other.counts.duplicates;
        self.counts.repaired += other.counts.repaired;
        self.opened += other.opened;
        self.unsent += other.unsent;
        self.cpu += other.cpu;
        self.busiest = self.busiest.max(other.busiest);
        self.connected += other.connected;
        self.broken += other.broken;
        self.streams += other.streams;
    }

    /// What came since then. Packets in flight at the border are counted on one side as expected and on the
    /// other as received, and so loss is never below zero.
    pub fn lost_since(&self, earlier: &Self) -> (u64, u64) {
        let expected = self.counts.expected - earlier.counts.expected;
        let received = self.counts.received - earlier.counts.received;
        (expected.saturating_sub(received), received)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_once_and_totals_stay() {
        let recorder = Recorder::default();
        recorder.lock().audio.record(Duration::from_millis(1));
        recorder.lock().totals.sent += 3;
        let taken = recorder.take();
        assert_eq!((taken.all().count(), taken.totals.sent), (1, 3));
        let again = recorder.take();
        assert_eq!((again.all().count(), again.totals.sent), (0, 3));
    }

    #[test]
    fn loss_is_counted_between_two_readings() {
        let totals = |expected, received| Totals {
            counts: Counts {
                expected,
                received,
                ..Counts::default()
            },
            ..Totals::default()
        };
        assert_eq!(totals(110, 105).lost_since(&totals(10, 9)), (4, 96));
        assert_eq!(totals(20, 20).lost_since(&totals(10, 9)), (0, 11));
    }
}
