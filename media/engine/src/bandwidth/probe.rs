//! Measuring what a path carries by sending more for a moment: clusters of media and padding at a rate.
//!
//! An SFU sends whole layers, so what it sends says little about what it could send. A cluster is long
//! enough that jitter averages out and short enough that the queue which it may build is harmless.

/// How long a cluster lasts.
const CLUSTER_MICROS: i64 = 120_000;
/// Packets of which a cluster consists at least.
const PACKETS_MIN: u32 = 10;
/// Bytes of one cluster, at most: 120 ms at 20 Mbit/s.
const BYTES_MAX: usize = 300_000;
/// A cluster that has not told anything for this long after its end tells nothing.
const PATIENCE_MICROS: i64 = 700_000;
/// Part of a cluster's bytes that must arrive for a measurement.
const ARRIVED_MIN: f64 = 0.55;

/// A cluster that is sent or waited for.
#[derive(Clone, Copy, Debug)]
struct Cluster {
    id: u8,
    rate: f64,
    started: i64,
    ended: Option<i64>,
    sent_bytes: usize,
    sent_packets: u32,
    first_sent: i64,
    last_sent: i64,
    told_packets: u32,
    arrived_bytes: usize,
    first_arrival: i64,
    first_len: usize,
    last_arrival: i64,
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
    /// Begins a cluster, unless there is one.
    pub(super) fn begin(&mut self, micros: i64, rate: f64) {
        if self.cluster.is_some() {
            return;
        }
        // 0 means that a packet belongs to none.
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.cluster = Some(Cluster {
            id: self.last_id,
            rate,
            started: micros,
            ended: None,
            sent_bytes: 0,
            sent_packets: 0,
            first_sent: micros,
            last_sent: micros,
            told_packets: 0,
            arrived_bytes: 0,
            first_arrival: i64::MAX,
            first_len: 0,
            last_arrival: i64::MIN,
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
        let elapsed = (micros - cluster.started).clamp(0, CLUSTER_MICROS) as f64 / 1e6;
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
        let long = micros - cluster.started >= CLUSTER_MICROS;
        if long && cluster.sent_packets >= PACKETS_MIN || cluster.sent_bytes >= BYTES_MAX {
            cluster.ended = Some(micros);
        }
        cluster.id
    }

    /// Notes a packet that the receiver told of.
    pub(super) fn told(&mut self, mark: u8, len: usize, arrival: Option<i64>) {
        let Some(cluster) = self.cluster.as_mut().filter(|c| mark == c.id) else {
            return;
        };
        cluster.told_packets += 1;
        if let Some(arrival) = arrival {
            cluster.arrived_bytes += len;
            if arrival < cluster.first_arrival {
                (cluster.first_arrival, cluster.first_len) = (arrival, len);
            }
            cluster.last_arrival = cluster.last_arrival.max(arrival);
        }
    }

    /// The measurement, once everything is told of or patience ends. `Some(None)` measured nothing.
    pub(super) fn take(&mut self, micros: i64) -> Option<Option<Measured>> {
        let cluster = self.cluster.as_ref()?;
        let waited = micros - cluster.ended.unwrap_or(cluster.started);
        let told = cluster.ended.is_some() && cluster.told_packets >= cluster.sent_packets;
        if !told && waited < PATIENCE_MICROS {
            return None;
        }
        let measured = cluster.measure();
        self.cluster = None;
        Some(measured)
    }

    /// Forgets the cluster: the path was away.
    pub(super) fn cancel(&mut self) {
        self.cluster = None;
    }
}

impl Cluster {
    fn measure(&self) -> Option<Measured> {
        let sent_for = self.last_sent - self.first_sent;
        let arrived_for = self.last_arrival.checked_sub(self.first_arrival)?;
        let enough = self.arrived_bytes as f64 >= ARRIVED_MIN * self.sent_bytes as f64;
        if !enough || self.told_packets < PACKETS_MIN || sent_for < CLUSTER_MICROS / 4 {
            return None;
        }
        let bits = |bytes: usize, micros: i64| bytes as f64 * 8e6 / micros.max(1) as f64;
        let sent = bits(self.sent_bytes, sent_for);
        let part = self.arrived_bytes as f64 / self.sent_bytes as f64;
        // Without the first packet: what it took to send lies before the first arrival.
        let arrived = bits(self.arrived_bytes - self.first_len, arrived_for);
        Some(Measured {
            sent,
            arrived: arrived.min(sent * part),
        })
    }
}
