//! What happened, gathered from many tasks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::result::{Latency, Times};

/// A kind of latency: its id, its title, and from what to what it runs.
pub(super) type Kind = (&'static str, &'static str, &'static str);

/// What happened so far. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Tallied>>);

#[derive(Default)]
struct Tallied {
    /// Things meant for an earlier time belong to the warm-up.
    from: Option<Instant>,
    /// The first kind since it was last taken.
    interval: Times,
    kinds: BTreeMap<&'static str, Times>,
    late: Times,
    done: u64,
    skipped: u64,
    errors: BTreeMap<String, u64>,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Tallied> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to count.
    pub(super) fn begin(&self, now: Instant) {
        self.lock().from = Some(now);
    }

    /// Something that was meant for `intended` took until now. `first`: it is the kind that the scenario is about.
    pub(super) fn took(&self, kind: &'static str, first: bool, intended: Instant) {
        self.measured(kind, first, intended, intended.elapsed());
    }

    /// Something that was meant for `intended` took so long, as somebody else measured it.
    pub(super) fn measured(
        &self,
        kind: &'static str,
        first: bool,
        intended: Instant,
        took: Duration,
    ) {
        let mut tallied = self.lock();
        if tallied.from.is_none_or(|from| intended < from) {
            return;
        }
        tallied.kinds.entry(kind).or_default().record(took);
        if first {
            tallied.interval.record(took);
        }
    }

    /// Something is done, whenever it was meant for.
    pub(super) fn done(&self) {
        self.lock().done += 1;
    }

    /// Something begins now that was meant for `intended`.
    pub(super) fn begins(&self, intended: Instant) {
        let late = intended.elapsed();
        self.lock().late.record(late);
    }

    /// Something was not begun, for a reason of the load test's own.
    pub(super) fn skipped(&self) {
        self.lock().skipped += 1;
    }

    /// Something went wrong.
    pub(super) fn error(&self, kind: impl Into<String>) {
        *self.lock().errors.entry(kind.into()).or_default() += 1;
    }

    /// How much is done.
    pub(super) fn count(&self) -> u64 {
        self.lock().done
    }

    /// The first kind's times since they were last taken.
    pub(super) fn take_interval(&self) -> Times {
        std::mem::take(&mut self.lock().interval)
    }

    /// The latencies of these kinds, in their order.
    pub(super) fn latencies(&self, kinds: &[Kind]) -> Vec<Latency> {
        let tallied = self.lock();
        let latency = |(id, title, explanation): &Kind| {
            tallied.kinds.get(id)?.latency(id, title, explanation)
        };
        kinds.iter().filter_map(latency).collect()
    }

    /// How late things began, how many did not, and what went wrong.
    pub(super) fn rest(&self) -> (Times, u64, BTreeMap<String, u64>) {
        let tallied = self.lock();
        (
            tallied.late.clone(),
            tallied.skipped,
            tallied.errors.clone(),
        )
    }
}

/// Waits that are given up after this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_for_the_warm_up_is_not_measured() {
        let tally = Tally::default();
        let now = Instant::now();
        tally.took("latency", true, now);
        tally.begin(now);
        tally.took("latency", true, now - Duration::from_secs(1));
        assert_eq!(tally.take_interval().count(), 0);
        tally.took("latency", true, now);
        tally.took("other", false, now);
        assert_eq!(tally.take_interval().count(), 1);
        let kinds = [("latency", "", ""), ("other", "", ""), ("none", "", "")];
        assert_eq!(tally.latencies(&kinds).len(), 2);
    }
}
