//! A bound on the rate from losses, which tells congestion from a path that always loses.
//!
//! draft-ietf-rmcat-gcc-02 section 6 reduces the rate above one tenth of loss for as long as the loss lasts,
//! so a radio that loses a quarter whatever is sent starves. Here a reduction is an experiment: when less is
//! sent and as much is lost, the loss is the path's own and only what goes beyond it counts.

/// Packets in one judgement, and the least time that it covers.
const PACKETS_MIN: u32 = 40;
const WINDOW_MICROS: i64 = 400_000;
/// Excess loss up to which the bound is lifted, and above which it is lowered.
const LIFT_BELOW: f64 = 0.02;
const LOWER_ABOVE: f64 = 0.10;
/// Part of what was sent at which the experiment is judged, at most: less than came through then, so that no queue
/// overflows any more.
const EXPERIMENT: f64 = 0.7;
/// A queue empties when this part of what came through is sent.
const DRAINS: f64 = 0.9;
/// The loss is the path's own when this part of it is left.
const REMAINS: f64 = 0.6;
/// The path's own loss that is believed, at most: beyond it nothing is of use.
const INHERENT_MAX: f64 = 0.5;

/// What was sent, came, was thought to be carried and lost when the present reductions began.
#[derive(Clone, Copy, Debug)]
struct Before {
    sent: f64,
    came: f64,
    estimate: f64,
    loss: f64,
}

impl Before {
    /// Whether so little is sent now that what is lost is not lost to a full queue: less than came through then, or
    /// what the path was thought to carry while the estimate fell for nothing.
    fn is_less(&self, now: Self) -> bool {
        let carried = self.sent <= self.estimate && now.estimate < EXPERIMENT * self.estimate;
        carried || now.sent < (EXPERIMENT * self.sent).min(DRAINS * self.came)
    }
}

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub(super) struct LossBound {
    received: u32,
    missing: u32,
    since: Option<i64>,
    /// Whether packets waited on the path meanwhile.
    queued: bool,
    /// Smoothed.
    loss: f64,
    inherent: f64,
    bound: Option<f64>,
    before: Option<Before>,
}

impl LossBound {
    /// Notes how many packets arrived, are missing, and came after they were missed; and whether any waited on the
    /// path.
    pub(super) fn note(&mut self, received: u32, missing: u32, late: u32, queued: bool) {
        self.queued |= queued;
        self.received = self.received.saturating_add(received);
        self.missing = self.missing.saturating_add(missing).saturating_sub(late);
    }

    /// Judges what was noted, when it is enough. Takes the present estimate and returns the greatest that
    /// losses allow. `sent` and `came` are the rates of what was noted and what of it arrived.
    pub(super) fn judge(
        &mut self,
        micros: i64,
        estimate: f64,
        (sent, came): (f64, f64),
    ) -> Option<f64> {
        let since = *self.since.get_or_insert(micros);
        let count = self.received.saturating_add(self.missing);
        if micros - since < WINDOW_MICROS || count < PACKETS_MIN {
            return self.bound;
        }
        let sample = f64::from(self.missing) / f64::from(count);
        (self.received, self.missing, self.since) = (0, 0, Some(micros));
        let queued = std::mem::take(&mut self.queued);
        self.loss = 0.6 * self.loss + 0.4 * sample;
        if self.loss < self.inherent {
            self.inherent = 0.8 * self.inherent + 0.2 * self.loss;
        }
        let excess = sample.min(self.loss) - self.inherent;
        if excess > LOWER_ABOVE {
            let now = Before {
                sent,
                came,
                estimate,
                loss: sample - self.inherent,
            };
            self.lower(now, excess, queued);
        } else if excess < LIFT_BELOW {
            self.before = None;
            self.bound = self.bound.map(|bound| bound * 1.08);
            // Far above what is sent it binds nothing.
            self.bound = self.bound.filter(|bound| *bound < 4.0 * estimate);
        }
        self.bound
    }

    fn lower(&mut self, now: Before, excess: f64, queued: bool) {
        // The sample, since smoothing shows the first losses too small.
        let before = *self.before.get_or_insert(now);
        // A queue that overflows proves nothing, nor does a loss that no path has by itself.
        let telling = !queued && self.inherent + excess <= INHERENT_MAX;
        if telling && before.is_less(now) {
            if excess > REMAINS * before.loss {
                self.inherent += excess;
                self.bound = None;
                self.before = None;
                return;
            }
            // A part of it was ours.
            let loss = 0.5 * (before.loss + excess);
            self.before = Some(Before { loss, ..before });
        }
        let bound = self
            .bound
            .map_or(now.estimate, |bound| bound.min(now.estimate));
        self.bound = Some(bound * (1.0 - 0.5 * excess.min(1.0)));
    }

    /// The part that is lost, smoothed.
    pub(super) const fn share(&self) -> f64 {
        self.loss
    }

    /// The path's own part.
    pub(super) const fn own(&self) -> f64 {
        self.inherent
    }

    /// What of it is not the path's own.
    pub(super) fn excess(&self) -> f64 {
        (self.loss - self.inherent).max(0.0)
    }

    /// Forgets what is being noted: the path was away.
    pub(super) fn begin_anew(&mut self) {
        (self.received, self.missing, self.since) = (0, 0, None);
        self.loss = self.inherent;
        (self.bound, self.before) = (None, None);
    }

    /// A rate that got through bounds from below.
    pub(super) fn proved(&mut self, rate: f64) {
        self.bound = self.bound.map(|bound| bound.max(rate));
    }
}
