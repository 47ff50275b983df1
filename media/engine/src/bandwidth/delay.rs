//! Whether queues on the path grow: the trend of one-way delay over groups of packets.
//!
//! draft-ietf-rmcat-gcc-02 sections 5.2 to 5.4, with a line through the last groups in place of the Kalman
//! filter, as browsers have it. The constants are those of the draft or found in browsers. What jumps is judged
//! by `jump` first.

use super::jump::{Jump, Verdict};
use super::level::{Growth, Least};

/// Packets sent within this many microseconds are one group: a frame leaves as a burst.
const GROUP_MICROS: i64 = 5_000;
/// Groups that the line goes through.
const LINE: usize = 20;
/// Weight of what was before in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// From milliseconds a millisecond to the scale of the threshold.
const GAIN: f64 = 4.0;
const DELTAS_MAX: u32 = 60;
const THRESHOLD_START: f64 = 12.5;
const THRESHOLD_MIN: f64 = 6.0;
const THRESHOLD_MAX: f64 = 600.0;
/// How fast the threshold follows a greater and a smaller trend.
const THRESHOLD_UP: f64 = 0.0087;
const THRESHOLD_DOWN: f64 = 0.039;
/// A trend this far beyond the threshold is a jump of the path and does not move it.
const BEYOND: f64 = 15.0;
/// The trend must be beyond the threshold for this long, in milliseconds.
const OVERUSE_MS: f64 = 10.0;

/// Least delays are kept for this long, for what waits now and for the empty path, in microseconds: jitter
/// leaves some packet of the shorter untouched, and a queue leaves none.
const NOW_MICROS: i64 = 150_000;
const BASE_MICROS: i64 = 10_000_000;
/// A queue below this, in microseconds, is none: jitter raises the trend, but not the least delay.
const QUEUE_MIN: i64 = 20_000;

/// What came of what was sent lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    /// What came through, in bits a second.
    pub(super) rate: Option<f64>,
    /// Whether more is lost than the path always loses.
    pub(super) loses: bool,
}

/// What the path does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Usage {
    #[default]
    Normal,
    /// Queues grow: more is sent than leaves.
    Over,
    /// Queues drain.
    Under,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    last_arrival: i64,
    bytes: usize,
}

/// See the module's description.
#[derive(Clone, Debug)]
pub(super) struct DelayTrend {
    group: Option<Group>,
    previous: Option<Group>,
    started: i64,
    deltas: u32,
    accumulated: f64,
    smoothed: f64,
    points: [(f64, f64); LINE],
    threshold: f64,
    over_ms: f64,
    over_count: u32,
    last_trend: f64,
    usage: Usage,
    jump: Jump,
    delay_now: Least,
    delay_base: Least,
    growth: Growth,
}

impl Default for DelayTrend {
    fn default() -> Self {
        Self {
            group: None,
            previous: None,
            started: 0,
            deltas: 0,
            accumulated: 0.0,
            smoothed: 0.0,
            points: [(0.0, 0.0); LINE],
            threshold: THRESHOLD_START,
            over_ms: 0.0,
            over_count: 0,
            last_trend: 0.0,
            usage: Usage::Normal,
            jump: Jump::default(),
            delay_now: Least::new(NOW_MICROS),
            delay_base: Least::new(BASE_MICROS),
            growth: Growth::new(),
        }
    }
}

impl DelayTrend {
    pub(super) const fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether packets wait on the path: the least delay now is beyond that of the empty path.
    pub(super) fn is_queued(&self) -> bool {
        self.delay_now.get().saturating_sub(self.delay_base.get()) > QUEUE_MIN
    }

    /// Whether they are more and more.
    pub(super) fn grows(&self) -> bool {
        self.growth.grows()
    }

