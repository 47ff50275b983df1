//! A token bucket for each key, in a map of bounded size.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Rate;
use crate::model::UnixMillis;

/// Too many tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many tries; the next is allowed in {retry_after_secs} s")]
pub struct TooMany {
    /// When to try again.
    pub retry_after_secs: u32,
}

/// Counts tries for each key.
#[derive(Debug)]
pub struct Limiter<K> {
    rate: Rate,
    keys_max: usize,
    /// For each key the moment at which its bucket is full again.
    full_at: Mutex<HashMap<K, UnixMillis>>,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    /// A limiter that remembers at most so many keys.
    #[must_use]
    pub fn new(rate: Rate, keys_max: u32) -> Self {
        let keys_max = usize::try_from(keys_max.max(1)).unwrap_or(1);
        Self {
            rate,
            keys_max,
            full_at: Mutex::new(HashMap::new()),
        }
    }

    /// Counts a try, unless it is one too many.
    ///
    /// # Errors
    /// When it is; it is not counted then.
    pub fn check(&self, key: &K, now: UnixMillis) -> Result<(), TooMany> {
        let refill = Duration::from_secs(u64::from(self.rate.refill_secs));
        let capacity = refill.saturating_mul(self.rate.burst);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = full_at
            .get(key)
            .copied()
            .unwrap_or(now)
            .max(now)
            .plus(refill);
        let beyond = full.since(now.plus(capacity));
        if !beyond.is_zero() {
            let secs = u32::try_from(beyond.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
            return Err(TooMany {
                retry_after_secs: secs,
            });
        }
        if full_at.len() >= self.keys_max && !full_at.contains_key(key) {
            make_room(&mut full_at, now, self.keys_max);
        }
        full_at.insert(key.clone(), full);
        Ok(())
    }
}

/// Forgets full buckets, which say nothing; if there are none, the quarter nearest to full.
fn make_room<K: Eq + Hash + Clone>(
    full_at: &mut HashMap<K, UnixMillis>,
    now: UnixMillis,
    keys_max: usize,
) {
    full_at.retain(|_, full| *full > now);
    if full_at.len() < keys_max {
        return;
    }
    let mut moments: Vec<_> = full_at.values().copied().collect();
    moments.sort_unstable();
    let until = moments[moments.len() / 4];
    full_at.retain(|_, full| *full > until);
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        refill_secs: 10,
    };

    fn after_secs(secs: u64) -> UnixMillis {
        UnixMillis(1_000_000).plus(Duration::from_secs(secs))
    }

    #[test]
    fn a_burst_passes_then_one_for_each_refill() {
        let limiter = Limiter::new(RATE, 8);
        for _ in 0..3 {
            assert_eq!(limiter.check(&1, after_secs(0)), Ok(()));
        }
        assert_eq!(
            limiter.check(&1, after_secs(0)),
            Err(TooMany {
                retry_after_secs: 10
            })
        );
        assert_eq!(
            limiter.check(&1, after_secs(4)),
            Err(TooMany {
                retry_after_secs: 6
            })
        );
        assert_eq!(limiter.check(&2, after_secs(4)), Ok(()));
        assert_eq!(limiter.check(&1, after_secs(10)), Ok(()));
        assert_eq!(
            limiter.check(&1, after_secs(10)),
            Err(TooMany {
                retry_after_secs: 10
            })
        );
    }

    #[test]
    fn the_map_never_grows_beyond_its_bound() {
        let limiter = Limiter::new(RATE, 8);
        for key in 0..100 {
            assert_eq!(limiter.check(&key, after_secs(0)), Ok(()));
            assert!(limiter.full_at.lock().unwrap().len() <= 8);
        }
    }
}
