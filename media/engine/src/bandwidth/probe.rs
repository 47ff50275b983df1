//! Measuring what a path carries by sending more for a moment: clusters of media and padding at a rate.
//!
//! An SFU sends whole layers, so what it sends says little about what it could send. A cluster is long
//! enough that jitter averages out and short enough that the queue which it may build is harmless.

use super::history::Told;

/// How long a cluster lasts, at most and at least.
const CLUSTER_MICROS: i64 = 160_000;
const CLUSTER_MICROS_MIN: i64 = 60_000;
/// The queue that it builds on a path that carries no more than is known, in the time that the path takes for it:
/// sound waits behind it.
const QUEUE_MICROS: f64 = 100_000.0;
/// Packets of which a cluster consists at least.
const PACKETS_MIN: u32 = 10;
/// Bytes of one cluster, at most: 120 ms at 20 Mbit/s.
const BYTES_MAX: usize = 300_000;
/// A cluster of which not all is told for this long after its end, and two round trips, tells nothing more.
const PATIENCE_MICROS: i64 = 700_000;
/// Part of a cluster's bytes that must arrive for a measurement.
const ARRIVED_MIN: f64 = 0.55;

/// A cluster that comes stretched beyond this has met a queue.
const QUEUED: f64 = 1.15;
/// Less than this part of it arrives where a policer drops what is too fast.
const POLICED: f64 = 0.8;

/// A cluster that is sent or waited for.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    id: u8,
    rate: f64,
    lasts: i64,
    started: i64,
    ended: Option<i64>,
    sent_bytes: usize,
    sent_packets: u32,
    first_sent: i64,
    last_sent: i64,
    told_packets: u32,
    told_bytes: usize,
    arrived_bytes: usize,
    /// The arrival that the others are counted from.
    origin: Option<i64>,
    /// Of what was sent in its first and in its second half.
    halves: [Half; 2],
}

/// Packets that arrived, and the sums of when they left and came, since the first of each.
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    count: i64,
    left: i64,
    came: i64,
}

/// What a cluster measured, in bits a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    /// The rate at which it left.
    pub(super) sent: f64,
    /// The rate at which it arrived, never above that at which it left.
    pub(super) arrived: f64,
}

/// See the module's description. One cluster at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Prober {
    cluster: Option<Cluster>,
    last_id: u8,
}

impl Prober {
    /// Begins a cluster, unless there is one, on a path that is known to carry so much.
    pub(super) fn begin(&mut self, micros: i64, known: f64, rate: f64) {
        if self.cluster.is_some() {
            return;
        }
        // 0 means that a packet belongs to none.
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.cluster = Some(Cluster {
            id: self.last_id,
            rate,
            lasts: lasts(rate / known.max(1.0)),
            started: micros,
            ended: None,
            sent_bytes: 0,
            sent_packets: 0,
            first_sent: micros,
            last_sent: micros,
            told_packets: 0,
            told_bytes: 0,
            arrived_bytes: 0,
            origin: None,
            halves: [Half::default(); 2],
        });
    }

    /// Whether a cluster is sent, or waited for.
    pub(super) const fn is_busy(&self) -> bool {
        self.cluster.is_some()
    }

    /// The rate of the cluster that is being sent.
    pub(super) fn rate(&self) -> Option<f64> {
        let cluster = self.cluster.as_ref()?;
        cluster.ended.is_none().then_some(cluster.rate)
    }

    /// Bytes that the cluster is behind its rate.
    pub(super) fn missing_bytes(&self, micros: i64) -> usize {
        let Some(cluster) = self.cluster.as_ref().filter(|c| c.ended.is_none()) else {
            return 0;
        };
        let elapsed = (micros - cluster.started).clamp(0, cluster.lasts) as f64 / 1e6;
        let due = (cluster.rate * elapsed / 8.0) as usize;
        due.min(BYTES_MAX).saturating_sub(cluster.sent_bytes)
    }

