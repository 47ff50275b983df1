//! Shares what a path carries among the tracks of one receiver.
//!
//! Sound comes first: the caller takes it off the budget. Then every picture gets its smallest layer, in
//! order of priority; then one step after the other, all tracks of the highest priority in turn before the
//! next. What no longer fits is taken away at once; more is given only with a margin and after a hold, so
//! that a picture does not flap between two layers.

use std::time::{Duration, Instant};

/// What must be left over for a step up.
const MARGIN: f64 = 1.10;
/// Part of its cost for which a step is kept: rates and estimates waver, and a queue soon tells.
const KEEP: f64 = 0.9;
/// How long a track stays after a change before it may rise.
const HOLD: Duration = Duration::from_millis(1_500);
/// How long after its last reduction: longer, or it would come back at once and be reduced again.
const HOLD_REDUCED: Duration = Duration::from_secs(3);

/// How long a track without any step waits for its first; twice as long for each time that it was soon taken
/// away again, up to this many times.
const HOLD_PAUSED: Duration = Duration::from_secs(1);
const PAUSES_MAX: u32 = 4;
/// A track that is paused again this soon came back too early; twice as soon counts with each time.
const SOON: Duration = Duration::from_secs(10);

/// How long the only picture left is kept though it does not fit and what is sent does not come through either: a
/// way that changed looks like a full one for a moment. As long as all comes through, no estimate ends it.
const LAST_KEPT: Duration = Duration::from_millis(1_000);

/// One track of a receiver.
#[derive(Clone, Debug)]
pub(crate) struct Share<K> {
    /// Whose it is, for the caller.
    pub(crate) key: K,
    /// Higher comes first.
    pub(crate) priority: u8,
    /// What each step costs in bits a second, ascending; bounded by the layers of a track.
    pub(crate) rates: Vec<f64>,
    /// Steps that it is given now: 0 is paused, 1 the smallest layer.
    pub(crate) steps: usize,
    /// When it was changed last, and when it was last reduced.
    pub(crate) changed_at: Option<Instant>,
    pub(crate) reduced_at: Option<Instant>,
    /// When it was last paused.
    paused_at: Option<Instant>,
    /// How often it was paused soon after it came back.
    pauses: u32,
    /// Since when it is kept as the last.
    short_since: Option<Instant>,
}

impl<K> Share<K> {
    /// A track that has so many steps now.
    pub(crate) const fn new(key: K, steps: usize) -> Self {
        Self {
            key,
            priority: 0,
            rates: Vec::new(),
            steps,
            changed_at: None,
            reduced_at: None,
            paused_at: None,
            pauses: 0,
            short_since: None,
        }
    }

    /// What its steps cost from now on.
    pub(crate) fn set_rates(&mut self, rates: impl IntoIterator<Item = f64>) {
        self.rates.clear();
        self.rates.extend(rates);
    }

    fn cost(&self, steps: usize) -> f64 {
        let step = steps.checked_sub(1);
        step.and_then(|at| self.rates.get(at))
            .copied()
            .unwrap_or(0.0)
    }

    fn may_rise(&self, now: Instant) -> bool {
        let since = |at: Option<Instant>, hold| {
            at.is_none_or(|at| now.saturating_duration_since(at) >= hold)
        };
        if self.steps == 0 {
            return since(self.reduced_at, HOLD_PAUSED * 2_u32.pow(self.pauses));
        }
        since(self.changed_at, HOLD) && since(self.reduced_at, HOLD_REDUCED)
    }

    /// Counts a pause that follows another.
    fn note_pause(&mut self, now: Instant) {
        let soon = |at: Instant| now.saturating_duration_since(at) < SOON * 2_u32.pow(self.pauses);
        let again = self.paused_at.replace(now).is_some_and(soon);
        self.pauses = if again {
            (self.pauses + 1).min(PAUSES_MAX)
        } else {
            0
        };
    }
}

/// Sets the steps of every track, within `budget` bits a second. `carried` says that what is sent now comes
/// through.
pub(crate) fn allocate<K>(now: Instant, budget: f64, carried: bool, shares: &mut [Share<K>]) {
    shares.sort_by_key(|share| std::cmp::Reverse(share.priority));
    let mut left = budget;
    // The chosen steps are written over `steps` at the end; meanwhile they lie here, bounded by the tracks
    // of one receiver.
    let mut chosen = vec![0_usize; shares.len()];
    for (share, chosen) in shares.iter().zip(&mut chosen) {
        if !share.rates.is_empty() {
            raise(now, share, chosen, &mut left);
        }
    }
    let mut from = 0;
    while from < shares.len() {
        let class = shares[from].priority;
        let until = from + shares[from..].partition_point(|share| share.priority == class);
        let mut rising = true;
        while rising {
            rising = false;
            for at in from..until {
                if chosen[at] > 0 && chosen[at] < shares[at].rates.len() {
                    rising |= raise(now, &shares[at], &mut chosen[at], &mut left);
                }
            }
        }
        from = until;
    }
    keep_last(now, carried, shares, &mut chosen);
    for (share, chosen) in shares.iter_mut().zip(chosen) {
        if share.rates.is_empty() {
            // Nothing is known of it yet: it stays as it is.
            continue;
        }
        if chosen < share.steps {
            share.reduced_at = Some(now);
            if chosen == 0 {
                share.note_pause(now);
            }
        }
        if chosen != share.steps {
            share.changed_at = Some(now);
        }
        share.steps = chosen;
    }
}

/// Keeps one picture when none fits any more: as long as it comes through, and then for a moment.
fn keep_last<K>(now: Instant, carried: bool, shares: &mut [Share<K>], chosen: &mut [usize]) {
    let none = chosen.iter().all(|chosen| *chosen == 0);
    let flows = |share: &Share<K>| share.steps > 0 && !share.rates.is_empty();
    let last = shares.iter().position(|share| none && flows(share));
    for (at, share) in shares.iter_mut().enumerate() {
        if Some(at) != last {
            share.short_since = None;
            continue;
        }
        if carried {
            share.short_since = None;
        }
        let since = *share.short_since.get_or_insert(now);
        if now.saturating_duration_since(since) < LAST_KEPT {
            chosen[at] = 1;
        }
    }
}

/// Gives a track one step more if it fits.
fn raise<K>(now: Instant, share: &Share<K>, chosen: &mut usize, left: &mut f64) -> bool {
    let next = *chosen + 1;
    let step = share.cost(next) - share.cost(*chosen);
    let needed = if next > share.steps {
        if !share.may_rise(now) {
            return false;
        }
        step.max(0.0) + share.cost(next) * (MARGIN - 1.0)
    } else {
        step * KEEP
    };
    if needed > *left {
        return false;
    }
    *left = (*left - step).max(0.0);
    *chosen = next;
    true
}

/// What the tracks take with the steps that they have.
pub(crate) fn given<K>(shares: &[Share<K>]) -> f64 {
    shares.iter().map(|share| share.cost(share.steps)).sum()
}

/// What all tracks would take if the path carried it, with what must be left over for a step up where one is to come.
pub(crate) fn demand<K>(shares: &[Share<K>]) -> f64 {
    shares
        .iter()
        .map(|share| {
            let rises = share.steps < share.rates.len();
            share.cost(share.rates.len()) * if rises { MARGIN } else { 1.0 }
        })
        .sum()
}
