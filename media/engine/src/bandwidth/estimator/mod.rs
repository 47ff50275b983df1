//! What the path to one receiver carries, from its transport-wide feedback.
//!
//! The delay trend lowers the estimate to what gets through, losses bound it, use of it raises it slowly and
//! a probe at once. What is not used proves nothing: then the estimate stays where it is, and only probes
//! move it.

mod feedback;
mod probing;

use std::time::{Duration, Instant};

use super::delay::{DelayTrend, Passage, Usage};
use super::history::History;
use super::loss::LossBound;
use super::meter::Meter;
use super::probe::Prober;

/// Before the first measurement: one small picture with sound.
const START: f64 = 300_000.0;
/// Sound still passes.
const ESTIMATE_MIN: f64 = 50_000.0;
/// Nothing that one receiver is sent needs more; bounds what a liar can claim.
const ESTIMATE_MAX: f64 = 50_000_000.0;
/// Part of what gets through that is sent after an overuse (the draft's beta).
const BACK_OFF: f64 = 0.85;
/// Part of the estimate above which it is used.
const USED: f64 = 0.75;
/// What is lost while no queue grows was carried as well, up to this part: the path's own loss.
const PROVING_LOSS_MAX: f64 = 0.1;
/// The estimate rises by itself no further than this over what gets through.
const ABOVE_ACKNOWLEDGED: f64 = 1.2;
/// Part of what was sent that comes through a full link at most, for a sudden one.
const SHORT: f64 = 0.75;
/// Part of the rate of what came at which it came, on a path that carries it, and what may be lost beside.
const CARRIED: f64 = 0.9;
const CARRIED_LOSS_MAX: f64 = 0.08;
/// What arrives of what is sent to a receiver that drowns.
const DROWNS: f64 = 0.5;
/// After this much time there is enough to judge by; until then everything flows.
const READY_MICROS: i64 = 1_000_000;
/// How often more is probed for when more is wanted.
const PROBE_EVERY_MICROS: i64 = 4_000_000;
/// After a drop the path is probed this soon: it may have been a moment.
const PROBE_AFTER_DROP_MICROS: i64 = 2_500_000;
/// Rate of the first probe over the estimate, and of a later one.
const PROBE_FIRST: f64 = 3.0;
const PROBE_LATER: f64 = 1.5;

/// For so long after feedback a queue is believed to be there still.
const NEWS_MICROS: i64 = 1_000_000;

/// See the module's description.
pub(crate) struct Estimator {
    started: Instant,
    history: History,
    trend: DelayTrend,
    loss: LossBound,
    /// All that leaves, on our clock.
    sent: Meter,
    /// What arrived, on the receiver's clock, and the same by when it was sent.
    arrived: Meter,
    echoed: Meter,
    /// What is known to have arrived or to be missing, by when it was sent.
    told: Meter,
    prober: Prober,
    /// The number after the highest that was told of, and what lies between the clocks there.
    next_told: Option<u16>,
    /// The number of the last message.
    messages: Option<u8>,
    delay: Option<i64>,
    estimate: f64,
    ready: bool,
    /// What the tracks would take, for probing.
    wanted: f64,
    heard_at: Option<i64>,
    /// When the first packet left of which nothing was heard since.
    unanswered_since: Option<i64>,
    round_trip: i64,
    changed_at: i64,
    reduced_at: i64,
    /// Overuse before this is the work of a probe.
    excused_until: i64,
    probe_at: i64,
    probe_every: i64,
    probe_rate: f64,
    /// The estimate before the feedback stopped, and when it was halved last.
    outage: Option<(f64, i64)>,
}

impl Passage {
    /// Of what was told of, by when it was sent: all of it, and what came.
    fn of(echoed: &Meter, all: &Meter, loss: &LossBound) -> Self {
        let rate = echoed.rate();
        let rates = rate.zip(all.rate());
        let kept = 1.0 - loss.share() - CARRIED_LOSS_MAX;
        Self {
            rate,
            loses: rates.is_some_and(|(arrived, told)| arrived < kept * told),
        }
    }
}