    /// Forgets the path, as after an outage.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Notes a packet, in sending order; one from before the present group is late and not noted.
    pub(super) fn note(
        &mut self,
        sent: i64,
        arrival: i64,
        len: usize,
        passage: impl FnOnce() -> Passage,
    ) {
        self.delay_now.note(sent, arrival - sent);
        self.delay_base.note(sent, arrival - sent);
        self.growth.note(sent, arrival - sent);
        let fresh = Group {
            first_sent: sent,
            last_sent: sent,
            last_arrival: arrival,
            bytes: len,
        };
        let Some(group) = &mut self.group else {
            self.group = Some(fresh);
            return;
        };
        if sent < group.first_sent {
            return;
        }
        // A queue that drains hands over packets in a clump: it tells nothing of its own.
        let clump = arrival - group.last_arrival <= GROUP_MICROS
            && arrival - group.last_arrival < sent - group.last_sent
            && sent - group.first_sent < 100_000;
        if sent - group.first_sent <= GROUP_MICROS || clump {
            group.last_sent = group.last_sent.max(sent);
            group.last_arrival = group.last_arrival.max(arrival);
            group.bytes += len;
            return;
        }
        let done = std::mem::replace(group, fresh);
        if let Some(previous) = self.previous.replace(done) {
            self.compare(previous, done, passage());
        }
    }

    fn compare(&mut self, previous: Group, done: Group, passage: Passage) {
        let arrived = (done.last_arrival - previous.last_arrival) as f64 / 1e3;
        let left = (done.last_sent - previous.last_sent) as f64 / 1e3;
        let delta = arrived - left;
        // Beyond three seconds the receiver's clock was set: begin anew.
        if delta.abs() > 3_000.0 {
            self.reset();
            return;
        }
        let own = passage
            .rate
            .map(|rate| done.bytes as f64 * 8e3 / rate.max(1.0));
        let at = done.last_arrival as f64 / 1e3;
        let change = match self.jump.judge(at, delta, left, own) {
            Verdict::Change(change) => change,
            Verdict::Wait => 0.0,
            // A queue that is full is level too, but loses.
            Verdict::Level { level, change } if passage.loses => level + change,
            Verdict::Level { level, change } => {
                self.delay_base.shift((level * 1e3) as i64);
                change
            }
        };
        self.extend(change, done.last_arrival, left);
    }

    fn extend(&mut self, delta: f64, arrival: i64, interval: f64) {
        if self.deltas == 0 {
            self.started = arrival;
        }
        self.accumulated += delta;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        let place = self.deltas as usize % LINE;
        self.points[place] = ((arrival - self.started) as f64 / 1e3, self.smoothed);
        self.deltas = self.deltas.wrapping_add(1);
        if (self.deltas as usize) < LINE {
            return;
        }
        if let Some(slope) = slope(&self.points) {
            let weight = f64::from(self.deltas.min(DELTAS_MAX));
            self.judge(weight * slope * GAIN, interval);
        }
    }

    fn judge(&mut self, trend: f64, interval: f64) {
        if trend > self.threshold {
            self.over_ms += interval;
            self.over_count += 1;
            if self.over_ms > OVERUSE_MS && self.over_count > 1 && trend >= self.last_trend {
                self.usage = Usage::Over;
                self.over_ms = 0.0;
                self.over_count = 0;
            }
        } else {
            self.over_ms = 0.0;
            self.over_count = 0;
            self.usage = if trend < -self.threshold {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
        self.last_trend = trend;
        let beyond = trend.abs() - self.threshold;
        if beyond > BEYOND {
            return;
        }
        let speed = if beyond < 0.0 {
            THRESHOLD_DOWN
        } else {
            THRESHOLD_UP
        };
        self.threshold += speed * beyond * interval.clamp(0.0, 100.0);
        self.threshold = self.threshold.clamp(THRESHOLD_MIN, THRESHOLD_MAX);
    }
}

/// The slope of the line that is nearest to the points.
fn slope(points: &[(f64, f64); LINE]) -> Option<f64> {
    let count = LINE as f64;
    let x_mean = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let y_mean = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let (mut over, mut under) = (0.0, 0.0);
    for (x, y) in points {
        over += (x - x_mean) * (y - y_mean);
        under += (x - x_mean) * (x - x_mean);
    }
    (under > 0.0).then(|| over / under)
}