    /// Notes a packet that leaves and returns the mark that it carries.
    pub(super) fn sent(&mut self, micros: i64, len: usize) -> u8 {
        let Some(cluster) = self.cluster.as_mut().filter(|c| c.ended.is_none()) else {
            return 0;
        };
        if cluster.sent_packets == 0 {
            cluster.first_sent = micros;
        }
        cluster.last_sent = micros;
        cluster.sent_bytes += len;
        cluster.sent_packets += 1;
        let long = micros - cluster.started >= cluster.lasts;
        if long && cluster.sent_packets >= PACKETS_MIN || cluster.sent_bytes >= BYTES_MAX {
            cluster.ended = Some(micros);
        }
        cluster.id
    }

    /// Notes a packet that the receiver told of.
    pub(super) fn told(&mut self, told: &Told, arrival: Option<i64>) {
        let cluster = self.cluster.as_mut().filter(|c| told.probe == c.id);
        let Some(cluster) = cluster else {
            return;
        };
        let (sent, len) = (told.micros, told.len);
        if !told.late {
            cluster.told_packets += 1;
            cluster.told_bytes += len;
        }
        if let Some(arrival) = arrival {
            cluster.arrived_bytes += len;
            let since = arrival - *cluster.origin.get_or_insert(arrival);
            let left = sent - cluster.started;
            let half = &mut cluster.halves[usize::from(left > cluster.lasts / 2)];
            half.count += 1;
            half.left += left;
            half.came += since;
        }
    }

    /// The measurement on a path that loses a part by itself, once everything is told of or patience ends.
    /// `Some(None)` measured nothing.
    pub(super) fn take(
        &mut self,
        micros: i64,
        round_trip: i64,
        own_loss: f64,
    ) -> Option<Option<Measured>> {
        let cluster = self.cluster.as_ref()?;
        let waited = micros - cluster.ended.unwrap_or(cluster.started);
        let told = cluster.ended.is_some() && cluster.told_packets >= cluster.sent_packets;
        if !told && waited < PATIENCE_MICROS + 2 * round_trip {
            return None;
        }
        let measured = cluster.measure(own_loss);
        self.cluster = None;
        Some(measured)
    }

    /// Forgets the cluster: the path was away.
    pub(super) fn cancel(&mut self) {
        self.cluster = None;
    }
}

/// How long a cluster of so many times the known rate lasts.
fn lasts(times: f64) -> i64 {
    let most = QUEUE_MICROS / (times - 1.0).max(0.1);
    (most as i64).clamp(CLUSTER_MICROS_MIN, CLUSTER_MICROS)
}

impl Cluster {
    fn measure(&self, own_loss: f64) -> Option<Measured> {
        let sent_for = self.last_sent - self.first_sent;
        let passes = 1.0 - own_loss;
        let enough = self.arrived_bytes as f64 >= ARRIVED_MIN * passes * self.sent_bytes as f64;
        let [first, second] = self.halves;
        if !enough || sent_for < self.lasts / 4 || first.count.min(second.count) < 3 {
            return None;
        }
        let sent = self.sent_bytes as f64 * 8e6 / sent_for as f64;
        // Of what nothing is known since feedback was lost, as much will have arrived.
        let part = (self.arrived_bytes as f64 / (passes * self.told_bytes as f64)).min(1.0);
        // How much further apart the halves came than they left: jitter averages out.
        let mean = |sum: i64, count: i64| sum as f64 / count as f64;
        let left = mean(second.left, second.count) - mean(first.left, first.count);
        let came = mean(second.came, second.count) - mean(first.came, first.count);
        let stretch = (came / left.max(1.0)).max(1.0);
        // Loss without a queue is the path's own, unless it is what a policer takes.
        let part = if stretch < QUEUED && part > POLICED {
            1.0
        } else {
            part
        };
        Some(Measured {
            sent,
            arrived: sent * part / stretch,
        })
    }
}