impl Estimator {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            started: now,
            history: History::new(),
            trend: DelayTrend::default(),
            loss: LossBound::default(),
            sent: Meter::default(),
            arrived: Meter::default(),
            echoed: Meter::default(),
            told: Meter::default(),
            prober: Prober::default(),
            next_told: None,
            messages: None,
            delay: None,
            estimate: START,
            ready: false,
            wanted: 0.0,
            heard_at: None,
            unanswered_since: None,
            round_trip: 200_000,
            changed_at: 0,
            reduced_at: i64::MIN / 2,
            excused_until: 0,
            probe_at: 0,
            probe_every: PROBE_EVERY_MICROS,
            probe_rate: PROBE_FIRST * START,
            outage: None,
        }
    }

    /// Bits a second.
    pub(crate) const fn estimate(&self) -> f64 {
        self.estimate
    }

    /// Whether it has measured anything: until then nothing is to be held back.
    pub(crate) const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Whether most of what is sent is lost lately: to send it again would only add to that.
    pub(crate) fn drowns(&self) -> bool {
        let rates = self.echoed.rate().zip(self.told.rate());
        rates.is_some_and(|(arrived, told)| arrived < DROWNS * told)
    }

    /// Whether packets wait on the path.
    pub(crate) fn is_queued(&self) -> bool {
        self.trend.is_queued()
    }

    /// The part of what is sent that is lost, smoothed.
    pub(crate) const fn loss(&self) -> f64 {
        self.loss.share()
    }

    /// Bits a second that leave.
    pub(crate) fn sent_rate(&self) -> f64 {
        self.sent.rate().unwrap_or(0.0)
    }

    /// Says what the tracks would take if the path carried it.
    pub(crate) const fn set_wanted(&mut self, bits_per_second: f64) {
        self.wanted = bits_per_second;
    }

    /// Notes a packet that leaves.
    pub(crate) fn note_sent(&mut self, now: Instant, sequence: u16, len: usize) {
        let micros = self.micros(now);
        let probe = self.prober.sent(micros, len);
        self.history.sent(sequence, micros, len, probe);
        self.sent.note(micros, len);
        self.unanswered_since.get_or_insert(micros);
    }

    /// Bytes of padding that a probe lacks now.
    pub(crate) fn padding_due(&self, now: Instant) -> usize {
        self.prober.missing_bytes(self.micros(now))
    }

    /// The rate at which a probe is being sent.
    pub(crate) fn probe_rate(&self) -> Option<f64> {
        self.prober.rate()
    }

    fn passage(&self) -> Passage {
        Passage::of(&self.echoed, &self.told, &self.loss)
    }

    /// Does what time brings: outages and probes. To be called every 50 ms or so.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let micros = self.micros(now);
        self.sent.advance(micros);
        self.watch_silence(micros);
        self.finish_probe(micros);
        let more_wanted = self.wanted > self.estimate * 1.02;
        // What waits on the path would be in the measurement, and sound behind the probe. Where nothing is sent nothing
        // is heard either, and what waited has come through.
        let is_news = |at| micros - at < NEWS_MICROS;
        let queued = self.trend.is_queued() && self.heard_at.is_some_and(is_news);
        let free = self.outage.is_none() && !self.prober.is_busy() && !queued;
        if free && more_wanted && micros >= self.probe_at {
            let rate = self.probe_rate.max(self.estimate * PROBE_LATER);
            self.prober.begin(
                micros,
                self.estimate,
                rate.min(self.wanted * 1.25).min(ESTIMATE_MAX),
            );
            self.excused_until = micros + 600_000 + self.round_trip;
            self.probe_at = micros + self.probe_every;
            self.probe_rate = 0.0;
        }
    }

    fn adapt(&mut self, micros: i64) {
        self.finish_probe(micros);
        let acknowledged = self.arrived.rate();
        // A path that is plainly too narrow is not flooded until then.
        let suffers = self.drowns() || self.trend.is_queued();
        self.ready |= acknowledged.is_some() && (micros > READY_MICROS || suffers);
        if let Some(rate) = acknowledged
            && self.trend.usage() != Usage::Over
            && !self.trend.is_queued()
        {
            // What comes through without a queue proves that the path carries it.
            let rate = rate.min(self.echoed.rate().unwrap_or(rate));
            let proved = rate / (1.0 - self.own_loss());
            self.estimate = self.estimate.max(proved.min(ESTIMATE_MAX));
            self.loss.proved(proved);
        }
        let sent = self.sent_rate();
        let elapsed = (micros - self.changed_at).clamp(0, 200_000) as f64 / 1e6;
        self.changed_at = micros;
        let excused = micros < self.excused_until;
        match (self.trend.usage(), acknowledged) {
            (Usage::Over, Some(acknowledged)) if !excused && self.is_overused(acknowledged) => {
                self.back_off(micros, acknowledged);
            }
            (Usage::Normal, Some(acknowledged)) if sent > USED * self.estimate => {
                self.rise(micros, acknowledged, elapsed);
            }
            _ => {}
        }
        let of = |meter: &Meter| meter.rate().unwrap_or(sent);
        let rates = (of(&self.told), of(&self.echoed));
        if let Some(bound) = self.loss.judge(micros, self.estimate, rates)
            && bound < self.estimate
        {
            self.estimate = bound.max(ESTIMATE_MIN);
        }
    }

    /// The part that is lost though no queue grows. Beyond what a path may lose by itself the queue is one that
    /// was always full, of which delay tells nothing.
    fn own_loss(&self) -> f64 {
        if self.loss.excess() > PROVING_LOSS_MAX {
            return 0.0;
        }
        self.loss.share().min(PROVING_LOSS_MAX)
    }

    /// Whether what the trend shows is a queue of ours: it goes on growing, or much less comes through than was
    /// sent. A path that only became longer shows neither.
    fn is_overused(&self, acknowledged: f64) -> bool {
        let told = self.told.rate().unwrap_or(acknowledged);
        self.trend.is_queued() && (self.trend.grows() || acknowledged < SHORT * told)
    }

    /// Whether what is sent comes through, however long it takes: nearly all of what came kept its pace, and
    /// no more is lost than may be the path's own.
    pub(crate) fn carries(&self) -> bool {
        let rates = self.arrived.rate().zip(self.echoed.rate());
        self.outage.is_none()
            && rates.is_some_and(|(arrived, echoed)| arrived >= CARRIED * echoed)
            && self.loss.excess() < CARRIED_LOSS_MAX
            && !self.passage().loses
    }

    fn back_off(&mut self, micros: i64, acknowledged: f64) {
        // What was sent meanwhile was sent before the receiver could tell.
        if micros - self.reduced_at < self.round_trip + 200_000 {
            return;
        }
        let echoed = self.echoed.rate().unwrap_or(acknowledged);
        let target = if acknowledged < 0.9 * echoed {
            BACK_OFF * acknowledged
        } else {
            (BACK_OFF * acknowledged).max(0.8 * self.estimate)
        };
        if target >= self.estimate {
            return;
        }
        let before = self.estimate;
        self.estimate = target.max(ESTIMATE_MIN);
        self.reduced_at = micros;
        if self.estimate < before * 0.7 {
            self.probe_rate = before * BACK_OFF;
            self.probe_every = PROBE_EVERY_MICROS;
        }
        self.probe_at = self.probe_at.max(micros + PROBE_AFTER_DROP_MICROS);
        if self.estimate < before * 0.7 {
            self.probe_at = micros + PROBE_AFTER_DROP_MICROS;
        }
    }

    /// Eight hundredths a second, as long as it is used.
    fn rise(&mut self, micros: i64, acknowledged: f64, elapsed: f64) {
        let recently = micros - self.reduced_at < 3_000_000;
        let speed = if recently { 0.02 } else { 0.08 };
        let risen = self.estimate * (1.0 + speed * elapsed) + 500.0 * elapsed;
        let most = ABOVE_ACKNOWLEDGED * acknowledged;
        self.estimate = risen.min(most).max(self.estimate).min(ESTIMATE_MAX);
    }

    fn micros(&self, now: Instant) -> i64 {
        let elapsed: Duration = now.saturating_duration_since(self.started);
        i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
    }
}
